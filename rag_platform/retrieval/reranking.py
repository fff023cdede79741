"""The first candidates in the order of a cross-encoder, within a time."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag_platform.embedding.header import header_of
from rag_platform.reranker.cross_encoder import CrossEncoder
from rag_platform.reranker.files import RerankerFiles
from rag_platform.retrieval.passages import Passage


@dataclass(frozen=True, slots=True)
class Reranking:
    """What a reranker did for a question."""

    model: str
    candidates: int
    scored: int

    @property
    def is_cut(self) -> bool:
        """Whether the time ran out before all candidates were scored."""
        return self.scored < self.candidates


class Reranker:
    """A cross-encoder with the time that it has for a question; loaded when first needed."""

    def __init__(
        self, files: RerankerFiles, *, threads: int, batch_tokens: int, milliseconds: int
    ) -> None:
        self.files = files
        self._threads = threads
        self._batch_tokens = batch_tokens
        self._seconds = milliseconds / 1000
        self._loaded: CrossEncoder | None = None
        self._loading = threading.Lock()

    @property
    def name(self) -> str:
        """The model and the digest of its files: equal names give equal scores."""
        return f"{self.files.source} ({self.files.id})"

    @property
    def model(self) -> CrossEncoder:
        """The model. Raises :class:`ModelUnavailable` where it is missing or damaged."""
        with self._loading:
            if self._loaded is None:
                self._loaded = CrossEncoder(
                    self.files.verified(), threads=self._threads, batch_tokens=self._batch_tokens
                )
            return self._loaded

    def __call__(
        self, question: str, passages: Sequence[Passage], n: int, header: str
    ) -> tuple[list[Passage], Reranking]:
        """The passages with the first ``n`` ordered by their scores, and what was done.

        A passage is read under the header that its chunk was embedded with. What is not scored in
        time keeps its order behind what is, and so do equal scores.
        """
        first, rest = passages[:n], passages[n:]
        texts = [_text(passage, header) for passage in first]
        scores = self.model.scores(question, texts, self._seconds)
        scored = [(score, p) for score, p in zip(scores, first, strict=True) if score is not None]
        scored.sort(key=lambda hit: -hit[0])
        late = [p for score, p in zip(scores, first, strict=True) if score is None]
        ordered = [replace(p, rerank_rank=rank) for rank, (_, p) in enumerate(scored, start=1)]
        done = Reranking(self.name, len(first), len(scored))
        return [*ordered, *late, *rest], done


def _text(passage: Passage, header: str) -> str:
    chunk = passage.chunk
    above = header_of(header, chunk.title, chunk.heading_path, chunk.table_columns)
    return f"{above}\n\n{chunk.text}" if above else chunk.text
