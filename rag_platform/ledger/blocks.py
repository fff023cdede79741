"""Queries about where vectors are stored."""

import sqlalchemy as sa

from rag_platform.ledger.statements import AnySelect
from rag_platform.ledger.tables import vectors


def stored_order(wanted: sa.Subquery) -> AnySelect:
    """The ids of ``wanted.c.vector_id`` in the order in which their vectors are stored."""
    return (
        sa.select(wanted.c.vector_id)
        .select_from(wanted.outerjoin(vectors, vectors.c.id == wanted.c.vector_id))
        .order_by(vectors.c.block, vectors.c.row)
    )
