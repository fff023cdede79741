"""What clients send: strict, bounded, and nothing that is not in the contract."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

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
ChunkId = Annotated[str, Field(pattern=r"\A[0-9a-f]{32}\z")]


class Body(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SearchBody(Body):
    """A search; no collections means all of them."""

    query: Question
    collections: Names | None = None
    top_k: Annotated[int, Field(ge=1, le=100)] | None = None
    filters: Any = None


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
