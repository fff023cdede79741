"""The search: dense and keyword candidates, fused, and only what the ledger says is current."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import tee

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from rag_platform.embedding.models import Encoders
from rag_platform.index import bm25
from rag_platform.index.chroma import Chroma
from rag_platform.ledger import Ledger
from rag_platform.ledger.filters import EVERYTHING, Filters, as_spelled, filtered_contents
from rag_platform.ledger.generations import Generation
from rag_platform.objects import Objects
from rag_platform.retrieval.asked import Asked
from rag_platform.retrieval.dense import DenseCandidates
from rag_platform.retrieval.fusion import fuse
from rag_platform.retrieval.passages import Passage, Readers
from rag_platform.retrieval.quoted import LOOKED_AT, Quoted
from rag_platform.retrieval.reranking import Reranker, Reranking
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.retrieval.view import View, Views

_ATTEMPTS = 3
_AT_ONCE = 8
"""Searches at work at the same time: more would wait for the interpreter, and for each other."""
_RESULTS = 500
"""Results that are kept, each with the texts of its passages."""
_FILTERS = 100
"""Filters by author of which the spellings are kept."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The passages of a question, best first, and what they were found with."""

    passages: tuple[Passage, ...]
    generation_id: int
    settings_version: int
    settings: RetrievalSettings
    collections: tuple[str, ...]
    relevance: float
    """How close the best candidate of each half comes to the question."""
    timings_ms: dict[str, float]
    reranking: Reranking | None = None

    @property
    def is_relevant(self) -> bool:
        """Whether anything found is close enough to the question to answer from."""
        return bool(self.passages) and self.relevance >= self.settings.min_relevance


class Search:
    """Searches what serves, or ``generation``. One instance serves many threads."""

    def __init__(
        self,
        ledger: Ledger,
        objects: Objects,
        chroma: Chroma,
        encoders: Encoders,
        reranker: Reranker | None = None,
        generation: Generation | None = None,
    ) -> None:
        self._ledger = ledger
        self._dense = DenseCandidates(ledger, objects, chroma)
        self.encoders = encoders
        self.reranker = reranker
        self._views = Views(ledger, generation)
        # By everything that decides the result: a change of the ledger is another key.
        self._known: LRUCache[tuple[object, ...], SearchResult] = LRUCache(_RESULTS)
        self._spellings: LRUCache[tuple[object, ...], Filters] = LRUCache(_FILTERS)
        self._knowing = threading.Lock()
        self._turn = threading.BoundedSemaphore(_AT_ONCE)

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
            asked = Asked(
                question, view, view.names(collections), filters, settings or view.settings
            )
            wanted = top_k or asked.settings.top_k
            reranker = self.reranker.name if self.reranker else ""
            key = (view.revisions, asked.names, question, filters, asked.settings, wanted, reranker)
            with self._knowing:
                known = self._known.get(key)
            if known is not None:
                clock.lap("ledger")
                return replace(known, timings_ms=clock.laps)
            if filters.authors:
                asked = replace(asked, filters=self._spelled(view, filters))
            with self._turn:
                result, whole = self._search(asked, wanted, clock)
            if whole and not (result.reranking and result.reranking.is_cut):
                with self._knowing:
                    self._known[key] = result
            # Else a document changed under the search, and its new text is to be found.
            if whole or attempts == _ATTEMPTS:
                return result

    def warm_up(self) -> None:
        """Load the model and the catalogues of what serves, so that no question waits."""
        self.encoders(self._views.current().serving.generation).encode_query("warm up")
        if self.reranker is not None:
            self.reranker.model.scores("warm up", ["warm up"])

    def _search(self, asked: Asked, wanted: int, clock: "_Clock") -> tuple[SearchResult, bool]:
        """The result, and whether nothing that was found had changed meanwhile."""
        view, settings, corpus = asked.view, asked.settings, asked.corpus
        generation = view.serving.generation
        allowed = self._allowed(asked) if asked.filters else None
        clock.lap("ledger")
        # No more for more passages: the scores are scaled over the candidates, and the first
        # passages would be others.
        n = max(settings.candidates, wanted)
        vector = self.encoders(generation).encode_query(asked.question)
        clock.lap("encode")
        dense = self._dense(asked, vector, n, wanted, allowed)
        clock.lap("dense")
        scores, most = bm25.score(corpus.segments, asked.question, k1=settings.k1, b=settings.b)
        if allowed is not None:
            scores[~allowed] = 0.0
        keyword = corpus.by_chunk(bm25.best(scores, n, corpus.chunk_id))
        clock.lap("keyword")
        fused = fuse(
            dense,
            keyword,
            dense_weight=settings.dense_weight,
            neighbour_weight=settings.neighbour_weight,
            beside=corpus.beside,
            name=corpus.chunk_id,
        )
        ids = [view.collections[name].id for name in asked.names]
        readers = Readers(generation, ids, asked.filters)
        reranker = self.reranker if settings.reranked else None
        with self._ledger.read() as connection:
            read = max(wanted, settings.reranked) if reranker else wanted
            fused, again = tee(fused)
            passages, whole = readers.first(connection, corpus, fused, read)
            if quoted := Quoted(asked.question):
                likely = quoted.candidates(again, corpus, scores)
                found, _ = readers.first(connection, corpus, likely, LOOKED_AT)
                passages = quoted.first(passages, found)
        clock.lap("fusion")
        reranking: Reranking | None = None
        if reranker is not None:
            header = generation.spec["header"]
            passages, reranking = reranker(asked.question, passages, settings.reranked, header)
            passages = quoted.first(passages)
            clock.lap("rerank")
        share = max(keyword.values(), default=0.0) / most if most else 0.0
        result = SearchResult(
            tuple(passages[:wanted]),
            generation.id,
            view.serving.settings_version,
            settings,
            asked.names,
            max(dense.values(), default=0.0) + settings.keyword_relevance * share,
            clock.laps,
            reranking,
        )
        return result, whole

    def _spelled(self, view: View, filters: Filters) -> Filters:
        with self._knowing:
            known = self._spellings.get((view.revisions, filters))
        if known is None:
            with self._ledger.read() as connection:
                known = as_spelled(connection, filters)
            with self._knowing:
                self._spellings[view.revisions, filters] = known
        return known

    def _allowed(self, asked: Asked) -> npt.NDArray[np.bool_]:
        ids = {asked.view.collections[name].id: name for name in asked.names}
        with self._ledger.read() as connection:
            contents = filtered_contents(connection, list(ids), asked.filters)
        return asked.corpus.allowed({ids[key]: value for key, value in contents.items()})


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
