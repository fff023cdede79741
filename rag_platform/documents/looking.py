"""One look at all sources of the bucket, each compared with the ledger by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from rag_platform.documents.bucket import Bucket, BucketObject, Source
from rag_platform.documents.changes import believed
from rag_platform.documents.watching import compare
from rag_platform.errors import BucketUnavailable
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import Collection, list_collections
from rag_platform.ledger.documents import living_fingerprints
from rag_platform.ledger.tables import documents


@dataclass(slots=True)
class Look:
    """What all sources differ in from the ledger at one moment."""

    objects: int = 0
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    """Why a collection has to be reconciled, by name."""
    differing: dict[str, str] = field(default_factory=dict[str, str])
    """Fingerprints of the objects that differ from the ledger, by key, for the next look."""
    failed: list[str] = field(default_factory=list[str])
    """A sentence for each source that could not be listed: nothing is known of it."""
    unknown: set[str] = field(default_factory=set[str])
    """The collections of those sources."""
    doubts: list[str] = field(default_factory=list[str])
    """A sentence for each collection whose documents are missing but not taken for deleted."""


def look_at(ledger: Ledger, bucket: Bucket, before: dict[str, str]) -> Look:
    """List every source and compare it with the ledger.

    ``before`` is what differed at the last look. A source that fails changes nothing for the
    others. Memory: keys and fingerprints of the ledger, one source at a time; no listing is kept.
    """
    look = Look()
    with ledger.read() as connection:
        collections = list_collections(connection)
    for source in (*bucket.sources, None):
        own = [item for item in collections if bucket.source_of(item.name) is source]
        if source is not None or own:
            _look_at_source(ledger, bucket, source, own, before, look)
    return look


def _look_at_source(
    ledger: Ledger,
    bucket: Bucket,
    source: Source | None,
    own: list[Collection],
    before: dict[str, str],
    look: Look,
) -> None:
    """Add one source; ``None`` stands for the collections that no source holds any more."""
    with ledger.read() as connection:
        known = living_fingerprints(connection, [item.id for item in own])
    by_name = {item.name: item for item in own}
    try:
        place = source.place if source else ""
        counter = _Counting(iter(()) if source is None else bucket.list_source(source))

        def is_believed(name: str, gone: int) -> bool:
            noted = by_name[name].place
            return believed(noted, place, _living(ledger, by_name[name].id), gone)

        difference = compare(counter, before, known, is_believed)
    except BucketUnavailable as error:
        look.failed.append(str(error))
        look.unknown |= by_name.keys()
        return
    look.objects += counter.count
    look.reasons |= difference.reasons
    look.differing |= difference.differing
    where = f"in {source}" if source else "in any source of RAG_BUCKET"
    look.doubts += [
        f"{count} documents of {name!r} are not {where}, which is not the place that held them: "
        f"correct RAG_BUCKET or mount it, or say with `rag forget {name}` that they were deleted."
        for name, count in difference.doubted.items()
    ]


class _Counting:
    """A listing that counts what passes."""

    def __init__(self, listing: Iterator[BucketObject]) -> None:
        self._listing = listing
        self.count = 0

    def __iter__(self) -> Iterator[BucketObject]:
        for item in self._listing:
            self.count += 1
            yield item


def _living(ledger: Ledger, collection_id: int) -> int:
    with ledger.read() as connection:
        return connection.execute(
            sa.select(sa.func.count()).where(
                documents.c.collection_id == collection_id, documents.c.state != "deleted"
            )
        ).scalar_one()
