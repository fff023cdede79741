"""Queries that turn an index's hits into passages that readers may see.

What an index returns is only a candidate: the ledger decides what is current and who may read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from rag_platform.ledger.documents import readable
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import AnyRow, AnySelect, fetch_in
from rag_platform.ledger.tables import chunk_vectors, chunks, collections, contents, documents


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk with the document that it is cited from."""

    id: str
    content_id: str
    collection: str
    key: str
    title: str
    page: int | None
    heading_path: tuple[str, ...]
    start: int
    end: int
    text: str


def chunks_of_vectors(
    connection: sa.Connection, generation: Generation, vector_ids: Sequence[str]
) -> dict[str, list[str]]:
    """The chunks that share each vector; a chunk that readers may not see can be among them."""
    statement = sa.select(chunk_vectors.c.vector_id, chunk_vectors.c.chunk_id).where(
        chunk_vectors.c.embedding == generation.embedding
    )
    found: dict[str, list[str]] = {}
    for row in fetch_in(connection, statement, chunk_vectors.c.vector_id, list(vector_ids)):
        found.setdefault(row.vector_id, []).append(row.chunk_id)
    return found


def readable_ids(
    connection: sa.Connection,
    generation: Generation,
    chunk_ids: Sequence[str],
    collection_ids: Sequence[int],
) -> set[str]:
    """Those of the chunks that readers see in these collections."""
    statement = _readable(generation, collection_ids, chunks.c.id)
    return {row.id for row in fetch_in(connection, statement, chunks.c.id, list(chunk_ids))}


def readable_chunks(
    connection: sa.Connection,
    generation: Generation,
    chunk_ids: Sequence[str],
    collection_ids: Sequence[int],
) -> dict[str, Chunk]:
    """Those of the chunks that readers see in these collections, whole, by id.

    Where several documents hold the same bytes, the first by collection and key is cited.
    """
    statement = (
        _readable(
            generation,
            collection_ids,
            chunks.c.id,
            chunks.c.content_id,
            collections.c.name,
            documents.c.key,
            contents.c.title,
            chunks.c.page,
            chunks.c.heading_path,
            chunks.c.start,
            chunks.c.end,
            chunks.c.text,
        )
        .join(contents, contents.c.id == chunks.c.content_id)
        .join(collections, collections.c.id == documents.c.collection_id)
    )
    best: dict[str, Chunk] = {}
    for row in fetch_in(connection, statement, chunks.c.id, list(chunk_ids)):
        chunk = _chunk(row)
        known = best.get(chunk.id)
        if known is None or (chunk.collection, chunk.key) < (known.collection, known.key):
            best[chunk.id] = chunk
    return best


def _readable(
    generation: Generation, collection_ids: Sequence[int], *columns: sa.ColumnElement[Any]
) -> AnySelect:
    return (
        sa.select(*columns)
        .join_from(chunks, documents, documents.c.indexed_content_id == chunks.c.content_id)
        .where(
            readable(),
            documents.c.collection_id.in_(list(collection_ids)),
            chunks.c.chunking == generation.chunking,
        )
    )


def title_of(title: str | None, key: str) -> str:
    """What a document is called where it has no title: its file name."""
    return title or key.rsplit("/", 1)[-1]


def _chunk(row: AnyRow) -> Chunk:
    return Chunk(
        id=row.id,
        content_id=row.content_id,
        collection=row.name,
        key=row.key,
        title=title_of(row.title, row.key),
        page=row.page,
        heading_path=tuple(row.heading_path),
        start=row.start,
        end=row.end,
        text=row.text,
    )


def chunk_places(
    connection: sa.Connection, generation: Generation, content_id: str
) -> list[tuple[int, int]]:
    """Where each chunk of a content begins and ends in its text, in order."""
    rows = connection.execute(
        sa.select(chunks.c.start, chunks.c.end)
        .where(chunks.c.content_id == content_id, chunks.c.chunking == generation.chunking)
        .order_by(chunks.c.ordinal)
    )
    return [(row.start, row.end) for row in rows]
