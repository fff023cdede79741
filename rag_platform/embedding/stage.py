"""Reconciliation of embeddings: every chunk has its vectors under an embedding spec."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from rag_platform.embedding.blocks import BLOCK_ROWS, write_block
from rag_platform.embedding.encoder import Encoder, Vectors
from rag_platform.embedding.header import header_of
from rag_platform.embedding.models import Encoders
from rag_platform.ledger import Ledger
from rag_platform.ledger.digests import digest
from rag_platform.ledger.documents import is_wanted
from rag_platform.ledger.entries import is_embedded
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import AnyRow, AnySelect, fetch_in, insert_ignore
from rag_platform.ledger.tables import chunk_vectors, chunked_contents, chunks, contents, vectors
from rag_platform.objects import Objects

_EQUAL = 1e-6
"""The distance below which two vectors are one."""
_PART = 4
"""The first block where time is limited is this part of a whole one: how fast this machine is, and
how busy, is known after it. 256 chunks took 3 s on two idle cores and 40 s beside six programs."""


@dataclass(frozen=True, slots=True)
class EmbeddingReport:
    """What one reconciliation did."""

    chunks: int = 0
    embedded: int = 0
    """Vectors that were computed; the other chunks share one that was stored already."""
    left: int = 0
    """Chunks without a vector that there was no time for."""


def reconcile_embeddings(
    ledger: Ledger,
    objects: Objects,
    encoders: Encoders,
    generation: Generation,
    collection_id: int,
    progress: Callable[[int], None] | None = None,
    until: float = math.inf,
    content_id: str | None = None,
) -> EmbeddingReport:
    """Give every chunk of the collection its vectors, a block at a time, each block committed.

    With ``content_id``, those of that content alone. Short documents come first. No block but the
    first is begun after ``until``, a time of ``time.monotonic()``, and blocks become smaller where
    a whole one would take longer. A long document has a third of the time; none of it where others
    were finished, which readers wait for. The document that waits longest gets a block in any case.

    Vectors are addressed by the encoder and the exact string: equal strings share one, and two
    reconcilers at once only do the same work twice.
    """
    done = embedded = 0
    begun: set[str] = set()
    some_finished = False
    shortest, longest_waiting = _orders(generation, collection_id, content_id)
    started = time.monotonic()
    until_long = started + (until - started) / 3
    least = max(BLOCK_ROWS // _PART, 1)
    size = least if until < math.inf else BLOCK_ROWS

    def embed(order: AnySelect) -> tuple[set[str], AnyRow | None]:
        """Embed the next block; the contents that it holds, and the chunk that follows it."""
        nonlocal done, embedded
        with ledger.read() as connection:
            rows = connection.execute(order.limit(size + 1)).all()
        block, following = rows[:size], rows[size:]
        embedded += _embed(ledger, objects, encoders, generation, block)
        done += len(block)
        if block and progress is not None:
            progress(done)
        return {row.content_id for row in block}, next(iter(following), None)

    while True:
        held, following = embed(shortest)
        if following is None:
            return EmbeddingReport(done, embedded)
        begun |= held
        now = time.monotonic()
        if now >= until:
            break
        speed = done / max(now - started, 1e-3)
        if held != {following.content_id}:
            some_finished = True
        elif following.length > speed * (until_long - now) and (some_finished or now > until_long):
            break
        size = int(max(least, min(speed * (until - now), BLOCK_ROWS)))
    with ledger.read() as connection:
        waiting = connection.execute(longest_waiting.limit(1)).first()
    if waiting is not None and waiting.content_id not in begun:
        size = least
        embed(longest_waiting)
    with ledger.read() as connection:
        left = connection.execute(
            sa.select(sa.func.count()).select_from(shortest.order_by(None).subquery())
        ).scalar_one()
    return EmbeddingReport(done, embedded, left)


def _embed(
    ledger: Ledger,
    objects: Objects,
    encoders: Encoders,
    generation: Generation,
    rows: Sequence[AnyRow],
) -> int:
    """Give these chunks their vectors; returns how many were computed."""
    if not rows:
        return 0
    encoder = encoders(generation)
    template = generation.spec["header"]
    strings = {
        row.id: embedded_string(
            encoder,
            header_of(template, row.title, row.heading_path, row.table_columns),
            row.text,
        )
        for row in rows
    }
    ids = {chunk: digest(generation.encoder, text) for chunk, text in strings.items()}
    with ledger.read() as connection:
        stored = {
            row.id
            for row in fetch_in(
                connection, sa.select(vectors.c.id), vectors.c.id, list(set(ids.values()))
            )
        }
    fresh = {ids[chunk]: text for chunk, text in strings.items() if ids[chunk] not in stored}
    new_rows: list[dict[str, Any]] = []
    if fresh:
        encoded = encoder.encode_documents(list(fresh.values()))
        first = _first_equals(encoded)
        names = list(fresh)
        shared = {name: names[row] for name, row in zip(names, first, strict=True)}
        ids = {chunk: shared.get(vector_id, vector_id) for chunk, vector_id in ids.items()}
        kept = sorted(set(first))
        block = write_block(
            objects, generation.encoder, [names[row] for row in kept], encoded[kept]
        )
        new_rows = [
            {"id": names[row], "encoder": generation.encoder, "block": block, "row": place}
            for place, row in enumerate(kept)
        ]
    with ledger.write() as connection:
        if new_rows:
            connection.execute(insert_ignore(connection, vectors), new_rows)
        connection.execute(
            insert_ignore(connection, chunk_vectors),
            [
                {
                    "chunk_id": chunk,
                    "embedding": generation.embedding,
                    "ordinal": 0,
                    "vector_id": vector_id,
                }
                for chunk, vector_id in ids.items()
            ],
        )
    return len(fresh)


def _first_equals(encoded: Vectors) -> list[int]:
    """For each row the first one that is equal to it, but for the last digits: mostly itself.

    Words that a model does not know are all alike to it. Dozens of equal vectors fill each other's
    lists of neighbours in an index's graph, which then no longer reaches what lies beside them.
    """
    return (encoded @ encoded.T >= 1.0 - _EQUAL).argmax(axis=1).tolist()


def _orders(
    generation: Generation, collection_id: int, content_id: str | None
) -> tuple[AnySelect, AnySelect]:
    """The chunks of the collection without a vector, document by document in reading order.

    Once the shortest documents first, once those that were read first.
    """
    missing = (
        sa.select(
            *chunks.c["id", "content_id", "text", "heading_path", "table_columns"],
            contents.c.title,
            chunked_contents.c.chunks.label("length"),
        )
        .join_from(chunks, contents)
        .join(
            chunked_contents,
            (chunked_contents.c.content_id == chunks.c.content_id)
            & (chunked_contents.c.chunking == chunks.c.chunking),
        )
        .where(
            chunks.c.chunking == generation.chunking,
            is_wanted(chunks.c.content_id, collection_id, content_id),
            ~is_embedded(generation, chunks.c.id),
        )
    )
    within = (chunks.c.content_id, chunks.c.ordinal)
    return (
        missing.order_by(chunked_contents.c.chunks, *within),
        missing.order_by(contents.c.parsed_at, *within),
    )


def embedded_string(encoder: Encoder, header: str, text: str) -> str:
    """The chunk under its header, the header shortened where both do not fit the model."""
    words = header.split()
    while words:
        whole = " ".join(words) + "\n\n" + text
        if encoder.count_tokens(whole) <= encoder.max_tokens:
            return whole
        words = words[: len(words) * 3 // 4]
    return text
