"""A question with all that decides its answer."""

from dataclasses import dataclass
from functools import cached_property

from rag_platform.ledger.filters import Filters
from rag_platform.retrieval.corpus import Corpus
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.retrieval.view import View


@dataclass(frozen=True)
class Asked:
    """A question with all that decides its answer."""

    question: str
    view: View
    names: tuple[str, ...]
    filters: Filters
    settings: RetrievalSettings

    @cached_property
    def corpus(self) -> Corpus:
        """The rows of the asked collections; not needed where the result is known already."""
        return Corpus({name: self.view.segments[name] for name in self.names})
