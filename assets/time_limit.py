"""How long the stages of a run may work, so that a file dropped meanwhile comes in soon."""

import time

import dagster as dg

from rag_platform.settings import Settings

_SHARES = {"documents": 0.4, "chunks": 0.6, "embeddings": 1.0, "search_index": 1.5}
"""Where in a run's time each stage ends. The last one overruns it a little where there is much to
add, which happens once in a document's life."""


def time_limit(context: dg.AssetExecutionContext, stage: str) -> float:
    """When a stage begins no further piece of work, on the clock of ``time.monotonic()``.

    A file that is dropped meanwhile waits for the next run: the sensor asks for it at once where
    work is left.
    """
    record = context.instance.get_run_record_by_id(context.run_id)
    begun = record.start_time if record is not None and record.start_time else time.time()
    passed = max(time.time() - begun, 0.0)
    share = _SHARES[stage] * Settings.load().ingestion.seconds_per_run
    return time.monotonic() + share - passed
