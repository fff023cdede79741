"""BM25 over one collection of one generation, in memory, current with the ledger.

The postings are built from the term counts that the ledger stores for each chunk, and follow the
ledger by its revisions: only changed documents are read again. Statistics count exactly the chunks
that readers see, so a candidate generation or a deleted document changes nobody's scores, and the
scores are equal whatever the database.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from rag_platform.index.analysis import TermIds, term_ids, terms, unpack
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import fetch_in
from rag_platform.ledger.tables import chunk_terms, chunked_contents, chunks, collections, documents

K1 = 1.2
B = 0.75
_MAX_SEGMENTS = 8


@dataclass(frozen=True, eq=False)
class _Segment:
    """Postings of some chunks, in CSR form: a term's rows are rows[starts[t]:starts[t + 1]]."""

    chunk_ids: list[str]
    contents: list[str]
    lengths: npt.NDArray[np.float32]
    alive: npt.NDArray[np.bool_]
    vocabulary: TermIds
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    counts: npt.NDArray[np.uint16]

    def postings(self, term: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint16]]:
        """The living rows that hold a term, and how often."""
        at = int(np.searchsorted(self.vocabulary, np.uint64(term)))
        if at == len(self.vocabulary) or self.vocabulary[at] != term:
            return self.rows[:0], self.counts[:0]
        part = slice(self.starts[at], self.starts[at + 1])
        rows, counts = self.rows[part], self.counts[part]
        if self.alive.all():
            return rows, counts
        living = self.alive[rows]
        return rows[living], counts[living]

    def living(self) -> set[str]:
        """The contents that can be found."""
        return {content for content, alive in zip(self.contents, self.alive, strict=True) if alive}


@dataclass(frozen=True)
class _State:
    revision: int = -1
    segments: tuple[_Segment, ...] = ()
    readers: dict[int, str] = field(default_factory=dict[int, str])
    """The content that readers see, by document id."""
    loaded: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    """Contents that are wanted but whose terms are not stored yet."""


class KeywordIndex:
    """BM25 over one collection of one generation. Searches and refreshes may run in any thread."""

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
        return sum(int(segment.alive.sum()) for segment in self._state.segments)

    def chunk_ids(self) -> set[str]:
        """The ids of all chunks that can be found."""
        return {
            chunk
            for segment in self._state.segments
            for chunk, alive in zip(segment.chunk_ids, segment.alive, strict=True)
            if alive
        }

    def refresh(self, connection: sa.Connection) -> None:
        """Catch up with the ledger as this connection's transaction sees it."""
        with self._refreshing:
            self._state = self._next_state(connection, self._state)

    def search(self, question: str, n: int) -> list[tuple[str, float]]:
        """The ``n`` best chunk ids with their BM25 score, best first; ties by id."""
        return search([self], question, n)

    @property
    def segments(self) -> tuple[_Segment, ...]:
        """The postings, as they are now."""
        return self._state.segments

    def _next_state(self, connection: sa.Connection, old: _State) -> _State:
        revision = connection.execute(
            sa.select(collections.c.revision).where(collections.c.id == self.collection_id)
        ).scalar_one()
        if revision == old.revision and not old.late:
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
            segments = tuple(_without(segment, gone) for segment in segments)
        segment, ready = self._load(connection, missing)
        if segment is not None:
            segments = (*segments, segment)
        loaded = (old.loaded - gone) | ready
        if _mostly_dead(segments):
            merged, loaded = self._load(connection, wanted)
            segments = () if merged is None else (merged,)
        elif len(segments) > _MAX_SEGMENTS:
            small = _small(segments)
            held = {content for segment in small for content in segment.living()}
            merged, ready = self._load(connection, held)
            loaded = (loaded - held) | ready
            segments = tuple(segment for segment in segments if segment not in small)
            segments = segments if merged is None else (*segments, merged)
        return _State(revision, segments, readers, frozenset(loaded), frozenset(wanted - loaded))

    def _load(
        self, connection: sa.Connection, content_ids: set[str]
    ) -> tuple[_Segment | None, set[str]]:
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
            sa.select(chunks.c.content_id, chunks.c.id, chunk_terms.c.terms)
            .join_from(chunks, chunk_terms)
            .where(
                chunks.c.chunking == self.generation.chunking,
                chunk_terms.c.analysis == self.generation.analysis,
            )
        )
        found: dict[str, list[tuple[str, bytes]]] = {}
        for row in fetch_in(connection, statement, chunks.c.content_id, sorted(chunked)):
            found.setdefault(row.content_id, []).append((row.id, row.terms))
        ready = {content for content, n in chunked.items() if len(found.get(content, ())) == n}
        rows = [(content, *item) for content in sorted(ready) for item in found.get(content, ())]
        return (_segment(rows) if rows else None), ready


def search(indexes: Sequence[KeywordIndex], question: str, n: int) -> list[tuple[str, float]]:
    """The ``n`` best chunk ids of several collections with their BM25 score; ties by id.

    The statistics are those of all of them together: scores that each collection reckoned with
    its own could not be compared, and a word would count for little where a collection is small.
    """
    segments = tuple(segment for index in indexes for segment in index.segments)
    living = sum(int(segment.alive.sum()) for segment in segments)
    wanted = dict.fromkeys(term_ids(terms(question)))
    if not living or not wanted or n < 1:
        return []
    total = sum(float(s.lengths[s.alive].sum()) for s in segments)
    mean_length = max(total / living, 1e-9)
    scores = [np.zeros(len(segment.chunk_ids), dtype=np.float64) for segment in segments]
    for term in wanted:
        postings = [segment.postings(term) for segment in segments]
        frequency = sum(len(rows) for rows, _ in postings)
        if not frequency:
            continue
        idf = np.log1p((living - frequency + 0.5) / (frequency + 0.5))
        for segment, (rows, counts), score in zip(segments, postings, scores, strict=True):
            norm = K1 * (1 - B + B * segment.lengths[rows] / mean_length)
            score[rows] += idf * counts * (K1 + 1) / (counts + norm)
    return _best(segments, scores, n)


def _segment(rows: list[tuple[str, str, bytes]]) -> _Segment:
    unpacked = [unpack(packed) for _, _, packed in rows]
    sizes = [len(ids) for ids, _ in unpacked]
    ids = np.concatenate([ids for ids, _ in unpacked])
    counts = np.concatenate([counts for _, counts in unpacked])
    order = np.argsort(ids, kind="stable")
    vocabulary, starts = np.unique(ids[order], return_index=True)
    return _Segment(
        chunk_ids=[chunk for _, chunk, _ in rows],
        contents=[content for content, _, _ in rows],
        lengths=np.array([counts.sum() for _, counts in unpacked], dtype=np.float32),
        alive=np.ones(len(rows), dtype=np.bool_),
        vocabulary=vocabulary,
        starts=np.append(starts, len(ids)).astype(np.int64),
        rows=np.repeat(np.arange(len(rows), dtype=np.int32), sizes)[order],
        counts=counts[order],
    )


def _without(segment: _Segment, contents: set[str] | frozenset[str]) -> _Segment:
    dead = np.array([content in contents for content in segment.contents], dtype=np.bool_)
    if not (dead & segment.alive).any():
        return segment
    values: dict[str, Any] = {**segment.__dict__, "alive": segment.alive & ~dead}
    return _Segment(**values)


def _small(segments: tuple[_Segment, ...]) -> list[_Segment]:
    """The segments to merge: those that are not much larger than all smaller ones together.

    So a chunk is merged about as often as its segment doubles, and one new document does not have
    a whole collection's postings built again.
    """
    ordered = sorted(segments, key=lambda segment: len(segment.chunk_ids))
    small, size = ordered[:2], sum(len(segment.chunk_ids) for segment in ordered[:2])
    for segment in ordered[2:]:
        if len(segment.chunk_ids) > 2 * size:
            break
        small.append(segment)
        size += len(segment.chunk_ids)
    return small


def _mostly_dead(segments: tuple[_Segment, ...]) -> bool:
    rows = sum(len(segment.chunk_ids) for segment in segments)
    living = sum(int(segment.alive.sum()) for segment in segments)
    return rows > 1000 and living < 0.7 * rows


def _best(
    segments: tuple[_Segment, ...], scores: list[npt.NDArray[np.float64]], n: int
) -> list[tuple[str, float]]:
    every = np.concatenate(scores)
    hits = np.flatnonzero(every)
    if len(hits) > n:
        # Everything as good as the n-th stays until ties are settled by id.
        bound = np.partition(every[hits], len(hits) - n)[len(hits) - n]
        hits = hits[every[hits] >= bound]
    names: list[tuple[str, float]] = []
    offset = 0
    for segment in segments:
        size = len(segment.chunk_ids)
        inside = hits[(hits >= offset) & (hits < offset + size)]
        names += [(segment.chunk_ids[row - offset], float(every[row])) for row in inside]
        offset += size
    return sorted(names, key=lambda item: (-item[1], item[0]))[:n]
