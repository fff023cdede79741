"""A question with all that decides its answer."""

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

    def __post_init__(self) -> None:
        segments = {name: self.view.segments[name] for name in self.names}
        object.__setattr__(self, "corpus", Corpus(segments))
