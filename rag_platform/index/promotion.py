"""The change of what serves: a complete generation is proved, then one update switches to it."""

from dataclasses import dataclass, field

from rag_platform.errors import Conflict
from rag_platform.index.chroma import Chroma
from rag_platform.index.purging import purge_retired
from rag_platform.index.rebuilding import rebuild_index
from rag_platform.index.verification import Verification, verify_generation
from rag_platform.ledger import Ledger
from rag_platform.ledger.entries import stale_collections
from rag_platform.ledger.generations import (
    Generation,
    IndexedCollection,
    Recipe,
    find_generation,
    indexed_collections,
    set_generation_state,
)
from rag_platform.ledger.promotion import find_candidate, promote, record
from rag_platform.ledger.serving import current_serving
from rag_platform.objects import Objects


@dataclass(slots=True)
class PromotionReport:
    """What one attempt did."""

    candidate: int | None = None
    """The generation that shall serve; None where what serves is what shall."""
    promoted: bool = False
    waiting: str = ""
    """Why the candidate does not serve yet, as a sentence."""
    problems: list[str] = field(default_factory=list[str])
    """Where the candidate's indexes were wrong; they were built anew."""
    purged: int = 0
    """Indexes of retired generations that were dropped."""


def promote_complete(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    recipe: Recipe,
    *,
    requested_by: str,
) -> PromotionReport:
    """Let the generation of this recipe serve, if it holds everything and proves it.

    Every vector of it is compared and queried once; from then on it is verified, and being
    current at the moment of the switch is enough. Harmless to repeat and to kill at any point.
    """
    with ledger.read() as connection:
        candidate = find_candidate(connection, recipe)
    report = PromotionReport(candidate.id if candidate else None)
    if candidate is not None:
        _try(ledger, objects, chroma, candidate, report, requested_by)
    report.purged = purge_retired(ledger, chroma)
    return report


def _try(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    candidate: Generation,
    report: PromotionReport,
    requested_by: str,
) -> None:
    before, behind = _state(ledger, candidate)
    if behind:
        report.waiting = f"Generation {candidate.id} is being built: {', '.join(behind)}."
        return
    result = Verification(exhaustive=True)
    if candidate.state != "verified":
        verify_generation(ledger, objects, chroma, candidate, result)
        if _state(ledger, candidate)[0] != before:
            # Neither a fault nor a proof: documents changed while it was looked at.
            report.waiting = f"Generation {candidate.id} changed while it was verified."
            return
        if not result.passed:
            report.problems = result.problems
            _refuse(ledger, objects, chroma, candidate, before, result.problems, requested_by)
            return
    metrics = {"vectors": result.vectors, "vectors queried": result.queried}
    try:
        with ledger.write() as connection:
            row = find_generation(connection, candidate.id)
            if row is None or row.state not in ("building", "verified"):
                raise Conflict(f"Generation {candidate.id} is not wanted any more.")
            set_generation_state(connection, candidate.id, "verified")
        with ledger.write() as connection:
            promote(
                connection,
                candidate.id,
                requested_by=requested_by,
                reason=f"complete and verified; {candidate.recipe}",
                metrics=metrics,
            )
    except Conflict as conflict:
        report.waiting = str(conflict)
        return
    report.promoted = True


def _state(
    ledger: Ledger, generation: Generation
) -> tuple[list[tuple[int, int, int, str]], list[str]]:
    """What the verdict about a generation is tied to, and the collections that it lacks."""
    with ledger.read() as connection:
        indexes = indexed_collections(connection, [generation.id])
        state = [(i.collection_id, i.revision, i.entries_revision, i.chroma_name) for i in indexes]
        return state, stale_collections(connection, [generation.id])


def _refuse(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    candidate: Generation,
    state: list[tuple[int, int, int, str]],
    problems: list[str],
    requested_by: str,
) -> None:
    """Record why it does not serve, and build its indexes anew for the next attempt."""
    with ledger.write() as connection:
        serving = current_serving(connection)
        record(
            connection,
            serving.generation.id if serving else None,
            candidate.id,
            "refused",
            requested_by=requested_by,
            reason=" ".join(problems[:3]),
            metrics={"problems": len(problems)},
        )
        indexes: list[IndexedCollection] = indexed_collections(connection, [candidate.id])
    for index in indexes:
        rebuild_index(ledger, objects, chroma, candidate, index)
