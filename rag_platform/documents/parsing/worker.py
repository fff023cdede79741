"""The child process of :class:`rag_platform.documents.isolation.ParserProcess`.

It reads requests from its standard input and answers on what was its standard output; what
libraries print goes to standard error.
Request: key length (4 bytes), data length (8), CPU seconds (4), key, data.
Answer: one letter, length (8), body. ``R`` ready, ``P`` parsed (JSON), ``U`` unreadable (the
reason), ``M`` out of memory, ``E`` the program is at fault (a traceback).
"""

import contextlib
import fcntl
import os
import resource
import signal
import struct
import sys
import threading
import traceback
from typing import BinaryIO

from rag_platform.documents.parsing import parse
from rag_platform.errors import UnreadableDocument

REQUEST = struct.Struct("!IQI")
ANSWER = struct.Struct("!cQ")


def main() -> None:
    """Answer requests until the parent closes the pipe or is gone."""
    memory, lifeline = int(sys.argv[1]), int(sys.argv[2])
    _die_with_parent(lifeline)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS knows the limit's name only
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _answer(answers, b"R", b"")
    while request := _request(sys.stdin.buffer):
        _answer(answers, *_parsed(*request))


def _request(requests: BinaryIO) -> tuple[str, bytes] | None:
    head = requests.read(REQUEST.size)
    if len(head) < REQUEST.size:
        return None
    key_length, data_length, seconds = REQUEST.unpack(head)
    # The limit counts from the start of the process, so it moves with every document. It is the
    # second net: the parent's clock is the first, and counts a process that sleeps too.
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
    key = requests.read(key_length).decode("utf-8", "surrogatepass")
    data = requests.read(data_length)
    return (key, data) if len(data) == data_length else None


def _parsed(key: str, data: bytes) -> tuple[bytes, bytes]:
    try:
        return b"P", parse(data, key).to_json()
    except UnreadableDocument as reason:
        return b"U", str(reason).encode("utf-8", "replace")
    except MemoryError:
        return b"M", b""
    except Exception:  # noqa: BLE001 - whatever a parser raises, the next document has its turn
        return b"E", traceback.format_exc().encode("utf-8", "replace")


def _answer(answers: BinaryIO, kind: bytes, body: bytes) -> None:
    answers.write(ANSWER.pack(kind, len(body)))
    answers.write(body)
    answers.flush()


def _die_with_parent(lifeline: int) -> None:
    """Be killed by the kernel when the parent's end of the pipe closes, whatever runs here.

    Not PR_SET_PDEATHSIG: it watches the thread that started this process, and threads of a pool
    end long before their process does. Not a thread: native code may never let it run.
    """
    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            os.read(lifeline, 1)  # the parent was gone before the kernel was asked
            os._exit(1)
        return

    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
