"""One run of a child: starting its process, and saying in words how it ended."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from rag_platform.supervisor.logs import last_line, open_log


class Process:
    """A process in its own session, with its output in a log.

    The owner calls :meth:`poll` when the system reports the end of a child (SIGCHLD).
    """

    def __init__(
        self, command: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path
    ) -> None:
        """Start it. Raises ``OSError`` if that is impossible."""
        self.log = log
        self.exited = asyncio.Event()
        self.since = time.monotonic()
        with open_log(log) as output:
            self._popen = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._popen.pid
        # Not reaped before poll(), so it has a start time even if it is dead by now.
        self.started = psutil.Process(self.pid).create_time()

    def poll(self) -> None:
        """Notice its end, if it has ended."""
        if self._popen.poll() is not None:
            self.exited.set()

    async def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self.exited.wait()
        except TimeoutError:
            return False
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its whole group."""
        if not self.exited.is_set():
            os.killpg(self.pid, number)

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._popen.returncode

    def epitaph(self) -> str:
        """How it ended, with the last line that it wrote: "exited with code 1 (last line: …)"."""
        line = last_line(self.log)
        return f"{_manner(self.code)} ({f'last line: {line}' if line else 'it wrote nothing'})"


def _manner(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exited with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
