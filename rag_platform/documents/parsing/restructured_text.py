"""reStructuredText. The text stays as it was written; its underlined headings are found."""

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.plain_text import decode
from rag_platform.documents.parsing.underlined_headings import headings_of


def extract(data: bytes) -> ParsedDocument:
    """Read reStructuredText."""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    headings = headings_of(text)
    first = headings[0].title if headings and headings[0].start < 2_000 else None
    return ParsedDocument(text=text, headings=headings, title=first)
