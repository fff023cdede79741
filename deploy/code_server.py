"""Dagster's code server, with run workers forked from a process that has imported everything.

``dagster api grpc`` spawns a worker per run, which imports Dagster and the platform anew: 2.5 s
before the first step of a run that takes one. Forked from a warm, single-threaded process it is
there at once. Takes the arguments of ``dagster api grpc``.
"""

import contextlib
import hashlib
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import time
from multiprocessing import forkserver, process, util
from pathlib import Path
from typing import Any, NoReturn

import dagster as dg
from dagster._cli.api import api_cli
from dagster._grpc.server import DagsterApiServer

_WARM = ["dagster._cli.api", "rag_platform.definitions"]
_WORKERS_SECONDS = 1.0
"""How long the workers of runs, which the same signal reached, have to say how their runs ended."""


def reap() -> None:
    """Fail the runs that a code server before this one had under way.

    Their workers ended with it. Nobody else would notice: the launcher cannot resume, and the
    bucket's sensor waits for a run that seems to be under way.
    """
    under_way = [
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
    with dg.DagsterInstance.get() as instance:
        for run in instance.get_runs(dg.RunsFilter(statuses=under_way)):
            instance.report_run_failed(run, "The process that executed this run is gone.")


def semaphores(home: str) -> str:
    """How the names of a code server's semaphores begin: another one's begin otherwise."""
    return f"rag-{hashlib.sha256(home.encode()).hexdigest()[:8]}"


def tidy_up() -> None:
    """Remove the sockets and semaphores of a killed code server, and name this one's.

    A server that ends by itself removes its own. No other one uses the same DAGSTER_HOME.
    """
    home = os.environ["DAGSTER_HOME"]
    # Where Linux keeps them; they outlive their processes.
    for left in Path("/dev/shm").glob(f"sem.{semaphores(home)}-*"):  # noqa: S108
        left.unlink(missing_ok=True)
    process.current_process()._config["semprefix"] = f"/{semaphores(home)}"
    note = Path(home) / "code-server-temporary"
    with contextlib.suppress(OSError, UnicodeError):
        left = Path(note.read_text())
        if left.is_absolute() and left.name.startswith("pymp-"):
            shutil.rmtree(left, ignore_errors=True)
    note.write_text(util.get_temp_dir())


def leave(code: int) -> NoReturn:
    """End at once, and leave no semaphore and no socket behind.

    Python's own end waits for all threads. One of them is evaluating a sensor most of the time, for
    up to 20 seconds, of which the supervisor gives three; what is killed then removes nothing.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    deadline = time.monotonic() + _WORKERS_SECONDS
    for worker in multiprocessing.active_children():
        worker.join(max(deadline - time.monotonic(), 0))
    util._run_finalizers()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> NoReturn:
    """Serve until a signal ends it."""
    reap()
    tidy_up()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_WARM)
    forkserver.ensure_running()
    start = DagsterApiServer.__init__

    def forking(self: Any, *arguments: Any, **options: Any) -> None:
        start(self, *arguments, **options)
        # The one private thing that this relies on; the integration tests run real runs by it.
        self._mp_ctx = context

    DagsterApiServer.__init__ = forking
    code = 0
    try:
        api_cli(["grpc", *sys.argv[1:]])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:  # a second signal
        code = 128 + signal.SIGINT
    leave(code)


if __name__ == "__main__":
    main()
