"""Dagster's code server, with run workers forked from a process that has imported everything.

``dagster api grpc`` spawns a worker per run, which imports Dagster and the platform anew: 2.5 s
before the first step of a run that takes one. Forked from a warm, single-threaded process it is
there at once. Takes the arguments of ``dagster api grpc``.
"""

import contextlib
import multiprocessing
import os
import shutil
import sys
from multiprocessing import forkserver, util
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._cli.api import api_cli
from dagster._grpc.server import DagsterApiServer

_WARM = ["dagster._cli.api", "rag_platform.definitions"]


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


def tidy_up() -> None:
    """Remove the folder of sockets that a killed code server left, and note where this one's is.

    A server that ends by itself removes its own. No other one uses the same DAGSTER_HOME.
    """
    note = Path(os.environ["DAGSTER_HOME"]) / "code-server-temporary"
    with contextlib.suppress(OSError, UnicodeError):
        left = Path(note.read_text())
        if left.is_absolute() and left.name.startswith("pymp-"):
            shutil.rmtree(left, ignore_errors=True)
    note.write_text(util.get_temp_dir())


def main() -> None:
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
    api_cli(["grpc", *sys.argv[1:]])


if __name__ == "__main__":
    main()
