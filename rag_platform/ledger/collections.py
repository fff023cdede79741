"""Queries about collections, the knowledge bases."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from rag_platform.ledger.statements import insert_ignore
from rag_platform.ledger.tables import collections, documents


@dataclass(frozen=True, slots=True)
class Collection:
    """A knowledge base."""

    id: int
    name: str
    revision: int
    place: str | None
    """Where its documents were last listed; ``None``: any place is believed."""


def ensure_collection(connection: sa.Connection, name: str) -> Collection:
    """The collection of that name, made if it is new."""
    connection.execute(
        insert_ignore(connection, collections),
        [{"name": name, "revision": 0, "created_at": datetime.now(UTC)}],
    )
    found = find_collection(connection, name)
    assert found is not None
    return found


def find_collection(connection: sa.Connection, name: str) -> Collection | None:
    """The collection of that name, if there is one."""
    row = connection.execute(_SELECT.where(collections.c.name == name)).first()
    return Collection(*row) if row else None


def list_collections(connection: sa.Connection) -> list[Collection]:
    """All collections by name."""
    return [Collection(*row) for row in connection.execute(_SELECT.order_by(collections.c.name))]


def count_by_state(connection: sa.Connection) -> dict[str, dict[str, int]]:
    """Documents per state, per collection name; tombstones are not counted."""
    rows = connection.execute(
        sa.select(collections.c.name, documents.c.state, sa.func.count())
        .join_from(documents, collections)
        .where(documents.c.state != "deleted")
        .group_by(collections.c.name, documents.c.state)
    )
    counts: dict[str, dict[str, int]] = {}
    for name, state, count in rows:
        counts.setdefault(name, {})[state] = count
    return counts


def next_revision(connection: sa.Connection, collection_id: int) -> int:
    """Count one change of the collection and return its new revision.

    The row stays locked until the transaction ends, so revisions become visible in their order.
    """
    return connection.execute(
        sa.update(collections)
        .where(collections.c.id == collection_id)
        .values(revision=collections.c.revision + 1)
        .returning(collections.c.revision)
    ).scalar_one()


def noted_place(connection: sa.Connection, collection_id: int) -> str | None:
    """Where the collection's documents were last listed."""
    return connection.execute(
        sa.select(collections.c.place).where(collections.c.id == collection_id)
    ).scalar_one()


def note_place(connection: sa.Connection, collection_id: int, place: str | None) -> None:
    """Record where the collection's documents were listed; ``None`` to believe any place next."""
    connection.execute(
        sa.update(collections).where(collections.c.id == collection_id).values(place=place)
    )


_SELECT = sa.select(
    collections.c.id, collections.c.name, collections.c.revision, collections.c.place
)
