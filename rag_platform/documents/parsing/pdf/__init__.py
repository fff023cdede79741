"""PDF: PDFium reads it; pypdf is asked where PDFium finds nothing, fails, or is wrong."""

import contextlib
import dataclasses
import re
from itertools import islice
from typing import Any

import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as pdfium  # pyright: ignore[reportMissingTypeStubs]

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.pdf.attached import attachment_note, is_xfa
from rag_platform.documents.parsing.pdf.hidden import Hidden
from rag_platform.documents.parsing.pdf.layout import bookmarked, compose
from rag_platform.documents.parsing.pdf.limits import (
    MOST_BOOKMARKS,
    MOST_CHARACTERS,
    check_page_count,
    check_unpacked,
)
from rag_platform.documents.parsing.pdf.lines import PageLines
from rag_platform.documents.parsing.pdf.mending import CUT_OFF, mended
from rag_platform.documents.parsing.pdf.metadata import date_of, metadata_of, title_of
from rag_platform.documents.parsing.pdf.reading import read_page
from rag_platform.documents.parsing.pdf.recognition import deadline
from rag_platform.documents.parsing.pdf.running import without_running_lines
from rag_platform.documents.parsing.pdf.second_opinion import DAMAGED, ENCRYPTED, SecondOpinion
from rag_platform.documents.parsing.pdf.undecoded import UNDECODED
from rag_platform.documents.parsing.pdf.wordless import lettered, recognise_pages
from rag_platform.documents.parsing.scans import GARBLED
from rag_platform.documents.readability import has_wrong_letters
from rag_platform.errors import UnreadableDocument

_UNSEEN = "The PDF has no text that a person sees: all of it is hidden."
_XFA = (
    "The PDF is an XFA form, which only Adobe's programs show; print it to a PDF and drop that one."
)
_TOO_LONG = "The PDF has more text than is read; split it and drop the parts."
_HIDDEN = "Hidden text was left out: letters that nobody sees on the page."
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_LETTER = re.compile(r"[^\W_]")
_PLEASE_WAIT = 600
"""Characters; what an XFA form shows in other programs is a page that says it cannot be shown."""

_Bookmark = tuple[int, str, int]


def extract(data: bytes) -> ParsedDocument:
    """Read a PDF: text by page without what runs along its edges, headings, title and dates.

    Raises :class:`UnreadableDocument` where it is encrypted, damaged, garbled, or has no text.
    """
    until = deadline()
    check_unpacked(data)
    second = SecondOpinion(data)
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
            raise UnreadableDocument(ENCRYPTED) from error
        if (rescued := _rescued(data, until)) is not None:
            return rescued
        pages = [PageLines.of_text(text) for text in second.texts()]
        if not any(page.text.strip() for page in pages):
            raise UnreadableDocument(DAMAGED) from error
        return _assembled(pages, {}, [], [])
    try:
        return _read(document, second, until)
    finally:
        document.close()


def _rescued(data: bytes, until: float) -> ParsedDocument | None:
    """What is left of a file that was cut off, if that is more than nothing."""
    for whole in mended(data):
        with contextlib.suppress(pypdfium2.PdfiumError, UnreadableDocument):
            document = pypdfium2.PdfDocument(whole)
            try:
                read = _read(document, SecondOpinion(whole), until, cut_off=True)
            finally:
                document.close()
            return dataclasses.replace(read, notes=(CUT_OFF, *read.notes))
    return None


def _read(
    document: Any, second: SecondOpinion, until: float, *, cut_off: bool = False
) -> ParsedDocument:
    check_page_count(len(document))
    hidden = Hidden()
    pages: list[PageLines] = []
    characters = 0
    for number in range(len(document)):
        page = read_page(document, number, hidden)
        text = page.text
        characters += len(text)
        if characters > MOST_CHARACTERS:
            raise UnreadableDocument(_TOO_LONG)
        # PDFium swaps the two letters of the Arabic ligature lam-alef.
        arabic = _ARABIC.search(text) is not None and len(_ARABIC.findall(text)) * 3 > len(text)
        wrong = arabic and not page.hidden
        other = second.page(number) if wrong else ""
        page = PageLines.of_text(other) if other else page
        if has_wrong_letters(page.text):
            letters = len("".join(page.text.split()))
            page = PageLines(undecoded=1.0, letters=letters, hidden=page.hidden)
        pages.append(page)
    notes = [_HIDDEN] if any(page.hidden for page in pages) else []
    if not lettered(pages) and not notes and not any(page.undecoded for page in pages):
        if cut_off and not any(page.drawn for page in pages):  # blank pages: all else was lost
            raise UnreadableDocument(DAMAGED)
        pages = _from_second(second, pages)
    if is_xfa(document) and sum(len(page.text) for page in pages) < _PLEASE_WAIT:
        raise UnreadableDocument(_XFA)
    notes += recognise_pages(document, pages, until)
    if notes and not lettered(pages):
        raise UnreadableDocument(_UNSEEN)
    attached = attachment_note(document)
    notes += [attached] if attached else []
    return _assembled(pages, metadata_of(document), _bookmarks(document), notes)


def _from_second(second: SecondOpinion, pages: list[PageLines]) -> list[PageLines]:
    """The pages as pypdf reads them, where it reads any and they are as many."""
    try:
        others = [PageLines.of_text(text) for text in second.texts()]
    except UnreadableDocument:
        if pages:
            return pages  # PDFium opened it: it is not damaged, it is without text
        raise
    return others if lettered(others) else pages


def _bookmarks(document: Any) -> list[_Bookmark]:
    """Level, title and page of the bookmarks; broken ones must not cost the text."""
    bookmarks: list[_Bookmark] = []
    with contextlib.suppress(pypdfium2.PdfiumError, UnicodeError):
        for item in islice(document.get_toc(), MOST_BOOKMARKS):
            place = item.get_dest()
            page = place.get_index() if place is not None else None
            if page is not None:
                bookmarks.append((item.level + 1, item.get_title(), page))
    return bookmarks


def _assembled(
    pages: list[PageLines],
    metadata: dict[str, str],
    bookmarks: list[_Bookmark],
    notes: list[str],
) -> ParsedDocument:
    if not pages:
        raise UnreadableDocument("The file is damaged: the PDF has no pages.")
    composed = compose(without_running_lines(pages))
    undecoded = len(UNDECODED.findall(composed.text))
    if undecoded and undecoded > len(_LETTER.findall(composed.text)):
        raise UnreadableDocument(GARBLED)
    given = bookmarked(bookmarks, composed)
    return ParsedDocument(
        text=composed.text,
        pages=composed.pages,
        headings=given if len(given) * 3 >= len(composed.headings) else composed.headings,
        title=title_of(metadata, pages[0]),
        author=metadata.get("Author", "").strip() or None,
        created=date_of(metadata.get("CreationDate")),
        modified=date_of(metadata.get("ModDate")),
        page_count=len(pages),
        notes=tuple(notes),
    )
