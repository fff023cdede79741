"""What clients send: strict, bounded, and nothing that is not in the contract."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rag_platform.ledger.filters import Filters
from rag_platform.service.paging import is_clean


def _clean(text: str) -> str:
    if not is_clean(text):
        raise ValueError("NUL and lone surrogates are not allowed")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return text


Text = Annotated[str, AfterValidator(_clean)]
Question = Annotated[
    str, Field(min_length=1, max_length=100_000), AfterValidator(_clean), AfterValidator(_not_blank)
]
Name = Annotated[Text, Field(min_length=1, max_length=255)]
Names = Annotated[list[Name], Field(min_length=1, max_length=100)]
Reasons = Annotated[
    list[Annotated[Text, Field(min_length=1, max_length=100)]], Field(max_length=10)
]
Values = Annotated[list[Name], Field(max_length=100)]
Day = Annotated[
    date,
    # JSON has no dates; the day before the first and after the last of the calendar is no date.
    Field(strict=False, ge=date(1, 1, 2), le=date(9999, 12, 30)),
]
ChunkId = Annotated[str, Field(pattern=r"\A[0-9a-f]{32}\z")]


class Body(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", strict=True)


class FiltersBody(Body):
    """What a document has to be; a list is met by any of its values."""

    key_prefix: Annotated[Text, Field(max_length=1024)] = ""
    media_types: Values = []
    authors: Values = []
    languages: Values = []
    since: Day | None = None
    until: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.until < self.since:
            raise ValueError("until lies before since")
        return self

    def filters(self) -> Filters:
        """As the search takes them."""
        return Filters(
            key_prefix=self.key_prefix,
            media_types=tuple(sorted(self.media_types)),
            authors=tuple(sorted(self.authors)),
            languages=tuple(sorted(self.languages)),
            since=self.since,
            until=self.until,
        )


class SearchBody(Body):
    """A search; no collections means all of them."""

    query: Question
    collections: Names | None = None
    top_k: Annotated[int, Field(ge=1, le=100)] | None = None
    filters: FiltersBody | None = None


class ChatBody(Body):
    """A question; ``stream`` asks for server-sent events."""

    question: Question
    collections: Names | None = None
    conversation_id: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_-]{1,64}\z")] | None = None
    stream: bool = False


class RatingBody(Body):
    """A verdict on an answer; ``passage`` is the id of the chunk that would have been right.

    What is left out stays as it is stored while the rating is the same; what is empty is cleared.
    """

    rating: Literal["up", "down"]
    reasons: Reasons | None = None
    comment: Annotated[Text, Field(max_length=4000)] | None = None
    passage: ChunkId | Literal[""] | None = None


class PageQuery(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    cursor: Annotated[str, Field(max_length=8192)] | None = None


class CollectionsQuery(PageQuery):
    """Which page of the collections, and whether those without documents too."""

    empty: bool = False


class DocumentsQuery(PageQuery):
    """Which page of the documents, in which state, and what their names or titles hold."""

    state: Literal["pending", "indexed", "quarantined"] | None = None
    query: Annotated[Text, Field(max_length=200)] = ""
