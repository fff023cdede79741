"""The stored term counts of chunks, of which the keyword index is made."""

import math
import time
from typing import Any

import sqlalchemy as sa

from rag_platform.embedding.header import header_of
from rag_platform.index.analysis import pack
from rag_platform.index.chroma import BATCH
from rag_platform.ledger import Ledger
from rag_platform.ledger.documents import is_wanted
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import AnyRow, insert_ignore
from rag_platform.ledger.tables import chunk_terms, chunked_contents, chunks, contents


def analyse(
    ledger: Ledger,
    generation: Generation,
    collection_id: int,
    content_id: str | None = None,
    *,
    until: float = math.inf,
) -> int:
    """Store the term counts of every chunk of the collection, or of one content.

    The shortest documents come first; no batch but the first is begun after ``until``.
    Returns how many chunks were counted.
    """
    analysed = sa.exists().where(
        chunk_terms.c.chunk_id == chunks.c.id, chunk_terms.c.analysis == generation.analysis
    )
    statement = (
        sa.select(*chunks.c["id", "text", "heading_path", "table_columns"], contents.c.title)
        .join_from(chunks, contents)
        .join(
            chunked_contents,
            (chunked_contents.c.content_id == chunks.c.content_id)
            & (chunked_contents.c.chunking == chunks.c.chunking),
        )
        .where(
            chunks.c.chunking == generation.chunking,
            is_wanted(chunks.c.content_id, collection_id, content_id),
            ~analysed,
        )
        .order_by(chunked_contents.c.chunks, chunks.c.content_id, chunks.c.ordinal)
        .limit(BATCH)
    )
    done = 0
    while True:
        with ledger.read() as connection:
            rows = connection.execute(statement).all()
        if not rows:
            return done
        counted = [{**_terms_of(generation, row), "analysis": generation.analysis} for row in rows]
        with ledger.write() as connection:
            connection.execute(insert_ignore(connection, chunk_terms), counted)
        done += len(rows)
        if time.monotonic() >= until:
            return done


def _terms_of(generation: Generation, row: AnyRow) -> dict[str, Any]:
    template = generation.spec["header"]
    header = header_of(template, row.title, row.heading_path, row.table_columns)
    return {"chunk_id": row.id, "terms": pack(f"{header}\n{row.text}")}
