"""One changed document's way into a generation's index, whatever the size of its collection."""

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from rag_platform.embedding.blocks import read_vectors
from rag_platform.index.chroma import BATCH, Chroma
from rag_platform.index.stage import CHEAP, IndexReport, prove, require_index
from rag_platform.index.terms import analyse
from rag_platform.ledger import Ledger
from rag_platform.ledger.deltas import document_state, only_changed, surplus_of_content
from rag_platform.ledger.entries import (
    add_entries,
    complete_contents,
    mark_current,
    missing_vectors,
    remove_entries,
)
from rag_platform.ledger.generations import Generation, IndexedCollection, index_of
from rag_platform.ledger.serving import current_serving
from rag_platform.ledger.transitions import publish
from rag_platform.objects import Objects


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one document since somebody looked at its collection's indexes."""

    collection_id: int
    document_id: int
    before: str | None
    """The content that readers saw."""
    after: str | None
    """The content that the bucket holds; None where it cannot be read."""
    revisions: frozenset[int]
    """The revisions of the collection that this change made."""


class Admission:
    """Brings one change into one index.

    ``base`` is the index as it was before the change. If it was proved then, and nothing but this
    change came since, it is proved again at the end by what this change did; a small index is
    compared whole otherwise, and a large one is left to the next run.
    """

    def __init__(
        self,
        ledger: Ledger,
        objects: Objects,
        chroma: Chroma,
        generation: Generation,
        base: IndexedCollection,
        change: Change,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._chroma = chroma
        self._generation = generation
        self._base = base
        self._change = change
        self._own = set(change.revisions)
        self._writes = 0
        self._added = self._removed = self._published = 0

    def add(self) -> frozenset[int]:
        """Add what is missing, and let readers see the document if this generation serves.

        Returns the revisions that the change has made until now. Raises :class:`Unavailable`.
        """
        self._chroma.ensure(self._base.chroma_name)
        after = self._change.after
        if after is not None:
            analyse(self._ledger, self._generation, self._change.collection_id, after)
            while self._add_batch(after) == BATCH:
                pass
        return frozenset(self._own)

    def settle(self, revisions: frozenset[int]) -> IndexReport:
        """Remove what is surplus now, and prove the index; ``revisions`` are the change's."""
        self._own |= revisions
        before = self._change.before
        if before is not None and before != self._change.after:
            self._remove(before)
        with self._ledger.write() as connection:
            current = self._prove(connection)
        held = self._base.vectors + self._added - self._removed
        if not current and held <= CHEAP:
            proof = prove(self._ledger, self._generation, self._change.collection_id)
            current, held = proof.current, proof.vectors
        return IndexReport(self._added, self._removed, 0, self._published, held, current)

    def _add_batch(self, content_id: str) -> int:
        generation, collection_id = self._generation, self._change.collection_id
        dimension: int = generation.spec["encoder"]["dimension"]
        with self._ledger.read() as connection:
            ids = missing_vectors(connection, generation, collection_id, BATCH, content_id)
            found = read_vectors(connection, self._objects, ids, dimension)
        if ids:
            self._chroma.add(self._base.chroma_name, list(found), np.stack(list(found.values())))
        with self._ledger.write() as connection:
            require_index(connection, generation.id, collection_id, self._base.chroma_name)
            if ids:
                add_entries(connection, generation.id, collection_id, list(found))
                self._writes += 1
            self._publish(connection, content_id)
        self._added += len(ids)
        return len(ids)

    def _publish(self, connection: sa.Connection, content_id: str) -> None:
        generation, collection_id = self._generation, self._change.collection_id
        serving = current_serving(connection)
        if serving is None or serving.generation.id != generation.id:
            return
        if complete_contents(connection, generation, collection_id, content_id):
            published = publish(connection, collection_id, [content_id])
            if published:
                self._own.add(document_state(connection, self._change.document_id).revision)
            self._published += published

    def _remove(self, content_id: str) -> None:
        generation, collection_id = self._generation, self._change.collection_id
        with self._ledger.read() as connection:
            ids = surplus_of_content(connection, generation, collection_id, content_id)
        if not ids:
            return
        self._chroma.delete(self._base.chroma_name, ids)
        with self._ledger.write() as connection:
            require_index(connection, generation.id, collection_id, self._base.chroma_name)
            remove_entries(connection, generation.id, collection_id, ids)
        self._writes += 1
        self._removed += len(ids)

    def _prove(self, connection: sa.Connection) -> bool:
        """By induction: it held what it should, and this change was all that came since."""
        generation, change, base = self._generation, self._change, self._base
        now = index_of(connection, generation.id, change.collection_id)
        if (
            base.indexed_revision < 0
            or now.chroma_name != base.chroma_name
            or now.entries_revision != base.entries_revision + self._writes
        ):
            return False
        if change.after is not None and not complete_contents(
            connection, generation, change.collection_id, change.after
        ):
            return False
        if change.before is not None and surplus_of_content(
            connection, generation, change.collection_id, change.before
        ):
            return False
        return only_changed(
            connection,
            change.collection_id,
            change.document_id,
            since=base.indexed_revision,
            until=now.revision,
            own=self._own,
        ) and mark_current(
            connection,
            generation.id,
            change.collection_id,
            revision=now.revision,
            entries_revision=now.entries_revision,
            vectors=base.vectors + self._added - self._removed,
        )
