"""Reconciliation of a generation's index of one collection: Chroma and the keywords' terms."""

import math
import time
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from rag_platform.embedding.blocks import VectorsLost, read_vectors
from rag_platform.errors import IndexMissing
from rag_platform.index.chroma import BATCH, Chroma
from rag_platform.index.lost_vectors import forget_block
from rag_platform.index.terms import analyse
from rag_platform.ledger import Ledger
from rag_platform.ledger.backlog import Backlog, backlog
from rag_platform.ledger.entries import (
    add_entries,
    complete_contents,
    entries,
    mark_current,
    missing_vectors,
    remove_entries,
    surplus_vectors,
    wanted_vectors,
)
from rag_platform.ledger.generations import (
    Generation,
    IndexedCollection,
    ensure_indexed_collection,
    find_generation,
    index_of,
)
from rag_platform.ledger.promotion import RETIRED
from rag_platform.ledger.serving import current_serving
from rag_platform.ledger.statements import in_batches
from rag_platform.ledger.transitions import publish
from rag_platform.objects import Objects

CHEAP = 5000
"""An index of so many ids or fewer is compared id by id every time: that is one request."""

_ROUNDS = 5
"""How often a reconciliation starts over because something changed under it."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one reconciliation did."""

    added: int = 0
    removed: int = 0
    repaired: int = 0
    """Entries that the ledger and Chroma did not agree on."""
    published: int = 0
    """Documents that readers see now."""
    vectors: int = 0
    current: bool = False
    """Whether the index was proved to hold exactly what the ledger wants."""
    left: str = ""
    """What remains to be done, as a sentence; empty where nothing does."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What comparing an index with the ledger gave."""

    current: bool
    vectors: int
    lacking: Backlog


def reconcile_index(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    generation: Generation,
    collection_id: int,
    *,
    until: float = math.inf,
) -> IndexReport:
    """Make the index hold exactly the current chunks, and prove it.

    No batch but the first of its kind is begun after ``until``, a time of ``time.monotonic()``;
    then short documents come before long ones. What is left, another reconciliation does.

    Every batch is committed after Chroma acknowledged it. A kill leaves either vectors without
    an entry, which are adopted or removed, or nothing. A document becomes readable in the same
    transaction that notes its last vector.
    """
    with ledger.write() as connection:
        row = find_generation(connection, generation.id)
        if row is not None and row.state in RETIRED:
            return IndexReport()  # since the run began
        ensure_indexed_collection(connection, generation.id, collection_id)
    missing: IndexMissing | None = None
    for _ in range(_ROUNDS):
        name = _index(ledger, generation.id, collection_id).chroma_name
        try:
            return _reconcile(ledger, objects, chroma, generation, collection_id, name, until)
        except IndexMissing as error:  # lost in the meantime, or replaced by a rebuild
            missing = error
    assert missing is not None
    raise missing


def _reconcile(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    generation: Generation,
    collection_id: int,
    name: str,
    until: float,
) -> IndexReport:
    chroma.ensure(name)
    repaired = repair_entries(ledger, chroma, generation, collection_id)
    added = removed = published = 0
    rounds = 0
    while True:
        rounds += 1
        analyse(ledger, generation, collection_id, until=until)
        filled, seen = _fill(ledger, objects, chroma, generation, collection_id, name, until)
        added += filled
        published += seen
        while True:
            with ledger.read() as connection:
                ids = surplus_vectors(connection, generation, collection_id, BATCH)
            if not ids:
                break
            chroma.delete(name, ids)
            with ledger.write() as connection:
                require_index(connection, generation.id, collection_id, name)
                remove_entries(connection, generation.id, collection_id, ids)
            removed += len(ids)
            if time.monotonic() >= until:
                break
        proof = prove(ledger, generation, collection_id)
        # Another stage's work is not made here, however often it is looked for.
        others = proof.lacking.unchunked or proof.lacking.unembedded
        if proof.current or others or rounds == _ROUNDS or time.monotonic() >= until:
            break
    return IndexReport(
        added,
        removed,
        repaired,
        published,
        proof.vectors,
        proof.current,
        proof.lacking.sentence,
    )


def _fill(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    generation: Generation,
    collection_id: int,
    name: str,
    until: float,
) -> tuple[int, int]:
    """Add what is missing; how many vectors, and how many documents readers see since."""
    dimension: int = generation.spec["encoder"]["dimension"]
    added = published = 0
    while True:
        # Looked for once and not for each batch: that would take the square of their number.
        with ledger.read() as connection:
            missing = missing_vectors(connection, generation, collection_id)
        for ids in in_batches(missing, BATCH):
            with ledger.read() as connection:
                try:
                    found, block = read_vectors(connection, objects, ids, dimension), None
                except VectorsLost as lost:
                    found, block = {}, lost.block
            if block is not None:
                forget_block(ledger, block)
                break  # and look again
            if found:
                chroma.add(name, list(found), np.stack(list(found.values())))
            with ledger.write() as connection:
                require_index(connection, generation.id, collection_id, name)
                if found:
                    add_entries(connection, generation.id, collection_id, list(found))
                published += _publish(connection, generation, collection_id)
            added += len(found)
            if time.monotonic() >= until:
                return added, published
        else:
            break
    if not missing:
        with ledger.write() as connection:
            require_index(connection, generation.id, collection_id, name)
            published += _publish(connection, generation, collection_id)
    return added, published


def repair_entries(
    ledger: Ledger,
    chroma: Chroma,
    generation: Generation,
    collection_id: int,
    *,
    full: bool = False,
) -> int:
    """Make the ledger's entries agree with Chroma's ids; returns how many differed.

    The ids of a large index are compared only where the counts differ, or when ``full``. Vectors
    that Chroma lost lose their entry and are added again; vectors without an entry are adopted
    where they are wanted and deleted where not.
    """
    name = _index(ledger, generation.id, collection_id).chroma_name
    with ledger.read() as connection:
        held = set(connection.execute(entries(generation.id, collection_id)).scalars())
    if not full and len(held) > CHEAP and chroma.count(name) == len(held):
        return 0
    present = set(chroma.ids(name))
    lost, unknown = held - present, present - held
    with ledger.read() as connection:
        wanted = set(connection.execute(wanted_vectors(generation, collection_id)).scalars())
    adopted = sorted(unknown & wanted)
    chroma.delete(name, sorted(unknown - wanted))
    if lost or adopted:
        with ledger.write() as connection:
            remove_entries(connection, generation.id, collection_id, sorted(lost))
            if adopted:
                add_entries(connection, generation.id, collection_id, adopted)
    return len(lost) + len(unknown)


def _publish(connection: sa.Connection, generation: Generation, collection_id: int) -> int:
    """Only the generation that serves decides what readers see."""
    now = current_serving(connection)
    if now is None or now.generation.id != generation.id:
        return 0
    complete = complete_contents(connection, generation, collection_id)
    return publish(connection, collection_id, complete) if complete else 0


def prove(ledger: Ledger, generation: Generation, collection_id: int) -> Proof:
    """Compare everything in one transaction; note the revision that it proves."""
    with ledger.read() as connection:
        seen = index_of(connection, generation.id, collection_id)
        lacking = backlog(connection, generation, collection_id)
        held = len(connection.execute(entries(generation.id, collection_id)).all())
    if lacking:
        return Proof(False, held, lacking)
    with ledger.write() as connection:
        counted = mark_current(
            connection,
            generation.id,
            collection_id,
            revision=seen.revision,
            entries_revision=seen.entries_revision,
            vectors=held,
        )
        now = index_of(connection, generation.id, collection_id)
    return Proof(counted and now.is_current, held, lacking)


def require_index(
    connection: sa.Connection, generation_id: int, collection_id: int, name: str
) -> None:
    """What was written to an index that a rebuild replaced meanwhile must not be noted."""
    if index_of(connection, generation_id, collection_id).chroma_name != name:
        raise IndexMissing(f"The index {name} was replaced by a rebuild.", "Try again.")


def _index(ledger: Ledger, generation_id: int, collection_id: int) -> IndexedCollection:
    with ledger.read() as connection:
        return index_of(connection, generation_id, collection_id)
