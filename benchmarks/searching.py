"""The search at size: latency alone, throughput under load, and how both grow."""

import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.figures import Figure, percentile
from benchmarks.filling import fill
from benchmarks.library import chroma_server, library
from benchmarks.stack import free_ports, wait_until
from benchmarks.texts import passage
from rag_platform.embedding.export import export
from rag_platform.embedding.files import base_model_source
from rag_platform.wiring import Platform

_THREADS = 2
_SIZES = (10_000, 100_000)
_QUESTIONS = 500
_CLIENTS = 32
_SECONDS = 20.0


def searching(folder: Path) -> list[Figure]:
    """Latency at 10,000 and 100,000 chunks, and searches per second of 32 clients at the latter."""
    model = export(base_model_source(""), folder / "model", name="embedder").path
    figures: list[Figure] = []
    medians: list[float] = []
    for size in _SIZES:
        with (
            chroma_server(folder / f"chroma-{size}") as port,
            library(folder / f"home-{size}", model, port, _THREADS) as platform,
        ):
            inserting = fill(platform, size)
            laps = _latency(platform)
            medians.append(statistics.median(laps["total"]))
            figures.append(Figure(f"{size} chunks, inserted in Chroma", inserting, "vectors/s"))
            figures += [
                Figure(f"{size} chunks, {name}, median", statistics.median(values), "ms")
                for name, values in laps.items()
                if name != "total"
            ]
            largest = size == _SIZES[-1]
            figures += [
                Figure(f"{size} chunks, median", medians[-1], "ms", 10 if largest else None),
                Figure(
                    f"{size} chunks, 99th percentile",
                    percentile(laps["total"], 99),
                    "ms",
                    40 if largest else None,
                ),
            ]
            if largest:
                figures += _load(platform, folder)
    figures.append(Figure("cost of ten times the chunks", medians[1] / medians[0], "times", 2))
    return figures


def _questions(count: int, seed: int) -> list[str]:
    """Each different: six words, which are 18 tokens, as many as real questions have."""
    chance = random.Random(seed)
    return [passage(chance, 6) for _ in range(count)]


def _latency(platform: Platform) -> dict[str, list[float]]:
    """Milliseconds of each part, by one thread, every question new."""
    laps: dict[str, list[float]] = {}
    for number, question in enumerate(_questions(_QUESTIONS + 20, 2)):
        result = platform.search(question, ["many"])
        assert len(result.passages) == 5
        if number >= 20:  # the first ones warm up
            for name, value in result.timings_ms.items():
                laps.setdefault(name, []).append(value)
    return laps


def _load(platform: Platform, folder: Path) -> list[Figure]:
    """32 clients, each with the next question as soon as it has an answer."""
    questions = iter(_questions(200_000, 3))
    lock = threading.Lock()
    laps: list[float] = []
    with _service(platform, folder) as url:
        stop = time.perf_counter() + _SECONDS

        def ask() -> None:
            with httpx.Client(base_url=url, timeout=60) as client:
                while (started := time.perf_counter()) < stop:
                    with lock:
                        question = next(questions)
                    body = {"query": question, "collections": ["many"]}
                    client.post("/v1/search", json=body).raise_for_status()
                    laps.append((time.perf_counter() - started) * 1000)

        clients = [threading.Thread(target=ask) for _ in range(_CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    return [
        Figure(f"{_CLIENTS} clients, searches", len(laps) / _SECONDS, "/s", 200, at_least=True),
        Figure(f"{_CLIENTS} clients, median", statistics.median(laps), "ms"),
        Figure(f"{_CLIENTS} clients, 99th percentile", percentile(laps, 99), "ms"),
    ]


@contextmanager
def _service(platform: Platform, folder: Path) -> Generator[str]:
    """The chat service over the same home, in a process of its own."""
    (port,) = free_ports(1)
    settings = platform.settings
    environment = {
        **os.environ,
        "RAG_HOME": str(settings.home),
        "RAG_BUCKET": str(settings.platform.bucket),
        "RAG_CHROMA_PORT": str(settings.chroma.port),
        "RAG_CHAT_PORT": str(port),
        "RAG_OLLAMA_URL": "http://127.0.0.1:9",
        "RAG_DAGSTER_URL": "http://127.0.0.1:9",
    }
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "rag_platform.service.app:create_app"),
                *("--factory", "--port", str(port), "--no-access-log"),
            ],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/readyz").is_success
        except httpx.HTTPError:
            return False

    try:
        wait_until(ready, 120, "the service is ready")
        yield url
    finally:
        process.terminate()
        process.wait(30)
