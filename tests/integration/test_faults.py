"""Real processes killed with -9: the stack converges by itself and nothing is lost."""

import os
import runpy
import shutil
import signal
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.stack import Stack, wait_until
from rag_platform.errors import Unavailable
from rag_platform.index.verification import Verification, verify
from rag_platform.settings import Settings
from rag_platform.wiring import Platform


@pytest.fixture
def library(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """The library on the running stack's data."""
    for name, value in stack.environment.items():
        if name.startswith("RAG_"):
            monkeypatch.setenv(name, value)
    opened = Platform(Settings.load())
    yield opened
    opened.close()


def verdict(library: Platform) -> Verification:
    return verify(library.ledger, library.bucket, library.objects, library.chroma, exhaustive=True)


def converged(stack: Stack, library: Platform, seconds: float = 120) -> None:
    """Nothing is pending, and the invariant holds exhaustively."""
    last = Verification(exhaustive=True)

    def nothing_is_lost() -> bool:
        nonlocal last
        try:
            last = verdict(library)
        except Unavailable as error:  # a server is on its way back
            last.problems = [str(error)]
        return last.passed

    try:
        wait_until(nothing_is_lost, seconds, "the invariant holds")
    except TimeoutError:
        pytest.fail("\n".join(last.problems))


def drop_many(stack: Stack, collection: str, count: int = 12) -> None:
    for number in range(count):
        text = f"Shelf {number} of {collection} holds item {number * 7919}. " * 60
        stack.drop(f"{collection}/{number}.md", f"# Shelf {number}\n\n{text}\n")


def run_workers(stack: Stack) -> list[psutil.Process]:
    """Processes that execute a run: grandchildren of the code server, below its fork server."""
    code = stack.process("dagster-code")
    below = [child for child in code.children(recursive=True) if child.ppid() != code.pid]
    return [p for p in below if "parsing.worker" not in " ".join(p.cmdline())]


def parses(stack: Stack) -> int:
    with closing(sqlite3.connect(stack.home / "ledger.db")) as ledger:
        return ledger.execute("SELECT count(*) FROM contents").fetchone()[0]


@pytest.mark.parametrize("stage", ["documents", "chunked_contents", "vectors", "index_entries"])
def test_a_run_killed_at_any_stage_is_made_up_for(
    stack: Stack, library: Platform, stage: str
) -> None:
    converged(stack, library)
    collection = f"killed-{stage.replace('_', '-')}"

    def rows() -> int:
        with closing(sqlite3.connect(stack.home / "ledger.db")) as ledger:
            return ledger.execute(f"SELECT count(*) FROM {stage}").fetchone()[0]

    before = rows()
    drop_many(stack, collection)
    wait_until(lambda: rows() > before, 60, f"{stage} grows")
    for worker in run_workers(stack):
        worker.kill()
    stack.wait_for(f"{collection}/11.md", "indexed", 120)
    converged(stack, library)


def test_chroma_killed_comes_back_and_answers(stack: Stack, library: Platform) -> None:
    drop_many(stack, "chroma-killed", 4)
    stack.process("chroma").kill()
    wait_until(lambda: stack.state().children["chroma"].restarts >= 1, 30, "chroma is restarted")
    stack.wait_for("chroma-killed/3.md", "indexed", 120)
    converged(stack, library)
    assert "SIGKILL" in stack.state().children["chroma"].last_death


def test_the_chat_service_killed_comes_back_with_every_rating(
    stack: Stack, library: Platform
) -> None:
    converged(stack, library)
    answer = stack.ask("How do I add a document?")
    stack.http.post(f"/v1/answers/{answer['answer_id']}/rating", json={"rating": "up"})
    stack.process("chat").kill()

    def back() -> bool:
        try:
            return stack.http.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    wait_until(lambda: not back(), 10, "chat is gone")
    wait_until(back, 60, "chat is back")
    ratings = stack.http.get(f"/v1/answers/{answer['answer_id']}").json()["ratings"]
    assert [rating["rating"] for rating in ratings] == ["up"]


def test_the_daemon_and_the_code_server_killed_come_back_and_ingest(
    stack: Stack, library: Platform
) -> None:
    drop_many(stack, "dagster-killed", 6)
    for name in ("dagster-daemon", "dagster-code"):
        stack.process(name).kill()
    stack.wait_for("dagster-killed/5.md", "indexed", 180)
    converged(stack, library)


def test_the_index_is_rebuilt_without_reading_or_embedding_when_its_folder_is_deleted(
    stack: Stack, library: Platform
) -> None:
    converged(stack, library)
    vectors = sorted((stack.home / "objects" / "vectors").rglob("*.f32"))
    contents = parses(stack)
    shutil.rmtree(stack.home / "chroma")
    deaths = stack.state().children["chroma"].restarts
    wait_until(lambda: stack.state().children["chroma"].restarts > deaths, 60, "it is noticed")
    converged(stack, library, 180)
    assert stack.ask("How do I add a document?")["status"] == "complete"
    assert sorted((stack.home / "objects" / "vectors").rglob("*.f32")) == vectors
    assert parses(stack) == contents


def test_a_stop_leaves_no_process_and_a_second_start_takes_seconds(
    stack: Stack, library: Platform
) -> None:
    running = stack.processes()
    assert stack.stop(signal.SIGINT) == 0
    assert [p for p in running if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    assert stack.start() < 60
    answer = stack.ask("How do I add a document?")
    assert answer["status"] == "complete"


@pytest.mark.parametrize("what", ["while nothing runs", "during a run"])
def test_a_stop_leaves_no_semaphore_and_no_socket(
    stack: Stack, library: Platform, what: str
) -> None:
    # A code server makes them with its first run.
    stack.drop(f"{uuid.uuid4().hex}/note.md", "# Note\n\nA run begins.\n")
    wait_until(lambda: run_workers(stack), 60, "a run is under way")
    converged(stack, library)
    if what == "during a run":
        drop_many(stack, "stopped")
        wait_until(lambda: run_workers(stack), 60, "a run is under way")
    dagster = stack.home / "dagster"
    sockets = Path((dagster / "code-server-temporary").read_text())
    names = runpy.run_path("deploy/code_server.py")["semaphores"](str(dagster))
    held = Path("/dev/shm")
    assert sockets.is_dir()
    assert list(held.glob(f"sem.{names}-*"))
    assert stack.stop() == 0
    assert not sockets.exists()
    assert list(held.glob(f"sem.{names}-*")) == []
    stack.start()
    converged(stack, library)


def test_a_supervisor_killed_leaves_nothing_and_the_next_start_converges(
    stack: Stack, library: Platform
) -> None:
    drop_many(stack, "supervisor-killed", 6)
    running = stack.processes()
    os.kill(stack.pid, signal.SIGKILL)
    wait_until(
        lambda: not [p for p in running if p.is_running() and p.status() != psutil.STATUS_ZOMBIE],
        30,
        "every process is gone",
    )
    stack.stop()
    stack.start()
    stack.wait_for("supervisor-killed/5.md", "indexed", 180)
    converged(stack, library)


def test_a_half_written_file_is_read_when_it_is_complete(stack: Stack, library: Platform) -> None:
    path: Path = stack.bucket / "slow" / "growing.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 4
    with path.open("w") as file:
        line = 0
        while time.monotonic() < deadline:  # somebody copies slowly, faster than a file settles
            file.write(f"Line {line} of a long copy.\n")
            file.flush()
            line += 1
            time.sleep(0.1)
        assert stack.document("slow/growing.txt") is None
        file.write("The last line says that the vault opens at dusk.\n")
    stack.wait_for("slow/growing.txt", "indexed")
    assert "dusk" in stack.ask("When does the vault open?", "slow")["answer"]
    (stack.bucket / "slow" / ".hidden.txt").write_text("Not a document.")
    (stack.bucket / "slow" / "upload.tmp").write_text("Not a document.")
    converged(stack, library)
    assert stack.document("slow/upload.tmp") is None
