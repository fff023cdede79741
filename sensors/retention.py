"""The history of runs, bounded: Dagster itself keeps every run for ever."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from rag_platform.settings import Settings

_BATCH = 100


@dg.op
def delete_old_runs(context: dg.OpExecutionContext) -> int:
    """Delete finished runs older than ``RAG_DAGSTER_KEEP_RUNS_DAYS``; assets keep their state."""
    before = datetime.now(UTC) - timedelta(days=Settings.load().dagster.keep_runs_days)
    deleted = purge(context.instance, before)
    context.log.info("Deleted %d runs", deleted)
    return deleted


@dg.job(description="Delete the history of runs that ended long ago.")
def purge_runs() -> None:
    """Delete old runs."""
    delete_old_runs()


def purge(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete the finished runs created before a time, with their events and captured output."""
    finished = [
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
    ]
    old = dg.RunsFilter(statuses=finished, created_before=before)
    deleted = 0
    while records := instance.get_run_records(old, limit=_BATCH):
        for record in records:
            run_id = record.dagster_run.run_id
            instance.delete_run(run_id)
            _delete_files(instance, run_id)
            deleted += 1
    return deleted


def _delete_files(instance: dg.DagsterInstance, run_id: str) -> None:
    """What a local instance leaves on disk: one database per run, and what the run printed."""
    root = Path(instance.root_directory)
    for file in (root / "history" / "runs").glob(f"{run_id}.db*"):
        file.unlink(missing_ok=True)
    shutil.rmtree(root / "storage" / run_id, ignore_errors=True)
