"""Queries about generations."""

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


def set_generation_state(
    connection: sa.Connection, generation_id: int, state: GenerationState
) -> None:
    """Move a generation on."""
    connection.execute(
        sa.update(generations).where(generations.c.id == generation_id).values(state=state)
    )


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


def index_of(
    connection: sa.Connection, generation_id: int, collection_id: int
) -> IndexedCollection:
    """A generation's index of a collection, as this transaction sees it.

    Raises :class:`Conflict` where the generation was retired meanwhile.
    """
    for row in indexed_collections(connection, [generation_id]):
        if row.collection_id == collection_id:
            return row
    raise Conflict(f"Generation {generation_id} was retired.", "The next run goes on without it.")
