"""Queries that compare what an index should hold with what it acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from rag_platform.ledger.blocks import stored_order
from rag_platform.ledger.documents import is_wanted, wanted_contents
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


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one generation's index of one collection still lacks."""

    unchunked: int
    unembedded: int
    unanalysed: int
    missing: int
    surplus: int
    unpublished: int

    def __bool__(self) -> bool:
        return any(
            (
                self.unchunked,
                self.unembedded,
                self.unanalysed,
                self.missing,
                self.surplus,
                self.unpublished,
            )
        )

    @property
    def sentence(self) -> str:
        """What is left, for people."""
        parts = {
            "documents to split": self.unchunked,
            "chunks without a vector": self.unembedded,
            "chunks without their words": self.unanalysed,
            "vectors to add": self.missing,
            "vectors to remove": self.surplus,
            "documents that readers do not see yet": self.unpublished,
        }
        return ", ".join(f"{count} {what}" for what, count in parts.items() if count)


def expected_vectors(
    generation: Generation, collection_id: int, content_id: str | None = None
) -> AnySelect:
    """The ids of the vectors that the index should hold, or should hold of one content."""
    return (
        sa.select(chunk_vectors.c.vector_id)
        .join_from(chunks, chunk_vectors)
        .where(
            chunks.c.chunking == generation.chunking,
            chunk_vectors.c.embedding == generation.embedding,
            is_wanted(chunks.c.content_id, collection_id, content_id),
        )
        .distinct()
    )


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

    In the order in which they are stored: a batch of ids as they come, which are digests, would
    read nearly every array for a few of its rows.
    """
    wanted = expected_vectors(generation, collection_id, content_id).subquery()
    held = is_held(generation.id, collection_id, wanted.c.vector_id)
    statement = stored_order(wanted).where(~held).limit(limit)
    return list(connection.execute(statement).scalars())


def surplus_vectors(
    connection: sa.Connection, generation: Generation, collection_id: int, limit: int
) -> list[str]:
    """The next vectors to remove."""
    return list(
        connection.execute(
            entries(generation.id, collection_id)
            .where(index_entries.c.vector_id.not_in(expected_vectors(generation, collection_id)))
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


def backlog(connection: sa.Connection, generation: Generation, collection_id: int) -> Backlog:
    """Count what the index lacks, in the state that this transaction sees."""
    wanted = wanted_contents(collection_id).subquery()
    wanted_ids = sa.select(wanted.c[0])
    chunked = sa.select(chunked_contents.c.content_id).where(
        chunked_contents.c.chunking == generation.chunking
    )
    mine = (chunks.c.chunking == generation.chunking) & chunks.c.content_id.in_(wanted_ids)
    embedded = sa.exists().where(
        chunk_vectors.c.chunk_id == chunks.c.id, chunk_vectors.c.embedding == generation.embedding
    )
    analysed = sa.exists().where(
        chunk_terms.c.chunk_id == chunks.c.id, chunk_terms.c.analysis == generation.analysis
    )
    expected = expected_vectors(generation, collection_id)
    held = entries(generation.id, collection_id)

    def count(statement: AnySelect | sa.CompoundSelect[Any]) -> int:
        return connection.execute(
            sa.select(sa.func.count()).select_from(statement.subquery())
        ).scalar_one()

    return Backlog(
        unchunked=count(wanted_ids.where(wanted.c[0].not_in(chunked))),
        unembedded=count(sa.select(chunks.c.id).where(mine, ~embedded)),
        unanalysed=count(sa.select(chunks.c.id).where(mine, ~analysed)),
        missing=count(sa.except_(expected, held)),
        surplus=count(sa.except_(held, expected)),
        unpublished=count(
            sa.select(documents.c.id).where(
                documents.c.collection_id == collection_id,
                documents.c.state == "pending",
                # One that was never read is the bucket's news, not the index's work: an upload
                # that takes long would start one run after the other.
                documents.c.content_id.is_not(None),
            )
        ),
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
