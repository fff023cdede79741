"""Parsing in a child process, and everything that a document may do to it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest

from rag_platform.documents.isolation import ParserProcess
from rag_platform.errors import UnreadableDocument

GOOD = b"# Title\n\ntext"
BIG = b"some word " * 2_000_000
"""Takes the child some seconds, and the pipe can't hold it."""


def reason(parser: ParserProcess, data: bytes = GOOD, key: str = "a.md") -> str:
    with pytest.raises(UnreadableDocument) as unreadable:
        parser.parse(data, key)
    return str(unreadable.value)


def child_of(parser: ParserProcess) -> psutil.Process:
    assert parser.pid is not None
    return psutil.Process(parser.pid)


@pytest.fixture
def impatient() -> Iterator[ParserProcess]:
    with ParserProcess(timeout=0.5, memory_megabytes=1024) as parser:
        yield parser


def test_one_child_reads_one_document_after_another(parser: ParserProcess) -> None:
    assert parser.parse(GOOD, "a.md").title == "Title"
    pid = parser.pid
    assert parser.parse("# Größe 😀".encode(), "ä\udcff.md").title == "Größe 😀"
    assert reason(parser, b"") == "The file is empty."
    assert parser.pid == pid


def test_a_document_that_hangs_the_child_costs_the_timeout_and_no_more(
    impatient: ParserProcess,
) -> None:
    impatient.parse(GOOD, "a.md")
    stopped = child_of(impatient)
    os.kill(stopped.pid, signal.SIGSTOP)
    assert reason(impatient) == "It took longer than 0.5 s to read."
    assert not stopped.is_running()
    assert impatient.parse(GOOD, "a.md").title == "Title"


def test_a_large_document_that_the_child_does_not_take_in_times_out_too(
    impatient: ParserProcess,
) -> None:
    impatient.parse(GOOD, "a.md")
    os.kill(child_of(impatient).pid, signal.SIGSTOP)
    assert reason(impatient, BIG) == "It took longer than 0.5 s to read."


def kill_when_busy(parser: ParserProcess, used_before: bool) -> threading.Thread:
    """Kill the child, once, as soon as it works on a document."""

    def kill() -> None:
        pid = parser.pid if used_before else None
        while pid is None:
            pid = parser.pid
        child = psutil.Process(pid)
        start = child.cpu_times().user
        while child.cpu_times().user < start + 0.3:
            pass
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_a_document_that_crashes_a_fresh_child_is_unreadable(parser: ParserProcess) -> None:
    killer = kill_when_busy(parser, used_before=False)
    assert reason(parser, BIG, "a.txt") == "The file is damaged: the reader crashed on it."
    killer.join()
    assert parser.parse(GOOD, "a.md").title == "Title"


def test_a_crash_of_a_used_child_is_not_blamed_on_the_document(parser: ParserProcess) -> None:
    parser.parse(GOOD, "a.md")
    first = parser.pid
    killer = kill_when_busy(parser, used_before=True)
    assert parser.parse(BIG, "a.txt").text.startswith("some word")
    killer.join()
    assert parser.pid != first


def test_a_child_that_died_between_documents_is_replaced(parser: ParserProcess) -> None:
    parser.parse(GOOD, "a.md")
    child = child_of(parser)
    child.kill()
    child.wait()
    assert parser.parse(GOOD, "a.md").title == "Title"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces the limit")
def test_a_document_that_needs_too_much_memory_is_unreadable() -> None:
    with ParserProcess(timeout=60, memory_megabytes=150) as parser:
        parser.parse(GOOD, "a.md")
        message = reason(parser, b"a b\r\n" * 20_000_000, "a.txt")
        assert message == "It needed more than 150 MB of memory to read."
        assert parser.parse(GOOD, "a.md").title == "Title"


def test_threads_can_share_it(parser: ParserProcess) -> None:
    titles: dict[int, str | None] = {}

    def parse(number: int) -> None:
        titles[number] = parser.parse(f"# {number}".encode(), "a.md").title

    threads = [threading.Thread(target=parse, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert titles == {number: str(number) for number in range(8)}


def test_a_child_outlives_the_thread_that_started_it(parser: ParserProcess) -> None:
    thread = threading.Thread(target=parser.parse, args=(GOOD, "a.md"))
    thread.start()
    thread.join()
    pid = parser.pid
    parser.parse(GOOD, "a.md")
    assert parser.pid == pid


def test_closing_ends_the_child_and_leaks_no_file(make_pdf: Callable[..., bytes]) -> None:
    before = psutil.Process().num_fds()
    for _ in range(3):
        with ParserProcess(timeout=30, memory_megabytes=1024) as parser:
            assert parser.parse(make_pdf([(12, "text")]), "a.pdf").text == "text"
            child = child_of(parser)
        assert not child.is_running()
    assert psutil.Process().num_fds() == before


@pytest.mark.parametrize("stopped", [False, True])
def test_killing_the_parent_leaves_no_child(stopped: bool) -> None:
    if stopped and sys.platform != "linux":
        pytest.skip("only Linux kills a process that does not run")
    script = (
        "import sys, time\n"
        "from rag_platform.documents.isolation import ParserProcess\n"
        "parser = ParserProcess(timeout=60, memory_megabytes=1024)\n"
        "parser.parse(b'# a', 'a.md')\n"
        "print(parser.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        if stopped:
            child.suspend()
        parent.kill()
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
