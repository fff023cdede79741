"""Erasing what retired generations left: their indexes in Chroma, and chunks nobody needs."""

import sqlalchemy as sa

from rag_platform.index.chroma import Chroma
from rag_platform.ledger import Ledger
from rag_platform.ledger.promotion import RETIRED, retired_chunkings, retired_indexes
from rag_platform.ledger.tables import (
    chunk_terms,
    chunk_vectors,
    chunked_contents,
    chunks,
    generation_collections,
    generations,
    index_entries,
)

_CONTENTS = 50
"""How many contents lose their chunks in one transaction: writers wait for each other."""


def purge_retired(ledger: Ledger, chroma: Chroma) -> int:
    """Erase the indexes and chunks of retired generations; returns how many indexes.

    Stored vectors stay: they are addressed by what was embedded, so a chunking that comes back
    finds them. A kill leaves a rest, which the next call erases.
    """
    with ledger.read() as connection:
        indexes = retired_indexes(connection)
        retired = list(
            connection.execute(
                sa.select(generations.c.id).where(generations.c.state.in_(RETIRED))
            ).scalars()
        )
    if indexes:
        stems = tuple(f"generation-{generation}-collection-" for generation in retired)
        for name in chroma.names():
            if name.startswith(stems):
                chroma.drop(name)
    for generation_id, collection_id, name in indexes:
        chroma.drop(name)
        with ledger.write() as connection:
            for table in (index_entries, generation_collections):
                connection.execute(
                    sa.delete(table).where(
                        table.c.generation_id == generation_id,
                        table.c.collection_id == collection_id,
                    )
                )
    while _purge_chunks(ledger):
        pass
    return len(indexes)


def _purge_chunks(ledger: Ledger) -> bool:
    """Erase some chunks that no live generation needs; whether there may be more."""
    with ledger.read() as connection:
        if not retired_chunkings(connection):
            return False
    with ledger.write() as connection:
        for chunking in retired_chunkings(connection)[:1]:
            contents = list(
                connection.execute(
                    sa.select(chunked_contents.c.content_id)
                    .where(chunked_contents.c.chunking == chunking)
                    .limit(_CONTENTS)
                ).scalars()
            )
            mine = sa.select(chunks.c.id).where(
                chunks.c.chunking == chunking, chunks.c.content_id.in_(contents)
            )
            for table in (chunk_terms, chunk_vectors):
                connection.execute(sa.delete(table).where(table.c.chunk_id.in_(mine)))
            for table in (chunks, chunked_contents):
                connection.execute(
                    sa.delete(table).where(
                        table.c.chunking == chunking, table.c.content_id.in_(contents)
                    )
                )
    return True
