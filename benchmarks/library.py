"""The library on a home, a bucket and a Chroma server of its own, without the other processes."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Literal

from benchmarks.stack import free_ports, wait_until
from rag_platform.bootstrap import serve_first_generation
from rag_platform.embedding.models import EMBEDDER
from rag_platform.errors import IndexUnavailable
from rag_platform.index.chroma import Chroma
from rag_platform.ledger import migrate
from rag_platform.settings import ChromaSettings, EmbeddingSettings, PlatformSettings, Settings
from rag_platform.wiring import Platform


@contextlib.contextmanager
def chroma_server(folder: Path) -> Generator[int]:
    """A Chroma server; gives its port."""
    (port,) = free_ports(1)
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).parent / "chroma"), "run", "--path", str(folder)]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "ANONYMIZED_TELEMETRY": "false"},
    ) as process:
        try:
            wait_until(lambda: _answers(port), 60, "Chroma answers")
            yield port
        finally:
            process.kill()


@contextlib.contextmanager
def library(
    folder: Path,
    model: Path,
    port: int,
    threads: int,
    precision: Literal["fp32", "int8"] = "fp32",
) -> Generator[Platform]:
    """A migrated platform in which the exported model serves; its bucket is ``folder/bucket``."""
    home, bucket = folder / "home", folder / "bucket"
    (home / "models" / EMBEDDER).mkdir(parents=True)
    bucket.mkdir(exist_ok=True)
    (home / "models" / EMBEDDER / "1").symlink_to(model)
    settings = Settings.load().model_copy(
        update={
            "platform": PlatformSettings(home=home, bucket=str(bucket), threads=threads),
            "chroma": ChromaSettings(port=port, timeout=30),
            "embedding": EmbeddingSettings(precision=precision),
        }
    )
    platform = Platform(settings)
    migrate(platform.ledger)
    serve_first_generation(platform, "1")
    try:
        yield platform
    finally:
        for name in platform.chroma.names():
            platform.chroma.drop(name)
        platform.close()
        shutil.rmtree(folder)


class TimedEncoders:
    """Encoders, and the seconds that they encoded."""

    def __init__(self, encoders: Any) -> None:
        self._encoders = encoders
        self.seconds = 0.0

    def __call__(self, generation: Any) -> "_TimedEncoder":
        """The encoder of a generation."""
        return _TimedEncoder(self._encoders(generation), self)

    def tokenizer(self, generation: Any) -> Any:
        """The tokenizer of a generation."""
        return self._encoders.tokenizer(generation)


class _TimedEncoder:
    def __init__(self, encoder: Any, times: TimedEncoders) -> None:
        self._encoder = encoder
        self._times = times

    def encode_documents(self, texts: Sequence[str]) -> Any:
        started = time.perf_counter()
        vectors = self._encoder.encode_documents(texts)
        self._times.seconds += time.perf_counter() - started
        return vectors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)


def _answers(port: int) -> bool:
    chroma = Chroma("127.0.0.1", port, timeout=5)
    try:
        chroma.heartbeat()
    except IndexUnavailable:
        return False
    finally:
        chroma.close()
    return True
