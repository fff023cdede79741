"""The bucket: where documents lie, in local folders and object stores, its sources.

The platform reads it, writes to it for an upload only, and deletes from it only when asked to.
"""

from collections.abc import Generator, Iterator, Mapping

from rag_platform.documents.bucket.keys import UPLOAD_PREFIX as UPLOAD_PREFIX
from rag_platform.documents.bucket.keys import checked_key as checked_key
from rag_platform.documents.bucket.keys import collection_of as collection_of
from rag_platform.documents.bucket.keys import is_ignored
from rag_platform.documents.bucket.objects import BucketObject as BucketObject
from rag_platform.documents.bucket.objects import DocumentChanging as DocumentChanging
from rag_platform.documents.bucket.source import Source as Source
from rag_platform.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    SettingsError,
    UnreadableDocument,
)
from rag_platform.printing import megabytes
from rag_platform.settings.sources import sources_of


class Bucket:
    """A bucket by its sources, as ``RAG_BUCKET`` spells them: at least one URL.

    Every collection lies in one source: the one of its name, otherwise the one without a name.
    Credentials of object stores come the usual ways (environment, workload identity). Ignored names
    (:func:`is_ignored`) don't exist for any method. Every method may raise
    :class:`BucketUnavailable`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            specs = sources_of(url)
        except ValueError as error:
            raise SettingsError(f"The bucket {url!r} cannot be used: {error}.") from error
        names = frozenset(spec.name for spec in specs if spec.name)
        self.sources = tuple(Source(spec, names) for spec in specs)

    @property
    def skipped(self) -> Mapping[str, str]:
        """What the last listings left out though a person may miss it: name and reason."""
        return {name: why for source in self.sources for name, why in source.skipped.items()}

    def source_of(self, collection: str) -> Source | None:
        """The source that holds a collection; ``None`` where no source could."""
        named = {source.name: source for source in self.sources}
        return named.get(collection) or named.get("")

    def list(self, prefix: str = "") -> Iterator[BucketObject]:
        """All objects, or those at or under the folder ``prefix``, in no particular order.

        The iterator raises :class:`BucketUnavailable` when the listing cannot be completed: only
        one that came to its end is complete.
        """
        for source in self.sources:
            yield from source.list(prefix.strip("/"))

    def list_source(self, source: Source) -> Iterator[BucketObject]:
        """All objects of one source; raises as :meth:`list` does, whatever the others do."""
        return source.list()

    def list_collection(self, collection: str) -> Iterator[BucketObject]:
        """All objects of a collection; raises as :meth:`list` does, whatever other sources do."""
        source = self.source_of(collection)
        return iter(()) if source is None else source.list_collection(collection)

    def stat(self, key: str) -> BucketObject | None:
        """The object at a key, if there is one."""
        source = self._source(key)
        return None if source is None else source.stat(key)

    def read(self, key: str) -> bytes:
        """The bytes of an object. Raises :class:`NotFound`."""
        return self._required(key).read(key)[1]

    def stream(self, key: str) -> tuple[BucketObject, Generator[bytes]]:
        """An object and its bytes in pieces; close the generator. Raises :class:`NotFound`."""
        return self._required(key).stream(key)

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
                f"The file is too large: {megabytes(before.size)}, and the limit is "
                f"{megabytes(max_bytes)}."
            )
        read, data = self._required(key).read(key, before.size + 1)
        after = self.stat(key)
        if not before == read == after or len(data) != before.size:
            raise DocumentChanging(f"The file {key!r} is being written.")
        return before, data

    def write(self, key: str, data: bytes) -> BucketObject:
        """Put an object in its place whole: a reader sees the old one or the new one.

        Raises :class:`Conflict` when the source is read-only or a folder has the name.
        """
        if is_ignored(key):
            raise InvalidRequest(f"The name {key!r} looks temporary or hidden, so it is ignored.")
        source = self._source(key)
        if source is None:
            names = ", ".join(source.name for source in self.sources)
            raise Conflict(
                f"No source of RAG_BUCKET takes the collection {collection_of(key)!r}.",
                f"Take one of: {names}.",
            )
        return source.write(key, data)

    def delete(self, key: str) -> None:
        """Remove an object if it is there. Raises :class:`Conflict` when that is forbidden."""
        source = self._source(key)
        if source is not None:
            source.delete(key)

    def _source(self, key: str) -> Source | None:
        return self.source_of(collection_of(key))

    def _required(self, key: str) -> Source:
        source = self._source(key)
        if source is None:
            raise NotFound(f"There is no file {key!r} in the bucket.")
        return source
