"""The search: dense and keyword candidates, fused, and only what the ledger says is current."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from rag_platform.embedding.encoder import Vectors
from rag_platform.embedding.models import Encoders
from rag_platform.errors import IndexMissing, NotFound, Unavailable
from rag_platform.index.analysis import terms
from rag_platform.index.chroma import Chroma
from rag_platform.index.keywords import KeywordIndex
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import list_collections
from rag_platform.ledger.entries import entries
from rag_platform.ledger.generations import (
    Generation,
    IndexedCollection,
    Serving,
    current_serving,
    indexed_collections,
)
from rag_platform.ledger.passages import Chunk, chunks_of_vectors, readable_chunks
from rag_platform.retrieval.fusion import fuse
from rag_platform.retrieval.settings import RetrievalSettings

_MOST = 5000
"""The most neighbours that are asked for."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, with what found it."""

    chunk: Chunk
    score: float
    similarity: float | None
    """The cosine of question and chunk, where the dense search found it."""
    coverage: float
    """The share of the question's terms that the chunk holds."""
    dense_rank: int | None
    keyword_rank: int | None


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
        self,
        ledger: Ledger,
        chroma: Chroma,
        encoders: Encoders,
    ) -> None:
        self._ledger = ledger
        self._chroma = chroma
        self.encoders = encoders
        self._keywords: dict[tuple[int, int], KeywordIndex] = {}
        self._loading = threading.Lock()

    def __call__(
        self, question: str, collections: Sequence[str] | None = None, top_k: int | None = None
    ) -> SearchResult:
        """Search the named collections, or all of them.

        Raises :class:`NotFound` for an unknown collection and :class:`Unavailable` where Chroma
        or the model does not answer: a half of the search alone is never passed off as the whole.
        """
        clock = _Clock()
        question = clean_question(question)
        with self._ledger.read() as connection:
            serving = _serving(current_serving(connection))
            known = {item.name: item.id for item in list_collections(connection)}
            names = tuple(sorted(known) if collections is None else dict.fromkeys(collections))
            for name in names:
                if name not in known:
                    raise NotFound(f"There is no collection {name!r}.", _known(known))
            indexes = indexed_collections(connection, [serving.generation.id], names)
            keyword_indexes = [
                self._keyword_index(serving.generation, known[name]) for name in names
            ]
            for index in keyword_indexes:
                index.refresh(connection)
        settings = RetrievalSettings.from_dict(serving.settings)
        wanted = top_k or settings.top_k
        n = max(settings.candidates, 2 * wanted)
        clock.lap("ledger")
        vector = self.encoders(serving.generation).encode_query(question)[None, :]
        clock.lap("encode")
        near, exhausted = self._near(indexes, vector, n)
        clock.lap("dense")
        keyword = dict(hit for index in keyword_indexes for hit in index.search(question, n))
        clock.lap("keyword")
        while True:
            with self._ledger.read() as connection:
                dense = _best_by_chunk(connection, serving.generation, near)
                found = readable_chunks(
                    connection,
                    serving.generation,
                    list({**dense, **keyword}),
                    [known[name] for name in names],
                )
            if exhausted or sum(chunk in found for chunk in dense) >= wanted:
                break
            # What was just deleted or replaced is in Chroma for a moment and hides what is behind.
            n *= 4
            near, exhausted = self._near(indexes, vector, n)
        fused = fuse(
            {chunk: score for chunk, score in dense.items() if chunk in found},
            {chunk: score for chunk, score in keyword.items() if chunk in found},
            dense_weight=settings.dense_weight,
        )
        question_terms = frozenset(terms(question))
        passages: list[Passage] = []
        texts: set[str] = set()
        for hit in fused:
            chunk = found[hit.id]
            if chunk.text in texts:
                continue  # the same words in another document add nothing to an answer
            texts.add(chunk.text)
            passages.append(
                Passage(
                    chunk,
                    hit.score,
                    hit.dense,
                    _coverage(question_terms, chunk),
                    hit.dense_rank,
                    hit.keyword_rank,
                )
            )
            if len(passages) == wanted:
                break
        clock.lap("fusion")
        return SearchResult(
            tuple(passages),
            serving.generation.id,
            serving.settings_version,
            settings,
            names,
            clock.laps,
        )

    def warm_up(self) -> None:
        """Load the model and the keyword postings of what serves, so that no question waits."""
        with self._ledger.read() as connection:
            serving = _serving(current_serving(connection))
            for collection in list_collections(connection):
                self._keyword_index(serving.generation, collection.id).refresh(connection)
        self.encoders(serving.generation).encode_query("warm up")

    def _keyword_index(self, generation: Generation, collection_id: int) -> KeywordIndex:
        with self._loading:
            key = (generation.id, collection_id)
            if key not in self._keywords:
                self._keywords[key] = KeywordIndex(generation, collection_id)
            return self._keywords[key]

    def _near(
        self, indexes: Sequence[IndexedCollection], vector: Vectors, n: int
    ) -> tuple[list[tuple[str, float]], bool]:
        """The ``n`` nearest vectors of each index by cosine, and whether there are no more."""
        hits = [self._nearest(index, vector, n) for index in indexes]
        near = [(vector_id, 1.0 - distance) for found in hits for vector_id, distance in found]
        return near, all(len(found) < n for found in hits) or n >= _MOST

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


class _Clock:
    """Wall-clock laps in milliseconds."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._start = self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1000, 2)
        self.laps["total"] = round((now - self._start) * 1000, 2)
        self._last = now


def _serving(serving: Serving | None) -> Serving:
    if serving is None:
        raise Unavailable("Nothing serves yet.", "Start the platform with rag up.")
    return serving


def _best_by_chunk(
    connection: sa.Connection, generation: Generation, near: Sequence[tuple[str, float]]
) -> dict[str, float]:
    holders = chunks_of_vectors(connection, generation, [vector_id for vector_id, _ in near])
    best: dict[str, float] = {}
    for vector_id, similarity in near:
        for chunk_id in holders.get(vector_id, ()):
            best[chunk_id] = max(similarity, best.get(chunk_id, -1.0))
    return best


def clean_question(question: str) -> str:
    """Without what neither the model nor a database can hold: NUL and halves of surrogates."""
    return question.encode("utf-8", "replace").decode().replace("\x00", " ")


def _same(indexes: Sequence[IndexedCollection], index: IndexedCollection) -> IndexedCollection:
    return next(item for item in indexes if item.collection_id == index.collection_id)


def _known(known: dict[str, int]) -> str:
    return f"Known are: {', '.join(sorted(known))}." if known else "There is none yet."


def _coverage(question: frozenset[str], chunk: Chunk) -> float:
    if not question:
        return 0.0
    held = frozenset(terms(" ".join((chunk.title, *chunk.heading_path, chunk.text))))
    return len(question & held) / len(question)
