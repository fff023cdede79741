"""The processes of one start of the platform: marking, finding and ending them.

Every process inherits an environment variable with the start's random token. This finds what
neither a parent's id nor a process group does: grandchildren whose parent died, workers in a
session of their own, and whatever outlived a supervisor that was killed. A process id is never
trusted alone, since the system gives it out again.

Run as a script with a token, this file is the guard: it waits on a pipe whose other end the
supervisor holds and never writes to, and ends what is left when the system closes that end, however
the supervisor died. A parent-death signal would reach the children only, not what they started.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterable

import psutil

VARIABLE = "RAG_SUPERVISED"
_GUARD_GRACE_SECONDS = 3.0
_PR_SET_CHILD_SUBREAPER = 36


def mark(token: str, name: str) -> dict[str, str]:
    """The environment variable that marks a child and all that it starts."""
    return {VARIABLE: f"{token}:{name}"}


def marked(token: str, name: str = "") -> list[psutil.Process]:
    """The living processes of one start, or of one of its children."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and _belongs(process, token, name):
                found.append(process)
    return found


def _belongs(process: psutil.Process, token: str, name: str) -> bool:
    value = process.environ().get(VARIABLE, "")
    if value != f"{token}:{name}" and not (value.startswith(f"{token}:") and not name):
        return False
    return process.status() != psutil.STATUS_ZOMBIE


def descendants(pid: int, started: float) -> list[psutil.Process]:
    """A process, known by its id and start time, and all below it; empty when it is gone."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        if abs(process.create_time() - started) < 0.05:
            return [process, *process.children(recursive=True)]
    return []


def terminate(processes: Iterable[psutil.Process]) -> None:
    """Send SIGTERM."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()


def kill(processes: Iterable[psutil.Process]) -> None:
    """Send SIGKILL."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(token: str, grace: float, also: Iterable[psutil.Process] = ()) -> list[int]:
    """End all processes of a start, blocking; returns the ids of those that were found."""
    processes = {process for process in (*marked(token), *also) if alive(process)}
    found = sorted(process.pid for process in processes)
    terminate(processes)
    _wait(processes, grace)
    deadline = time.monotonic() + grace
    # Again and again: a process may have been starting another while it was killed.
    while left := {p for p in processes if alive(p)} | set(marked(token)):
        kill(left)
        _wait(left, 0.5)
        processes = left
        if time.monotonic() > deadline:
            break
    return found


def _wait(processes: Iterable[psutil.Process], seconds: float) -> None:
    # Not psutil.wait_procs: it would take the exit status of the caller's own children.
    deadline = time.monotonic() + seconds
    while any(alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.02)


def adopt_orphans() -> None:
    """Become the parent of what a dead child leaves, where the system can do that (Linux).

    In a container whose first process is no init, nobody else would take their exit status.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(own: Collection[int]) -> None:
    """Take the exit status of all dead children but ``own``, whose owners want it."""
    with contextlib.suppress(ChildProcessError):
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (dead := os.waitid(os.P_ALL, 0, options)) and dead.si_pid not in own:
            os.waitpid(dead.si_pid, 0)


def start_guard(token: str) -> subprocess.Popen[bytes]:
    """Start the guard; it ends once its standard input is closed.

    As a script, not a module: without the package's imports it takes 10 MB and not 50.
    """
    return subprocess.Popen(
        [sys.executable, "-P", __file__, token],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _guard(token: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end(token, _GUARD_GRACE_SECONDS)


if __name__ == "__main__":
    _guard(sys.argv[1])
