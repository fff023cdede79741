"""What a child of the supervisor is: a command, and how to tell that it works."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rag_platform.settings import in_url

_ANSWER_SECONDS = 3.0


class Probe(Protocol):
    """Tells whether a child works. Never raises."""

    async def __call__(self) -> bool:
        """Whether the child works now."""
        ...


@dataclass(frozen=True)
class HttpProbe:
    """Works when ``GET path`` answers with a status below 400."""

    port: int
    path: str
    host: str = "127.0.0.1"

    async def __call__(self) -> bool:
        """Written by hand, since an HTTP client would cost the supervisor 20 MB."""
        host = f"{in_url(self.host)}:{self.port}"
        request = f"GET {self.path} HTTP/1.0\r\nHost: {host}\r\n\r\n"
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    writer.write(request.encode())
                    line = await reader.readline()
                finally:
                    writer.close()
            return int(line.split()[1]) < 400
        except (OSError, ValueError, IndexError):
            return False


@dataclass(frozen=True)
class PortProbe:
    """Works when the port takes connections."""

    port: int
    host: str = "127.0.0.1"

    async def __call__(self) -> bool:
        """Connect and hang up."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                _, writer = await asyncio.open_connection(self.host, self.port)
            writer.close()
            return True
        except OSError:
            return False


@dataclass(frozen=True)
class LogProbe:
    """Works once the text stands in the log: for a child that listens on no port."""

    log: Path
    text: str

    async def __call__(self) -> bool:
        """Read the log, which is bounded."""
        try:
            return self.text in self.log.read_text(errors="replace")
        except OSError:
            return False


@dataclass(frozen=True)
class Child:
    """One long-lived process of the stack.

    ``needs`` names the children and steps that must be ready before it starts; ``watched`` says
    that the probe also tells whether a child that was ready still works.
    """

    name: str
    command: tuple[str, ...]
    ready: Probe
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    address: str = ""
    needs: tuple[str, ...] = ()
    watched: bool = True
    storage: Path | None = None
    """A file that it keeps open. Deleted, it goes on writing to a file that nobody can see."""
    grace: float = 60.0
    """Seconds between SIGTERM and SIGKILL, if they are less than the supervisor's."""


@dataclass(frozen=True)
class Pace:
    """The supervisor's times, in seconds, and how often it tries."""

    ready: float = 120.0
    """How long a child may take to get ready."""
    poll: float = 0.1
    """Between two probes of a child that starts."""
    watch: float = 15.0
    """Between two probes of a child that is ready."""
    failures: int = 4
    """So many failed probes in a row end a child."""
    backoff: float = 1.0
    """Before the first restart; doubles with each further one."""
    longest_backoff: float = 30.0
    settled: float = 60.0
    """A child that worked for so long starts again with the first backoff."""
    attempts: int = 3
    """A child that dies so often before it was ever ready has failed."""
    grace: float = 4.0
    """Between SIGTERM and SIGKILL."""
    log_bytes: int = 5_000_000
    """A log past this size is moved to ``<name>.log.1``."""


def since(start: float) -> str:
    """The seconds since ``start`` (of ``time.monotonic``), for people."""
    return f"{time.monotonic() - start:.1f} s"
