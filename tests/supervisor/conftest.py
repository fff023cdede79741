"""A supervisor in a process of its own, over stand-ins for the stack's servers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from rag_platform.supervisor import read_state
from rag_platform.supervisor.state import ChildState

PACE = {
    "ready": 20.0,
    "poll": 0.02,
    "watch": 0.1,
    "backoff": 0.05,
    "longest_backoff": 0.2,
    "grace": 1.0,
}
DEADLINE_SECONDS = 30.0
T = TypeVar("T")


def poll(condition: Callable[[], T], what: str, seconds: float = DEADLINE_SECONDS) -> T:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"in {seconds:g} s never: {what}"
        time.sleep(0.02)
    return found


class Platform:
    """One home and the supervisors started on it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.output = folder / "output.txt"
        self.supervisor: subprocess.Popen[bytes] | None = None

    def start(
        self,
        *children: dict[str, Any],
        steps: tuple[str, ...] = (),
        real: bool = False,
        **pace: Any,
    ) -> None:
        spec = {
            "home": str(self.home),
            "children": children,
            "steps": steps or {},
            "real": real,
            "pace": PACE | pace,
        }
        path = self.home.parent / "spec.json"
        path.write_text(json.dumps(spec))
        with self.output.open("wb") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("program.py")), str(path)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_said(self, text: str) -> None:
        poll(lambda: text in self.said, f"{text!r} said; but:\n{self.said}")

    def child(self, name: str) -> ChildState:
        state = read_state(self.home)
        assert state is not None
        return state.children[name]

    def wait_ready(self, name: str, restarts: int = 0) -> ChildState:
        def ready() -> bool:
            state = read_state(self.home)
            child = state and state.children.get(name)
            return bool(child and child.state == "ready" and child.restarts >= restarts)

        poll(ready, f"{name} ready; said:\n{self.said}")
        return self.child(name)

    def marked(self) -> list[psutil.Process]:
        """The processes of this home, found by a variable that only the tests set."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("TEST_HOME") == str(self.home)
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue  # it ended meanwhile
        return found

    def signal(self, number: signal.Signals) -> None:
        assert self.supervisor
        self.supervisor.send_signal(number)

    def wait_exit(self) -> int:
        assert self.supervisor
        return self.supervisor.wait(DEADLINE_SECONDS)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    platform = Platform(tmp_path)
    monkeypatch.setenv("TEST_HOME", str(platform.home))
    yield platform
    if platform.supervisor:
        platform.supervisor.kill()
        platform.supervisor.wait()
    for process in platform.marked():
        os.kill(process.pid, signal.SIGKILL)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def wait_for() -> Callable[..., object]:
    """Poll a condition until it holds; fail with what was awaited."""
    return poll
