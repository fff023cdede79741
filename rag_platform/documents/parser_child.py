"""The running child that parses documents, and its pipes."""

import contextlib
import functools
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

import structlog

import rag_platform
from rag_platform.documents.parsing.worker import ANSWER, CONFINED, LARGEST_ANSWER, REQUEST
from rag_platform.errors import Unavailable

_log = structlog.get_logger(__name__)
_START_SECONDS = 60.0
_DOCUMENTS_PER_CHILD = 200
"""Native libraries leak; the memory limit is the child's, not the document's."""


@functools.cache
def _warn_once() -> None:
    _log.warning("documents are read without a filter of system calls: this system has none")


class Died(Exception):
    """The child ended without an answer."""


class TooMuchText(Exception):
    """The answer would not fit in this process."""


class ParserChild:
    """The running process and its pipes."""

    def __init__(self, megabytes: int) -> None:
        self.documents = 0
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in kill()
        lifeline, self._lifeline = os.pipe()
        root = str(Path(rag_platform.__file__).parent.parent)
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        # Not multiprocessing: spawning would import the parent's main module again, and that may
        # be Dagster. Its own process group keeps a Ctrl-C in the terminal away from it.
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "rag_platform.documents.parsing.worker",
                str(megabytes << 20),
                str(lifeline),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            pass_fds=(lifeline,),
            process_group=0,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": path},
        )
        os.close(lifeline)
        self.pid = self._process.pid
        assert self._process.stdin and self._process.stdout
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        try:
            _, confined = self._exchange(b"", time.monotonic() + _START_SECONDS)
        except (TimeoutError, Died) as error:
            self._errors.seek(0)
            last = self._errors.read()[-2000:].decode(errors="replace").strip() or str(error)
            self.kill()
            raise Unavailable(f"The document reader does not start: {last}") from error
        except BaseException:
            self.kill()
            raise
        if confined != CONFINED:
            _warn_once()

    def usable(self) -> bool:
        """Whether it lives and has not read too many documents already."""
        return self._process.poll() is None and self.documents < _DOCUMENTS_PER_CHILD

    def ask(self, data: bytes, key: str, timeout: float) -> tuple[bytes, bytes]:
        """Send one document and wait for its answer.

        Raises ``TimeoutError``, :class:`Died` or :class:`TooMuchText`.
        """
        self.documents += 1
        self._errors.seek(0)  # shared with the child, which writes where the parent points
        self._errors.truncate()
        name = key.encode("utf-8", "surrogatepass")
        head = REQUEST.pack(len(name), len(data), min(int(timeout) + 2, 2**31))
        return self._exchange(b"".join((head, name, data)), time.monotonic() + timeout)

    def end(self) -> None:
        """End the process and everything that it may have started; safe from another thread."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it and close its pipes."""
        self.end()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            assert pipe is not None
            pipe.close()
        os.close(self._lifeline)

    def _exchange(self, question: bytes, deadline: float) -> tuple[bytes, bytes]:
        rest = memoryview(question)
        answer = bytearray()
        wanted = ANSWER.size
        with selectors.DefaultSelector() as ready:
            ready.register(self._out, selectors.EVENT_READ)
            if rest:
                ready.register(self._in, selectors.EVENT_WRITE)
            while len(answer) < wanted:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                for event, _ in ready.select(left):
                    if event.fd == self._in:
                        rest = rest[self._send(rest) :]
                        if not rest:
                            ready.unregister(self._in)
                        continue
                    answer += self._receive()
                    if len(answer) >= ANSWER.size:
                        wanted = ANSWER.size + ANSWER.unpack_from(answer)[1]
                        if wanted > ANSWER.size + LARGEST_ANSWER:
                            raise TooMuchText
        kind, _ = ANSWER.unpack_from(answer)
        return kind, bytes(memoryview(answer)[ANSWER.size :])

    def _send(self, data: memoryview) -> int:
        try:
            return os.write(self._in, data[: 1 << 20])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise Died(self._ending()) from None

    def _receive(self) -> bytes:
        try:
            data = os.read(self._out, 1 << 20)
        except BlockingIOError:
            return b""
        if not data:
            raise Died(self._ending())
        return data

    def _ending(self) -> str:
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        return f"signal {-status}" if status < 0 else f"exit status {status}"
