"""Parsing in a child process: what a document does to its parser, it does to nothing else."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog

import rag_platform
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.worker import ANSWER, REQUEST
from rag_platform.errors import ReadingFailed, Unavailable, UnreadableDocument

_log = structlog.get_logger(__name__)
_START_SECONDS = 60.0
_DOCUMENTS_PER_CHILD = 200
"""Native libraries leak; the memory limit is the child's, not the document's."""


class ParserProcess:
    """A child process that parses one document after another; safe to share between threads.

    A verdict is the document's own: what breaks a child that has read others before is tried once
    more in a fresh one. The child starts with the first document, and dies with this process.
    """

    def __init__(self, *, timeout: float, memory_megabytes: int) -> None:
        """``timeout`` in seconds for one document, ``memory_megabytes`` of address space."""
        self._timeout = timeout
        self._megabytes = memory_megabytes
        self._child: _Child | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The child that waits for the next document, if there is one."""
        return self._child.pid if self._child else None

    def parse(self, data: bytes, key: str) -> ParsedDocument:
        """Parse as :func:`rag_platform.documents.parsing.parse` does, within the limits.

        Raises :class:`UnreadableDocument` with the reason, :class:`Unavailable` when the child does
        not start or the program itself is at fault.
        """
        with self._lock:
            return self._parse(data, key)

    def close(self) -> None:
        """End the child; a later document would start another."""
        with self._lock:
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _parse(self, data: bytes, key: str) -> ParsedDocument:
        child = self._fresh() if self._child is None or not self._child.usable() else self._child
        used = child.documents > 0
        try:
            kind, body = child.ask(data, key, self._timeout)
        except TimeoutError:
            self._drop()
            raise ReadingFailed(f"It took longer than {self._timeout:g} s to read.") from None
        except _Died as died:
            self._drop()
            if used:
                return self._parse(data, key)
            _log.warning("parser died", key=key, how=str(died))
            raise ReadingFailed("The file is damaged: the reader crashed on it.") from died
        except BaseException:
            self._drop()  # interrupted between question and answer: they no longer match
            raise
        return self._verdict(kind, body, data, key, used)

    def _verdict(
        self, kind: bytes, body: bytes, data: bytes, key: str, used: bool
    ) -> ParsedDocument:
        if kind == b"P":
            return ParsedDocument.from_json(body)
        text = body.decode()
        if kind == b"U":
            raise UnreadableDocument(text)
        self._drop()
        if kind == b"M":
            if used:
                return self._parse(data, key)
            raise ReadingFailed(f"It needed more than {self._megabytes} MB of memory to read.")
        _log.error("parser failed", key=key, traceback=text)
        if "ImportError" in text or "ModuleNotFoundError" in text:
            raise Unavailable(
                f"A part of the document reader is missing: {text.strip().splitlines()[-1]}",
                "Install the package's dependencies again.",
            )
        raise UnreadableDocument("The file is damaged: the reader does not understand it.")

    def _fresh(self) -> "_Child":
        self._drop()
        self._child = _Child(self._megabytes)
        return self._child

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


class _Died(Exception):
    """The child ended without an answer."""


class _Child:
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
            self._exchange(b"", time.monotonic() + _START_SECONDS)
        except (TimeoutError, _Died) as error:
            self._errors.seek(0)
            last = self._errors.read()[-2000:].decode(errors="replace").strip() or str(error)
            self.kill()
            raise Unavailable(f"The document reader does not start: {last}") from error
        except BaseException:
            self.kill()
            raise

    def usable(self) -> bool:
        """Whether it lives and has not read too many documents already."""
        return self._process.poll() is None and self.documents < _DOCUMENTS_PER_CHILD

    def ask(self, data: bytes, key: str, timeout: float) -> tuple[bytes, bytes]:
        """Send one document and wait for its answer: raises ``TimeoutError`` or :class:`_Died`."""
        self.documents += 1
        name = key.encode("utf-8", "surrogatepass")
        head = REQUEST.pack(len(name), len(data), min(int(timeout) + 2, 2**31))
        return self._exchange(b"".join((head, name, data)), time.monotonic() + timeout)

    def kill(self) -> None:
        """End the process and everything that it may have started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
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
        kind, _ = ANSWER.unpack_from(answer)
        return kind, bytes(memoryview(answer)[ANSWER.size :])

    def _send(self, data: memoryview) -> int:
        try:
            return os.write(self._in, data[: 1 << 20])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise _Died(self._ending()) from None

    def _receive(self) -> bytes:
        try:
            data = os.read(self._out, 1 << 20)
        except BlockingIOError:
            return b""
        if not data:
            raise _Died(self._ending())
        return data

    def _ending(self) -> str:
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        return f"signal {-status}" if status < 0 else f"exit status {status}"
