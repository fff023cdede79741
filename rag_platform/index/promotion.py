"""The change of what serves: a complete generation is proved, then one update switches to it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag_platform.errors import Conflict, InvalidRequest, NotFound
from rag_platform.index.chroma import Chroma
from rag_platform.index.purging import purge_retired
from rag_platform.index.rebuilding import rebuild_index
from rag_platform.index.verification import Verification, verify_generation
from rag_platform.ledger import Ledger
from rag_platform.ledger.digests import digest
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

VALIDATION_SET = "evaluation/validation.jsonl"
"""The team's own questions in the object store."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about a candidate's quality."""

    refusal: str = ""
    """Why it may not serve, as a sentence; empty where it may."""
    note: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict[str, Any])


Judge = Callable[[Generation, Generation], Verdict]
"""Compares a candidate, the second, with what serves. Raises :class:`InvalidRequest` where it
cannot be judged: then it waits."""


def validation_digest(objects: Objects) -> str:
    """What names the team's questions as they are now; empty where there are none."""
    try:
        return digest("validation", hashlib.sha256(objects.get(VALIDATION_SET)).hexdigest())
    except NotFound:
        return ""


@dataclass(slots=True)
class PromotionReport:
    """What one attempt did."""

    candidate: int | None = None
    """The generation that shall serve; None where what serves is what shall."""
    promoted: bool = False
    waiting: str = ""
    """Why the candidate does not serve yet, as a sentence."""
    refused: str = ""
    """Why it never will, as a sentence; what serves stays."""
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
    judge: Judge | None = None,
) -> PromotionReport:
    """Let the generation of this recipe serve, if it holds everything and proves it.

    Every vector of it is compared and queried once; from then on it is verified, and being
    current at the moment of the switch is enough. ``judge`` is asked before: what it refuses is
    dropped, with its reason on record. Harmless to repeat and to kill at any point.
    """
    with ledger.read() as connection:
        candidate = find_candidate(connection, recipe)
    report = PromotionReport(candidate.id if candidate else None)
    if candidate is not None:
        _try(ledger, objects, chroma, candidate, report, requested_by, judge)
    report.purged = purge_retired(ledger, chroma)
    return report


def _try(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    candidate: Generation,
    report: PromotionReport,
    requested_by: str,
    judge: Judge | None,
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
    verdict, judged_on = Verdict(), validation_digest(objects)
    if judge is not None:
        with ledger.read() as connection:
            serving = current_serving(connection)
        assert serving is not None, "a candidate is one beside what serves"
        try:
            verdict = judge(serving.generation, candidate)
        except InvalidRequest as error:
            report.waiting = f"Generation {candidate.id} cannot be judged: {error}"
            return
    if verdict.refusal:
        _drop(ledger, candidate, verdict, judged_on, requested_by)
        report.refused = verdict.refusal
        return
    metrics = {"vectors": result.vectors, "vectors queried": result.queried, **verdict.metrics}
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
                reason="; ".join(
                    filter(None, ("complete and verified", str(candidate.recipe), verdict.note))
                ),
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


def _drop(
    ledger: Ledger, candidate: Generation, verdict: Verdict, judged_on: str, requested_by: str
) -> None:
    """Record that it never serves; nothing keeps it current any more, and it is purged."""
    with ledger.write() as connection:
        row = find_generation(connection, candidate.id)
        serving = current_serving(connection)
        if row is None or row.state not in ("building", "verified") or serving is None:
            return  # the settings were changed meanwhile
        set_generation_state(connection, candidate.id, "refused")
        record(
            connection,
            serving.generation.id,
            candidate.id,
            "refused",
            requested_by=requested_by,
            reason=verdict.refusal,
            metrics={**verdict.metrics, "judged on": judged_on},
        )


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
