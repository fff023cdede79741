"""What a pending document waits for, said to a person who wonders why it takes so long."""

import ssl
import time
from typing import Any

import httpx

from rag_platform.ingestion.lease import is_held
from rag_platform.ledger.listing import ListedDocument
from rag_platform.partitions import partition_key
from rag_platform.service.lane import FastLane
from rag_platform.settings import Settings

_SECONDS = 3.0
_SILENCE = 90.0
"""A daemon that lives says so every 30 seconds; Dagster itself believes in it for half an hour."""
_DAEMONS = ("SENSOR", "QUEUED_RUN_COORDINATOR")
_SENSOR = "bucket_changed"

_QUERY = """
query ($runs: RunsFilter!, $sensor: SensorSelector!) {
  runsOrError(filter: $runs, limit: 1) { ... on Runs { results { runId status } } }
  instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } }
  sensorOrError(sensorSelector: $sensor) { ... on Sensor { sensorState {
    status ticks(limit: 1, statuses: [SKIPPED, FAILURE, SUCCESS]) {
      status skipReason error { message }
    }
  } } }
}
"""


def waits_for(settings: Settings, lane: FastLane, document: ListedDocument) -> str | None:
    """One or two sentences; ``None`` for a document that is not pending."""
    if document.state != "pending":
        return None
    if lane.in_work == (document.collection, document.key):
        return "The chat service is reading and indexing it now."
    if is_held(settings.home, document.collection):
        return f"rag ingest works on the collection {document.collection!r}."
    try:
        told = _asked(settings.dagster_url, document.collection)
    except (httpx.HTTPError, ValueError):
        return (
            "Dagster, whose runs read documents, does not answer. Check with rag status that the "
            "platform runs."
        )
    return _run(told) or _daemon(told) or _sensor(told)


def _asked(url: str, collection: str) -> dict[str, Any]:
    variables = {
        "runs": {
            "pipelineName": "ingest",
            "tags": [{"key": "dagster/partition", "value": partition_key(collection)}],
            "statuses": ["QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"],
        },
        "sensor": {
            "repositoryName": "__repository__",
            "repositoryLocationName": "rag_platform",
            "sensorName": _SENSOR,
        },
    }
    # An empty context: reading every authority's certificate takes 80 ms.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(timeout=_SECONDS, trust_env=False, verify=context) as http:
        answer = http.post(f"{url}/graphql", json={"query": _QUERY, "variables": variables})
    data = answer.raise_for_status().json().get("data")
    if not isinstance(data, dict):
        raise ValueError("Dagster gave no data.")
    return data


def _run(told: dict[str, Any]) -> str | None:
    for run in (told.get("runsOrError") or {}).get("results", ()):
        name = f"The run {run['runId'][:8]}"
        if run["status"] in ("QUEUED", "NOT_STARTED"):
            return f"{name} will read it; it waits for others to end."
        return f"{name} works on its collection."
    return None


def _daemon(told: dict[str, Any]) -> str | None:
    """What is wrong with the daemon, if anything."""
    beats = {
        daemon["daemonType"]: daemon["lastHeartbeatTime"] or 0.0
        for daemon in told["instance"]["daemonHealth"]["allDaemonStatuses"]
        if daemon["required"]
    }
    if time.time() - min(beats.get(name, 0.0) for name in _DAEMONS) < _SILENCE:
        return None
    return (
        "Dagster's daemon, which starts the runs that read documents, does not run. Check it with "
        "rag status, or start the platform again with make up."
    )


def _sensor(told: dict[str, Any]) -> str:
    state = (told.get("sensorOrError") or {}).get("sensorState") or {}
    if state.get("status") == "STOPPED":
        return (
            f"Dagster's sensor {_SENSOR}, which watches the bucket, is switched off. Switch it on "
            "in Dagster, under Automation."
        )
    for tick in state.get("ticks", ()):
        if tick["status"] == "FAILURE":
            lines = ((tick.get("error") or {}).get("message") or "no reason").strip().splitlines()
            return f"Dagster's sensor {_SENSOR} failed: {lines[-1].strip()}"
        if tick["status"] == "SKIPPED" and tick.get("skipReason"):
            return f"Dagster's sensor {_SENSOR} said last: {tick['skipReason']}"
    return "The next look at the bucket will ask for a run that reads it."
