"""The children of the platform on one machine, as a function of the settings."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rag_platform.settings import Settings
from rag_platform.supervisor.child import Child, HttpProbe, LogProbe, PortProbe
from rag_platform.supervisor.logs import log_path

ROOT = Path(__file__).parents[2]
"""The repository: the platform runs from a checkout, where `assets` and `deploy` are found."""

LOOPBACK = "127.0.0.1"
_LOCAL = (LOOPBACK, "localhost")
"""Where RAG_CHROMA_HOST means the one that is started here: Chroma cannot listen on IPv6."""

_WORKSPACE = """\
load_from:
  - grpc_server:
      host: {host}
      port: {port}
      location_name: rag_platform
"""


def environment(settings: Settings) -> dict[str, str]:
    """What every child and every step gets on top of the caller's environment."""
    threads = str(settings.platform.threads)
    return {
        **settings.environment(),
        "DAGSTER_HOME": str(settings.home / "dagster"),
        "MLFLOW_TRACKING_URI": settings.mlflow_url,
        # No telemetry. Dagster's is switched off in deploy/dagster.yaml too.
        "DO_NOT_TRACK": "1",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "ANONYMIZED_TELEMETRY": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # Job execution would start four more processes of 240 MB each, and is CVE-2026-0545.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_ALLOW_MODEL_CODE_EXECUTION": "false",
        "PYTHONUNBUFFERED": "1",
        # One arena per thread is what makes idle Python servers with many threads big.
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "TOKENIZERS_PARALLELISM": "false",
    }


def is_local(chroma_host: str) -> bool:
    """Whether Chroma is started here."""
    return chroma_host in _LOCAL


def lay_out(settings: Settings, code_port: int) -> None:
    """Write the folders and files that the children start from."""
    for name in ("chroma", "dagster", "logs", "mlflow/artifacts"):
        (settings.home / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "deploy" / "dagster.yaml", settings.home / "dagster" / "dagster.yaml")
    _workspace(settings).write_text(_WORKSPACE.format(host=LOOPBACK, port=code_port))


def local_ports(settings: Settings) -> dict[str, tuple[str, int]]:
    """The address that each child will listen on, by the setting that changes its port."""
    ports = {
        "RAG_CHAT_PORT": (settings.platform.host, settings.chat.port),
        "RAG_DAGSTER_PORT": (LOOPBACK, settings.dagster.port),
    }
    if not settings.mlflow.url:
        ports["RAG_MLFLOW_PORT"] = (LOOPBACK, settings.mlflow.port)
    if is_local(settings.chroma.host):
        ports["RAG_CHROMA_PORT"] = (LOOPBACK, settings.chroma.port)
    return ports


def children(settings: Settings, code_port: int, steps: Sequence[str] = ()) -> list[Child]:
    """All children; ``steps`` names what must be done before anything reads the ledger.

    Only the chat service listens on ``RAG_HOST``: the others have no authentication.
    """
    found = [*_dagster(settings, code_port, steps), _chat(settings, steps)]
    if not settings.mlflow.url:
        found.insert(0, _mlflow(settings))
    if is_local(settings.chroma.host):
        found.insert(0, _chroma(settings))
    return found


def _chroma(settings: Settings) -> Child:
    # Without a configuration file it has no telemetry, no CORS and no reset, which is what we want.
    port, path = settings.chroma.port, settings.home / "chroma"
    return Child(
        name="chroma",
        command=(
            *(_script("chroma"), "run"),
            *("--path", str(path), "--host", LOOPBACK, "--port", str(port)),
        ),
        ready=HttpProbe(port, "/api/v2/heartbeat"),
        storage=path / "chroma.sqlite3",
        cwd=settings.home,
        environment=environment(settings),
        address=f"http://{LOOPBACK}:{port}",
    )


def _mlflow(settings: Settings) -> Child:
    port, folder = settings.mlflow.port, settings.home / "mlflow"
    return Child(
        name="mlflow",
        command=(
            *(_script("mlflow"), "server"),
            *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
            *("--artifacts-destination", (folder / "artifacts").as_uri(), "--serve-artifacts"),
            *("--host", LOOPBACK, "--port", str(port), "--workers", "1"),
        ),
        ready=HttpProbe(port, "/health"),
        cwd=settings.home,
        environment=environment(settings),
        address=f"http://{LOOPBACK}:{port}",
    )


def _dagster(settings: Settings, code_port: int, steps: Sequence[str]) -> list[Child]:
    # `dagster api grpc` with forked run workers, not `dagster code-server start`, which keeps a
    # second process of 100 MB to reload code from the UI. Here a restart of this child does that.
    port = settings.dagster.port
    code = Child(
        name="dagster-code",
        command=(
            *(sys.executable, str(ROOT / "deploy" / "code_server.py")),
            *("--module-name", "rag_platform.definitions"),
            *("--host", LOOPBACK, "--port", str(code_port), "--location-name", "rag_platform"),
            *("--working-directory", str(ROOT), "--use-python-environment-entry-point"),
            "--inject-env-vars-from-instance",
        ),
        ready=PortProbe(code_port),
        cwd=ROOT,
        # It waits a minute for calls in flight by default; a sensor's tick may take as long. Its
        # group holds the workers of runs, which need a moment to say that they were interrupted.
        environment={**environment(settings), "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD": "1"},
        grace=3.0,
    )
    webserver = Child(
        name="dagster-webserver",
        command=(
            *(_script("dagster-webserver"), "--workspace", str(_workspace(settings))),
            *("--host", LOOPBACK, "--port", str(port), "--dagster-log-level", "warning"),
        ),
        ready=HttpProbe(port, "/server_info"),
        cwd=ROOT,
        environment=environment(settings),
        address=f"http://{LOOPBACK}:{port}",
        needs=("dagster-code",),
    )
    daemon = Child(
        name="dagster-daemon",
        command=(_script("dagster-daemon"), "run", "--workspace", str(_workspace(settings))),
        # It listens nowhere. It ends itself when one of its threads dies or hangs.
        ready=LogProbe(log_path(settings.home, "dagster-daemon"), "following daemons"),
        cwd=ROOT,
        environment=environment(settings),
        needs=("dagster-code", *steps),
        watched=False,
        # It would wait for the ticks of its sensors; one that is cut off is evaluated again.
        grace=1.5,
    )
    return [code, webserver, daemon]


def _chat(settings: Settings, steps: Sequence[str]) -> Child:
    host, port = settings.platform.host, settings.chat.port
    return Child(
        name="chat",
        command=(
            *(sys.executable, "-m", "uvicorn", "rag_platform.service.app:create_app", "--factory"),
            *("--host", host, "--port", str(port), "--timeout-graceful-shutdown", "2"),
            *("--http", "rag_platform.service.protocol:Protocol", "--ws", "none"),
            "--no-access-log",
        ),
        ready=HttpProbe(port, "/readyz", settings.chat_host),
        cwd=ROOT,
        environment=environment(settings),
        address=settings.chat_url,
        needs=tuple(steps),
    )


def _workspace(settings: Settings) -> Path:
    return settings.home / "dagster" / "workspace.yaml"


def _script(name: str) -> str:
    """A command installed beside this interpreter, which need not be on the PATH."""
    return os.path.join(os.path.dirname(sys.executable), name)  # noqa: PTH118, PTH120
