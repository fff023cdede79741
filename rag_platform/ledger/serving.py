"""Queries about what serves."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from rag_platform.errors import Conflict
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import insert_ignore
from rag_platform.ledger.tables import generations, retrieval_settings, serving


@dataclass(frozen=True)
class Serving:
    """What readers follow, at one moment."""

    revision: int
    generation: Generation
    previous: Generation | None
    settings_version: int
    settings: dict[str, Any]


def current_serving(connection: sa.Connection) -> Serving | None:
    """What serves, or None before the first start."""
    previous = generations.alias()
    row = connection.execute(
        sa.select(
            serving.c.revision,
            generations.c.id,
            generations.c.state,
            generations.c.spec,
            previous.c.id.label("previous_id"),
            previous.c.state.label("previous_state"),
            previous.c.spec.label("previous_spec"),
            serving.c.settings_version,
            retrieval_settings.c.settings,
        )
        .join_from(serving, generations, generations.c.id == serving.c.generation_id)
        .outerjoin(previous, previous.c.id == serving.c.previous_generation_id)
        .join(retrieval_settings, retrieval_settings.c.version == serving.c.settings_version)
    ).first()
    if row is None:
        return None
    return Serving(
        row.revision,
        Generation(row.id, row.state, row.spec),
        None
        if row.previous_id is None
        else Generation(row.previous_id, row.previous_state, row.previous_spec),
        row.settings_version,
        row.settings,
    )


def live_generations(connection: sa.Connection) -> list[Generation]:
    """The generations that ingestion keeps current; the one that serves comes first."""
    now = current_serving(connection)
    first = [] if now is None else [now.generation, *([now.previous] if now.previous else [])]
    seen = {generation.id for generation in first}
    rows = connection.execute(
        sa.select(generations.c.id, generations.c.state, generations.c.spec)
        .where(generations.c.state.in_(("building", "verified")))
        .order_by(generations.c.id)
    )
    others = [Generation(*row) for row in rows if row.id not in seen]
    # A verified generation that neither serves nor is kept for rollback waits for its promotion.
    return [*first, *others]


def start_serving(connection: sa.Connection, generation_id: int, settings: dict[str, Any]) -> None:
    """The first row of ``serving``; harmless where there is one."""
    now = datetime.now(UTC)
    connection.execute(
        insert_ignore(connection, retrieval_settings),
        [{"version": 1, "settings": settings, "created_at": now}],
    )
    connection.execute(
        insert_ignore(connection, serving),
        [
            {
                "id": 1,
                "revision": 1,
                "generation_id": generation_id,
                "settings_version": 1,
                "updated_at": now,
            }
        ],
    )


def switch_serving(
    connection: sa.Connection, *, expected_revision: int, generation_id: int
) -> None:
    """Let readers follow another generation, if nobody else switched since ``expected_revision``.

    The one that served stays live for a rollback. Raises :class:`Conflict` otherwise.
    """
    _switch(
        connection,
        expected_revision,
        previous_generation_id=serving.c.generation_id,
        generation_id=generation_id,
        updated_at=datetime.now(UTC),
    )


def adopt_settings(
    connection: sa.Connection, settings: dict[str, Any], *, expected_revision: int
) -> int:
    """Let readers follow new retrieval settings; returns their version.

    Raises :class:`Conflict` if somebody switched anything since ``expected_revision``.
    """
    newest = connection.execute(sa.select(sa.func.max(retrieval_settings.c.version))).scalar()
    version = (newest or 0) + 1
    now = datetime.now(UTC)
    connection.execute(
        sa.insert(retrieval_settings).values(version=version, settings=settings, created_at=now)
    )
    _switch(connection, expected_revision, settings_version=version, updated_at=now)
    return version


def find_settings(connection: sa.Connection, version: int | None) -> dict[str, Any] | None:
    """The retrieval settings of a version."""
    return connection.execute(
        sa.select(retrieval_settings.c.settings).where(retrieval_settings.c.version == version)
    ).scalar()


def _switch(connection: sa.Connection, expected_revision: int, **values: Any) -> None:
    changed = connection.execute(
        sa.update(serving)
        .where(serving.c.id == 1, serving.c.revision == expected_revision)
        .values(revision=serving.c.revision + 1, **values)
    )
    if changed.rowcount != 1:
        raise Conflict("Something else was promoted in the meantime.", "Look and try again.")
