"""Building an index anew in Chroma, from the stored vectors, beside the one that serves."""

import secrets
from collections.abc import Iterator

import numpy as np
import sqlalchemy as sa

from rag_platform.embedding.blocks import VectorsLost, read_vectors
from rag_platform.errors import Conflict
from rag_platform.index.chroma import BATCH, Chroma
from rag_platform.index.lost_vectors import forget_block
from rag_platform.index.stage import reconcile_index
from rag_platform.ledger import Ledger
from rag_platform.ledger.blocks import stored_order
from rag_platform.ledger.entries import (
    add_entries,
    entries,
    expected_vectors,
    remove_entries,
)
from rag_platform.ledger.generations import Generation, IndexedCollection, indexed_collections
from rag_platform.ledger.serving import live_generations
from rag_platform.ledger.statements import in_batches
from rag_platform.ledger.tables import generation_collections
from rag_platform.objects import Objects


def rebuild(ledger: Ledger, objects: Objects, chroma: Chroma) -> Iterator[tuple[str, int]]:
    """Rebuild every live index; yields each new Chroma collection and its number of vectors.

    Readers follow the old one until the new one is whole, then one update switches them. This is
    also the way to compact: deleted vectors stay on Chroma's disk.
    """
    with ledger.read() as connection:
        generations = {g.id: g for g in live_generations(connection)}
        indexes = indexed_collections(connection, list(generations))
    for index in indexes:
        yield rebuild_index(ledger, objects, chroma, generations[index.generation_id], index)


def rebuild_index(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    generation: Generation,
    index: IndexedCollection,
) -> tuple[str, int]:
    """Rebuild one index; returns its new name in Chroma and its number of vectors."""
    # A name of its own: another rebuild at the same time must not fill this one.
    stem = f"generation-{generation.id}-collection-{index.collection_id}-"
    name = f"{stem}{secrets.token_hex(4)}"
    chroma.ensure(name)
    held: set[str] = set()
    while not _switch(ledger, generation, index, name, held):
        held |= _fill(ledger, objects, chroma, generation, index, name, held)
    _drop_leftovers(ledger, chroma, generation, index.collection_id, stem)
    # What changed while the new one was filled is brought over, and the whole is proved.
    reconcile_index(ledger, objects, chroma, generation, index.collection_id)
    return name, len(held)


def _drop_leftovers(
    ledger: Ledger, chroma: Chroma, generation: Generation, collection_id: int, stem: str
) -> None:
    """Drop what nobody follows any more: the old index, and what a killed rebuild left.

    The names come first and the one in use last: one that came into use in between is kept.
    """
    candidates = [name for name in chroma.names() if name.startswith(stem)]
    with ledger.read() as connection:
        in_use = {
            item.chroma_name
            for item in indexed_collections(connection, [generation.id])
            if item.collection_id == collection_id
        }
    for name in candidates:
        if name not in in_use:
            chroma.drop(name)


def _fill(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    generation: Generation,
    index: IndexedCollection,
    name: str,
    held: set[str],
) -> set[str]:
    """Add the vectors that the new index lacks; returns their ids."""
    dimension: int = generation.spec["encoder"]["dimension"]
    added: set[str] = set()
    wanted = stored_order(expected_vectors(generation, index.collection_id).subquery())
    while True:
        # Once, in the order of the stored arrays: for each batch it would take the square of
        # their number, and in the order of the ids nearly every array would be read for it.
        with ledger.read() as connection:
            ids = list(connection.execute(wanted).scalars())
        lacking = [one for one in ids if one not in held and one not in added]
        for batch in in_batches(lacking, BATCH):
            with ledger.read() as connection:
                try:
                    found, block = read_vectors(connection, objects, batch, dimension), None
                except VectorsLost as lost:
                    found, block = {}, lost.block
            if block is not None:
                forget_block(ledger, block)  # the next ingestion embeds them again
                break  # and look again
            if found:
                chroma.add(name, list(found), np.stack(list(found.values())))
                added |= found.keys()
        else:
            return added


def _switch(
    ledger: Ledger, generation: Generation, index: IndexedCollection, name: str, held: set[str]
) -> bool:
    """Let readers follow the new index if it holds all that they may find."""
    with ledger.write() as connection:
        wanted = set(
            connection.execute(expected_vectors(generation, index.collection_id)).scalars()
        )
        if not wanted <= held:
            return False
        old = set(connection.execute(entries(generation.id, index.collection_id)).scalars())
        # What is noted already stays: writing all anew would hold the ledger for seconds.
        remove_entries(connection, generation.id, index.collection_id, sorted(old - held))
        if fresh := sorted(held - old):
            add_entries(connection, generation.id, index.collection_id, fresh)
        changed = connection.execute(
            sa.update(generation_collections)
            .where(
                generation_collections.c.generation_id == generation.id,
                generation_collections.c.collection_id == index.collection_id,
                generation_collections.c.chroma_name == index.chroma_name,
            )
            .values(chroma_name=name)
        )
        if changed.rowcount != 1:
            raise Conflict(f"The index of {index.collection!r} was rebuilt by somebody else.")
    return True
