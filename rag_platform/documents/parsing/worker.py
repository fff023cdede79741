"""The child process of :class:`rag_platform.documents.isolation.ParserProcess`.

It reads requests from its standard input and answers on what was its standard output; what
libraries print goes to standard error.
Request: key length (4 bytes), data length (8), CPU seconds (4), key, data.
Answer: one letter, length (8), body. ``R`` ready (``confined`` or nothing), ``P`` parsed (JSON),
``U`` unreadable (the reason), ``L`` more text than an answer may hold, ``M`` out of memory, ``E``
the program is at fault (a traceback).
"""

import contextlib
import fcntl
import os
import resource
import signal
import struct
import sys
import tempfile
import threading
import traceback
from typing import BinaryIO

from rag_platform.documents.parsing import parse
from rag_platform.documents.parsing.sandbox import limit_resources, refuse_system_calls
from rag_platform.errors import UnreadableDocument

REQUEST = struct.Struct("!IQI")
ANSWER = struct.Struct("!cQ")
CONFINED = b"confined"
LARGEST_ANSWER = 100 << 20
"""Bytes of text, as JSON. The parent holds an answer twice, and there may be one for each core."""


def main() -> None:
    """Answer requests until the parent closes the pipe or is gone."""
    memory, lifeline = int(sys.argv[1]), int(sys.argv[2])
    _die_with_parent(lifeline)
    limit_resources(memory)
    tempfile.gettempdir()  # found by making a file, which is refused later
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _answer(answers, b"R", CONFINED if refuse_system_calls() else b"")
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
        parsed = parse(data, key)
        # No character takes less than a byte: what is too long need not become JSON first.
        body = b"" if len(parsed.text) > LARGEST_ANSWER else parsed.to_json()
        return (b"P", body) if 0 < len(body) <= LARGEST_ANSWER else (b"L", b"")
    except UnreadableDocument as reason:
        return b"U", str(reason).encode("utf-8", "replace")
    except MemoryError:
        return b"M", b""
    except Exception:  # noqa: BLE001 - whatever a parser raises, the next document has its turn
        return b"E", traceback.format_exc()[-100_000:].encode("utf-8", "replace")


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
        # The whole group: what a parser runs must not outlive it either.
        group = -os.getpid() if os.getpgrp() == os.getpid() else os.getpid()
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, group)
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
