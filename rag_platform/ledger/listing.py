"""Documents as lists show them, and how far those are that come in."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rag_platform.ledger.documents import State, readable
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import AnyRow, AnySelect
from rag_platform.ledger.tables import (
    chunk_vectors,
    chunked_contents,
    chunks,
    collections,
    contents,
    documents,
)


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document as a list shows it."""

    collection: str
    key: str
    state: State
    reason: str | None
    title: str | None
    author: str | None
    created: datetime | None
    """By the document's own account, as is ``modified``."""
    modified: datetime | None
    media_type: str | None
    sha256: str | None
    """Of the bytes that readers see; where they see none, of those that were read last."""
    size_bytes: int
    pages: int | None
    words: int | None
    language: str | None
    """ISO 639-1, such as ``en``."""
    notes: tuple[str, ...]
    """What a person should know of how it was read."""
    chunks: int | None
    uploaded_at: datetime
    indexed_at: datetime | None


_FIELDS = tuple(field.name for field in fields(ListedDocument))


@dataclass(frozen=True, slots=True)
class Progress:
    """What is on its way to the readers."""

    waiting: int
    """Documents that were not read yet."""
    indexing: int
    """Documents that were read and cannot be found yet."""
    passages: int
    """Of those that are being indexed, as far as they are split."""
    embedded: int
    """How many of these passages have their vectors."""
    last: tuple[tuple[str, str], ...]
    """The collection and key of some that are being indexed, what was read last first."""


def list_documents(
    connection: sa.Connection,
    collection: str | None,
    *,
    chunking: str,
    state: State | None = None,
    query: str = "",
    after: tuple[str, str] | None = None,
    limit: int = 100,
) -> list[ListedDocument]:
    """Documents by collection and key, without tombstones, those after the given pair.

    With ``query``, those of which the key or the title holds each of its words, in any case.
    """
    statement = (
        _listing(chunking)
        .where(documents.c.state != "deleted")
        .order_by(collections.c.name, documents.c.key)
        .limit(limit)
    )
    if collection is not None:
        statement = statement.where(collections.c.name == collection)
    if state is not None:
        statement = statement.where(documents.c.state == state)
    for word in query.split():
        statement = statement.where(
            documents.c.key.icontains(word, autoescape=True)
            | contents.c.title.icontains(word, autoescape=True)
        )
    if after is not None:
        name, key = after
        statement = statement.where(
            (collections.c.name > name) | ((collections.c.name == name) & (documents.c.key > key))
        )
    return [_listed(row) for row in connection.execute(statement)]


def find_document(
    connection: sa.Connection, collection: str, key: str, *, chunking: str
) -> ListedDocument | None:
    """One document as a list shows it; a tombstone is none."""
    row = connection.execute(
        _listing(chunking).where(
            collections.c.name == collection,
            documents.c.key == key,
            documents.c.state != "deleted",
        )
    ).first()
    return _listed(row) if row else None


def readable_content(connection: sa.Connection, collection: str, key: str) -> AnyRow | None:
    """The content that readers see of a document; ``text_ref`` is None where its text was lost."""
    return connection.execute(
        sa.select(contents)
        .join_from(documents, collections)
        .join(contents, contents.c.id == documents.c.indexed_content_id)
        .where(collections.c.name == collection, documents.c.key == key, readable())
    ).first()


def progress_of(
    connection: sa.Connection, generation: Generation | None, limit: int = 5
) -> Progress:
    """How far the pending documents of all collections are, on their way into a generation."""
    pending = documents.c.state == "pending"
    read = documents.c.content_id.is_not(None)
    waiting, indexing = connection.execute(
        sa.select(sa.func.count().filter(~read), sa.func.count().filter(read)).where(pending)
    ).one()
    rows = connection.execute(
        sa.select(collections.c.name, documents.c.key)
        .join_from(documents, collections)
        .where(pending, read)
        .order_by(documents.c.revision.desc(), documents.c.id.desc())
        .limit(limit)
    )
    last = tuple((row.name, row.key) for row in rows)
    if generation is None or not indexing:
        return Progress(waiting, indexing, 0, 0, last)
    coming = sa.select(documents.c.content_id).where(pending, read)
    passages = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(chunked_contents.c.chunks), 0)).where(
            chunked_contents.c.chunking == generation.chunking,
            chunked_contents.c.content_id.in_(coming),
        )
    ).scalar_one()
    embedded = connection.execute(
        sa.select(sa.func.count(chunk_vectors.c.chunk_id.distinct()))
        .join_from(chunks, chunk_vectors)
        .where(
            chunks.c.content_id.in_(coming),
            chunks.c.chunking == generation.chunking,
            chunk_vectors.c.embedding == generation.embedding,
        )
    ).scalar_one()
    return Progress(waiting, indexing, int(passages), embedded, last)


def _listed(row: AnyRow) -> ListedDocument:
    values: dict[str, Any] = {name: getattr(row, name) for name in _FIELDS}
    values["notes"] = tuple(row.notes or ())
    return ListedDocument(**values)


def _listing(chunking: str) -> AnySelect:
    shown = sa.func.coalesce(documents.c.indexed_content_id, documents.c.content_id)
    return (
        sa.select(
            collections.c.name.label("collection"),
            documents.c.key,
            documents.c.state,
            documents.c.reason,
            contents.c.title,
            contents.c.author,
            contents.c.created_at.label("created"),
            contents.c.modified_at.label("modified"),
            contents.c.media_type,
            contents.c.sha256,
            documents.c.size_bytes,
            contents.c.pages,
            contents.c.words,
            contents.c.language,
            contents.c.notes,
            chunked_contents.c.chunks,
            documents.c.uploaded_at,
            documents.c.indexed_at,
        )
        .join_from(documents, collections)
        .outerjoin(contents, contents.c.id == shown)
        .outerjoin(
            chunked_contents,
            (chunked_contents.c.content_id == shown) & (chunked_contents.c.chunking == chunking),
        )
    )
