"""Queries that compare what an index should hold with what it acknowledged."""

from collections.abc import Sequence

import sqlalchemy as sa

from rag_platform.ledger.blocks import stored_order
from rag_platform.ledger.documents import is_wanted
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import AnySelect, in_batches, insert_ignore
from rag_platform.ledger.tables import (
    chunk_terms,
    chunk_vectors,
    chunked_contents,
    chunks,
    collections,
    documents,
    generation_collections,
    index_entries,
)


def wanted_vectors(
    generation: Generation, collection_id: int, content_id: str | None = None
) -> AnySelect:
    """The ids of the vectors that may stand in the index, or those of one content."""
    return _wanted(generation, collection_id, content_id).distinct()


def expected_vectors(generation: Generation, collection_id: int) -> AnySelect:
    """The ids of the vectors that the index should hold.

    Of a text that nobody reads yet, none before the last of its chunks has one: what is nearest to
    a question could be thousands of its passages, behind which readers would find nothing.
    """
    return _expected(generation, collection_id).distinct()


def is_embedded(generation: Generation, chunk_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a chunk has its vectors, for use inside another statement."""
    made = chunk_vectors.alias()
    return sa.exists().where(made.c.chunk_id == chunk_id, made.c.embedding == generation.embedding)


def entries(generation_id: int, collection_id: int) -> AnySelect:
    """The ids of the vectors that Chroma acknowledged."""
    return sa.select(index_entries.c.vector_id).where(
        index_entries.c.generation_id == generation_id,
        index_entries.c.collection_id == collection_id,
    )


def is_held(
    generation_id: int, collection_id: int, vector_id: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Whether Chroma acknowledged a vector, for use inside another statement."""
    return sa.exists().where(
        index_entries.c.generation_id == generation_id,
        index_entries.c.collection_id == collection_id,
        index_entries.c.vector_id == vector_id,
    )


def missing_vectors(
    connection: sa.Connection,
    generation: Generation,
    collection_id: int,
    limit: int | None = None,
    content_id: str | None = None,
) -> list[str]:
    """The vectors to add, or the first of them, or those of one content.

    Those of the shortest texts come first, then in the order in which they are stored: a batch of
    ids as they come, which are digests, would read nearly every array for a few of its rows.
    """
    wanted = (
        _expected(generation, collection_id, content_id)
        .add_columns(sa.func.min(chunked_contents.c.chunks).label("length"))
        .join(
            chunked_contents,
            (chunked_contents.c.content_id == chunks.c.content_id)
            & (chunked_contents.c.chunking == chunks.c.chunking),
        )
        .where(~is_held(generation.id, collection_id, chunk_vectors.c.vector_id))
        .group_by(chunk_vectors.c.vector_id)
        .subquery()
    )
    statement = stored_order(wanted, wanted.c.length).limit(limit)
    return list(connection.execute(statement).scalars())


def surplus_vectors(
    connection: sa.Connection, generation: Generation, collection_id: int, limit: int
) -> list[str]:
    """The next vectors to remove."""
    return list(
        connection.execute(
            entries(generation.id, collection_id)
            .where(index_entries.c.vector_id.not_in(wanted_vectors(generation, collection_id)))
            .limit(limit)
        ).scalars()
    )


def add_entries(
    connection: sa.Connection, generation_id: int, collection_id: int, ids: Sequence[str]
) -> None:
    """Note that Chroma acknowledged these vectors; the index counts as changing."""
    _mark_changing(connection, generation_id, collection_id)
    connection.execute(
        insert_ignore(connection, index_entries),
        [
            {"generation_id": generation_id, "collection_id": collection_id, "vector_id": vector}
            for vector in ids
        ],
    )


def remove_entries(
    connection: sa.Connection, generation_id: int, collection_id: int, ids: Sequence[str]
) -> None:
    """Note that Chroma no longer has these vectors; the index counts as changing."""
    _mark_changing(connection, generation_id, collection_id)
    for batch in in_batches(ids):
        connection.execute(
            sa.delete(index_entries).where(
                index_entries.c.generation_id == generation_id,
                index_entries.c.collection_id == collection_id,
                index_entries.c.vector_id.in_(list(batch)),
            )
        )


def complete_contents(
    connection: sa.Connection,
    generation: Generation,
    collection_id: int,
    content_id: str | None = None,
) -> list[str]:
    """The contents of pending documents of which the index holds every vector and all terms.

    With ``content_id``, that one if it is complete, whoever has it.
    """
    if content_id is not None:
        asked = chunked_contents.c.content_id == content_id
    else:
        asked = chunked_contents.c.content_id.in_(
            sa.select(documents.c.content_id).where(
                documents.c.collection_id == collection_id,
                documents.c.state == "pending",
                documents.c.content_id.is_not(None),
            )
        )
    held = sa.exists().where(
        chunk_vectors.c.chunk_id == chunks.c.id,
        chunk_vectors.c.embedding == generation.embedding,
        index_entries.c.vector_id == chunk_vectors.c.vector_id,
        index_entries.c.generation_id == generation.id,
        index_entries.c.collection_id == collection_id,
    )
    analysed = sa.exists().where(
        chunk_terms.c.chunk_id == chunks.c.id, chunk_terms.c.analysis == generation.analysis
    )
    lacking = sa.exists().where(
        chunks.c.content_id == chunked_contents.c.content_id,
        chunks.c.chunking == generation.chunking,
        ~(held & analysed),
    )
    return list(
        connection.execute(
            sa.select(chunked_contents.c.content_id).where(
                chunked_contents.c.chunking == generation.chunking,
                asked,
                ~lacking,
            )
        ).scalars()
    )


def mark_current(
    connection: sa.Connection,
    generation_id: int,
    collection_id: int,
    *,
    revision: int,
    entries_revision: int,
    vectors: int,
) -> bool:
    """Record that the index was proved to hold the collection at ``revision``.

    The proof was made in another transaction: it counts only if no entry changed since
    (``entries_revision``). Returns whether it counted.
    """
    changed = connection.execute(
        sa.update(generation_collections)
        .where(
            generation_collections.c.generation_id == generation_id,
            generation_collections.c.collection_id == collection_id,
            generation_collections.c.entries_revision == entries_revision,
        )
        .values(indexed_revision=revision, vectors=vectors)
    )
    return changed.rowcount == 1


def stale_collections(connection: sa.Connection, generation_ids: Sequence[int]) -> list[str]:
    """The names of the collections that some of these generations' indexes do not hold exactly."""
    current = (
        sa.select(generation_collections.c.collection_id)
        .where(
            generation_collections.c.generation_id.in_(list(generation_ids)),
            generation_collections.c.collection_id == collections.c.id,
            generation_collections.c.indexed_revision == collections.c.revision,
        )
        .group_by(generation_collections.c.collection_id)
        .having(sa.func.count() == len(generation_ids))
    )
    return list(
        connection.execute(
            sa.select(collections.c.name).where(~sa.exists(current)).order_by(collections.c.name)
        ).scalars()
    )


def _mark_changing(connection: sa.Connection, generation_id: int, collection_id: int) -> None:
    connection.execute(
        sa.update(generation_collections)
        .where(
            generation_collections.c.generation_id == generation_id,
            generation_collections.c.collection_id == collection_id,
        )
        .values(entries_revision=generation_collections.c.entries_revision + 1, indexed_revision=-1)
    )


def _wanted(generation: Generation, collection_id: int, content_id: str | None) -> AnySelect:
    return (
        sa.select(chunk_vectors.c.vector_id)
        .join_from(chunks, chunk_vectors)
        .where(
            chunks.c.chunking == generation.chunking,
            chunk_vectors.c.embedding == generation.embedding,
            is_wanted(chunks.c.content_id, collection_id, content_id),
        )
    )


def _expected(
    generation: Generation, collection_id: int, content_id: str | None = None
) -> AnySelect:
    own = chunks.alias()
    unfinished = sa.select(own.c.content_id).where(
        own.c.chunking == generation.chunking,
        is_wanted(own.c.content_id, collection_id, content_id),
        ~is_embedded(generation, own.c.id),
    )
    read = sa.select(documents.c.indexed_content_id).where(
        documents.c.collection_id == collection_id, documents.c.indexed_content_id.is_not(None)
    )
    return _wanted(generation, collection_id, content_id).where(
        chunks.c.content_id.not_in(unfinished) | chunks.c.content_id.in_(read)
    )
