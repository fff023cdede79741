"""A question with all that decides its answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag_platform.ledger.filters import Filters
from rag_platform.retrieval.corpus import Corpus
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.retrieval.view import View


@dataclass(frozen=True, slots=True)
class Asked:
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
