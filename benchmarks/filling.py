"""A library of any size: rows and vectors as ingestion would leave them, without the encoding."""

import random
import time
from datetime import UTC, datetime

import numpy as np
import sqlalchemy as sa

from benchmarks.texts import passage
from rag_platform.embedding.blocks import BLOCK_ROWS, write_block
from rag_platform.embedding.encoder import Vectors
from rag_platform.index.analysis import pack
from rag_platform.index.stage import reconcile_index
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.digests import digest
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.serving import live_generations
from rag_platform.ledger.tables import (
    chunk_terms,
    chunk_vectors,
    chunked_contents,
    chunks,
    contents,
    documents,
    vectors,
)
from rag_platform.wiring import Platform

_PER_DOCUMENT = 20
_WORDS = 100


def fill(platform: Platform, size: int) -> float:
    """Write a collection to the ledger as ingestion would; returns vectors per second of Chroma.

    Texts are made up. Encoding all of them would take a quarter of an hour, so that vectors are
    mixtures of some that were encoded, which lie as close to each other as real ones.
    """
    with platform.ledger.write() as connection:
        collection_id = ensure_collection(connection, "many").id
        (generation,) = live_generations(connection)
    chance, generator = random.Random(1), np.random.default_rng(1)
    encoder = platform.encoders(generation)
    seeds = encoder.encode_documents([passage(chance, 60) for _ in range(1000)])
    for start in range(0, size, BLOCK_ROWS * _PER_DOCUMENT):
        count = min(BLOCK_ROWS * _PER_DOCUMENT, size - start)
        mixed = seeds[generator.integers(len(seeds), size=(count, 3))].sum(axis=1)
        mixed += generator.normal(scale=0.02, size=mixed.shape).astype(np.float32)
        mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
        _write(platform, generation, collection_id, start, mixed, chance)
    started = time.perf_counter()
    report = reconcile_index(
        platform.ledger, platform.objects, platform.chroma, generation, collection_id
    )
    assert report.current and report.vectors == size, report
    return size / (time.perf_counter() - started)


def _write(
    platform: Platform,
    generation: Generation,
    collection_id: int,
    start: int,
    made: Vectors,
    chance: random.Random,
) -> None:
    now = datetime.now(UTC)
    ids = [digest("chunk", start + n) for n in range(len(made))]
    texts = [passage(chance, _WORDS) for _ in ids]
    owners = [digest("content", (start + n) // _PER_DOCUMENT) for n in range(len(ids))]
    blocks = [
        write_block(platform.objects, generation.encoder, part, made[first : first + len(part)])
        for first in range(0, len(ids), BLOCK_ROWS)
        for part in [ids[first : first + BLOCK_ROWS]]
    ]
    owned = {owner: owners.count(owner) for owner in dict.fromkeys(owners)}
    with platform.ledger.write() as connection:
        connection.execute(
            sa.insert(contents),
            [
                {
                    "id": owner,
                    "sha256": owner * 2,
                    "media_type": "text/plain",
                    "parser": "made@1",
                    "parsed_at": now,
                }
                for owner in owned
            ],
        )
        connection.execute(
            sa.insert(documents),
            [
                {
                    "collection_id": collection_id,
                    "key": f"many/{owner}.txt",
                    "state": "indexed",
                    "size_bytes": 1,
                    "revision": 1,
                    "content_id": owner,
                    "indexed_content_id": owner,
                    "uploaded_at": now,
                }
                for owner in owned
            ],
        )
        connection.execute(
            sa.insert(chunked_contents),
            [
                {"content_id": owner, "chunking": generation.chunking, "chunks": count}
                for owner, count in owned.items()
            ],
        )
        connection.execute(
            sa.insert(chunks),
            [
                {
                    "id": chunk,
                    "content_id": owner,
                    "chunking": generation.chunking,
                    "ordinal": (start + n) % _PER_DOCUMENT,
                    "text": text,
                    "heading_path": [],
                    "start": 0,
                    "end": len(text),
                    "token_count": _WORDS,
                }
                for n, (chunk, owner, text) in enumerate(zip(ids, owners, texts, strict=True))
            ],
        )
        connection.execute(
            sa.insert(chunk_terms),
            [
                {"chunk_id": chunk, "analysis": generation.analysis, "terms": pack(text)}
                for chunk, text in zip(ids, texts, strict=True)
            ],
        )
        connection.execute(
            sa.insert(vectors),
            [
                {
                    "id": chunk,
                    "encoder": generation.encoder,
                    "block": blocks[n // BLOCK_ROWS],
                    "row": n % BLOCK_ROWS,
                }
                for n, chunk in enumerate(ids)
            ],
        )
        connection.execute(
            sa.insert(chunk_vectors),
            [
                {
                    "chunk_id": chunk,
                    "embedding": generation.embedding,
                    "ordinal": 0,
                    "vector_id": chunk,
                }
                for chunk in ids
            ],
        )
