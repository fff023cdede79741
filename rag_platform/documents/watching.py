"""What of the bucket differs from the ledger: a pure decision over two listings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rag_platform.documents.bucket import BucketObject, collection_of


@dataclass(frozen=True, slots=True)
class Difference:
    """What a watcher sees at one moment: why each collection has to be reconciled."""

    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    """The reason by collection name."""
    settling: int = 0
    """Objects that differ from the ledger and changed since the last look."""


def compare(
    listing: Iterable[BucketObject],
    before: Mapping[str, str],
    known: Mapping[str, str | None],
) -> Difference:
    """Compare a listing with the one before it and with the ledger.

    ``before`` and ``known`` map keys to fingerprints: of the last look, and of the ledger's living
    documents. A new or changed object counts once two looks saw it the same: until then somebody
    may be writing it. An object that is gone counts at once.
    """
    changed: dict[str, list[str]] = {}
    settling = 0
    seen: set[str] = set()
    for item in listing:
        seen.add(item.key)
        if item.key in known and known[item.key] == item.fingerprint:
            continue
        if before.get(item.key) == item.fingerprint:
            changed.setdefault(collection_of(item.key), []).append(item.key)
        else:
            settling += 1
    gone: dict[str, list[str]] = {}
    for key in known.keys() - seen:
        gone.setdefault(collection_of(key), []).append(key)
    reasons = {
        name: _sentence(changed.get(name, []), gone.get(name, []))
        for name in sorted({*changed, *gone})
    }
    return Difference(reasons, settling)


def _sentence(changed: list[str], gone: list[str]) -> str:
    parts: list[str] = []
    if changed:
        parts.append(f"{len(changed)} new or changed, such as {min(changed)}")
    if gone:
        parts.append(f"{len(gone)} gone, such as {min(gone)}")
    return "; ".join(parts)
