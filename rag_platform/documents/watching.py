"""What of the bucket differs from the ledger: a pure decision over two listings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from rag_platform.documents.bucket import BucketObject, collection_of


@dataclass(frozen=True, slots=True)
class Difference:
    """What a watcher sees at one moment: why each collection has to be reconciled."""

    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    """The reason by collection name."""
    settling: int = 0
    """Objects that differ from the ledger and changed since the last look."""
    differing: Mapping[str, str] = field(default_factory=dict[str, str])
    """The fingerprints of the objects that differ from the ledger, for the next look."""
    doubted: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many documents are missing, of collections where that is not believed."""


def compare(
    listing: Iterable[BucketObject],
    before: Mapping[str, str],
    known: Mapping[str, str | None],
    believed: Callable[[str, int], bool] = lambda collection, gone: True,
) -> Difference:
    """Compare a listing with the one before it and with the ledger.

    ``before`` and ``known`` map keys to fingerprints: of what differed at the last look, and of the
    ledger's living documents. A new or changed object counts once two looks saw it the same: until
    then somebody may be writing it. An object that is gone counts at once, where ``believed`` takes
    so many for deleted. The listing is not kept.
    """
    changed: dict[str, list[str]] = {}
    differing: dict[str, str] = {}
    settling = 0
    left = dict(known)
    for item in listing:
        if item.key in left and left.pop(item.key) == item.fingerprint:
            continue
        differing[item.key] = item.fingerprint
        if before.get(item.key) == item.fingerprint:
            changed.setdefault(collection_of(item.key), []).append(item.key)
        else:
            settling += 1
    gone: dict[str, list[str]] = {}
    for key in left:
        gone.setdefault(collection_of(key), []).append(key)
    doubted = {name: len(keys) for name, keys in gone.items() if not believed(name, len(keys))}
    reasons = {
        name: _sentence(changed.get(name, []), [] if name in doubted else gone.get(name, []))
        for name in sorted({*changed, *gone})
        if name in changed or name not in doubted
    }
    return Difference(reasons, settling, differing, doubted)


def _sentence(changed: list[str], gone: list[str]) -> str:
    parts: list[str] = []
    if changed:
        parts.append(f"{len(changed)} new or changed, such as {min(changed)}")
    if gone:
        parts.append(f"{len(gone)} gone, such as {min(gone)}")
    return "; ".join(parts)
