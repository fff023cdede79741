"""Run as a script: a command that ends when whoever started this ends, however that happens.

It waits on standard input, a pipe whose other end the starter holds and never writes to. Nothing
of the package is imported, so that it is small and starts at once.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

_GRACE_SECONDS = 3.0


def _run(command: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when its pipe is closed, and not before
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_input, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):
        pass
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    process.kill()


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
