"""The search: dense and keyword candidates, fused, and only what the ledger says is current."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import sqlalchemy as sa

from rag_platform.embedding.encoder import Vectors
from rag_platform.embedding.models import Encoders
from rag_platform.errors import IndexMissing, NotFound, Unavailable
from rag_platform.index.analysis import terms
from rag_platform.index.chroma import Chroma
from rag_platform.index.keywords import KeywordIndex, search
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
from rag_platform.ledger.passages import (
    Chunk,
    chunks_of_vectors,
    readable_chunks,
    readable_ids,
)
from rag_platform.ledger.statements import in_batches
from rag_platform.retrieval.fusion import Fused, fuse
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
        self._asking = ThreadPoolExecutor(16, thread_name_prefix="chroma")

    def __call__(
        self,
        question: str,
        collections: Sequence[str] | None = None,
        top_k: int | None = None,
        *,
        settings: RetrievalSettings | None = None,
    ) -> SearchResult:
        """Search the named collections, or all of them; ``settings`` override what serves.

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
        self._forget_others(serving)
        settings = settings or RetrievalSettings.from_dict(serving.settings)
        wanted = top_k or settings.top_k
        n = max(settings.candidates, 2 * wanted)
        clock.lap("ledger")
        vector = self.encoders(serving.generation).encode_query(question)[None, :]
        clock.lap("encode")
        near, exhausted = self._near(indexes, vector, n)
        clock.lap("dense")
        keyword = dict(search(keyword_indexes, question, n))
        clock.lap("keyword")
        readers = _Readers(serving.generation, [known[name] for name in names])
        while True:
            with self._ledger.read() as connection:
                dense = _best_by_chunk(connection, serving.generation, near)
                current = readers.admit(connection, list({**dense, **keyword}))
                if exhausted or sum(chunk in current for chunk in dense) >= wanted:
                    fused = fuse(
                        {chunk: score for chunk, score in dense.items() if chunk in current},
                        {chunk: score for chunk, score in keyword.items() if chunk in current},
                        dense_weight=settings.dense_weight,
                    )
                    passages = readers.first(connection, fused, wanted, question)
                    break
            # What was just deleted or replaced is in Chroma for a moment and hides what is behind.
            n *= 4
            near, exhausted = self._near(indexes, vector, n)
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

    def _forget_others(self, serving: Serving) -> None:
        """Release the postings of generations that neither serve nor are kept to go back to."""
        kept = {serving.generation.id} | ({serving.previous.id} if serving.previous else set())
        with self._loading:
            for key in [key for key in self._keywords if key[0] not in kept]:
                del self._keywords[key]

    def _near(
        self, indexes: Sequence[IndexedCollection], vector: Vectors, n: int
    ) -> tuple[list[tuple[str, float]], bool]:
        """The ``n`` nearest vectors by cosine, nearest first, and whether there are no more."""
        if len(indexes) == 1:
            hits = [self._nearest(indexes[0], vector, n)]
        else:
            asked = [self._asking.submit(self._nearest, index, vector, n) for index in indexes]
            hits = [future.result() for future in asked]
        near = [(vector_id, 1.0 - distance) for found in hits for vector_id, distance in found]
        near.sort(key=lambda hit: (-hit[1], hit[0]))
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
class _Readers:
    """What readers of some collections may see: the ledger decides, not the index."""

    generation: Generation
    collection_ids: Sequence[int]

    def admit(self, connection: sa.Connection, candidates: Sequence[str]) -> set[str]:
        """Those of the candidates that are current."""
        return readable_ids(connection, self.generation, candidates, self.collection_ids)

    def first(
        self, connection: sa.Connection, ranked: Sequence[Fused], wanted: int, question: str
    ) -> list[Passage]:
        """The best ``wanted`` passages. Texts are large, so only those in question are read."""
        question_terms = frozenset(terms(question))
        passages: list[Passage] = []
        texts: set[str] = set()
        for hits in in_batches(ranked, wanted):
            ids = [hit.id for hit in hits]
            found = readable_chunks(connection, self.generation, ids, self.collection_ids)
            for hit in hits:
                chunk = found[hit.id]
                if chunk.text in texts:
                    continue  # the same words in another document add nothing to an answer
                texts.add(chunk.text)
                coverage = _coverage(question_terms, chunk)
                ranks = (hit.dense_rank, hit.keyword_rank)
                passages.append(Passage(chunk, hit.score, hit.dense, coverage, *ranks))
                if len(passages) == wanted:
                    return passages
        return passages


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
