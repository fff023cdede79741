"""What a pending document waits for, said to a person who wonders why it takes so long."""

import ssl
import threading
import time
from typing import Any

import httpx

from rag_platform.ingestion.lease import is_held
from rag_platform.ledger.listing import ListedDocument
from rag_platform.partitions import partition_key
from rag_platform.service.lane import FastLane
from rag_platform.settings import Settings

_SECONDS = 3.0
_FRESH = 3.0
"""Seconds for which an answer of Dagster's is good."""
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


class Standing:
    """Knows who works on a collection. Dagster is asked once in some seconds, whoever asks."""

    def __init__(self, settings: Settings, lane: FastLane) -> None:
        self._settings = settings
        self._lane = lane
        self._told: dict[str, tuple[float, str]] = {}
        self._asking = threading.Lock()

    def waits_for(self, document: ListedDocument) -> str | None:
        """One or two sentences; ``None`` for a document that is not pending."""
        collection = document.collection
        if document.state != "pending":
            return None
        if self._lane.in_work == (collection, document.key):
            return "The chat service is reading and indexing it now."
        if is_held(self._settings.home, collection):
            return f"rag ingest works on the collection {collection!r}."
        with self._asking:
            now = time.monotonic()
            told = {name: one for name, one in self._told.items() if now - one[0] < _FRESH}
            if collection not in told:
                told[collection] = (now, self._by_dagster(collection))
            self._told = told
            return told[collection][1]

    def _by_dagster(self, collection: str) -> str:
        try:
            told = _asked(self._settings.dagster_url, collection)
        except (httpx.HTTPError, ValueError):
            return (
                "Dagster, whose runs read documents, does not answer. Check with rag status that "
                "the platform runs."
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
