"""What the API gives of documents and collections."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from rag_platform.ledger.documents import State
from rag_platform.ledger.listing import ListedDocument


class DocumentPayload(BaseModel):
    """A document in a list."""

    collection: str
    key: str
    state: State
    reason: str | None
    title: str | None
    author: str | None
    created: datetime | None
    modified: datetime | None
    media_type: str | None
    sha256: str | None
    size_bytes: int
    pages: int | None
    words: int | None
    language: str | None
    notes: list[str]
    chunks: int | None
    uploaded_at: datetime
    indexed_at: datetime | None

    @classmethod
    def of(cls, document: ListedDocument) -> Self:
        """From the ledger's row."""
        return cls.model_validate(document, from_attributes=True)


class DocumentDetailPayload(DocumentPayload):
    """A document by itself; ``waits_for`` says who has it while it is pending, or what hinders."""

    waits_for: str | None = None


class DocumentsPayload(BaseModel):
    """A page of documents; ``next_cursor`` is None on the last one."""

    documents: list[DocumentPayload]
    next_cursor: str | None


class DocumentPlace(BaseModel):
    """A document by its place."""

    collection: str
    key: str


class ProgressPayload(BaseModel):
    """What comes in: documents that wait to be read, that are being indexed, and some of these.

    ``passages`` are those of the documents that are being indexed, ``embedded`` how many of them
    have their vectors.
    """

    waiting: int
    indexing: int
    passages: int
    embedded: int
    in_work: list[DocumentPlace]


class UploadPayload(BaseModel):
    """A file that was put in the bucket."""

    collection: str
    key: str
    sha256: str


class CollectionPayload(BaseModel):
    """A collection with its documents counted by state."""

    name: str
    documents: dict[State, int]


class CollectionsPayload(BaseModel):
    """A page of collections."""

    collections: list[CollectionPayload]
    next_cursor: str | None


class PagePayload(BaseModel):
    """A page of a document: ``text[start:end]``."""

    number: int
    start: int
    end: int


class HeadingPayload(BaseModel):
    """A heading; ``start`` is where its line begins."""

    level: int
    title: str
    start: int


class ContentPayload(BaseModel):
    """A document's text. All offsets count Unicode code points, not bytes or UTF-16 units."""

    collection: str
    key: str
    title: str
    text: str
    pages: list[PagePayload]
    headings: list[HeadingPayload]
