"""The sensor that notices changes in the bucket, and work that a killed run left."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.partitions import collection_partitions, partition_key
from rag_platform.documents.bucket import Bucket
from rag_platform.documents.looking import look_at
from rag_platform.errors import IndexMissing, IndexUnavailable
from rag_platform.index.chroma import Chroma
from rag_platform.ingestion.lease import is_held
from rag_platform.ledger import Ledger
from rag_platform.ledger.entries import stale_collections
from rag_platform.ledger.generations import indexed_collections
from rag_platform.ledger.serving import live_generations
from rag_platform.settings import Settings
from sensors.jobs import ingest

_LONGEST_PAUSE = 300.0
"""Seconds between two attempts at a collection whose runs keep failing."""


@dg.sensor(
    job=ingest,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=1,
    description="Watches the bucket and asks for a run of each collection that differs.",
)
def bucket_changed(
    context: dg.SensorEvaluationContext,
    ledger: dg.ResourceParam[Ledger],
    bucket: dg.ResourceParam[Bucket],
    chroma: dg.ResourceParam[Chroma],
) -> dg.SensorResult | dg.SkipReason:
    """Watch for some seconds: the daemon starts a tick only every five, and files don't wait."""
    home, settings = (loaded := Settings.load()).home, loaded.ingestion
    deadline = time.monotonic() + settings.watch_seconds
    lost = _lost_indexes(ledger, chroma)
    seen: dict[str, str] = {}
    stale_before: dict[str, str] = {}
    looks = 0
    blocked: dict[str, str] = {}
    while True:
        started = time.monotonic()
        looks += 1
        look = look_at(ledger, bucket, seen)
        if look.failed and len(look.failed) == len(bucket.sources):
            return dg.SkipReason(" ".join(look.failed))
        stale = _stale(ledger)
        # Seen twice like new files: the service makes a small upload current in less time.
        lasting = {name: reason for name, reason in stale.items() if name in stale_before}
        stale_before = stale
        reasons = {**lasting, **lost, **look.reasons}
        ready: dict[str, str] = {}
        for name, reason in reasons.items():
            if name in look.unknown:  # a run could not list it
                continue
            obstacle = _obstacle(context.instance, home, name)
            (ready if obstacle is None else blocked)[name] = obstacle or reason
            if obstacle is not None:
                lost.pop(name, None)  # counted before that run, which may be repairing it
        if ready:
            for sentence in look.failed:
                context.log.warning(sentence)
            return _requests(context, ready)
        # What is new has to be seen twice, however long one look takes.
        if looks > 1 and time.monotonic() + settings.settle_seconds > deadline:
            waiting = "; ".join(f"{name}: {why}" for name, why in sorted(blocked.items()))
            trouble = " ".join([*look.failed, *look.doubts])
            said = waiting or f"{look.objects} objects, nothing changed."
            return dg.SkipReason(f"{trouble} {said}" if trouble else said)
        seen = look.differing
        # A long listing is followed by as long a pause, so that watching costs half a core at most
        # for a huge bucket and next to nothing for a small one.
        took = time.monotonic() - started
        time.sleep(max(settings.settle_seconds, took))


def _stale(ledger: Ledger) -> dict[str, str]:
    """Collections whose indexes were not proved to hold what the ledger wants."""
    with ledger.read() as connection:
        live = [generation.id for generation in live_generations(connection)]
        return dict.fromkeys(stale_collections(connection, live), "the index is not current")


def _lost_indexes(ledger: Ledger, chroma: Chroma) -> dict[str, str]:
    """Collections of which Chroma has lost vectors behind the ledger's back."""
    with ledger.read() as connection:
        live = [generation.id for generation in live_generations(connection)]
        indexes = indexed_collections(connection, live)
    lost: dict[str, str] = {}
    for index in indexes:
        try:
            count = chroma.count(index.chroma_name)
        except IndexMissing:
            count = 0
        except IndexUnavailable:
            return {}  # nothing can be said, and a run could do nothing about it
        if index.is_current and count != index.vectors:
            lost[index.collection] = f"Chroma holds {count} vectors of {index.vectors}"
    return lost


def _obstacle(instance: dg.DagsterInstance, home: Path, collection: str) -> str | None:
    """Why no run may be asked for now: work is under way, or the last runs failed just now."""
    if is_held(home, collection):
        return "rag ingest is at work"
    records = list(_last_runs(instance, collection))
    if records and not records[0].dagster_run.is_finished:
        return f"run {records[0].dagster_run.run_id[:8]} is under way"
    failures = 0
    for record in records:
        if record.dagster_run.status != dg.DagsterRunStatus.FAILURE:
            break
        failures += 1
    if failures:
        ended = records[0].end_time or records[0].update_timestamp.timestamp()
        pause = min(2.5 * 2**failures, _LONGEST_PAUSE)
        if (wait := ended + pause - time.time()) > 0:
            return f"{failures} runs failed in a row, the next attempt is in {wait:.0f} s"
    return None


def _last_runs(instance: dg.DagsterInstance, collection: str) -> Iterator[dg.RunRecord]:
    yield from instance.get_run_records(
        dg.RunsFilter(job_name=ingest.name, tags={"dagster/partition": partition_key(collection)}),
        limit=8,
    )


def _requests(context: dg.SensorEvaluationContext, reasons: dict[str, str]) -> dg.SensorResult:
    keys = {name: partition_key(name) for name in reasons}
    known = set(context.instance.get_dynamic_partitions("collection"))
    new = [key for key in keys.values() if key not in known]
    for name, reason in reasons.items():
        context.log.info("%s: %s", name, reason)
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(partition_key=keys[name], tags={"rag/reason": reason[:200]})
            for name, reason in reasons.items()
        ],
        dynamic_partitions_requests=[collection_partitions.build_add_request(new)] if new else [],
    )
