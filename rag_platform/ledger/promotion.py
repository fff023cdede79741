"""Queries about what shall serve next, and the switch to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from rag_platform.errors import Conflict
from rag_platform.ledger.collections import list_collections
from rag_platform.ledger.documents import wanted_contents
from rag_platform.ledger.entries import entries, stale_collections, wanted_vectors
from rag_platform.ledger.generations import (
    Generation,
    Recipe,
    create_generation,
    set_generation_state,
)
from rag_platform.ledger.serving import current_serving, live_generations, switch_serving
from rag_platform.ledger.statements import AnySelect
from rag_platform.ledger.tables import (
    chunked_contents,
    collections,
    generation_collections,
    generations,
    promotions,
)

RETIRED = ("retired", "refused")
"""The states of generations that nothing keeps current and nobody reads."""


def propose(
    connection: sa.Connection, recipe: Recipe, encoder: Mapping[str, Any], *, judged_on: str = ""
) -> Generation | None:
    """Let a generation of this recipe be built beside what serves, with the same model.

    ``encoder`` is the spec of that model's encoder in the recipe's precision. Returns the
    generation, or None where what serves has this recipe. One that is live already is taken:
    the rollback target is proved anew before it serves again. What an earlier change of the
    settings began and nobody wants any more is retired.
    """
    serving = current_serving(connection)
    assert serving is not None, "nothing serves yet"
    now, before = serving.generation, serving.previous
    wanted: Generation | None = None
    for generation in live_generations(connection):
        if generation.id == now.id or generation.model != now.model:
            continue
        if generation.recipe == recipe:
            wanted = wanted or generation
        elif before is None or generation.id != before.id:
            set_generation_state(connection, generation.id, "retired")
    if now.recipe == recipe:
        return None
    if wanted is None:
        spec = recipe.spec(encoder)
        refusal = last_refusal(connection)
        if refusal and refusal.generation.spec == spec and refusal.judged_on == judged_on:
            return None
        return create_generation(connection, spec)
    set_generation_state(connection, wanted.id, "building")
    return wanted


@dataclass(frozen=True, slots=True)
class Refusal:
    """A generation that may not serve."""

    generation: Generation
    reason: str
    judged_on: str
    """What names the questions that it was judged by."""


def last_refusal(connection: sa.Connection) -> Refusal | None:
    """The newest decision about what serves, if it was to refuse a generation for good."""
    row = connection.execute(
        sa.select(promotions, generations.c.state, generations.c.spec)
        .join_from(promotions, generations, generations.c.id == promotions.c.to_generation_id)
        .order_by(promotions.c.id.desc())
        .limit(1)
    ).first()
    if row is None or row.outcome != "refused" or row.state != "refused":
        return None
    generation = Generation(row.to_generation_id, row.state, row.spec)
    return Refusal(generation, row.reason, row.metrics.get("judged on", ""))


def find_candidate(connection: sa.Connection, recipe: Recipe) -> Generation | None:
    """The live generation of this recipe and of the model that serves, unless it serves."""
    serving = current_serving(connection)
    if serving is None or serving.generation.recipe == recipe:
        return None
    for generation in live_generations(connection):
        if generation.recipe == recipe and generation.model == serving.generation.model:
            return generation
    return None


def promote(
    connection: sa.Connection,
    generation_id: int,
    *,
    requested_by: str,
    reason: str,
    metrics: Mapping[str, Any],
) -> None:
    """Let readers follow a verified generation that holds every collection as it is now.

    The one that served becomes the rollback target and stays current; the rollback target before
    it is retired. Raises :class:`Conflict` where the generation was not verified or is behind.
    """
    # Until the commit no document changes: what is complete here is complete for its readers.
    connection.execute(sa.select(collections.c.id).order_by(collections.c.id).with_for_update())
    serving = current_serving(connection)
    assert serving is not None, "nothing serves yet"
    state = connection.execute(
        sa.select(generations.c.state).where(generations.c.id == generation_id)
    ).scalar_one()
    if state != "verified":
        raise Conflict(f"Generation {generation_id} was not verified; it is {state}.")
    if behind := stale_collections(connection, [generation_id]):
        names = ", ".join(map(repr, behind))
        raise Conflict(f"Generation {generation_id} is behind in {names}.", "Try again later.")
    switch_serving(connection, expected_revision=serving.revision, generation_id=generation_id)
    if serving.previous is not None and serving.previous.id != generation_id:
        set_generation_state(connection, serving.previous.id, "retired")
    record(
        connection,
        serving.generation.id,
        generation_id,
        "promoted",
        requested_by=requested_by,
        reason=reason,
        metrics=metrics,
    )


def record(
    connection: sa.Connection,
    from_generation_id: int | None,
    to_generation_id: int,
    outcome: str,
    *,
    requested_by: str,
    reason: str,
    metrics: Mapping[str, Any],
) -> None:
    """Note a switch (``promoted``) or why there was none (``refused``)."""
    connection.execute(
        sa.insert(promotions).values(
            from_generation_id=from_generation_id,
            to_generation_id=to_generation_id,
            outcome=outcome,
            requested_by=requested_by,
            reason=reason,
            metrics=dict(metrics),
            created_at=datetime.now(UTC),
        )
    )


def work_left(connection: sa.Connection, recipe: Recipe) -> str | None:
    """Why a promotion should be tried now, as a sentence; None where there is nothing to do."""
    candidate = find_candidate(connection, recipe)
    if candidate is not None and not stale_collections(connection, [candidate.id]):
        return f"generation {candidate.id} is complete"
    if retired_indexes(connection) or retired_chunkings(connection):
        return "a retired generation is left to be purged"
    return None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a generation is; each pair counts what is done and what there is."""

    contents: tuple[int, int]
    vectors: tuple[int, int]
    collections: tuple[int, int]


def progress_of(connection: sa.Connection, generation: Generation) -> Progress:
    """How far a generation is. The vectors of what is not split yet are not known."""
    known = list_collections(connection)
    split = sa.select(chunked_contents.c.content_id).where(
        chunked_contents.c.chunking == generation.chunking
    )

    def count(statement: AnySelect) -> int:
        counted = sa.select(sa.func.count()).select_from(statement.subquery())
        return connection.execute(counted).scalar_one()

    wanted = [sa.select(wanted_contents(item.id).subquery().c[0].label("id")) for item in known]
    done = [ids.where(ids.selected_columns.id.in_(split)) for ids in wanted]
    return Progress(
        (sum(map(count, done)), sum(map(count, wanted))),
        (
            sum(count(entries(generation.id, collection.id)) for collection in known),
            sum(count(wanted_vectors(generation, collection.id)) for collection in known),
        ),
        (len(known) - len(stale_collections(connection, [generation.id])), len(known)),
    )


def retired_indexes(connection: sa.Connection) -> list[tuple[int, int, str]]:
    """Indexes that nobody reads any more: generation, collection and name in Chroma."""
    rows = connection.execute(
        sa.select(
            generation_collections.c.generation_id,
            generation_collections.c.collection_id,
            generation_collections.c.chroma_name,
        )
        .join_from(generation_collections, generations)
        .where(generations.c.state.in_(RETIRED))
        .order_by(generation_collections.c.generation_id, generation_collections.c.collection_id)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def retired_chunkings(connection: sa.Connection) -> list[str]:
    """Chunkings of which the ledger has chunks though no live generation needs them."""
    live = {generation.chunking for generation in live_generations(connection)}
    if not live:
        return []
    rows = connection.execute(
        sa.select(chunked_contents.c.chunking)
        .where(chunked_contents.c.chunking.not_in(sorted(live)))
        .distinct()
    )
    return sorted(rows.scalars())
