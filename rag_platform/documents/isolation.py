"""Parsing in child processes: what a document does to its parser, it does to nothing else."""

import threading
from types import TracebackType
from typing import Self

import structlog

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parser_child import Died, ParserChild, TooMuchText
from rag_platform.documents.parsing.worker import LARGEST_ANSWER
from rag_platform.errors import ReadingFailed, Unavailable, UnreadableDocument

_log = structlog.get_logger(__name__)
_NOT_UNDERSTOOD = "The file is damaged: the reader does not understand it."


class ParserPool:
    """As many child processes as documents are parsed at once; safe to share between threads.

    A child starts when a document finds none idle, so one document after another takes one child.
    """

    def __init__(self, *, processes: int, timeout: float, memory_megabytes: int) -> None:
        """``timeout`` in seconds for one document, ``memory_megabytes`` for one child."""
        self.processes = processes
        self._free = threading.Semaphore(processes)
        self._limits = (timeout, memory_megabytes)
        self._idle: list[ParserProcess] = []
        self._all: list[ParserProcess] = []

    @property
    def pids(self) -> list[int]:
        """The children that run."""
        return [process.pid for process in self._all if process.pid is not None]

    def parse(self, data: bytes, key: str) -> ParsedDocument:
        """As :meth:`ParserProcess.parse`, in the next child that is free."""
        with self._free:
            process = self._take()
            try:
                return process.parse(data, key)
            finally:
                self._idle.append(process)

    def close(self) -> None:
        """End the children, also where one is at work; a later document would start another."""
        for process in self._all:
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self) -> "ParserProcess":
        try:
            return self._idle.pop()  # the last one: it runs already
        except IndexError:
            timeout, megabytes = self._limits
            made = ParserProcess(timeout=timeout, memory_megabytes=megabytes)
            self._all.append(made)
            return made


class ParserProcess:
    """A child process that parses one document after another; safe to share between threads.

    A verdict is the document's own: what breaks a child that has read others before is tried once
    more in a fresh one. The child starts with the first document, and dies with this process.
    """

    def __init__(self, *, timeout: float, memory_megabytes: int) -> None:
        """``timeout`` in seconds for one document, ``memory_megabytes`` of address space."""
        self._timeout = timeout
        self._megabytes = memory_megabytes
        self._child: ParserChild | None = None
        self._lock = threading.Lock()
        self._closing = False

    @property
    def pid(self) -> int | None:
        """The child that waits for the next document, if there is one."""
        return self._child.pid if self._child else None

    def parse(self, data: bytes, key: str) -> ParsedDocument:
        """Parse as :func:`rag_platform.documents.parsing.parse` does, within the limits.

        Raises :class:`UnreadableDocument` with the reason, :class:`Unavailable` when the child does
        not start, is ended, or the program itself is at fault.
        """
        with self._lock:
            return self._parse(data, key)

    def close(self) -> None:
        """End the child, even while it reads; a later document would start another."""
        self._closing = True
        if (child := self._child) is not None:
            child.end()
        with self._lock:
            self._drop()
            self._closing = False

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
        except TooMuchText:
            self._drop()
            raise _too_much_text() from None
        except Died as died:
            self._drop()
            if used or self._closing:
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
            try:
                return ParsedDocument.from_json(body)
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                # A document that took the child over may answer anything.
                self._drop()
                _log.error("parser answered nonsense", key=key)
                raise UnreadableDocument(_NOT_UNDERSTOOD) from None
        if kind == b"L":
            raise _too_much_text()
        text = body.decode(errors="replace")
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
        raise UnreadableDocument(_NOT_UNDERSTOOD)

    def _fresh(self) -> ParserChild:
        self._drop()
        if self._closing:
            raise Unavailable("The document reader was stopped.")
        self._child = ParserChild(self._megabytes)
        return self._child

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


def _too_much_text() -> UnreadableDocument:
    return UnreadableDocument(f"The file holds more than {LARGEST_ANSWER >> 20} MB of text.")
