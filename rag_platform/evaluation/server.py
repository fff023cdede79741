"""A Chroma server of an evaluation's own, on a free port, that surely ends."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

from rag_platform.errors import IndexUnavailable
from rag_platform.evaluation import guarded
from rag_platform.index.chroma import Chroma

_HOST = "127.0.0.1"
_SECONDS = 60
"""How long a start may take on a busy machine."""


@contextlib.contextmanager
def chroma_server(folder: Path, log: Path, *, keep_open: int) -> Generator[int]:
    """Run Chroma over a folder; gives its port.

    ``keep_open`` is a file descriptor that stays open for as long as the server lives: a lock on
    it outlasts an evaluation that was killed. Raises :class:`IndexUnavailable`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    chroma = Path(sys.executable).parent / "chroma"
    command = [str(chroma), "run", "--path", str(folder), "--host", _HOST, "--port", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-P", guarded.__file__, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
            pass_fds=(keep_open,),
            start_new_session=True,  # Ctrl-C goes to the evaluation, which ends this in its time
        ) as process,
    ):
        assert process.stdin is not None
        try:
            _wait_until_ready(process, port, log)
            yield port
        finally:
            process.stdin.close()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    chroma = Chroma(_HOST, port, timeout=5)
    deadline = time.monotonic() + _SECONDS
    try:
        while True:
            with contextlib.suppress(IndexUnavailable):
                chroma.heartbeat()
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise IndexUnavailable(
                    "The evaluation's own Chroma server does not start.", f"Its log is {log}."
                )
            time.sleep(0.05)
    finally:
        chroma.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
