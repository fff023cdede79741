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
from rag_platform.documents.language import language_of
from rag_platform.documents.parsed import Heading as Heading
from rag_platform.documents.parsed import Page as Page
from rag_platform.documents.parsed import ParsedDocument as ParsedDocument
from rag_platform.documents.parsing.formats import (
    ASCIIDOC,
    CALENDAR,
    CSV,
    DOCX,
    EMAIL,
    EPUB,
    HTML,
    JSON,
    JSON_LINES,
    MAILBOX,
    MARKDOWN,
    NOTEBOOK,
    ODP,
    ODS,
    ODT,
    ORG,
    PDF,
    PPTX,
    RST,
    RTF,
    SOURCES,
    SUBTITLES,
    SVG,
    TEX,
    TEXT,
    TSV,
    XLSX,
    XML,
)
from rag_platform.documents.parsing.media_types import media_type_of as media_type_of
from rag_platform.documents.parsing.scans import GARBLED, SCANNED, can_recognise
from rag_platform.documents.parsing.unread_formats import REASONS
from rag_platform.documents.repetition import without_repetition
from rag_platform.errors import UnreadableDocument


@dataclass(frozen=True)
class Parser:
    """A format that can be read. ``version`` goes up when the same bytes may give another text."""

    module: str
    version: int
    label: str
    passes_media_type: bool = False
    """Whether the module reads several formats, and ``extract`` wants to know which."""

    @property
    def id(self) -> str:
        """The parser with its version, such as ``pdf@1``."""
        return f"{self.module}@{self.version}"

    def extract(self, data: bytes, media_type: str) -> ParsedDocument:
        """Read the document, uncleaned."""
        module = import_module(f"{__name__}.{self.module}")
        arguments = (data, media_type) if self.passes_media_type else (data,)
        return cast(ParsedDocument, module.extract(*arguments))


PARSERS: dict[str, Parser] = {
    MARKDOWN: Parser("markdown", 3, "Markdown (.md)"),
    TEXT: Parser("plain_text", 3, "plain text (.txt)"),
    PDF: Parser("pdf", 4, "PDF"),
    DOCX: Parser("word", 3, "Word (.docx)"),
    PPTX: Parser("powerpoint", 2, "PowerPoint (.pptx)"),
    XLSX: Parser("excel", 2, "Excel (.xlsx)"),
    CSV: Parser("csv_table", 2, "CSV"),
    TSV: Parser("csv_table", 2, "TSV"),
    ODT: Parser("open_document", 2, "OpenDocument text (.odt)"),
    ODS: Parser("open_document", 2, "OpenDocument spreadsheet (.ods)"),
    ODP: Parser("open_document", 2, "OpenDocument presentation (.odp)"),
    RTF: Parser("rich_text", 2, "rich text (.rtf)"),
    EPUB: Parser("epub", 2, "e-book (.epub)"),
    HTML: Parser("html", 3, "HTML"),
    EMAIL: Parser("email_message", 2, "e-mail (.eml)"),
    MAILBOX: Parser("mailbox", 1, "mailboxes (.mbox)"),
    CALENDAR: Parser("calendar_cards", 1, "calendars and cards (.ics, .vcf)"),
    SUBTITLES: Parser("subtitles", 1, "subtitles (.srt, .vtt)"),
    TEX: Parser("markup", 1, "TeX (.tex)", passes_media_type=True),
    ASCIIDOC: Parser("markup", 1, "AsciiDoc (.adoc)", passes_media_type=True),
    ORG: Parser("markup", 1, "Org (.org)", passes_media_type=True),
    RST: Parser("restructured_text", 2, "reStructuredText (.rst)"),
    JSON: Parser("json_values", 2, "JSON"),
    JSON_LINES: Parser("json_lines", 2, "JSON Lines (.jsonl)"),
    NOTEBOOK: Parser("notebook", 2, "Jupyter notebooks (.ipynb)"),
    XML: Parser("xml_document", 1, "XML", passes_media_type=True),
    SVG: Parser("xml_document", 1, "drawings (.svg)", passes_media_type=True),
    **{kind: Parser("source_code", 2, "source code", passes_media_type=True) for kind in SOURCES},
}


def outdated_reasons() -> tuple[str, ...]:
    """Reasons why documents could not be read that no longer hold, and none that may come again."""
    return (SCANNED, GARBLED) if can_recognise() else ()


def parse(data: bytes, key: str) -> ParsedDocument:
    """Read and clean a document. Raises :class:`UnreadableDocument` with the reason for people."""
    if not data:
        raise UnreadableDocument("The file is empty.")
    media_type = media_type_of(key, data)
    parser = PARSERS.get(media_type)
    if media_type in REASONS:
        raise UnreadableDocument(REASONS[media_type])
    if parser is None:
        supported = ", ".join(dict.fromkeys(known.label for known in PARSERS.values()))
        raise UnreadableDocument(
            f"Files of this type ({media_type}) are not supported. Supported are: {supported}."
        )
    extracted = parser.extract(data, media_type)
    verbatim = media_type in SOURCES
    document = without_repetition(
        clean(
            dataclasses.replace(
                extracted, media_type=media_type, parser=parser.id, title=extracted.title or None
            ),
            verbatim=verbatim,
        )
    )
    if not document.text:
        raise UnreadableDocument("The file has no text.")
    # What a document says of itself counts where its text does not tell.
    language = None if verbatim else language_of(document.text)
    return dataclasses.replace(document, language=language or document.language)
