"""Queries about generations and about what serves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from rag_platform.errors import Conflict
from rag_platform.ledger.digests import spec_digest
from rag_platform.ledger.statements import AnyRow, insert_ignore
from rag_platform.ledger.tables import (
    collections,
    generation_collections,
    generations,
    retrieval_settings,
    serving,
)

GenerationState = Literal["building", "verified", "retired", "refused"]


@dataclass(frozen=True)
class Recipe:
    """What the settings and the code decide of a generation's spec; the rest is its model."""

    chunking: dict[str, Any]
    """The chunking spec and its ``id``."""
    header: str
    windows: list[Any]
    analysis: str
    precision: str
    """Of the encoder: ``fp32`` or ``int8``."""

    def spec(self, encoder: Mapping[str, Any]) -> dict[str, Any]:
        """The spec of a generation that is built so with an encoder of this precision."""
        assert encoder["precision"] == self.precision
        return {
            "encoder": dict(encoder),
            "chunking": self.chunking,
            "header": self.header,
            "windows": self.windows,
            "analysis": self.analysis,
        }

    def __str__(self) -> str:
        return f"chunking {self.chunking['id']}, {self.precision}"


@dataclass(frozen=True)
class Generation:
    """An index build and its whole spec.

    ``spec`` has the keys ``encoder``, ``chunking`` (its ``id`` and ``spec``), ``header``,
    ``windows`` and ``analysis``.
    """

    id: int
    state: GenerationState
    spec: dict[str, Any]

    @property
    def recipe(self) -> Recipe:
        """How it is built, whatever the model."""
        spec = self.spec
        return Recipe(
            spec["chunking"],
            spec["header"],
            spec["windows"],
            spec["analysis"],
            spec["encoder"]["precision"],
        )

    @property
    def model(self) -> tuple[str, str]:
        """The name and version of the model."""
        return self.spec["encoder"]["model"], self.spec["encoder"]["version"]

    @property
    def chunking(self) -> str:
        """The id of the chunking spec."""
        return self.spec["chunking"]["id"]

    @property
    def encoder(self) -> str:
        """The digest of everything that decides what vector a string gets."""
        return encoder_digest(self.spec["encoder"])

    @property
    def embedding(self) -> str:
        """The digest of everything that decides which vectors a chunk has."""
        return spec_digest(
            {
                "encoder": self.encoder,
                "header": self.spec["header"],
                "windows": self.spec["windows"],
            }
        )

    @property
    def analysis(self) -> str:
        """The digest of everything that decides which terms a chunk has."""
        return spec_digest({"analysis": self.spec["analysis"], "header": self.spec["header"]})


def encoder_digest(encoder: dict[str, Any]) -> str:
    """The digest of an encoder spec; the model's name and version do not change a vector."""
    return spec_digest({k: v for k, v in encoder.items() if k not in ("model", "version")})


@dataclass(frozen=True)
class Serving:
    """What readers follow, at one moment."""

    revision: int
    generation: Generation
    previous: Generation | None
    settings_version: int
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IndexedCollection:
    """A generation's index of one collection."""

    generation_id: int
    collection_id: int
    collection: str
    revision: int
    chroma_name: str
    vectors: int
    """How many the last complete reconciliation left: tells an empty index from a lost one."""
    entries_revision: int
    """Counts the changes of its entries, so that a verdict about them can be tied to one state."""
    indexed_revision: int
    """The collection's revision that the index was last proved to hold; -1 while it changes."""

    @property
    def is_current(self) -> bool:
        """Whether the index was proved to hold exactly what the ledger wants now."""
        return self.indexed_revision == self.revision


def create_generation(connection: sa.Connection, spec: dict[str, Any]) -> Generation:
    """A new generation, building."""
    row = connection.execute(
        sa.insert(generations)
        .values(state="building", spec=spec, created_at=datetime.now(UTC))
        .returning(generations.c.id)
    ).scalar_one()
    return Generation(row, "building", spec)


def find_generation(connection: sa.Connection, generation_id: int | None) -> AnyRow | None:
    """The generation's row, whatever became of it."""
    return connection.execute(
        sa.select(generations).where(generations.c.id == generation_id)
    ).first()


def find_settings(connection: sa.Connection, version: int | None) -> dict[str, Any] | None:
    """The retrieval settings of a version."""
    return connection.execute(
        sa.select(retrieval_settings.c.settings).where(retrieval_settings.c.version == version)
    ).scalar()


def set_generation_state(
    connection: sa.Connection, generation_id: int, state: GenerationState
) -> None:
    """Move a generation on."""
    connection.execute(
        sa.update(generations).where(generations.c.id == generation_id).values(state=state)
    )


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


def _switch(connection: sa.Connection, expected_revision: int, **values: Any) -> None:
    changed = connection.execute(
        sa.update(serving)
        .where(serving.c.id == 1, serving.c.revision == expected_revision)
        .values(revision=serving.c.revision + 1, **values)
    )
    if changed.rowcount != 1:
        raise Conflict("Something else was promoted in the meantime.", "Look and try again.")


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


def ensure_indexed_collection(
    connection: sa.Connection, generation_id: int, collection_id: int
) -> None:
    """Give a generation its index of a collection, empty and not current."""
    connection.execute(
        insert_ignore(connection, generation_collections),
        [
            {
                "generation_id": generation_id,
                "collection_id": collection_id,
                "chroma_name": f"generation-{generation_id}-collection-{collection_id}-1",
                "vectors": 0,
                "entries_revision": 0,
                "indexed_revision": -1,
            }
        ],
    )


def indexed_collections(
    connection: sa.Connection,
    generation_ids: Sequence[int],
    names: Sequence[str] | None = None,
) -> list[IndexedCollection]:
    """The indexes of these generations, of all or the named collections."""
    statement = (
        sa.select(
            generation_collections.c.generation_id,
            generation_collections.c.collection_id,
            collections.c.name,
            collections.c.revision,
            generation_collections.c.chroma_name,
            generation_collections.c.vectors,
            generation_collections.c.entries_revision,
            generation_collections.c.indexed_revision,
        )
        .join_from(generation_collections, collections)
        .where(generation_collections.c.generation_id.in_(list(generation_ids)))
        .order_by(generation_collections.c.generation_id, collections.c.name)
    )
    if names is not None:
        statement = statement.where(collections.c.name.in_(list(names)))
    return [IndexedCollection(*row) for row in connection.execute(statement)]
