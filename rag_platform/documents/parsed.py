"""What a parser hands back: the text, its pages and headings, and what it says of itself."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True)
class Page:
    """A page of a paged document. ``text[start:end]`` is what stands on it; it may be empty."""

    number: int
    start: int
    end: int


@dataclass(frozen=True)
class Heading:
    """A heading. ``start`` is where its line begins in the text; levels count from 1 (the top)."""

    level: int
    title: str
    start: int


@dataclass(frozen=True)
class ParsedDocument:
    """A document's text with its structure. All offsets count characters of ``text``."""

    text: str
    media_type: str = ""
    parser: str = ""
    """The parser and its version, such as ``pdf@1``; equal bytes and parser give equal text."""
    pages: tuple[Page, ...] = ()
    headings: tuple[Heading, ...] = ()
    title: str | None = None
    author: str | None = None
    created: datetime | None = None
    modified: datetime | None = None
    page_count: int | None = None
    """``None`` where the format has no pages."""
    language: str | None = None
    """ISO 639-1, such as ``en``; ``None`` where the text does not tell."""
    notes: tuple[str, ...] = ()
    """Sentences for the person who dropped the file, such as what was left out of the text."""

    def to_json(self) -> bytes:
        """The document as UTF-8 JSON."""
        fields = asdict(self)
        for name in ("created", "modified"):
            if fields[name] is not None:
                fields[name] = fields[name].isoformat()
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """The document that :meth:`to_json` wrote."""
        fields: dict[str, Any] = json.loads(data)
        fields["pages"] = tuple(Page(**page) for page in fields["pages"])
        fields["headings"] = tuple(Heading(**heading) for heading in fields["headings"])
        fields["notes"] = tuple(fields.get("notes", ()))
        for name in ("created", "modified"):
            if fields[name] is not None:
                fields[name] = datetime.fromisoformat(fields[name])
        return cls(**fields)
