"""Reconciliation of a generation's index of one collection: Chroma and the keywords' terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from rag_platform.embedding.blocks import VectorsLost, read_vectors
from rag_platform.embedding.header import header_of
from rag_platform.errors import Conflict, IndexMissing
from rag_platform.index.analysis import pack
from rag_platform.index.chroma import BATCH, Chroma
from rag_platform.ledger import Ledger
from rag_platform.ledger.documents import is_wanted
from rag_platform.ledger.entries import (
    add_entries,
    backlog,
    complete_contents,
    entries,
    expected_vectors,
    mark_current,
    missing_vectors,
    remove_entries,
    surplus_vectors,
)
from rag_platform.ledger.generations import (
    Generation,
    IndexedCollection,
    ensure_indexed_collection,
    find_generation,
    indexed_collections,
)
from rag_platform.ledger.promotion import RETIRED
from rag_platform.ledger.serving import current_serving
from rag_platform.ledger.statements import AnyRow, fetch_in, insert_ignore
from rag_platform.ledger.tables import (
    chunk_terms,
    chunk_vectors,
    chunks,
    contents,
    index_entries,
    vectors,
)
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


def reconcile_index(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    generation: Generation,
    collection_id: int,
) -> IndexReport:
    """Make the index hold exactly the current chunks, and prove it.

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
            return _reconcile(ledger, objects, chroma, generation, collection_id, name)
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
) -> IndexReport:
    dimension: int = generation.spec["encoder"]["dimension"]
    chroma.ensure(name)
    repaired = repair_entries(ledger, chroma, generation, collection_id)
    added = removed = published = total = 0
    current = False
    for _ in range(_ROUNDS):
        analyse(ledger, generation, collection_id)
        while True:
            with ledger.read() as connection:
                ids = missing_vectors(connection, generation, collection_id, BATCH)
                try:
                    found, block = read_vectors(connection, objects, ids, dimension), None
                except VectorsLost as lost:
                    found, block = {}, lost.block
            if block is not None:
                forget_block(ledger, block)
                continue
            if ids:
                chroma.add(name, list(found), np.stack(list(found.values())))
            with ledger.write() as connection:
                require_index(connection, generation.id, collection_id, name)
                if ids:
                    add_entries(connection, generation.id, collection_id, list(found))
                published += _publish(connection, generation, collection_id)
            added += len(ids)
            if len(ids) < BATCH:
                break
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
        current, total = prove(ledger, generation, collection_id)
        if current:
            break
    return IndexReport(added, removed, repaired, published, total, current)


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
        wanted = set(connection.execute(expected_vectors(generation, collection_id)).scalars())
    adopted = sorted(unknown & wanted)
    chroma.delete(name, sorted(unknown - wanted))
    if lost or adopted:
        with ledger.write() as connection:
            remove_entries(connection, generation.id, collection_id, sorted(lost))
            if adopted:
                add_entries(connection, generation.id, collection_id, adopted)
    return len(lost) + len(unknown)


def analyse(
    ledger: Ledger, generation: Generation, collection_id: int, content_id: str | None = None
) -> int:
    """Store the term counts of every chunk of the collection, or of one content.

    Returns how many chunks were counted.
    """
    analysed = sa.exists().where(
        chunk_terms.c.chunk_id == chunks.c.id, chunk_terms.c.analysis == generation.analysis
    )
    statement = (
        sa.select(*chunks.c["id", "text", "heading_path", "table_columns"], contents.c.title)
        .join_from(chunks, contents)
        .where(
            chunks.c.chunking == generation.chunking,
            is_wanted(chunks.c.content_id, collection_id, content_id),
            ~analysed,
        )
        .limit(BATCH)
    )
    done = 0
    while True:
        with ledger.read() as connection:
            rows = connection.execute(statement).all()
        if not rows:
            return done
        counted = [{**_terms_of(generation, row), "analysis": generation.analysis} for row in rows]
        with ledger.write() as connection:
            connection.execute(insert_ignore(connection, chunk_terms), counted)
        done += len(rows)


def forget_block(ledger: Ledger, block: str) -> None:
    """Forget the vectors of a lost block everywhere, so that they are embedded again."""
    with ledger.write() as connection:
        ids = list(
            connection.execute(sa.select(vectors.c.id).where(vectors.c.block == block)).scalars()
        )
        everywhere = {
            (row.generation_id, row.collection_id): None
            for row in fetch_in(
                connection,
                sa.select(index_entries.c.generation_id, index_entries.c.collection_id),
                index_entries.c.vector_id,
                ids,
            )
        }
        for generation_id, collection_id in everywhere:
            remove_entries(connection, generation_id, collection_id, ids)
        for start in range(0, len(ids), 500):
            batch = ids[start : start + 500]
            connection.execute(sa.delete(chunk_vectors).where(chunk_vectors.c.vector_id.in_(batch)))
            connection.execute(sa.delete(vectors).where(vectors.c.id.in_(batch)))


def _terms_of(generation: Generation, row: AnyRow) -> dict[str, Any]:
    template = generation.spec["header"]
    header = header_of(template, row.title, row.heading_path, row.table_columns)
    return {"chunk_id": row.id, "terms": pack(f"{header}\n{row.text}")}


def _publish(connection: sa.Connection, generation: Generation, collection_id: int) -> int:
    """Only the generation that serves decides what readers see."""
    now = current_serving(connection)
    if now is None or now.generation.id != generation.id:
        return 0
    complete = complete_contents(connection, generation, collection_id)
    return publish(connection, collection_id, complete) if complete else 0


def prove(ledger: Ledger, generation: Generation, collection_id: int) -> tuple[bool, int]:
    """Compare everything in one transaction; note the revision that it proves."""
    with ledger.read() as connection:
        seen = index_of(connection, generation.id, collection_id)
        lacking = backlog(connection, generation, collection_id)
        held = len(connection.execute(entries(generation.id, collection_id)).all())
    if lacking:
        return False, held
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
    return counted and now.is_current, held


def require_index(
    connection: sa.Connection, generation_id: int, collection_id: int, name: str
) -> None:
    """What was written to an index that a rebuild replaced meanwhile must not be noted."""
    if index_of(connection, generation_id, collection_id).chroma_name != name:
        raise IndexMissing(f"The index {name} was replaced by a rebuild.", "Try again.")


def _index(ledger: Ledger, generation_id: int, collection_id: int) -> IndexedCollection:
    with ledger.read() as connection:
        return index_of(connection, generation_id, collection_id)


def index_of(
    connection: sa.Connection, generation_id: int, collection_id: int
) -> IndexedCollection:
    """A generation's index of a collection, as this transaction sees it."""
    rows: Sequence[IndexedCollection] = indexed_collections(connection, [generation_id])
    for row in rows:
        if row.collection_id == collection_id:
            return row
    raise Conflict(f"Generation {generation_id} was retired.", "The next run goes on without it.")
