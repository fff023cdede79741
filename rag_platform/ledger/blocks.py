"""Queries about where vectors are stored."""

from typing import Any

import sqlalchemy as sa

from rag_platform.ledger.statements import AnySelect
from rag_platform.ledger.tables import vectors


def stored_order(wanted: sa.Subquery, *before: sa.ColumnElement[Any]) -> AnySelect:
    """The ids of ``wanted.c.vector_id`` by ``before``, then as their vectors are stored."""
    return (
        sa.select(wanted.c.vector_id)
        .select_from(wanted.outerjoin(vectors, vectors.c.id == wanted.c.vector_id))
        .order_by(*before, vectors.c.block, vectors.c.row)
    )
