"""Alembic's entry: runs the migrations on the connection that ``migrate`` hands over."""

from typing import Any, Literal

from alembic import context

from rag_platform.ledger.tables import UtcDateTime, metadata


def _render(kind: str, item: Any, _context: object) -> str | Literal[False]:
    # A migration must not change when the code does: it names plain types only.
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
