"""What every format is read into."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from rag_platform.errors import InvalidRequest
from rag_platform.ledger.digests import digest

Kind = Literal["beir", "spans", "validation"]


@dataclass(frozen=True, slots=True)
class Document:
    """A file of the corpus; ``name`` is its path below the collection."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """A place that answers: offsets in the file, or (without them) an exact quote."""

    start: int | None
    end: int | None
    text: str
    """The quote; beside offsets it may be the beginning only, or empty."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what answers it: spans of one document, or graded documents."""

    id: str
    text: str
    place: str
    """The file and line that it stands in, for people."""
    document: str = ""
    """The document of the spans: its path below the collection, or its key in the bucket."""
    spans: tuple[Span, ...] = ()
    grades: Mapping[str, int] = field(default_factory=dict[str, int])
    """The relevance of documents by path below the collection; what is not named has 0."""
    collection: str | None = None
    """Which live collection is asked; None asks all."""

    @property
    def half(self) -> int:
        """1 or 2, by the words of the question alone: the same whatever stands beside it."""
        return 1 + int(digest(" ".join(self.text.split()))[:8], 16) % 2


def _none() -> Iterator[Document]:
    return iter(())


@dataclass(frozen=True)
class Dataset:
    """Questions and, unless they go to live collections, the documents that they are asked of."""

    name: str
    kind: Kind
    digest: str
    """Of all bytes that were read; equal for equal datasets wherever they lie."""
    questions: tuple[Question, ...]
    corpus_digest: str = ""
    """Of the documents alone."""
    documents: Callable[[], Iterator[Document]] = _none
    document_count: int = 0
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    """The text that the offsets count in, by document, where there are offsets."""
    split: str = ""
    half: int | None = None
    notes: tuple[str, ...] = ()
    """Sentences about what was left out."""

    def halved(self, half: int | None) -> Self:
        """The dataset with one half of its questions, so that one tunes on the other."""
        if half is None:
            return self
        kept = tuple(question for question in self.questions if question.half == half)
        if not kept:
            raise InvalidRequest(
                f"Half {half} of {self.name} has no questions: it holds {len(self.questions)}.",
                "Take the whole dataset: leave --half out.",
            )
        return replace(self, questions=kept, half=half)

    @property
    def title(self) -> str:
        """How results call it."""
        split = f", split {self.split}" if self.split else ""
        return f"{self.name}{split}{f', half {self.half}' if self.half else ''}"
