"""The vector index at size: how fast it is filled, and rebuilt instead of embedding again."""

import random
import time
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.filling import fill
from benchmarks.library import chroma_server, library
from benchmarks.texts import passage
from rag_platform.embedding.export import export
from rag_platform.embedding.files import base_model_source
from rag_platform.embedding.models import Encoders
from rag_platform.index.rebuilding import rebuild
from rag_platform.ledger.serving import live_generations
from rag_platform.wiring import Platform

_THREADS = 2
_SIZES = (10_000, 200_000)
_ENCODED = 512


def rebuilding(folder: Path, sizes: tuple[int, ...] = _SIZES) -> list[Figure]:
    """Vectors a second into an empty index of each size, and of its rebuild from stored ones."""
    model = export(base_model_source(""), folder / "model", name="embedder").path
    figures: list[Figure] = []
    inserted: list[float] = []
    for size in sizes:
        with (
            chroma_server(folder / f"chroma-{size}") as port,
            library(folder / f"home-{size}", model, port, _THREADS) as platform,
        ):
            inserted.append(fill(platform, size))
            # In turns, so that what else the machine does meets both.
            before = _encoding(platform)
            rebuilt = _rebuilding(platform, size)
            encoded = (before + _encoding(platform)) / 2
        figures += [
            Figure(f"{size} vectors, inserted", inserted[-1], "vectors/s"),
            Figure(f"{size} vectors, rebuilt from stored ones", rebuilt, "vectors/s"),
            Figure(f"{size} vectors, embedded", encoded, "vectors/s"),
            Figure(
                f"{size} vectors, rebuilt over embedded",
                rebuilt / encoded,
                "times",
                20,
                at_least=True,
            ),
        ]
    if len(inserted) > 1:
        name = f"insert rate at {sizes[-1]} over that at {sizes[0]}"
        figures.append(Figure(name, inserted[-1] / inserted[0], "", 0.8, at_least=True))
    return figures


def _rebuilding(platform: Platform, size: int) -> float:
    """Vectors a second of the job ``rebuild_index``, the switch and the proof included."""
    started = time.perf_counter()
    done = list(rebuild(platform.ledger, platform.objects, platform.chroma))
    assert [vectors for _, vectors in done] == [size], done
    return size / (time.perf_counter() - started)


def _encoding(platform: Platform) -> float:
    """Vectors a second of the encoder, over passages as ingestion makes them."""
    with platform.ledger.read() as connection:
        (generation,) = live_generations(connection)
    # As ingestion loads it: the platform's own are for questions.
    encoders = Encoders(platform.models, threads=_THREADS, batch_tokens=384)
    encoder = encoders(generation)
    chance = random.Random(3)
    texts = [passage(chance, 66) for _ in range(_ENCODED)]  # about 170 tokens each
    encoder.encode_documents(texts[:32])
    started = time.perf_counter()
    encoder.encode_documents(texts)
    return len(texts) / (time.perf_counter() - started)
