"""What of one collection changed since the ledger last knew it, and what may count as deleted."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nsmallest

from rag_platform.documents.bucket import Bucket, BucketObject
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import note_place, noted_place
from rag_platform.ledger.documents import KnownDocument, known_by_key, living_fingerprints
from rag_platform.ledger.statements import in_batches
from rag_platform.ledger.transitions import announce, bury

_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What one listing of a collection said, after the ledger took it in; keys are documents."""

    listed: int
    changed: int
    to_read: list[KnownDocument]
    """The smallest of the new and changed ones, by key."""
    sizes: dict[str, int]
    """The bytes that each of them had in the listing, by key."""
    since: dict[str, datetime]
    """Since when each of them waits at most, by key: its upload or its last change."""
    gone: list[str]
    missing: int
    """How many are not there but not believed to be deleted."""


def believed(noted: str | None, place: str, living: int, gone: int) -> bool:
    """Whether documents that a listing lacks were deleted.

    ``noted`` is the place from which the collection was last taken, ``place`` the one that was
    listed now, ``living`` the documents before, ``gone`` those not listed. The same place is
    believed whatever it lacks; another one, such as the empty folder of a disk that is not mounted,
    only if it holds at least half of what was known.
    """
    return noted is None or noted == place or gone * 2 <= living


def take_in_listing(
    ledger: Ledger, bucket: Bucket, collection: tuple[int, str], *, limit: int
) -> Changes:
    """List a collection; bury what is gone, give what is new a row; what is to be read then.

    Holds the keys and fingerprints of the ledger in memory, and of the listing what differs.
    Raises :class:`BucketUnavailable`, and changes nothing, where the listing cannot be completed.
    """
    collection_id, name = collection
    source = bucket.source_of(name)
    place = source.place if source else ""
    with ledger.read() as connection:
        noted = noted_place(connection, collection_id)
        known = living_fingerprints(connection, [collection_id])
    living, listed = len(known), 0
    fresh: dict[str, int] = {}
    changed: dict[str, int] = {}
    written: dict[str, datetime] = {}
    for item in bucket.list_collection(name):
        listed += 1
        if item.key not in known:
            fresh[item.key] = item.size
        elif known.pop(item.key) == item.fingerprint:
            continue
        changed[item.key] = item.size
        written[item.key] = item.modified
    gone = sorted(known) if believed(noted, place, living, len(known)) else []
    first = changed if len(changed) <= limit else nsmallest(limit, changed, key=changed.__getitem__)
    with ledger.write() as connection:
        bury(
            connection,
            collection_id,
            [
                row.id
                for row in known_by_key(connection, collection_id, gone)
                # What somebody put there while the bucket was listed is not gone.
                if row.state != "deleted" and row.fingerprint == known[row.key]
            ],
        )
        now = datetime.now(UTC)
        for batch in in_batches(list(fresh), _ROWS):
            announce(connection, collection_id, {key: fresh[key] for key in batch}, now)
        if noted != place and len(gone) == len(known):
            note_place(connection, collection_id, place)
        to_read = list(known_by_key(connection, collection_id, list(first)))
    return Changes(
        listed,
        len(changed),
        sorted(to_read, key=lambda document: document.key),
        {key: changed[key] for key in first},
        {row.key: max(written[row.key], row.uploaded_at) for row in to_read},
        gone,
        len(known) - len(gone),
    )


def listed_only(bucket: Bucket, name: str, absent: Collection[str]) -> Iterator[BucketObject]:
    """Those of a collection's objects that a listing shows and nobody finds by their keys.

    ``absent`` are keys that were just not found. Most such objects were deleted meanwhile; what
    another listing shows again cannot be read at all, and would be tried for ever.
    Raises :class:`BucketUnavailable`.
    """
    if not absent:
        return
    for item in bucket.list_collection(name):
        if item.key in absent and bucket.stat(item.key) is None:
            yield item
