"""What lets a generation serve that was built beside the one that does: a job and its sensor."""

import time

import dagster as dg

from rag_platform.embedding.models import Encoders
from rag_platform.evaluation.candidates import CandidateJudge
from rag_platform.index.chroma import Chroma
from rag_platform.index.promotion import promote_complete
from rag_platform.index.recipe import wanted_recipe
from rag_platform.ledger import Ledger
from rag_platform.ledger.promotion import work_left
from rag_platform.objects import Objects
from rag_platform.settings import Settings

_LONGEST_PAUSE = 300.0
"""Seconds between two attempts that keep failing or come to nothing."""


@dg.op
def promote_generation(
    context: dg.OpExecutionContext,
    ledger: dg.ResourceParam[Ledger],
    objects: dg.ResourceParam[Objects],
    chroma: dg.ResourceParam[Chroma],
    encoders: dg.ResourceParam[Encoders],
) -> None:
    """Verify a complete generation, let it serve, and erase what retired ones left.

    One with the fast encoder is asked the team's questions first, and refused if it loses.
    """
    with ledger.read() as connection:
        recipe = wanted_recipe(connection, Settings.load())
    report = promote_complete(
        ledger,
        objects,
        chroma,
        recipe,
        requested_by=f"run {context.run_id}",
        judge=CandidateJudge(ledger, objects, chroma, encoders),
    )
    if report.problems:
        raise dg.Failure(
            f"Generation {report.candidate} was built anew: it does not hold what it should.",
            metadata={"problems": dg.MetadataValue.md("\n".join(report.problems[:100]))},
        )
    if report.promoted:
        context.log.info("Generation %d serves", report.candidate)
    elif report.refused:
        context.log.warning("Generation %d does not serve. %s", report.candidate, report.refused)
    elif report.waiting:
        context.log.info("%s", report.waiting)
    context.log.info("Dropped %d indexes of retired generations", report.purged)


@dg.job(
    tags={"rag/exclusive": "promote"},
    description="Let a complete generation serve after an exhaustive check; keep one to go back.",
)
def promote() -> None:
    """Switch what serves."""
    promote_generation()


@dg.sensor(
    job=promote,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=5,
    description="Asks for the switch when a generation that shall serve is complete.",
)
def generation_complete(
    context: dg.SensorEvaluationContext, ledger: dg.ResourceParam[Ledger]
) -> dg.RunRequest | dg.SkipReason:
    """One attempt at a time; each that comes to nothing doubles the pause before the next."""
    with ledger.read() as connection:
        reason = work_left(connection, wanted_recipe(connection, Settings.load()))
    if reason is None:
        return dg.SkipReason("What serves is what shall serve.")
    records = list(context.instance.get_run_records(dg.RunsFilter(job_name=promote.name), limit=8))
    if records and not records[0].dagster_run.is_finished:
        return dg.SkipReason(f"{reason}; run {records[0].dagster_run.run_id[:8]} is under way")
    now = time.time()
    recent = [r for r in records if r.end_time and now - r.end_time < 2 * _LONGEST_PAUSE]
    if recent:
        pause = min(2.5 * 2 ** len(recent), _LONGEST_PAUSE)
        if (wait := (recent[0].end_time or 0) + pause - now) > 0:
            return dg.SkipReason(f"{reason}; the next attempt is in {wait:.0f} s")
    return dg.RunRequest(tags={"rag/reason": reason})
