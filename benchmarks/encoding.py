"""The encoder beside ``SentenceTransformer.encode``: same chunks, same threads, in turns."""

import random
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from benchmarks.texts import passage
from rag_platform.embedding.encoder import Encoder
from rag_platform.embedding.export import export
from rag_platform.embedding.files import ModelFiles, base_model_source

_THREADS = 2
_CHUNKS = 240
_ROUNDS = 3


def encoding(folder: Path) -> list[Figure]:
    """Chunks per second of both, and the largest difference between their vectors."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(_THREADS)
    source = base_model_source("")
    exported = export(source, folder / "model", name="embedder")
    encoder = Encoder(ModelFiles(exported.path, "embedder", "1"), threads=_THREADS)
    reference = SentenceTransformer(str(source), device="cpu")
    chunks = _chunks(encoder)
    ours: list[float] = []
    theirs: list[float] = []
    difference = 0.0
    for _ in range(_ROUNDS + 1):
        started = time.perf_counter()
        vectors = encoder.encode_documents(chunks)
        between = time.perf_counter()
        expected = np.asarray(reference.encode(chunks, show_progress_bar=False))
        theirs.append(len(chunks) / (time.perf_counter() - between))
        ours.append(len(chunks) / (between - started))
        difference = float(np.abs(vectors - expected).max())
    ratio = statistics.median(a / b for a, b in zip(ours[1:], theirs[1:], strict=True))
    return [
        Figure("encoder, 120 to 250 tokens a chunk", statistics.median(ours[1:]), "chunks/s"),
        Figure("SentenceTransformer.encode", statistics.median(theirs[1:]), "chunks/s"),
        Figure("encoder over SentenceTransformer.encode", ratio, "times", 2.5, at_least=True),
        Figure("largest difference of a component", difference, "", 1e-5),
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
