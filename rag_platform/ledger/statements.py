"""Statements that the two databases spell alike but SQLAlchemy keeps apart."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

AnySelect = sa.Select[*tuple[Any, ...]]
AnyRow = sa.Row[*tuple[Any, ...]]

MAX_PARAMETERS = 500
"""How many values one IN list holds: below every database's limit, and one cached statement."""


def upsert(connection: sa.Connection, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT that knows ``on_conflict_do_update``."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def insert_ignore(connection: sa.Connection, table: sa.Table) -> sa.Insert:
    """An INSERT that leaves a row alone that is there already."""
    return upsert(connection, table).on_conflict_do_nothing()


def in_batches(values: Sequence[T], size: int = MAX_PARAMETERS) -> Iterator[Sequence[T]]:
    """The values in slices of at most ``size``."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def fetch_in(
    connection: sa.Connection, statement: AnySelect, column: Any, values: Sequence[Any]
) -> Iterator[AnyRow]:
    """The rows of ``statement`` whose ``column`` is one of ``values``, in slices."""
    for batch in in_batches(values):
        yield from connection.execute(statement.where(column.in_(list(batch))))
