"""Measurements on the running stack: start, idling, freshness of a dropped file, search."""

import random
import statistics
import time
from pathlib import Path

import psutil

from benchmarks.figures import Figure, percentile
from benchmarks.stack import Stack, wait_until
from benchmarks.texts import passage

_SEED = 7
_IDLE_SECONDS = 60.0


def start(folder: Path) -> list[Figure]:
    """The first start makes everything; the second finds it."""
    stack = Stack(folder)
    try:
        first = stack.start()
        stack.stop()
        second = stack.start()
    finally:
        stack.stop()
    return [
        Figure("first start on an installed environment, ready", first, "s"),
        Figure("second start, ready", second, "s", 30),
    ]


def idle(folder: Path) -> list[Figure]:
    """Memory, CPU and growth of the stack while nobody asks and nothing changes."""
    with Stack(folder) as stack:
        _settle(stack)
        processes = stack.processes()
        before, sizes = sum(_cpu(p) for p in processes), _databases(stack.home)
        started = time.monotonic()
        time.sleep(_IDLE_SECONDS)  # the thing measured is what happens while time passes
        spent = sum(_cpu(p) for p in processes) - before
        elapsed = time.monotonic() - started
        memory = sum(p.memory_full_info().pss for p in stack.processes())
        grown = _databases(stack.home) - sizes
    return [
        Figure("idle, memory (proportional set size)", memory / 1e9, "GB", 2.0),
        Figure("idle, CPU of one core", 100 * spent / elapsed, "%", 20),
        Figure("idle, growth of the databases per hour", grown * 3600 / elapsed / 1e6, "MB"),
    ]


def freshness(folder: Path) -> list[Figure]:
    """Twenty small files dropped at random moments: from the write to the first citation."""
    chance = random.Random(_SEED)
    seconds: list[float] = []
    with Stack(folder) as stack:
        _settle(stack)
        for number in range(21):
            time.sleep(chance.uniform(0, 12))  # a random moment, that is the point
            word = f"{''.join(chance.choices('bcdfghklmnprstvz', k=9))}{number}"
            dropped = time.monotonic()
            stack.drop(f"fresh/{word}.md", f"# {word}\n\nThe {word} opens at {number} o'clock.\n")
            wait_until(lambda word=word: _cited(stack, word), 120, f"{word} is cited")
            if number:  # the first one warms up
                seconds.append(time.monotonic() - dropped)
    return [
        Figure("file dropped to answerable, median", statistics.median(seconds), "s", 5),
        Figure("file dropped to answerable, 95th percentile", percentile(seconds, 95), "s", 9),
    ]


def upload(folder: Path) -> list[Figure]:
    """Thirty small files put through the API one by one: from the request to the first citation."""
    chance = random.Random(_SEED)
    seconds: list[float] = []
    with Stack(folder) as stack:
        _settle(stack)
        for number in range(31):
            word = f"{''.join(chance.choices('bcdfghklmnprstvz', k=9))}{number}"
            file = f"# {word}\n\nThe {word} opens at {number} o'clock.\n".encode()
            sent = time.monotonic()
            stack.http.post(
                "/v1/collections/uploaded/documents", files={"file": (f"{word}.md", file)}
            ).raise_for_status()
            wait_until(lambda word=word: _cited(stack, word), 120, f"{word} is cited")
            if number:  # the first one warms up
                seconds.append(time.monotonic() - sent)
            time.sleep(chance.uniform(0, 1))  # people do not upload in step with anything
        memory = sum(
            process.memory_full_info().pss
            for process in stack.processes()
            if "rag_platform.documents.parsing.worker" in process.cmdline()
        )
    return [
        Figure("file uploaded to answerable, median", statistics.median(seconds), "s", 0.5),
        Figure("file uploaded to answerable, 95th percentile", percentile(seconds, 95), "s"),
        Figure("memory of the waiting document reader", memory / 1e6, "MB"),
    ]


def search(folder: Path) -> list[Figure]:
    """``/v1/search`` over some 2,000 chunks, from a client on the same machine."""
    chance = random.Random(_SEED)
    with Stack(folder) as stack:
        _settle(stack)
        for number in range(100):
            text = "\n\n".join(passage(chance, 130) for _ in range(20))
            stack.drop(f"many/{number}.md", f"# Document {number}\n\n{text}\n")
        wait_until(lambda: _all_indexed(stack, 100), 600, "100 documents are indexed")
        chunks = _chunks(stack)
        laps: list[float] = []
        for _ in range(220):
            body = {"query": passage(chance, 9), "top_k": 5}
            started = time.perf_counter()
            stack.http.post("/v1/search", json=body).raise_for_status()
            laps.append((time.perf_counter() - started) * 1000)
    warm = laps[20:]
    return [
        Figure("/v1/search, chunks", chunks, ""),
        Figure("/v1/search, median", statistics.median(warm), "ms", 25),
        Figure("/v1/search, 95th percentile", percentile(warm, 95), "ms"),
    ]


def _settle(stack: Stack) -> None:
    """Wait until the samples are indexed, so that nothing is left to do."""
    wait_until(lambda: _states(stack) == {"indexed"}, 180, "the samples are indexed")


def _states(stack: Stack) -> set[str]:
    collections = stack.http.get("/v1/collections").raise_for_status().json()["collections"]
    return {state for item in collections for state, n in item["documents"].items() if n}


def _all_indexed(stack: Stack, count: int) -> bool:
    collections = stack.http.get("/v1/collections").raise_for_status().json()["collections"]
    return any(c["documents"].get("indexed") == count for c in collections if c["name"] == "many")


def _chunks(stack: Stack) -> int:
    listed = stack.http.get("/v1/collections/many/documents", params={"limit": 500}).json()
    return sum(item["chunks"] for item in listed["documents"])


def _cited(stack: Stack, word: str) -> bool:
    answer = stack.http.post("/v1/chat", json={"question": f"When does the {word} open?"}).json()
    return any(
        citation["document"]["key"].endswith(f"{word}.md") for citation in answer["citations"]
    )


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def _databases(home: Path) -> int:
    return sum(p.stat().st_size for p in home.rglob("*.db*") if p.is_file())
