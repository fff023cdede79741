"""The encoder beside ``SentenceTransformer.encode``: same chunks, same threads, in turns."""

import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure
from benchmarks.texts import passage
from rag_platform.embedding.encoder import Encoder, Vectors
from rag_platform.embedding.export import export
from rag_platform.embedding.files import ModelFiles, base_model_source

_THREADS = 2
_CHUNKS = 240
_ROUNDS = 3


def encoding(folder: Path) -> list[Figure]:
    """Chunks per second of both precisions and of the other, and how far their vectors differ."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(_THREADS)
    source = base_model_source("")
    exported = export(source, folder / "model", name="embedder")
    encoder = Encoder(ModelFiles(exported.path, "embedder", "1"), threads=_THREADS)
    quick = Encoder(ModelFiles(exported.path, "embedder", "1", "int8"), threads=_THREADS)
    reference = SentenceTransformer(str(source), device="cpu")
    chunks = _chunks(encoder)
    encoders: dict[str, Callable[[list[str]], Any]] = {
        "fp32": encoder.encode_documents,
        "int8": quick.encode_documents,
        "SentenceTransformer": lambda texts: reference.encode(texts, show_progress_bar=False),
    }
    rates: dict[str, list[float]] = {name: [] for name in encoders}
    vectors: dict[str, Vectors] = {}
    for _ in range(_ROUNDS + 1):
        for name, encode in encoders.items():
            started = time.perf_counter()
            vectors[name] = np.asarray(encode(chunks))
            rates[name].append(len(chunks) / (time.perf_counter() - started))
    expected = vectors["SentenceTransformer"]

    def over(name: str) -> float:
        pairs = zip(rates[name][1:], rates["SentenceTransformer"][1:], strict=True)
        return statistics.median(a / b for a, b in pairs)

    return [
        *(
            Figure(f"{name}, 120 to 250 tokens a chunk", statistics.median(rate[1:]), "chunks/s")
            for name, rate in rates.items()
        ),
        Figure("fp32 over SentenceTransformer", over("fp32"), "times", 2.5, at_least=True),
        Figure("int8 over SentenceTransformer", over("int8"), "times", 3.5, at_least=True),
        Figure(
            "fp32, largest difference of a component",
            float(np.abs(vectors["fp32"] - expected).max()),
            "",
            1e-5,
        ),
        Figure("int8, smallest cosine", float((vectors["int8"] * expected).sum(axis=1).min()), ""),
    ]


def _chunks(encoder: Encoder) -> list[str]:
    """Chunks as ingestion makes them: most are nearly full, some are short."""
    chance = random.Random(3)
    made: list[str] = []
    while len(made) < _CHUNKS:
        text = passage(chance, chance.randint(45, 90))
        if 120 <= encoder.count_tokens(text) <= encoder.max_tokens - 6:
            made.append(text)
    return made
