"""Reconciliation of chunks: every current content is split under the live chunking specs."""

import math
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from tokenizers import Tokenizer

from rag_platform.documents.chunking import ChunkingSpec, split
from rag_platform.documents.contents import forget_text
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.errors import NotFound
from rag_platform.ledger import Ledger
from rag_platform.ledger.digests import digest
from rag_platform.ledger.documents import is_wanted
from rag_platform.ledger.places import packed
from rag_platform.ledger.statements import AnySelect, insert_ignore
from rag_platform.ledger.tables import chunked_contents, chunks, contents, documents
from rag_platform.ledger.transitions import quarantine
from rag_platform.objects import Objects

BATCH = 50
"""Contents that are committed together at most; large ones fill a batch sooner."""

_BATCH_CHUNKS = 1000
_BATCH_SECONDS = 2.0
_LONG_WORDS = 150_000
"""About a megabyte of text, which takes a second to split; one of 20 MB takes 12 seconds."""

PATIENCE = timedelta(seconds=30)
"""How long what is large lets small documents go first."""


def reconcile_chunks(
    ledger: Ledger,
    objects: Objects,
    tokenizer: Tokenizer,
    spec: ChunkingSpec,
    collection_id: int,
    until: float = math.inf,
    content_id: str | None = None,
) -> int:
    """Split every current content of the collection under ``spec``, short ones first.

    None but the first is begun after ``until``, a time of ``time.monotonic()``; and where there is
    such a limit, no long one after others, which would wait for it, unless it has waited itself.
    With ``content_id``, that content alone.

    Returns how many chunks were made, some contents at a time. The documents of a content without
    a single chunk are quarantined; those of a lost text are read from the bucket again.
    """
    with ledger.read() as connection:
        rows = connection.execute(_unsplit(spec, collection_id, content_id)).all()
    patient_since = datetime.now(UTC) - PATIENCE
    made = 0
    batch: dict[str, list[dict[str, Any]]] = {}
    started = time.monotonic()
    for number, row in enumerate(rows):
        long = (row.words or 0) > _LONG_WORDS and row.parsed_at > patient_since
        if number and (time.monotonic() >= until or (long and until < math.inf)):
            break
        try:
            document = ParsedDocument.from_json(objects.get(row.text_ref))
        except (NotFound, ValueError, KeyError, TypeError):  # lost, or not what was written
            forget_text(ledger, row.id)
            continue
        batch[row.id] = [
            {
                "id": digest(row.id, spec.id, passage.ordinal),
                "content_id": row.id,
                "chunking": spec.id,
                "ordinal": passage.ordinal,
                "text": passage.text,
                "page": passage.page,
                "heading_path": list(passage.heading_path),
                "places": packed(passage.places, passage.heading_path),
                "table_columns": passage.table_columns,
                "start": passage.start,
                "end": passage.end,
                "token_count": passage.token_count,
            }
            for passage in split(document, spec, tokenizer)
        ]
        made += len(batch[row.id])
        full = len(batch) >= BATCH or sum(map(len, batch.values())) >= _BATCH_CHUNKS
        if full or time.monotonic() - started > _BATCH_SECONDS:
            _save(ledger, spec, batch)
            batch, started = {}, time.monotonic()
    _save(ledger, spec, batch)
    _quarantine_empty(ledger, spec, collection_id, content_id)
    return made


def count_unsplit(ledger: Ledger, spec: ChunkingSpec, collection_id: int) -> int:
    """How many contents of the collection are still to be split."""
    statement = _unsplit(spec, collection_id, None).order_by(None).subquery()
    with ledger.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(statement)).scalar_one()


def _unsplit(spec: ChunkingSpec, collection_id: int, content_id: str | None) -> AnySelect:
    chunked = sa.select(chunked_contents.c.content_id).where(chunked_contents.c.chunking == spec.id)
    return (
        sa.select(contents.c.id, contents.c.text_ref, contents.c.words, contents.c.parsed_at)
        .where(
            is_wanted(contents.c.id, collection_id, content_id),
            contents.c.id.not_in(chunked),
            contents.c.text_ref.is_not(None),
        )
        .order_by(contents.c.words, contents.c.id)
    )


def _save(ledger: Ledger, spec: ChunkingSpec, batch: dict[str, list[dict[str, Any]]]) -> None:
    if not batch:
        return
    with ledger.write() as connection:
        if rows := [row for passages in batch.values() for row in passages]:
            connection.execute(insert_ignore(connection, chunks), rows)
        connection.execute(
            insert_ignore(connection, chunked_contents),
            [
                {"content_id": content_id, "chunking": spec.id, "chunks": len(passages)}
                for content_id, passages in batch.items()
            ],
        )


def _quarantine_empty(
    ledger: Ledger, spec: ChunkingSpec, collection_id: int, content_id: str | None
) -> None:
    """Set the documents aside whose content has no chunk, also one that another path brought."""
    statement = (
        sa.select(documents.c.id, documents.c.content_id)
        .join_from(
            documents,
            chunked_contents,
            chunked_contents.c.content_id == documents.c.content_id,
        )
        .where(
            documents.c.collection_id == collection_id,
            documents.c.state.in_(("pending", "indexed")),
            chunked_contents.c.chunking == spec.id,
            chunked_contents.c.chunks == 0,
        )
    )
    if content_id is not None:
        statement = statement.where(documents.c.content_id == content_id)
    with ledger.read() as connection:
        if connection.execute(statement).first() is None:
            return
    with ledger.write() as connection:
        for row in connection.execute(statement).all():
            quarantine(
                connection,
                collection_id,
                [row.id],
                "The file contains no text.",
                content_id=row.content_id,
            )
