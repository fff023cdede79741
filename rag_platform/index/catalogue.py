"""What readers can find in one collection of one generation, in memory, current with the ledger.

It is built from what the ledger stores of each chunk, and follows the ledger by its revisions: only
changed documents are read again. It holds exactly the chunks that readers see, so a candidate
generation or a deleted document changes nobody's scores, and they are equal whatever the database.
"""

import threading
from dataclasses import dataclass, field

import sqlalchemy as sa

from rag_platform.index.postings import Analysed, Segment, segment_of
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import fetch_in
from rag_platform.ledger.tables import (
    chunk_terms,
    chunk_vectors,
    chunked_contents,
    chunks,
    collections,
    documents,
)

_MAX_SEGMENTS = 8


@dataclass(frozen=True)
class _State:
    revision: int = -1
    segments: tuple[Segment, ...] = ()
    readers: dict[int, str] = field(default_factory=dict[int, str])
    """The content that readers see, by document id."""
    loaded: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    """Contents that are wanted but whose terms are not stored yet."""


class Catalogue:
    """The chunks of one collection of one generation. Any thread may read and refresh it."""

    def __init__(self, generation: Generation, collection_id: int) -> None:
        self.generation = generation
        self.collection_id = collection_id
        self._state = _State()
        self._refreshing = threading.Lock()

    @property
    def revision(self) -> int:
        """The collection's revision that the index has reached."""
        return self._state.revision

    def __len__(self) -> int:
        return sum(segment.living for segment in self._state.segments)

    def chunk_ids(self) -> set[str]:
        """The ids of all chunks that can be found."""
        return {
            chunk
            for segment in self._state.segments
            for chunk, alive in zip(segment.chunk_ids, segment.alive, strict=True)
            if alive
        }

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What was there at the last refresh."""
        return self._state.segments

    @property
    def is_complete(self) -> bool:
        """Whether everything that readers see was there at the last refresh."""
        return not self._state.late

    def refresh(self, connection: sa.Connection) -> tuple[Segment, ...]:
        """Catch up with the ledger as this connection's transaction sees it; returns what is there.

        What is returned never changes, so a search that goes on with it sees one state.
        """
        with self._refreshing:
            self._state = self._next_state(connection, self._state)
            return self._state.segments

    def _next_state(self, connection: sa.Connection, old: _State) -> _State:
        revision = connection.execute(
            sa.select(collections.c.revision).where(collections.c.id == self.collection_id)
        ).scalar_one()
        if revision <= old.revision and not old.late:
            return old
        readers = dict(old.readers)
        changed = connection.execute(
            sa.select(documents.c.id, documents.c.state, documents.c.indexed_content_id).where(
                documents.c.collection_id == self.collection_id,
                documents.c.revision > old.revision,
            )
        )
        for row in changed:
            if row.indexed_content_id is None or row.state not in ("pending", "indexed"):
                readers.pop(row.id, None)
            else:
                readers[row.id] = row.indexed_content_id
        wanted = set(readers.values())
        gone = old.loaded - wanted
        missing = wanted - old.loaded
        segments = old.segments
        if gone:
            segments = tuple(segment.without(gone) for segment in segments)
        segment, ready = self._load(connection, missing)
        if segment is not None:
            segments = (*segments, segment)
        loaded = (old.loaded - gone) | ready
        if _mostly_dead(segments):
            merged, loaded = self._load(connection, wanted)
            segments = () if merged is None else (merged,)
        elif len(segments) > _MAX_SEGMENTS:
            small = _small(segments)
            held = {content for segment in small for content in segment.living_contents()}
            merged, ready = self._load(connection, held)
            loaded = (loaded - held) | ready
            segments = tuple(segment for segment in segments if segment not in small)
            segments = segments if merged is None else (*segments, merged)
        return _State(revision, segments, readers, frozenset(loaded), frozenset(wanted - loaded))

    def _load(
        self, connection: sa.Connection, content_ids: set[str]
    ) -> tuple[Segment | None, set[str]]:
        """One segment of the chunks of these contents, and the contents that are complete in it."""
        chunked = {
            row.content_id: row.chunks
            for row in fetch_in(
                connection,
                sa.select(chunked_contents.c.content_id, chunked_contents.c.chunks).where(
                    chunked_contents.c.chunking == self.generation.chunking
                ),
                chunked_contents.c.content_id,
                sorted(content_ids),
            )
        }
        statement = (
            sa.select(
                chunks.c.content_id,
                chunks.c.ordinal,
                chunks.c.id,
                chunk_terms.c.terms,
                chunk_vectors.c.vector_id,
            )
            .join_from(chunks, chunk_terms)
            .outerjoin(
                chunk_vectors,
                (chunk_vectors.c.chunk_id == chunks.c.id)
                & (chunk_vectors.c.embedding == self.generation.embedding),
            )
            .where(
                chunks.c.chunking == self.generation.chunking,
                chunk_terms.c.analysis == self.generation.analysis,
            )
        )
        found: dict[str, dict[str, Analysed]] = {}
        for row in fetch_in(connection, statement, chunks.c.content_id, sorted(chunked)):
            of_content = found.setdefault(row.content_id, {})
            vectors = [] if row.vector_id is None else [row.vector_id]
            if row.id in of_content:
                vectors = [*of_content[row.id].vector_ids, *vectors]
            of_content[row.id] = Analysed(row.content_id, row.ordinal, row.id, row.terms, vectors)
        ready = {content for content, n in chunked.items() if len(found.get(content, ())) == n}
        rows = [chunk for content in ready for chunk in found.get(content, {}).values()]
        return (segment_of(rows) if rows else None), ready


def _small(segments: tuple[Segment, ...]) -> list[Segment]:
    """The segments to merge: those that are not much larger than all smaller ones together.

    So a chunk is merged about as often as its segment doubles, and one new document does not have
    a whole collection's postings built again.
    """
    ordered = sorted(segments, key=lambda segment: len(segment))
    small, size = ordered[:2], sum(len(segment) for segment in ordered[:2])
    for segment in ordered[2:]:
        if len(segment) > 2 * size:
            break
        small.append(segment)
        size += len(segment)
    return small


def _mostly_dead(segments: tuple[Segment, ...]) -> bool:
    rows = sum(len(segment) for segment in segments)
    living = sum(segment.living for segment in segments)
    return rows > 1000 and living < 0.7 * rows
