"""What the API gives of answers and passages."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field

from rag_platform.chat.answering import PassagesFound
from rag_platform.ledger.answers import Answer, Citation, Rating, Status, Verdict
from rag_platform.ledger.passages import Chunk
from rag_platform.retrieval.passages import Passage
from rag_platform.retrieval.reranking import Reranking
from rag_platform.retrieval.search import SearchResult


def _is_none(value: object) -> bool:
    return value is None


class DocumentReference(BaseModel):
    """The document that a passage stands in."""

    collection: str
    key: str
    title: str

    @classmethod
    def of(cls, source: Chunk | Citation) -> Self:
        """From a chunk or a citation."""
        return cls(collection=source.collection, key=source.key, title=source.title)


class RanksPayload(BaseModel):
    """Where each half of the search ranked a passage, from 1; None where it did not find it.

    ``rerank`` is its place among those that a reranker scored; left out where none did.
    """

    dense: int | None
    keyword: int | None
    rerank: Annotated[int | None, Field(exclude_if=_is_none)] = None


class PassagePayload(BaseModel):
    """A passage that was found; ``page`` is that of its beginning, ``heading_path`` that of most
    of it, and ``table_columns`` names the columns where it begins among the rows of a table."""

    chunk_id: str
    document: DocumentReference
    page: int | None
    heading_path: list[str]
    table_columns: str | None
    start: int
    end: int
    text: str
    score: float
    ranks: RanksPayload

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """From the search's passage."""
        chunk = passage.chunk
        return cls(
            chunk_id=chunk.id,
            document=DocumentReference.of(chunk),
            page=chunk.page,
            heading_path=list(chunk.main_path),
            table_columns=chunk.table_columns,
            start=chunk.start,
            end=chunk.end,
            text=chunk.text,
            score=passage.score,
            ranks=RanksPayload.model_validate(passage.ranks),
        )


class PassagesPayload(BaseModel):
    """The passages that an answer is made from; citation n is the n-th."""

    passages: list[PassagePayload]
    generation: int

    @classmethod
    def of(cls, found: PassagesFound) -> Self:
        """From the answer's first event."""
        return cls(
            passages=[PassagePayload.of(passage) for passage in found.passages],
            generation=found.generation_id,
        )


class RerankingPayload(BaseModel):
    """What the reranker did: ``cut`` where its time ran out before all candidates were scored."""

    model: str
    candidates: int
    scored: int
    cut: bool

    @classmethod
    def of(cls, done: Reranking) -> Self:
        """From the search's account."""
        return cls(
            model=done.model, candidates=done.candidates, scored=done.scored, cut=done.is_cut
        )


class SearchPayload(BaseModel):
    """The passages of a search, best first; ``score`` is that of the search without a reranker."""

    passages: list[PassagePayload]
    generation: int
    timings_ms: dict[str, float]
    reranking: Annotated[RerankingPayload | None, Field(exclude_if=_is_none)] = None
    """Left out where there is no reranker."""

    @classmethod
    def of(cls, result: SearchResult) -> Self:
        """From the search's result."""
        return cls(
            passages=[PassagePayload.of(passage) for passage in result.passages],
            generation=result.generation_id,
            timings_ms=result.timings_ms,
            reranking=RerankingPayload.of(result.reranking) if result.reranking else None,
        )


class CitationPayload(BaseModel):
    """A passage that an answer cites; the quote stands in the document's text[start:end].

    ``page`` and ``heading_path`` are those of the quote.
    """

    n: int
    chunk_id: str
    document: DocumentReference
    page: int | None
    heading_path: list[str]
    start: int
    end: int
    quote: str
    score: float

    @classmethod
    def of(cls, citation: Citation) -> Self:
        """From the ledger's citation."""
        return cls(
            n=citation.n,
            chunk_id=citation.chunk_id,
            document=DocumentReference.of(citation),
            page=citation.page,
            heading_path=list(citation.heading_path),
            start=citation.start,
            end=citation.end,
            quote=citation.quote,
            score=citation.score,
        )


class AnswerPayload(BaseModel):
    """An answer with its citations."""

    answer_id: str
    conversation_id: str
    answer: str
    status: Status
    notice: str | None
    citations: list[CitationPayload]
    model: str
    generation: int | None
    timings_ms: dict[str, float]

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """From the ledger's answer."""
        return cls(
            answer_id=answer.id,
            conversation_id=answer.conversation_id,
            answer=answer.answer,
            status=answer.status,
            notice=answer.notice,
            citations=[CitationPayload.of(citation) for citation in answer.citations],
            model=answer.model,
            generation=answer.generation_id,
            timings_ms=answer.timings_ms,
        )


class RatingPayload(BaseModel):
    """A verdict as it is stored."""

    answer_id: str
    rater: str
    rating: Verdict
    reasons: list[str]
    comment: str
    passage: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, rating: Rating) -> Self:
        """From the ledger's rating."""
        return cls.model_validate(rating, from_attributes=True)
