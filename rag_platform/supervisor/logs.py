"""Log files of the children, and keeping them small."""

import contextlib
import os
import re
from pathlib import Path
from typing import BinaryIO

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_TAIL_BYTES = 16_384
_LINE_CHARACTERS = 300


def log_path(home: Path, name: str) -> Path:
    """Where a child's output goes."""
    return home / "logs" / f"{name}.log"


def open_log(path: Path) -> BinaryIO:
    """A log to append to; the one of the start before is kept as ``<name>.log.1``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size:
        path.replace(previous(path))
    return path.open("ab")


def previous(path: Path) -> Path:
    """The older half of a log."""
    return path.with_name(path.name + ".1")


def bound(path: Path, limit: int) -> None:
    """Move the newest ``limit`` bytes of a longer log aside, under the writer's hands.

    The writer appends, so it goes on at the new end once the file is cut to nothing.
    """
    try:
        if path.stat().st_size <= limit:
            return
        # On a full disk the copy fails, and cutting is what helps.
        with contextlib.suppress(OSError):
            newest = path.with_name(path.name + ".tmp")
            with path.open("rb") as file:
                file.seek(-limit, os.SEEK_END)
                newest.write_bytes(file.read(limit))
            newest.replace(previous(path))
        os.truncate(path, 0)
    except OSError:
        return


def last_line(path: Path) -> str:
    """The last line with something in it, without colours; empty if there is none."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = _ESCAPES.sub("", file.read().decode(errors="replace"))
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1][:_LINE_CHARACTERS] if lines else ""
    return ""
