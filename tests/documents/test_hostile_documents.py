"""Documents that take their parser over: the child runs them as programs, and is held all the same.

The child's reader of plain text is replaced by one that executes the document.
"""

import os
import platform
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from rag_platform.documents.isolation import ParserPool, ParserProcess
from rag_platform.errors import Unavailable, UnreadableDocument

confined = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="only Linux filters system calls",
)
EXECUTING = """
import rag_platform.documents.parsing.plain_text as reader
from rag_platform.documents.parsed import ParsedDocument

def extract(data):
    names = {}
    try:
        exec(data.decode(), names)
    except OSError as error:
        names["result"] = f"refused: {type(error).__name__}"
    return ParsedDocument(text=str(names.get("result", "done")))

reader.extract = extract
"""


@pytest.fixture
def executing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(EXECUTING)
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.fixture
def parser(executing: None) -> Iterator[ParserProcess]:
    with ParserProcess(timeout=60, memory_megabytes=1024) as parser:
        yield parser


@pytest.fixture
def run(parser: ParserProcess) -> Callable[[str], str]:
    """What a document that is a program has to say, or why it was not read."""

    def run(program: str) -> str:
        try:
            return parser.parse(textwrap.dedent(program).encode(), "a.txt").text
        except UnreadableDocument as reason:
            return str(reason)

    return run


def test_a_native_crash_costs_one_document(run: Callable[[str], str]) -> None:
    crash = "import ctypes\nctypes.string_at(0)"
    assert run(crash) == "The file is damaged: the reader crashed on it."
    assert run("result = 'next'") == "next"


def test_a_document_that_never_ends_costs_its_time(executing: None) -> None:
    with ParserProcess(timeout=0.5, memory_megabytes=1024) as parser:
        with pytest.raises(UnreadableDocument, match=r"longer than 0\.5 s"):
            parser.parse(b"while True: pass", "a.txt")
        assert parser.parse(b"result = 'next'", "a.txt").text == "next"


@confined
def test_a_memory_bomb_costs_one_document(run: Callable[[str], str]) -> None:
    assert run("x = bytearray(1 << 34)") == "It needed more than 1024 MB of memory to read."
    assert run("result = 'next'") == "next"


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
@confined
def test_it_has_no_network(run: Callable[[str], str], family: str) -> None:
    program = f"import socket\nsocket.socket(socket.{family}, socket.SOCK_DGRAM)"
    assert run(program) == "refused: PermissionError"


@confined
def test_a_program_that_it_starts_has_no_network_either(run: Callable[[str], str]) -> None:
    assert "PermissionError" in run(
        """
        import subprocess, sys
        made = "import socket; socket.socket()"
        result = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True).stderr
        """
    )


@confined
@pytest.mark.parametrize(
    "change",
    [
        "open('{folder}/new', 'w')",
        "open('{folder}/old', 'w')",
        "os.mkdir('{folder}/new')",
        "os.remove('{folder}/old')",
        "os.rename('{folder}/old', '{folder}/new')",
        "os.symlink('{folder}/old', '{folder}/new')",
        "os.truncate('{folder}/old', 0)",
        "os.chmod('{folder}/old', 0)",
        "tempfile.NamedTemporaryFile(dir='{folder}')",
    ],
)
def test_it_makes_and_changes_no_file(
    run: Callable[[str], str], tmp_path: Path, change: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").write_text("text")
    done = run("import os, tempfile\n" + change.format(folder=folder))
    assert done == "refused: PermissionError"
    assert [(file.name, file.read_text()) for file in folder.iterdir()] == [("old", "text")]


@confined
def test_anonymous_temporary_files_and_programs_on_pipes_work(run: Callable[[str], str]) -> None:
    assert (
        run(
            """
            import subprocess, tempfile
            with tempfile.TemporaryFile() as file:
                file.write(b"kept")
                file.seek(0)
                result = subprocess.run(["cat"], stdin=file, capture_output=True).stdout.decode()
            """
        )
        == "kept"
    )


@confined
def test_a_temporary_file_cannot_fill_the_disk(run: Callable[[str], str]) -> None:
    program = "import tempfile\nwith tempfile.TemporaryFile() as f: f.write(bytes(65 << 20))"
    assert run(program) == "refused: OSError"


def test_it_opens_few_files(run: Callable[[str], str]) -> None:
    assert run("held = [open('/dev/null') for _ in range(200)]") == "refused: OSError"


def test_a_text_bomb_is_a_reason(run: Callable[[str], str], parser: ParserProcess) -> None:
    long = "import random\nresult = random.randbytes(55_000_000).hex()"
    assert run(long) == "The file holds more than 100 MB of text."
    assert run("result = 'next'") == "next"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("ANSWER.pack(b'P', 1 << 50)", "The file holds more than 100 MB of text."),
        (
            "ANSWER.pack(b'P', 4) + b'nope'",
            "The file is damaged: the reader does not understand it.",
        ),
    ],
)
def test_a_forged_answer_harms_nobody(run: Callable[[str], str], answer: str, reason: str) -> None:
    program = f"""
        import os, time
        from rag_platform.documents.parsing.worker import ANSWER
        for fd in range(3, 20):
            try:
                if not os.get_blocking(fd) or "pipe" in os.readlink(f"/proc/self/fd/{{fd}}"):
                    os.write(fd, {answer})
            except OSError:
                pass
        time.sleep(60)
        """
    assert run(program) == reason
    assert run("result = 'next'") == "next"


STARTING = """
import subprocess, sys, os
started = subprocess.Popen(["sleep", "600"])
result = started.pid
"""


def gone(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        psutil.wait_procs([process], timeout=10)
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@confined
def test_what_it_starts_ends_with_it_and_cannot_leave(
    run: Callable[[str], str], parser: ParserProcess
) -> None:
    assert run("import os\nos.setsid()") == "refused: PermissionError"
    pid = int(run(STARTING))
    assert psutil.pid_exists(pid)
    assert run("import os\nos.setpgid(0, os.getppid())") == "refused: PermissionError"
    parser.close()
    assert gone(pid)


@confined
def test_what_it_started_ends_with_a_killed_parent(executing: None) -> None:
    script = (
        "import sys, time\n"
        "from rag_platform.documents.isolation import ParserPool\n"
        "pool = ParserPool(processes=2, timeout=60, memory_megabytes=1024)\n"
        f"print(pool.parse({STARTING.encode()!r}, 'a.txt').text, *pool.pids, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


@pytest.fixture
def pool(executing: None) -> Iterator[ParserPool]:
    with ParserPool(processes=2, timeout=60, memory_megabytes=1024) as pool:
        yield pool


def test_a_pool_reads_as_many_at_once_as_it_has_processes(pool: ParserPool, tmp_path: Path) -> None:
    """Each waits for the other, so that one after the other would never end."""
    texts: list[str] = []
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    def read(mode: str) -> None:
        # Opening one end of a pipe waits for the other end.
        program = f"import os\nos.open('{gate}', os.{mode})\nresult = '{mode}'"
        texts.append(pool.parse(program.encode(), "a.txt").text)

    threads = [threading.Thread(target=read, args=(m,)) for m in ("O_RDONLY", "O_WRONLY")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts) == ["O_RDONLY", "O_WRONLY"]
    assert len(pool.pids) == 2


def test_one_document_after_another_takes_one_process(pool: ParserPool) -> None:
    for number in range(5):
        assert pool.parse(f"result = {number}".encode(), "a.txt").text == str(number)
    assert len(pool.pids) == 1


def test_closing_a_pool_does_not_wait_for_what_it_reads(pool: ParserPool) -> None:
    failures: list[Exception] = []

    def read() -> None:
        try:
            pool.parse(b"while True: pass", "a.txt")
        except Unavailable as error:
            failures.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while not pool.pids:
        time.sleep(0.01)
    pool.close()
    thread.join(10)
    assert [str(error) for error in failures] == ["The document reader was stopped."]
    assert pool.pids == []
