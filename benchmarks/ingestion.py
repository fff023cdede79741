"""Ingestion beside LangChain's: the same files, model, chunk size and threads, in turns."""

import dataclasses
import shutil
import statistics
import time
from pathlib import Path
from typing import Any, Literal

from benchmarks.figures import Figure
from benchmarks.langchain import LangChain
from benchmarks.library import TimedEncoders, chroma_server, library
from rag_platform.embedding.export import export
from rag_platform.embedding.files import base_model_source
from rag_platform.ledger.serving import live_generations

_THREADS = 2
_ROUNDS = 2
_TEXTS = 30


def ingestion(folder: Path, data: Path) -> list[Figure]:
    """Documents per second of both, on PDFs and on Markdown, and the time outside embedding."""
    pdfs = sorted((data / "files" / "sec-10-q").glob("*.pdf"))
    texts = sorted((data / "medquad-cancergov" / "corpus").glob("*.md"))
    texts = texts[:: max(1, len(texts) // _TEXTS)]
    source = base_model_source("")
    model = export(source, folder / "model", name="embedder").path
    theirs = LangChain(source, _THREADS)
    figures: list[Figure] = []
    with chroma_server(folder / "chroma") as port:
        _ours(folder, model, port, texts[:2])  # warms up what is loaded once
        for kind, files, targets in (("PDF", pdfs, (3.0, 4.0)), ("Markdown", texts, (2.5, 3.5))):
            if not files:
                raise SystemExit(f"There are no files of the kind {kind} under {data}.")
            exact: list[tuple[float, float, int]] = []
            fast: list[tuple[float, float, int]] = []
            other: list[tuple[float, float, int]] = []
            for number in range(_ROUNDS):
                exact.append(_ours(folder, model, port, files))
                other.append(_theirs(theirs, files, folder / f"langchain-{kind}-{number}"))
                fast.append(_ours(folder, model, port, files, "int8"))
            figures += _figures(kind, len(files), other)
            for encoder, mine, target in (("fp32", exact, targets[0]), ("int8", fast, targets[1])):
                figures += _beside(f"{kind}, {encoder}", len(files), mine, other, target)
    return figures


def _figures(kind: str, files: int, runs: list[tuple[float, float, int]]) -> list[Figure]:
    outside = statistics.median(1 - embedding / seconds for seconds, embedding, _ in runs)
    return [
        Figure(f"{kind}, LangChain, files", files, ""),
        Figure(f"{kind}, LangChain, chunks", runs[0][2], ""),
        Figure(
            f"{kind}, LangChain", statistics.median(files / one[0] for one in runs), "documents/s"
        ),
        Figure(f"{kind}, LangChain, time outside embedding", 100 * outside, "%"),
    ]


def _beside(
    what: str,
    files: int,
    mine: list[tuple[float, float, int]],
    other: list[tuple[float, float, int]],
    target: float,
) -> list[Figure]:
    ratio = statistics.median(b[0] / a[0] for a, b in zip(mine, other, strict=True))
    outside = statistics.median(1 - embedding / seconds for seconds, embedding, _ in mine)
    return [
        Figure(f"{what}, chunks", mine[0][2], ""),
        Figure(what, statistics.median(files / one[0] for one in mine), "documents/s"),
        Figure(f"{what}, over LangChain", ratio, "times", target, at_least=True),
        Figure(f"{what}, time outside embedding", 100 * outside, "%", 20),
    ]


def _ours(
    folder: Path,
    model: Path,
    port: int,
    files: list[Path],
    precision: Literal["fp32", "int8"] = "fp32",
) -> tuple[float, float, int]:
    """Seconds from the first look at the bucket to the last document answerable, and of encoding.

    Loading the model is part of neither side.
    """
    place = folder / "ours"
    with library(place, model, port, _THREADS, precision) as platform:
        (place / "bucket" / "bench").mkdir()
        for file in files:
            shutil.copy(file, place / "bucket" / "bench" / file.name)
        with platform.ledger.read() as connection:
            (generation,) = live_generations(connection)
        with platform.parser() as parser:
            pipeline = platform.pipeline(parser)
            timed: Any = TimedEncoders(pipeline.encoders)
            pipeline = dataclasses.replace(pipeline, encoders=timed)
            timed(generation).encode_documents(["warm", "up"] * 200)
            timed.seconds = 0.0
            started = time.perf_counter()
            done = pipeline.ingest("bench")
            seconds = time.perf_counter() - started
        assert done.current and not done.documents.quarantined, done
        return seconds, timed.seconds, done.chunks


def _theirs(theirs: LangChain, files: list[Path], folder: Path) -> tuple[float, float, int]:
    theirs.seconds = 0.0
    started = time.perf_counter()
    chunks = theirs.ingest(files, folder)
    return time.perf_counter() - started, theirs.seconds, chunks
