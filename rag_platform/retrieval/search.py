"""The search: dense and keyword candidates, fused, and only what the ledger says is current."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rag_platform.embedding.blocks import read_vectors
from rag_platform.embedding.encoder import Vectors
from rag_platform.embedding.models import Encoders
from rag_platform.errors import IndexMissing
from rag_platform.index import bm25
from rag_platform.index.chroma import Chroma
from rag_platform.ledger import Ledger
from rag_platform.ledger.entries import entries
from rag_platform.ledger.filters import EVERYTHING, Filters, filtered_contents
from rag_platform.ledger.generations import IndexedCollection, indexed_collections
from rag_platform.ledger.passages import vectors_of_chunks
from rag_platform.objects import Objects
from rag_platform.retrieval.corpus import Corpus
from rag_platform.retrieval.fusion import fuse
from rag_platform.retrieval.passages import Passage, Readers
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.retrieval.view import View, Views

_MOST = 5000
"""The most neighbours that Chroma is asked for."""
_SCANNED = 2000
"""So many chunks or fewer are compared with the question one by one."""
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The passages of a question, best first, and what they were found with."""

    passages: tuple[Passage, ...]
    generation_id: int
    settings_version: int
    settings: RetrievalSettings
    collections: tuple[str, ...]
    timings_ms: dict[str, float]

    @property
    def is_relevant(self) -> bool:
        """Whether anything found is close enough to the question to answer from."""
        return any(
            (p.similarity or 0.0) >= self.settings.min_similarity
            or p.coverage >= self.settings.min_coverage
            for p in self.passages
        )


class Search:
    """Searches what serves. One instance serves many threads."""

    def __init__(
        self, ledger: Ledger, objects: Objects, chroma: Chroma, encoders: Encoders
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._chroma = chroma
        self.encoders = encoders
        self._views = Views(ledger)
        self._asking = ThreadPoolExecutor(16, thread_name_prefix="chroma")

    def __call__(
        self,
        question: str,
        collections: Sequence[str] | None = None,
        top_k: int | None = None,
        *,
        filters: Filters = EVERYTHING,
        settings: RetrievalSettings | None = None,
    ) -> SearchResult:
        """Search the named collections, or all of them, with the settings that serve or others.

        Raises :class:`NotFound` for an unknown collection and :class:`Unavailable` where Chroma
        or the model does not answer: a half of the search alone is never passed off as the whole.
        """
        clock = _Clock()
        question = clean_question(question)
        attempts = 0
        while True:
            attempts += 1
            view = self._views.current()
            asked = _Asked(
                question, view, view.names(collections), filters, settings or view.settings
            )
            passages, whole = self._search(asked, top_k or asked.settings.top_k, clock)
            if whole or attempts == _ATTEMPTS:
                break  # else a document changed under the search, and its new text is to be found
        return SearchResult(
            tuple(passages),
            view.serving.generation.id,
            view.serving.settings_version,
            asked.settings,
            asked.names,
            clock.laps,
        )

    def warm_up(self) -> None:
        """Load the model and the catalogues of what serves, so that no question waits."""
        self.encoders(self._views.current().serving.generation).encode_query("warm up")

    def _search(self, asked: "_Asked", wanted: int, clock: "_Clock") -> tuple[list[Passage], bool]:
        """The passages, and whether nothing that was found had changed meanwhile."""
        view, settings, corpus = asked.view, asked.settings, asked.corpus
        allowed = self._allowed(asked) if asked.filters else None
        clock.lap("ledger")
        n = max(settings.candidates, 2 * wanted)
        vector = self.encoders(view.serving.generation).encode_query(asked.question)
        clock.lap("encode")
        dense = self._dense(asked, vector, n, wanted, allowed)
        clock.lap("dense")
        scores = bm25.score(corpus.segments, asked.question, k1=settings.k1, b=settings.b)
        if allowed is not None:
            scores[~allowed] = 0.0
        keyword = asked.by_chunk(bm25.best(corpus.segments, scores, n))
        clock.lap("keyword")
        fused = fuse(
            dense,
            keyword,
            dense_weight=settings.dense_weight,
            neighbour_weight=settings.neighbour_weight,
            beside=asked.beside,
            name=corpus.chunk_id,
        )
        ids = [view.collections[name].id for name in asked.names]
        readers = Readers(view.serving.generation, ids, asked.filters)
        with self._ledger.read() as connection:
            found = readers.first(connection, corpus, fused, wanted, asked.question)
        clock.lap("fusion")
        return found

    def _allowed(self, asked: "_Asked") -> npt.NDArray[np.bool_]:
        ids = {asked.view.collections[name].id: name for name in asked.names}
        with self._ledger.read() as connection:
            contents = filtered_contents(connection, list(ids), asked.filters)
        return asked.corpus.allowed({ids[key]: value for key, value in contents.items()})

    def _dense(
        self,
        asked: "_Asked",
        vector: Vectors,
        n: int,
        wanted: int,
        allowed: npt.NDArray[np.bool_] | None,
    ) -> dict[int, float]:
        """The cosine of the ``n`` nearest chunks that may be found, by row.

        A filter that lets many pass is answered by the index, which is asked for more; one that
        lets few pass, by comparing them one by one. Both give the same.
        """
        corpus = asked.corpus
        if allowed is not None:
            few = int(allowed.sum())
            if few <= _SCANNED or n * len(corpus) > _MOST * few:
                return self._scan(asked, vector, n, np.flatnonzero(allowed).tolist())
            n_asked = n * len(corpus) // few
        else:
            n_asked = n
        enough = n if allowed is not None else wanted
        while True:
            near, exhausted = self._near(asked, vector[None, :], n_asked)
            rows = [
                (row, similarity)
                for name, vector_id, similarity in near
                for row in corpus.rows_of(name, vector_id)
                if allowed is None or allowed[row]
            ]
            found = asked.by_chunk(rows)
            if exhausted or len(found) >= enough:
                return dict(list(found.items())[:n])
            # What was just deleted or replaced is in Chroma for a moment and hides what is behind.
            n_asked *= 4

    def _scan(
        self, asked: "_Asked", vector: Vectors, n: int, rows: Sequence[int]
    ) -> dict[int, float]:
        generation = asked.view.serving.generation
        by_id = {asked.corpus.chunk_id(row): row for row in rows}
        with self._ledger.read() as connection:
            of_chunks = vectors_of_chunks(connection, generation, list(by_id))
            stored = read_vectors(connection, self._objects, of_chunks, len(vector))
        similarities = [
            (by_id[chunk_id], float(stored[vector_id] @ vector))
            for vector_id, chunk_ids in of_chunks.items()
            for chunk_id in chunk_ids
        ]
        similarities.sort(key=lambda hit: (-hit[1], asked.corpus.chunk_id(hit[0])))
        return dict(list(asked.by_chunk(similarities).items())[:n])

    def _near(
        self, asked: "_Asked", vectors: Vectors, n: int
    ) -> tuple[list[tuple[str, str, float]], bool]:
        """The ``n`` nearest vectors by cosine, nearest first, and whether there are no more.

        Each with its collection.
        """
        n = min(n, _MOST)
        indexes = [asked.view.indexes[name] for name in asked.names if name in asked.view.indexes]
        if len(indexes) == 1:
            hits = [self._nearest(indexes[0], vectors, n)]
        else:
            futures = [self._asking.submit(self._nearest, index, vectors, n) for index in indexes]
            hits = [future.result() for future in futures]
        near = [
            (index.collection, vector_id, 1.0 - distance)
            for index, found in zip(indexes, hits, strict=True)
            for vector_id, distance in found
        ]
        near.sort(key=lambda hit: (-hit[2], hit[1], hit[0]))
        exhausted = len(near) <= n and all(len(found) < n for found in hits)
        return near[:n], exhausted or n >= _MOST

    def _nearest(
        self, index: IndexedCollection, vectors: Vectors, n: int
    ) -> list[tuple[str, float]]:
        try:
            return self._chroma.query(index.chroma_name, vectors, n)[0]
        except IndexMissing:
            with self._ledger.read() as connection:
                now = _same(indexed_collections(connection, [index.generation_id]), index)
                held = entries(index.generation_id, index.collection_id).limit(1)
                empty = connection.execute(held).first() is None
            if empty:
                return []  # nothing was ever indexed there: empty, not lost
            # A rebuild may have switched, or somebody made the lost one anew: look once more.
            return self._chroma.query(now.chroma_name, vectors, n)[0]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with all that decides its answer."""

    question: str
    view: View
    names: tuple[str, ...]
    filters: Filters
    settings: RetrievalSettings
    corpus: Corpus = field(init=False)
    _rows: dict[str, int] = field(init=False, default_factory=dict[str, int])

    def __post_init__(self) -> None:
        segments = {name: self.view.segments[name] for name in self.names}
        object.__setattr__(self, "corpus", Corpus(segments))

    def by_chunk(self, hits: Sequence[tuple[int, float]]) -> dict[int, float]:
        """The best score of each chunk, by the first row that it was met at."""
        best: dict[int, float] = {}
        for row, score in hits:
            known = self._row(row)
            best[known] = max(score, best.get(known, score))
        return best

    def beside(self, row: int) -> list[int]:
        """The chunks beside one."""
        return [self._row(other) for other in self.corpus.beside(row)]

    def _row(self, row: int) -> int:
        """One row for a chunk that stands in several collections."""
        return self._rows.setdefault(self.corpus.chunk_id(row), row)


class _Clock:
    """Wall-clock laps in milliseconds, added up where a lap comes again."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._start = self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(self.laps.get(name, 0.0) + (now - self._last) * 1000, 2)
        self.laps["total"] = round((now - self._start) * 1000, 2)
        self._last = now


def clean_question(question: str) -> str:
    """Without what neither the model nor a database can hold: NUL and halves of surrogates."""
    return question.encode("utf-8", "replace").decode().replace("\x00", " ")


def _same(indexes: Sequence[IndexedCollection], index: IndexedCollection) -> IndexedCollection:
    return next(item for item in indexes if item.collection_id == index.collection_id)
