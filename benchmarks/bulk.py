"""Many files at once: a thousand dropped, ten thousand looked at again, and the memory it takes."""

import random
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.library import chroma_server, library
from benchmarks.stack import Stack, wait_until
from benchmarks.texts import passage
from rag_platform.documents.ingestion import MEGABYTE
from rag_platform.embedding.export import export
from rag_platform.embedding.files import base_model_source

_DROPPED = 1000
_KEPT = 10_000
_THREADS = 2


def bulk(folder: Path) -> list[Figure]:
    """A thousand files through Dagster; ten thousand through the library."""
    return [*dropped(folder / "stack"), *again(folder)]


def dropped(folder: Path) -> list[Figure]:
    """From the drop of a thousand files of one chunk to the last one answerable."""
    with Stack(folder) as stack:
        wait_until(lambda: _pending(stack) == 0, 180, "the samples are indexed")
        folders = stack.bucket / "many"
        folders.mkdir()
        started = time.monotonic()
        _write(folders, _DROPPED)
        wait_until(lambda: _indexed(stack, "many") == _DROPPED, 600, "all are answerable")
        seconds = time.monotonic() - started
        working = _stage_seconds(stack)
    return [
        Figure(f"{_DROPPED} small files, drop to answerable", seconds, "s", 40),
        Figure("share outside the assets", 100 * (1 - working / seconds), "%", 25),
    ]


def again(folder: Path, count: int = _KEPT) -> list[Figure]:
    """A bucket that was ingested is looked at again, then with one file changed."""
    model = export(base_model_source(""), folder / "model", name="embedder").path
    with (
        chroma_server(folder / "chroma") as port,
        library(folder / "home", model, port, _THREADS) as platform,
        platform.parser() as parser,
    ):
        bucket = folder / "home" / "bucket" / "many"
        bucket.mkdir()
        pipeline = platform.pipeline(parser)
        few = count // 10
        _write(bucket, 1)
        pipeline.ingest("many")  # loads what is loaded once
        _write(bucket, few)
        little = _peak(lambda: pipeline.ingest("many"))
        _write(bucket, count)
        started = time.perf_counter()
        much = _peak(lambda: pipeline.ingest("many"))
        first = time.perf_counter() - started
        done = pipeline.ingest("many")
        same = _timed(lambda: pipeline.ingest("many"))
        (bucket / "7.md").write_text("# Changed\n\nThis one is another now.\n")
        changed = _timed(lambda: pipeline.ingest("many"))
    assert done.current and done.documents.unchanged == count and not done.documents.read
    return [
        Figure(f"{count - few} small files, first time", (count - few) / first, "documents/s"),
        Figure(f"{count} unchanged files", same, "s", 5),
        Figure("one of them changed, more", changed - same, "s", 3),
        Figure(f"peak memory with {few} files", little / MEGABYTE, "MB"),
        Figure(f"peak memory with {count} files", much / MEGABYTE, "MB", 1.25 * little / MEGABYTE),
    ]


def _write(folder: Path, count: int) -> None:
    for number in range(count):
        text = passage(random.Random(number), 60)
        file = folder / f"{number}.md"
        if not file.exists():
            file.write_text(f"# Note {number}\n\n{text}\n")


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _peak(work: Callable[[], object]) -> float:
    """Bytes of this process's largest resident size during the work (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")
    work()
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _pending(stack: Stack) -> int:
    collections = stack.http.get("/v1/collections").raise_for_status().json()["collections"]
    return sum(n for c in collections for state, n in c["documents"].items() if state != "indexed")


def _indexed(stack: Stack, name: str) -> int:
    collections = stack.http.get("/v1/collections").raise_for_status().json()["collections"]
    return next((c["documents"].get("indexed", 0) for c in collections if c["name"] == name), 0)


_STEPS = """
query { runsOrError(filter: {pipelineName: "ingest",
                             tags: [{key: "dagster/partition", value: "many"}]}) {
  ... on Runs { results { stats { ... on RunStatsSnapshot { startTime } }
                          stepStats { startTime endTime } } } } }
"""


def _stage_seconds(stack: Stack) -> float:
    """Seconds in which a stage of this collection was at work, by Dagster's own account."""
    runs = stack.graphql(_STEPS)["runsOrError"]["results"]
    now = time.time()
    return sum(
        (step["endTime"] or now) - step["startTime"]
        for run in runs
        for step in run["stepStats"]
        if step["startTime"]
    )
