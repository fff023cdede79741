import os
import shutil
import signal
import tempfile
from pathlib import Path

import dagster as dg
import httpx
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus

from rag_platform.supervisor import stack
from rag_platform.supervisor.preflight import free_port

HEALTH = "{ instance { daemonHealth { allDaemonStatuses { daemonType healthy required } } } }"
CODE = """{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus
  locationOrLoadError { __typename } } } } }"""


@pytest.fixture
def instance(tmp_path):
    """Dagster's instance as the platform configures it."""
    shutil.copyfile(stack.ROOT / "deploy" / "dagster.yaml", tmp_path / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def test_runs_of_one_collection_never_overlap_and_leave_the_queue_at_once(instance):
    queue = instance.get_concurrency_config().run_queue_config
    assert queue.max_concurrent_runs == 2
    assert {
        "key": "dagster/partition",
        "value": {"applyLimitPerUniqueValue": True},
        "limit": 1,
    } in queue.tag_concurrency_limits
    assert instance.run_coordinator.dequeue_interval_seconds == 1


def test_skipped_ticks_are_kept_for_a_day_and_lost_runs_are_noticed(instance):
    kept = instance.get_tick_retention_settings(InstigatorType.SENSOR)
    assert kept[TickStatus.SKIPPED] == 1
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_max_runtime_seconds == 7200
    assert not instance.telemetry_enabled


@pytest.fixture
def temporary(monkeypatch):
    """An empty folder for temporary files; its path is short, since it holds sockets."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def test_the_real_servers_start_answer_come_back_and_stop(
    platform, monkeypatch, wait_for, temporary
):
    ports = {name: free_port() for name in ("DAGSTER", "MLFLOW", "CHROMA")}
    monkeypatch.setenv("RAG_HOME", str(platform.home))
    for name, port in ports.items():
        monkeypatch.setenv(f"RAG_{name}_PORT", str(port))
    platform.start(real=True, ready=120, poll=0.1, watch=1.0, grace=4.0)
    wait_for(lambda: "all ready" in platform.said, "all ready", 120)

    def ask(query):
        url = f"http://127.0.0.1:{ports['DAGSTER']}/graphql"
        return httpx.post(url, json={"query": query}, timeout=20).json()["data"]

    (location,) = ask(CODE)["workspaceOrError"]["locationEntries"]
    assert location["name"] == "rag_platform"
    assert location["locationOrLoadError"]["__typename"] == "RepositoryLocation"

    def healthy():
        statuses = ask(HEALTH)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return all(status["healthy"] for status in statuses if status["required"])

    wait_for(healthy, "all daemons healthy")
    assert (platform.home / "mlflow" / "mlflow.db").exists()

    os.kill(platform.child("chroma").pid, signal.SIGKILL)
    platform.wait_ready("chroma", restarts=1)
    heartbeat = httpx.get(f"http://127.0.0.1:{ports['CHROMA']}/api/v2/heartbeat", timeout=5)
    assert heartbeat.status_code == 200

    os.kill(platform.child("dagster-code").pid, signal.SIGKILL)
    platform.wait_ready("dagster-code", restarts=1)
    assert len(list(temporary.glob("pymp-*"))) == 1

    platform.signal(signal.SIGTERM)
    assert platform.wait_exit() == 0
    assert not platform.marked()
    assert list(temporary.iterdir()) == []
