"""The lease on a collection: who holds it ingests it, and the bucket's watcher leaves it alone.

It spares double work and nothing else: two reconcilers at once are correct.
"""

import contextlib
import fcntl
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO

from rag_platform.errors import Conflict
from rag_platform.ledger.digests import digest

_PATIENCE = 1.0
"""Seconds: a look at a lease takes it for a moment."""


@contextlib.contextmanager
def held(home: Path, collection: str) -> Generator[None]:
    """Hold the lease; it ends with the process, however that ends.

    Raises :class:`Conflict` where another process holds it.
    """
    file = _file(home, collection)
    file.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _PATIENCE
    with file.open("a") as opened:
        while not _locked(opened, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise Conflict(
                    f"Another rag ingest works on the collection {collection!r}.",
                    "Wait for it, or stop it.",
                )
            time.sleep(0.02)
        yield


def is_held(home: Path, collection: str) -> bool:
    """Whether some process ingests the collection."""
    try:
        with _file(home, collection).open() as opened:
            return not _locked(opened, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _file(home: Path, collection: str) -> Path:
    return home / "leases" / f"{digest(collection)}.lock"
