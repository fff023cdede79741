"""What the supervisor writes down for others: the lock, and who runs in which state."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import IO, Literal

import psutil
from pydantic import BaseModel, Field, ValidationError

from rag_platform.errors import StartError
from rag_platform.supervisor import tree

State = Literal["waiting", "starting", "ready", "failing", "restarting", "stopping", "stopped"]


class ChildState(BaseModel):
    """One child, as ``rag status`` shows it."""

    name: str
    state: State = "waiting"
    address: str = ""
    pid: int = 0
    started: float = 0.0
    """When the process started, in seconds since the epoch; with ``pid`` it names the process."""
    restarts: int = 0
    last_death: str = ""
    log: Path


class PlatformState(BaseModel):
    """The supervisor and its children."""

    pid: int = Field(default_factory=os.getpid)
    started: float = Field(default_factory=lambda: psutil.Process().create_time())
    token: str = Field(default_factory=lambda: secrets.token_hex(8))
    children: dict[str, ChildState] = Field(default_factory=dict[str, ChildState])

    @property
    def alive(self) -> bool:
        """Whether the supervisor still runs."""
        return bool(tree.descendants(self.pid, self.started))


def state_path(home: Path) -> Path:
    """Where the state is written."""
    return home / "supervisor.json"


def read_state(home: Path) -> PlatformState | None:
    """The state last written in this home; None when there is none or it makes no sense.

    A supervisor that was killed leaves its last state behind: see :attr:`PlatformState.alive`.
    """
    try:
        return PlatformState.model_validate_json(state_path(home).read_bytes())
    except (OSError, ValidationError):
        return None


def write_state(home: Path, state: PlatformState) -> None:
    """Replace the state, so that a reader sees the old or the new one."""
    path = state_path(home)
    temporary = path.with_suffix(".json.tmp")
    temporary.write_text(json.dumps(state.model_dump(mode="json"), indent=2))
    temporary.replace(path)


def take_lock(home: Path) -> IO[str]:
    """Hold the home until the file is closed. Raises :class:`StartError` if another one does."""
    file = (home / "supervisor.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise StartError(
            f"The platform already runs from {home} (process {holder}).",
            "Stop it first or set RAG_HOME.",
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def end_leftovers(home: Path, grace: float) -> list[int]:
    """End what a killed supervisor left behind; the lock must be held. Returns process ids."""
    state = read_state(home)
    if state is None:
        return []
    known = [
        process
        for child in state.children.values()
        if child.pid
        for process in tree.descendants(child.pid, child.started)
    ]
    return tree.end(state.token, grace, known)
