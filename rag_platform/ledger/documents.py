"""Queries of ingestion: what the ledger knows of documents and their contents, and changes of it.

The rule of what readers see stands here once: :func:`readable` and :func:`wanted_contents`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from rag_platform.errors import NotFound
from rag_platform.ledger.collections import next_revision
from rag_platform.ledger.statements import AnyRow, fetch_in, in_batches, insert_ignore
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
    rows = connection.execute(
        sa.select(
            documents.c.id,
            documents.c.key,
            documents.c.state,
            documents.c.fingerprint,
            documents.c.content_id,
        ).where(documents.c.collection_id == collection_id)
    )
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
    statement = sa.select(
        documents.c.id,
        documents.c.key,
        documents.c.state,
        documents.c.fingerprint,
        documents.c.content_id,
    ).where(documents.c.collection_id == collection_id)
    for row in fetch_in(connection, statement, documents.c.key, keys):
        yield KnownDocument(*row)


def known_document(
    connection: sa.Connection, collection: str, key: str
) -> tuple[int, KnownDocument] | None:
    """The id of the collection, and what the ledger knows of the path; a tombstone too."""
    row = connection.execute(
        sa.select(
            documents.c.collection_id,
            documents.c.id,
            documents.c.key,
            documents.c.state,
            documents.c.fingerprint,
            documents.c.content_id,
        )
        .join_from(documents, collections)
        .where(collections.c.name == collection, documents.c.key == key)
    ).first()
    return (row.collection_id, KnownDocument(*row[1:])) if row else None


def announce(
    connection: sa.Connection, collection_id: int, sizes: dict[str, int], now: datetime
) -> int | None:
    """Give every listed key a row: new ones and returning tombstones become ``pending``.

    Returns the revision of the collection that this made.
    """
    if not sizes:
        return None
    revision = next_revision(connection, collection_id)
    connection.execute(
        insert_ignore(connection, documents),
        [
            {
                "collection_id": collection_id,
                "key": key,
                "state": "pending",
                "size_bytes": size,
                "revision": revision,
                "uploaded_at": now,
            }
            for key, size in sizes.items()
        ],
    )
    tombstones = [
        row.id
        for row in fetch_in(
            connection,
            sa.select(documents.c.id).where(
                documents.c.collection_id == collection_id, documents.c.state == "deleted"
            ),
            documents.c.key,
            list(sizes),
        )
    ]
    _update(
        connection,
        tombstones,
        state="pending",
        uploaded_at=now,
        fingerprint=None,
        revision=revision,
    )
    return revision


def bury(connection: sa.Connection, collection_id: int, ids: list[int]) -> None:
    """Make tombstones: from the commit on, nothing of these documents is found or cited."""
    if not ids:
        return
    _update(
        connection,
        ids,
        state="deleted",
        reason=None,
        fingerprint=None,
        content_id=None,
        indexed_content_id=None,
        indexed_at=None,
        revision=next_revision(connection, collection_id),
    )


def touch(connection: sa.Connection, document_id: int, content_id: str, fingerprint: str) -> bool:
    """Note that a readable document was looked at again; whether it still holds this content."""
    changed = connection.execute(
        sa.update(documents)
        .where(
            documents.c.id == document_id,
            documents.c.content_id == content_id,
            documents.c.state.in_(("pending", "indexed")),
        )
        .values(fingerprint=fingerprint)
    )
    return changed.rowcount == 1


def set_content(
    connection: sa.Connection,
    collection_id: int,
    document_id: int,
    *,
    content_id: str,
    fingerprint: str,
    size: int,
) -> None:
    """Record what a document holds now; it is ``pending`` until its index holds it too.

    A document that was deleted while it was read stays deleted.
    """
    _update(
        connection,
        [document_id],
        living=True,
        state="pending",
        reason=None,
        content_id=content_id,
        fingerprint=fingerprint,
        size_bytes=size,
        revision=next_revision(connection, collection_id),
    )


def quarantine(
    connection: sa.Connection,
    collection_id: int,
    document_ids: list[int],
    reason: str,
    *,
    fingerprint: str | None = None,
    size: int | None = None,
    content_id: str | None = None,
) -> None:
    """Set documents aside with a reason; an earlier text of theirs is not cited any more.

    A document that was deleted while it was read stays deleted.
    """
    values: dict[str, Any] = {"fingerprint": fingerprint, "size_bytes": size}
    _update(
        connection,
        document_ids,
        living=True,
        state="quarantined",
        reason=reason,
        content_id=content_id,
        indexed_content_id=None,
        indexed_at=None,
        revision=next_revision(connection, collection_id),
        **{name: value for name, value in values.items() if value is not None},
    )


def have_read_again(connection: sa.Connection, collection: str, key: str) -> tuple[int, int | None]:
    """Let the bucket's watcher read a document again, though its bytes are the same.

    A verdict on its bytes is forgotten, for every document that holds them; those become
    ``pending``. Whatever is readable stays so meanwhile. Returns the document's size in bytes, and
    the revision of the collection that this made if the document is pending by it. Raises
    :class:`NotFound`.
    """
    found = known_document(connection, collection, key)
    if found is None or found[1].state == "deleted":
        raise NotFound(f"There is no document {key!r} in the collection {collection!r}.")
    document = found[1]
    same = documents.c.id == document.id
    if document.content_id is not None:
        connection.execute(
            sa.update(contents)
            .where(contents.c.id == document.content_id, contents.c.reason.is_not(None))
            .values(reason=None)
        )
        same |= documents.c.content_id == document.content_id
    connection.execute(
        sa.update(documents).where(same, documents.c.state != "deleted").values(fingerprint=None)
    )
    revision: int | None = None
    aside = connection.execute(
        sa.select(documents.c.id, documents.c.collection_id).where(
            same, documents.c.state == "quarantined"
        )
    ).all()
    for collection_id in sorted({row.collection_id for row in aside}):
        made = next_revision(connection, collection_id)
        ids = [row.id for row in aside if row.collection_id == collection_id]
        _update(connection, ids, state="pending", reason=None, content_id=None, revision=made)
        if document.id in ids:
            revision = made
    size = connection.execute(
        sa.select(documents.c.size_bytes).where(documents.c.id == document.id)
    ).scalar_one()
    return size, revision


def publish(connection: sa.Connection, collection_id: int, content_ids: list[str]) -> int:
    """Let readers see the pending documents that hold these contents; returns how many."""
    ids = [
        row.id
        for row in fetch_in(
            connection,
            sa.select(documents.c.id).where(
                documents.c.collection_id == collection_id, documents.c.state == "pending"
            ),
            documents.c.content_id,
            content_ids,
        )
    ]
    if ids:
        _update(
            connection,
            ids,
            state="indexed",
            indexed_content_id=documents.c.content_id,
            indexed_at=datetime.now(UTC),
            revision=next_revision(connection, collection_id),
        )
    return len(ids)


def find_content(connection: sa.Connection, content_id: str) -> AnyRow | None:
    """The content's row, if those bytes were read by that parser before."""
    return connection.execute(sa.select(contents).where(contents.c.id == content_id)).first()


def _update(
    connection: sa.Connection, ids: list[int], *, living: bool = False, **values: Any
) -> None:
    """Change these documents; with ``living``, those that were not deleted in the meantime."""
    for batch in in_batches(ids):
        statement = sa.update(documents).where(documents.c.id.in_(list(batch)))
        if living:
            statement = statement.where(documents.c.state != "deleted")
        connection.execute(statement.values(**values))
