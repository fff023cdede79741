"""One source of the bucket: a folder or a place in an object store, and its part of the keys."""

from collections.abc import Generator, Iterator, Mapping
from typing import Protocol
from urllib.parse import unquote, urlsplit

from rag_platform.documents.bucket.keys import DEFAULT_COLLECTION, collection_of, is_ignored
from rag_platform.documents.bucket.local import LocalFolder
from rag_platform.documents.bucket.objects import BucketObject
from rag_platform.errors import BucketUnavailable, Conflict, NotFound, SettingsError
from rag_platform.settings.sources import SourceSpec


class Store(Protocol):
    """What a local folder and an object store have in common."""

    skipped: dict[str, str]

    @property
    def place(self) -> str:
        """What tells it from another store under the same address."""
        ...

    def list(self, prefix: str, *, deep: bool = True) -> Iterator[BucketObject]:
        """The objects at or under a folder; not those in folders below it unless ``deep``."""
        ...

    def stat(self, key: str) -> BucketObject | None:
        """The object at a key, if there is one."""
        ...

    def read(self, key: str, limit: int = -1) -> tuple[BucketObject, bytes]:
        """The object and at most ``limit`` of its bytes. Raises :class:`NotFound`."""
        ...

    def stream(self, key: str) -> tuple[BucketObject, Generator[bytes]]:
        """The object and its bytes in pieces. Raises :class:`NotFound`."""
        ...

    def write(self, key: str, data: bytes) -> BucketObject:
        """Put an object in its place whole."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object if it is there."""
        ...


class Source:
    """A place and the collections that it holds.

    With a name it is one collection, and its keys begin with that name. Without one, its top
    folders are collections; those in ``taken``, the names of other sources, do not count.
    """

    def __init__(self, spec: SourceSpec, taken: frozenset[str] = frozenset()) -> None:
        self.name = spec.name
        self.url = spec.url
        self.read_only = spec.read_only
        self._taken = taken
        self._prefix = f"{spec.name}/" if spec.name else ""
        self._store = _store(spec.url)
        self._shadowed: dict[str, str] = {}

    def __str__(self) -> str:
        return f"{self.name}={self.url}" if self.name else self.url

    @property
    def place(self) -> str:
        """What tells this place from another under the same address, such as an empty mount point.

        Raises :class:`BucketUnavailable`.
        """
        return self._store.place

    @property
    def skipped(self) -> Mapping[str, str]:
        """What the last listing left out though a person may miss it: name and reason."""
        named = {self._prefix + name: why for name, why in self._store.skipped.items()}
        return named | self._shadowed

    def list(self, prefix: str = "") -> Iterator[BucketObject]:
        """The objects at or under a folder; raises where the listing cannot be completed."""
        inside = self._inside(prefix) if prefix and self.name else prefix
        if inside is not None:
            yield from self._kept(self._store.list(inside))

    def list_collection(self, collection: str) -> Iterator[BucketObject]:
        """The objects of one collection."""
        if self.name:
            yield from self.list()
            return
        if collection == DEFAULT_COLLECTION:
            yield from self._kept(self._store.list("", deep=False))
        # A file at the root may have the collection's name.
        for found in self.list(collection):
            if found.key != collection:
                yield found

    def stat(self, key: str) -> BucketObject | None:
        """The object at a key, if there is one."""
        inside = self._inside(key)
        found = None if inside is None or is_ignored(inside) else self._store.stat(inside)
        return found and self._outside(found)

    def read(self, key: str, limit: int = -1) -> tuple[BucketObject, bytes]:
        """The object and at most ``limit`` of its bytes. Raises :class:`NotFound`."""
        inside = self._inside(key)
        if inside is None or is_ignored(inside):
            raise NotFound(f"There is no file {key!r} in the bucket.")
        found, data = self._store.read(inside, limit)
        return self._outside(found), data

    def stream(self, key: str) -> tuple[BucketObject, Generator[bytes]]:
        """The object and its bytes in pieces; close the generator. Raises :class:`NotFound`."""
        inside = self._inside(key)
        if inside is None or is_ignored(inside):
            raise NotFound(f"There is no file {key!r} in the bucket.")
        found, pieces = self._store.stream(inside)
        return self._outside(found), pieces

    def write(self, key: str, data: bytes) -> BucketObject:
        """Put an object in its place whole. Raises :class:`Conflict` where that is forbidden."""
        self._require_writable()
        return self._outside(self._store.write(self._inside(key) or "", data))

    def delete(self, key: str) -> None:
        """Remove an object if it is there. Raises :class:`Conflict` where that is forbidden."""
        if self.stat(key) is None:
            return
        self._require_writable()
        self._store.delete(self._inside(key) or "")

    def _require_writable(self) -> None:
        if self.read_only:
            raise Conflict(
                f"The source {self} is read-only.", "Change the file where it comes from."
            )

    def _kept(self, listing: Iterator[BucketObject]) -> Iterator[BucketObject]:
        shadowed: dict[str, str] = {}
        place = self._store.place
        for found in listing:
            if is_ignored(found.key):
                continue
            if (
                self._taken
                and not self._prefix
                and (folder := collection_of(found.key)) in self._taken
            ):
                shadowed[f"{folder}/"] = "Another source of RAG_BUCKET has this name."
                continue
            yield self._outside(found)
        if self._store.place != place:
            raise BucketUnavailable(f"The bucket {self.url} was replaced while listed.")
        self._shadowed = shadowed

    def _inside(self, key: str) -> str | None:
        """The key as this source names it, ``None`` for one of another source."""
        if not self._prefix:
            return None if collection_of(key) in self._taken else key
        if f"{key}/" == self._prefix:
            return ""
        return key.removeprefix(self._prefix) if key.startswith(self._prefix) else None

    def _outside(self, found: BucketObject) -> BucketObject:
        if not self._prefix:
            return found
        return BucketObject(self._prefix + found.key, found.size, found.modified, found.etag)


def _store(url: str) -> Store:
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
