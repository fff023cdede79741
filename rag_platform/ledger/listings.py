"""Queries that show documents to people."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from rag_platform.ledger.documents import State, readable
from rag_platform.ledger.statements import AnyRow, AnySelect
from rag_platform.ledger.tables import chunked_contents, collections, contents, documents


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document as a list shows it."""

    collection: str
    key: str
    state: State
    reason: str | None
    title: str | None
    author: str | None
    media_type: str | None
    size_bytes: int
    pages: int | None
    chunks: int | None
    uploaded_at: datetime
    indexed_at: datetime | None


def list_documents(
    connection: sa.Connection,
    collection: str | None,
    *,
    chunking: str,
    state: State | None = None,
    after: tuple[str, str] | None = None,
    limit: int = 100,
) -> list[ListedDocument]:
    """Documents by collection and key, without tombstones, those after the given pair."""
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
    if after is not None:
        name, key = after
        statement = statement.where(
            (collections.c.name > name) | ((collections.c.name == name) & (documents.c.key > key))
        )
    return [ListedDocument(*row) for row in connection.execute(statement)]


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
    return ListedDocument(*row) if row else None


def readable_content(connection: sa.Connection, collection: str, key: str) -> AnyRow | None:
    """The content that readers see of a document; ``text_ref`` is None where its text was lost."""
    return connection.execute(
        sa.select(contents)
        .join_from(documents, collections)
        .join(contents, contents.c.id == documents.c.indexed_content_id)
        .where(collections.c.name == collection, documents.c.key == key, readable())
    ).first()


def _listing(chunking: str) -> AnySelect:
    shown = sa.func.coalesce(documents.c.indexed_content_id, documents.c.content_id)
    return (
        sa.select(
            collections.c.name,
            documents.c.key,
            documents.c.state,
            documents.c.reason,
            contents.c.title,
            contents.c.author,
            contents.c.media_type,
            documents.c.size_bytes,
            contents.c.pages,
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
