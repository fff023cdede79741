"""What one document changed in its collection, for an index that was proved shortly before."""

from collections.abc import Set as AbstractSet

import sqlalchemy as sa

from rag_platform.ledger.entries import is_held, wanted_vectors
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import AnyRow
from rag_platform.ledger.tables import chunk_vectors, chunks, documents

_LONGEST = 1000
"""Revisions that are accounted for one by one."""


def surplus_of_content(
    connection: sa.Connection, generation: Generation, collection_id: int, content_id: str
) -> list[str]:
    """The vectors of a content that the index holds and no wanted content has."""
    other_chunk, other = chunks.alias(), chunk_vectors.alias()
    wanted = sa.exists().where(
        documents.c.collection_id == collection_id,
        documents.c.state.in_(("pending", "indexed")),
        (documents.c.content_id == other_chunk.c.content_id)
        | (documents.c.indexed_content_id == other_chunk.c.content_id),
    )
    still = (
        sa.select(other.c.chunk_id)
        .join(other_chunk, other_chunk.c.id == other.c.chunk_id)
        .where(
            other.c.vector_id == chunk_vectors.c.vector_id,
            other.c.embedding == generation.embedding,
            other_chunk.c.chunking == generation.chunking,
            wanted,
        )
        .correlate(chunk_vectors)
        .exists()
    )
    mine = wanted_vectors(generation, collection_id, content_id)
    held = is_held(generation.id, collection_id, chunk_vectors.c.vector_id)
    return list(connection.execute(mine.where(held, ~still)).scalars())


def document_state(connection: sa.Connection, document_id: int) -> AnyRow:
    """The document's row; ``revision`` is the collection's that last changed it."""
    return connection.execute(sa.select(documents).where(documents.c.id == document_id)).one()


def only_changed(
    connection: sa.Connection,
    collection_id: int,
    document_id: int,
    *,
    since: int,
    until: int,
    own: AbstractSet[int],
) -> bool:
    """Whether no other document changed what the index should hold, between two revisions.

    ``own`` are the revisions that the caller's changes of this document made. Every revision is
    one change and stands on the rows that it changed until another overwrites it. So each has to
    be an own one, or to stand on a row that was announced and not read: one that is missing was
    overwritten, and nobody knows what it was.
    """
    if until - since > _LONGEST:
        return False
    rows = connection.execute(
        sa.select(
            documents.c.id,
            documents.c.state,
            documents.c.content_id,
            documents.c.indexed_content_id,
            documents.c.revision,
        ).where(documents.c.collection_id == collection_id, documents.c.revision > since)
    ).all()
    seen = set(own)
    for row in rows:
        if row.id == document_id:
            if row.revision not in own:
                return False
        elif row.state != "pending" or row.content_id or row.indexed_content_id:
            return False
        seen.add(row.revision)
    return seen.issuperset(range(since + 1, until + 1))
