"""What is done where a stored array of vectors is lost or damaged."""

import sqlalchemy as sa

from rag_platform.ledger import Ledger
from rag_platform.ledger.entries import remove_entries
from rag_platform.ledger.statements import fetch_in
from rag_platform.ledger.tables import chunk_vectors, index_entries, vectors


def forget_block(ledger: Ledger, block: str) -> None:
    """Forget the vectors of a lost block everywhere, so that they are embedded again."""
    with ledger.write() as connection:
        ids = list(
            connection.execute(sa.select(vectors.c.id).where(vectors.c.block == block)).scalars()
        )
        everywhere = {
            (row.generation_id, row.collection_id): None
            for row in fetch_in(
                connection,
                sa.select(index_entries.c.generation_id, index_entries.c.collection_id),
                index_entries.c.vector_id,
                ids,
            )
        }
        for generation_id, collection_id in everywhere:
            remove_entries(connection, generation_id, collection_id, ids)
        for start in range(0, len(ids), 500):
            batch = ids[start : start + 500]
            connection.execute(sa.delete(chunk_vectors).where(chunk_vectors.c.vector_id.in_(batch)))
            connection.execute(sa.delete(vectors).where(vectors.c.id.in_(batch)))
