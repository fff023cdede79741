"""A whole platform on free ports in a home of its own, beside whatever else runs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import psutil

from rag_platform.supervisor import PlatformState, read_state

T = TypeVar("T")


class Stack:
    """``rag up`` as a process; a context manager that leaves nothing behind."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.bucket = folder / "bucket"
        self.log = folder / "up.log"
        chat, self.dagster_port, mlflow, self.chroma_port = free_ports(4)
        self.url = f"http://127.0.0.1:{chat}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RAG_")},
            "RAG_HOME": str(self.home),
            "RAG_BUCKET": str(self.bucket),
            "RAG_CHAT_PORT": str(chat),
            "RAG_DAGSTER_PORT": str(self.dagster_port),
            "RAG_MLFLOW_PORT": str(mlflow),
            "RAG_CHROMA_PORT": str(self.chroma_port),
            "RAG_OLLAMA_URL": "http://127.0.0.1:9",
            **environment,
        }
        self.http = httpx.Client(base_url=self.url, timeout=30)
        self._up: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start and wait until everything is ready."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self.stop()
        self.http.close()

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._up is not None
        return self._up.pid

    def start(self, seconds: float = 180) -> float:
        """Start; returns the seconds until everything was ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        with self.log.open("ab") as log:
            self._up = subprocess.Popen(
                [Path(sys.executable).parent / "rag", "up"],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
            )
        wait_until(self._ready, seconds, "the platform is ready")
        return time.monotonic() - started

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        """Ask the supervisor to stop; returns its exit code."""
        if self._up is None:
            return None
        if self._up.poll() is None:
            self._up.send_signal(number)
        code = self._up.wait(60)
        self._up = None
        return code

    def state(self) -> PlatformState:
        """What the supervisor wrote down."""
        state = read_state(self.home)
        assert state is not None, "the supervisor wrote no state"
        return state

    def process(self, name: str) -> psutil.Process:
        """A child by its name."""
        return psutil.Process(self.state().children[name].pid)

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all that it started."""
        supervisor = psutil.Process(self.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def rag(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line against this platform."""
        return subprocess.run(
            [Path(sys.executable).parent / "rag", *arguments],
            env={**self.environment, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def drop(self, key: str, content: str | bytes) -> None:
        """Write a file to the bucket as people do: in place, not renamed."""
        path = self.bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def document(self, key: str) -> dict[str, Any] | None:
        """A document as the API lists it."""
        collection = key.split("/")[0] if "/" in key else "default"
        answer = self.http.get(f"/v1/collections/{collection}/documents", params={"limit": 500})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        listed = answer.raise_for_status().json()["documents"]
        return next((item for item in listed if item["key"] == key), None)

    def wait_for(self, key: str, state: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until a document is in a state."""

        def found() -> dict[str, Any] | None:
            item = self.document(key)
            return item if item is not None and item["state"] == state else None

        return wait_until(found, seconds, f"{key} is {state}")

    def ask(self, question: str, *collections: str) -> dict[str, Any]:
        """Ask through the API."""
        body = {"question": question, **({"collections": list(collections)} if collections else {})}
        return self.http.post("/v1/chat", json=body).raise_for_status().json()

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask Dagster."""
        answer = httpx.post(
            f"http://127.0.0.1:{self.dagster_port}/graphql",
            json={"query": query, "variables": variables},
            timeout=30,
        ).raise_for_status()
        body = answer.json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    def _ready(self) -> bool:
        assert self._up is not None
        if self._up.poll() is not None:
            raise AssertionError(f"rag up ended:\n{self.log.read_text()}")
        state = read_state(self.home)
        return (
            state is not None
            and state.pid == self._up.pid
            and bool(state.children)
            and all(child.state == "ready" for child in state.children.values())
        )


def wait_until(condition: Callable[[], T | None], seconds: float, what: str) -> T:
    """Poll until the condition gives something true; its value."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in sockets]
    finally:
        for item in sockets:
            item.close()
