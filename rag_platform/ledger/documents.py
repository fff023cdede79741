"""What the ledger knows of documents and their contents, and the rule of what readers see."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from rag_platform.ledger.statements import AnyRow, fetch_in
from rag_platform.ledger.tables import collections, contents, documents

State = Literal["pending", "indexed", "quarantined", "deleted"]


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """What the ledger knows of a path, for comparing it with the bucket."""

    id: int
    key: str
    state: State
    fingerprint: str | None
    content_id: str | None
    uploaded_at: datetime


_KNOWN = (
    documents.c.id,
    documents.c.key,
    documents.c.state,
    documents.c.fingerprint,
    documents.c.content_id,
    documents.c.uploaded_at,
)


def readable() -> sa.ColumnElement[bool]:
    """The documents that readers see: what is indexed, until it is deleted or quarantined."""
    return documents.c.state.in_(("pending", "indexed")) & documents.c.indexed_content_id.is_not(
        None
    )


def wanted_contents(collection_id: int) -> sa.CompoundSelect[Any]:
    """The ids of the contents that a collection's indexes hold: the bucket's and the readers'.

    They differ while a changed document is on its way: readers keep the old text until the new
    one can be found.
    """
    rows = (documents.c.collection_id == collection_id) & documents.c.state.in_(
        ("pending", "indexed")
    )
    return sa.union(
        sa.select(documents.c.content_id).where(rows, documents.c.content_id.is_not(None)),
        sa.select(documents.c.indexed_content_id).where(
            rows, documents.c.indexed_content_id.is_not(None)
        ),
    )


def is_wanted(
    column: sa.ColumnElement[Any], collection_id: int, content_id: str | None = None
) -> sa.ColumnElement[bool]:
    """Whether a column names a content that the collection wants; or, narrower, this one.

    The narrow form costs the same however many documents there are. It trusts the caller that
    the content is wanted; whether that was so is what the proof of the index finds out.
    """
    if content_id is not None:
        return column == content_id
    return column.in_(wanted_contents(collection_id))


def known_documents(connection: sa.Connection, collection_id: int) -> dict[str, KnownDocument]:
    """All documents of a collection by key, tombstones too."""
    rows = connection.execute(sa.select(*_KNOWN).where(documents.c.collection_id == collection_id))
    return {row.key: KnownDocument(*row) for row in rows}


def known_hashes(
    connection: sa.Connection, collection_id: int
) -> dict[str, tuple[str | None, str]]:
    """The fingerprint and the sha256 of each document that was read, by key."""
    rows = connection.execute(
        sa.select(documents.c.key, documents.c.fingerprint, contents.c.sha256)
        .join_from(documents, contents, contents.c.id == documents.c.content_id)
        .where(documents.c.collection_id == collection_id, documents.c.state != "deleted")
    )
    return {row.key: (row.fingerprint, row.sha256) for row in rows}


def living_fingerprints(
    connection: sa.Connection, collection_ids: list[int]
) -> dict[str, str | None]:
    """The fingerprints of all documents of some collections, without tombstones, by key."""
    rows = connection.execute(
        sa.select(documents.c.key, documents.c.fingerprint).where(
            documents.c.collection_id.in_(collection_ids), documents.c.state != "deleted"
        )
    )
    return {row.key: row.fingerprint for row in rows}


def known_by_key(
    connection: sa.Connection, collection_id: int, keys: list[str]
) -> Iterator[KnownDocument]:
    """What the ledger knows of some paths of a collection."""
    statement = sa.select(*_KNOWN).where(documents.c.collection_id == collection_id)
    for row in fetch_in(connection, statement, documents.c.key, keys):
        yield KnownDocument(*row)


def known_document(
    connection: sa.Connection, collection: str, key: str
) -> tuple[int, KnownDocument] | None:
    """The id of the collection, and what the ledger knows of the path; a tombstone too."""
    row = connection.execute(
        sa.select(documents.c.collection_id, *_KNOWN)
        .join_from(documents, collections)
        .where(collections.c.name == collection, documents.c.key == key)
    ).first()
    return (row.collection_id, KnownDocument(*row[1:])) if row else None


def find_content(connection: sa.Connection, content_id: str) -> AnyRow | None:
    """The content's row, if those bytes were read by that parser before."""
    return connection.execute(sa.select(contents).where(contents.c.id == content_id)).first()
