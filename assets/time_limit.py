"""How long the stages of a run may work, so that a file dropped meanwhile comes in soon."""

import time

import dagster as dg

from rag_platform.settings import Settings

_SHARES = {"documents": 0.6, "chunks": 0.7, "embeddings": 1.0}
"""Where in a run's time each stage ends."""
_INDEX_SHARE = 0.2
"""The last stage has this part for itself: what is embedded is to be found."""


def time_limit(context: dg.AssetExecutionContext, stage: str) -> float:
    """When a stage begins no further piece of work, on the clock of ``time.monotonic()``.

    A file that is dropped meanwhile waits for the next run: the sensor asks for it at once where
    work is left.
    """
    seconds = Settings.load().ingestion.seconds_per_run
    if stage == "documents":  # the first one
        return time.monotonic() + _SHARES[stage] * seconds
    if stage == "search_index":
        return time.monotonic() + _INDEX_SHARE * seconds
    record = context.instance.get_run_record_by_id(context.run.run_id)
    begun = record.start_time if record is not None and record.start_time else time.time()
    passed = max(time.time() - begun, 0.0)
    return time.monotonic() + _SHARES[stage] * seconds - passed
