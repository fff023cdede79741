"""The bucket: where documents lie, as a local folder or in an object store.

The platform reads it, writes to it for an upload only, and deletes from it only when asked to.
"""

from collections.abc import Generator, Iterator, Mapping
from typing import Protocol
from urllib.parse import unquote, urlsplit

from rag_platform.documents.bucket.keys import UPLOAD_PREFIX as UPLOAD_PREFIX
from rag_platform.documents.bucket.keys import checked_key as checked_key
from rag_platform.documents.bucket.keys import collection_of as collection_of
from rag_platform.documents.bucket.keys import is_ignored
from rag_platform.documents.bucket.local import LocalFolder
from rag_platform.documents.bucket.objects import BucketObject as BucketObject
from rag_platform.documents.bucket.objects import DocumentChanging as DocumentChanging
from rag_platform.errors import InvalidRequest, NotFound, SettingsError, UnreadableDocument


class _Store(Protocol):
    """What a local folder and an object store have in common."""

    skipped: dict[str, str]

    def list(self, prefix: str) -> Iterator[BucketObject]: ...
    def stat(self, key: str) -> BucketObject | None: ...
    def read(self, key: str, limit: int = -1) -> tuple[BucketObject, bytes]: ...
    def stream(self, key: str) -> tuple[BucketObject, Generator[bytes]]: ...
    def write(self, key: str, data: bytes) -> BucketObject: ...
    def delete(self, key: str) -> None: ...


class Bucket:
    """A bucket by its URL: ``file:///…``, ``s3://``, ``gs://`` or ``az://``.

    Credentials of object stores come the usual ways (environment, profile, workload identity).
    Ignored names (:func:`is_ignored`) don't exist for any method. Every method may raise
    :class:`BucketUnavailable`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._store = _store(url)

    @property
    def skipped(self) -> Mapping[str, str]:
        """What the last full listing left out though a person may miss it: name and reason."""
        return self._store.skipped

    def list(self, prefix: str = "") -> Iterator[BucketObject]:
        """All objects, or those at or under the folder ``prefix``, in no particular order.

        The iterator raises :class:`BucketUnavailable` when the listing cannot be completed: only
        one that came to its end is complete.
        """
        return (found for found in self._store.list(prefix.strip("/")) if not is_ignored(found.key))

    def stat(self, key: str) -> BucketObject | None:
        """The object at a key, if there is one."""
        return None if is_ignored(key) else self._store.stat(key)

    def read(self, key: str) -> bytes:
        """The bytes of an object. Raises :class:`NotFound`."""
        if is_ignored(key):
            raise NotFound(f"There is no file {key!r} in the bucket.")
        return self._store.read(key)[1]

    def stream(self, key: str) -> tuple[BucketObject, Generator[bytes]]:
        """An object and its bytes in pieces; close the generator. Raises :class:`NotFound`."""
        if is_ignored(key):
            raise NotFound(f"There is no file {key!r} in the bucket.")
        return self._store.stream(key)

    def read_stable(self, key: str, *, max_bytes: int) -> tuple[BucketObject, bytes]:
        """An object and its bytes, which belong to each other.

        Raises :class:`DocumentChanging` when it is being written, :class:`UnreadableDocument` when
        it is larger than ``max_bytes``, :class:`NotFound` when it is gone.
        """
        before = self.stat(key)
        if before is None:
            raise NotFound(f"There is no file {key!r} in the bucket.")
        if before.size > max_bytes:
            raise UnreadableDocument(
                f"The file is too large: {_megabytes(before.size)} MB, and the limit is "
                f"{_megabytes(max_bytes)} MB."
            )
        read, data = self._store.read(key, before.size + 1)
        after = self.stat(key)
        if not before == read == after or len(data) != before.size:
            raise DocumentChanging(f"The file {key!r} is being written.")
        return before, data

    def write(self, key: str, data: bytes) -> BucketObject:
        """Put an object in its place whole: a reader sees the old one or the new one.

        Raises :class:`Conflict` when the bucket is read-only or a folder has the name.
        """
        if is_ignored(key):
            raise InvalidRequest(f"The name {key!r} looks temporary or hidden, so it is ignored.")
        return self._store.write(key, data)

    def delete(self, key: str) -> None:
        """Remove an object if it is there. Raises :class:`Conflict` when that is forbidden."""
        if not is_ignored(key):
            self._store.delete(key)


def _store(url: str) -> _Store:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalFolder(unquote(parts.path))
    if parts.scheme in ("s3", "gs", "az", "memory"):
        # Imported here: a bucket in a folder needs none of it.
        from rag_platform.documents.bucket.remote import ObjectStore

        return ObjectStore(url)
    raise SettingsError(
        f"The bucket {url!r} has no known scheme.", "Use file://, s3://, gs:// or az://."
    )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}".removesuffix(".0")
