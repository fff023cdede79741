"""Reading documents: one file per format, one line of registration in ``PARSERS``.

A parser is a module of this package with ``extract(data) -> ParsedDocument``. It raises
:class:`UnreadableDocument` with a sentence for the person who dropped the file, and leaves cleaning
to :func:`parse`. Modules are imported when their first document comes: a reader of Markdown need
not wait for a PDF library.
"""

import dataclasses
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from rag_platform.documents.cleaning import clean
from rag_platform.documents.parsed import Heading as Heading
from rag_platform.documents.parsed import Page as Page
from rag_platform.documents.parsed import ParsedDocument as ParsedDocument
from rag_platform.documents.parsing.media_types import DOCX, HTML, MARKDOWN, PDF, TEXT
from rag_platform.documents.parsing.media_types import media_type_of as media_type_of
from rag_platform.documents.parsing.scans import SCANNED, can_recognise
from rag_platform.errors import UnreadableDocument


@dataclass(frozen=True)
class Parser:
    """A format that can be read. ``version`` goes up when the same bytes may give another text."""

    module: str
    version: int
    label: str

    @property
    def id(self) -> str:
        """The parser with its version, such as ``pdf@1``."""
        return f"{self.module}@{self.version}"

    def extract(self, data: bytes) -> ParsedDocument:
        """Read the document, uncleaned."""
        module = import_module(f"{__name__}.{self.module}")
        return cast(ParsedDocument, module.extract(data))


PARSERS: dict[str, Parser] = {
    MARKDOWN: Parser("markdown", 1, "Markdown (.md)"),
    TEXT: Parser("plain_text", 1, "plain text (.txt)"),
    PDF: Parser("pdf", 2, "PDF"),
    DOCX: Parser("word", 1, "Word (.docx)"),
    HTML: Parser("html", 1, "HTML"),
}


def outdated_reasons() -> tuple[str, ...]:
    """Reasons why documents could not be read that no longer hold, and none that may come again."""
    return (SCANNED,) if can_recognise() else ()


def parse(data: bytes, key: str) -> ParsedDocument:
    """Read and clean a document. Raises :class:`UnreadableDocument` with the reason for people."""
    if not data:
        raise UnreadableDocument("The file is empty.")
    media_type = media_type_of(key, data)
    parser = PARSERS.get(media_type)
    if parser is None:
        supported = ", ".join(known.label for known in PARSERS.values())
        raise UnreadableDocument(
            f"Files of this type ({media_type}) are not supported. Supported are: {supported}."
        )
    extracted = parser.extract(data)
    document = clean(
        dataclasses.replace(
            extracted, media_type=media_type, parser=parser.id, title=extracted.title or None
        )
    )
    if not document.text:
        raise UnreadableDocument("The file has no text.")
    return document
