"""Reconciliation of embeddings: every chunk has its vectors under an embedding spec."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from rag_platform.embedding.blocks import BLOCK_ROWS, write_block
from rag_platform.embedding.encoder import Encoder
from rag_platform.embedding.header import header_of
from rag_platform.embedding.models import Encoders
from rag_platform.ledger import Ledger
from rag_platform.ledger.digests import digest
from rag_platform.ledger.documents import is_wanted
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import AnySelect, fetch_in, insert_ignore
from rag_platform.ledger.tables import chunk_vectors, chunks, contents, vectors
from rag_platform.objects import Objects


@dataclass(frozen=True, slots=True)
class EmbeddingReport:
    """What one reconciliation did."""

    chunks: int = 0
    embedded: int = 0
    """Vectors that were computed; the other chunks share one that was stored already."""


def reconcile_embeddings(
    ledger: Ledger,
    objects: Objects,
    encoders: Encoders,
    generation: Generation,
    collection_id: int,
    progress: Callable[[int], None] | None = None,
    limit: int | None = None,
    content_id: str | None = None,
) -> EmbeddingReport:
    """Give every chunk of the collection its vectors, a block at a time, each block committed.

    With ``content_id``, those of that content alone. No further block is begun after ``limit``
    chunks.

    Vectors are addressed by the encoder and the exact string: equal strings share one, and two
    reconcilers at once only do the same work twice.
    """
    done = embedded = 0
    while True:
        if limit is not None and done >= limit:
            return EmbeddingReport(done, embedded)
        with ledger.read() as connection:
            rows = connection.execute(_missing(generation, collection_id, content_id)).all()
            if not rows:
                return EmbeddingReport(done, embedded)
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
            block = write_block(objects, generation.encoder, list(fresh), encoded)
            new_rows = [
                {"id": vector_id, "encoder": generation.encoder, "block": block, "row": row}
                for row, vector_id in enumerate(fresh)
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
        done += len(rows)
        embedded += len(fresh)
        if progress is not None:
            progress(done)


def _missing(generation: Generation, collection_id: int, content_id: str | None) -> AnySelect:
    """The next chunks of the collection without a vector, in reading order."""
    has_vector = sa.exists().where(
        chunk_vectors.c.chunk_id == chunks.c.id,
        chunk_vectors.c.embedding == generation.embedding,
    )
    return (
        sa.select(*chunks.c["id", "text", "heading_path", "table_columns"], contents.c.title)
        .join_from(chunks, contents)
        .where(
            chunks.c.chunking == generation.chunking,
            is_wanted(chunks.c.content_id, collection_id, content_id),
            ~has_vector,
        )
        .order_by(chunks.c.content_id, chunks.c.ordinal)
        .limit(BLOCK_ROWS)
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
