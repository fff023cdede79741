"""From ranked candidates to the passages that readers get."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from rag_platform.ledger.filters import EVERYTHING, Filters
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.passages import Chunk, readable_chunks
from rag_platform.retrieval.corpus import Corpus
from rag_platform.retrieval.fusion import Fused

_ALIKE = 0.9
"""The share of two passages' words from which they say the same, if their numbers are equal."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, with what found it."""

    chunk: Chunk
    score: float
    similarity: float | None
    """The cosine of question and chunk, where the dense search found it."""
    dense_rank: int | None
    keyword_rank: int | None
    rerank_rank: int | None = None
    """Its place among those that a reranker scored."""

    @property
    def ranks(self) -> dict[str, int | None]:
        """Where each part of the search ranked it, from 1; the reranker only where there is one."""
        ranks = {"dense": self.dense_rank, "keyword": self.keyword_rank}
        return ranks if self.rerank_rank is None else {**ranks, "rerank": self.rerank_rank}


@dataclass(frozen=True, slots=True)
class Readers:
    """What readers of some collections may see: the ledger decides, not the index."""

    generation: Generation
    collection_ids: Sequence[int]
    filters: Filters = EVERYTHING

    def first(
        self,
        connection: sa.Connection,
        corpus: Corpus,
        ranked: Iterator[Fused],
        wanted: int,
    ) -> tuple[list[Passage], bool]:
        """The best ``wanted`` passages, and whether every candidate met on the way was readable.

        Texts are large, so only those in question are read.
        """
        passages: list[Passage] = []
        said = _Said()
        whole = True
        while hits := list(islice(ranked, wanted)):
            ids = [corpus.chunk_id(hit.row) for hit in hits]
            found = readable_chunks(
                connection, self.generation, ids, self.collection_ids, self.filters
            )
            for hit, chunk_id in zip(hits, ids, strict=True):
                chunk = found.get(chunk_id)
                if chunk is None:
                    whole = False
                    continue
                if not said.is_new(chunk):
                    continue  # the same words in another document add nothing to an answer
                ranks = (hit.dense_rank, hit.keyword_rank)
                passages.append(Passage(chunk, hit.score, hit.dense, *ranks))
                if len(passages) == wanted:
                    return passages, whole
        return passages, whole


class _Said:
    """The words of the passages so far."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._words: dict[tuple[str, ...], list[frozenset[str]]] = {}

    def is_new(self, chunk: Chunk) -> bool:
        """Whether a chunk says anything that none before it says; then it counts from now on.

        What differs in a number or a year is never taken for the same, nor what stands under
        another title: nearly the same words of another subject may be the answer.
        """
        if chunk.text in self._texts:
            return False
        words = frozenset(chunk.text.casefold().split())
        others = self._words.setdefault(
            (chunk.title, *chunk.heading_path, chunk.table_columns or ""), []
        )
        if any(_alike(words, other) for other in others):
            return False
        self._texts.add(chunk.text)
        others.append(words)
        return True


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    if len(one & other) < _ALIKE * len(one | other) or not one:
        return False
    return not any(character.isdigit() for word in one ^ other for character in word)
