"""What happens to documents: announced, read, published, quarantined, buried.

Each function is one change within the caller's transaction, with the new revision that it makes.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from rag_platform.errors import NotFound
from rag_platform.ledger.collections import next_revision
from rag_platform.ledger.documents import State, known_document
from rag_platform.ledger.statements import fetch_in, in_batches, insert_ignore
from rag_platform.ledger.tables import contents, documents


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
    tombstones = _ids(connection, collection_id, "deleted", documents.c.key, list(sizes))
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
    ids = _ids(connection, collection_id, "pending", documents.c.content_id, content_ids)
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


def _ids(
    connection: sa.Connection,
    collection_id: int,
    state: State,
    column: sa.Column[str],
    values: list[str],
) -> list[int]:
    """The documents of a collection in a state whose column has one of the values."""
    statement = sa.select(documents.c.id).where(
        documents.c.collection_id == collection_id, documents.c.state == state
    )
    return [row.id for row in fetch_in(connection, statement, column, values)]


def _update(
    connection: sa.Connection, ids: list[int], *, living: bool = False, **values: Any
) -> None:
    """Change these documents; with ``living``, those that were not deleted in the meantime."""
    for batch in in_batches(ids):
        statement = sa.update(documents).where(documents.c.id.in_(list(batch)))
        if living:
            statement = statement.where(documents.c.state != "deleted")
        connection.execute(statement.values(**values))
