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
from rag_platform.documents.parsing.pdf.recognition import deadline, recognise
from rag_platform.documents.parsing.pdf.running import without_running_lines
from rag_platform.documents.parsing.pdf.second_opinion import DAMAGED, ENCRYPTED, SecondOpinion
from rag_platform.documents.parsing.scans import (
    NOTHING_RECOGNISED,
    SCANNED,
    TOO_SLOW,
    can_recognise,
)
from rag_platform.errors import UnreadableDocument

_GARBLED = "The PDF's text cannot be decoded: its fonts do not say which letters they draw."
_UNSEEN = "The PDF has no text that a person sees: all of it is hidden."
_XFA = (
    "The PDF is an XFA form, which only Adobe's programs show; print it to a PDF and drop that one."
)
_TOO_LONG = "The PDF has more text than is read; split it and drop the parts."
_HIDDEN = "Hidden text was left out: letters that nobody sees on the page."
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_LETTER = re.compile(r"[^\W_]")
_UNDECODED = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")
_MOST_UNDECODED = 0.5
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
        pages.append(PageLines.of_text(other) if other else page)
    if sum(page.undecoded for page in pages) > _MOST_UNDECODED * sum(p.sampled for p in pages):
        raise UnreadableDocument(_GARBLED)
    notes = [_HIDDEN] if any(page.hidden for page in pages) else []
    if not _lettered(pages) and not notes:
        if cut_off and not any(page.drawn for page in pages):  # blank pages: all else was lost
            raise UnreadableDocument(DAMAGED)
        pages = _from_second(second, pages)
    if is_xfa(document) and sum(len(page.text) for page in pages) < _PLEASE_WAIT:
        raise UnreadableDocument(_XFA)
    notes += _with_scans(document, pages, until)
    if notes and not _lettered(pages):
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
    return others if _lettered(others) else pages


def _with_scans(document: Any, pages: list[PageLines], until: float) -> list[str]:
    """Put recognised text on the pages that are scans. Returns what there is to say about it.

    Raises :class:`UnreadableDocument` where all are and none can be read.
    """
    none = not _lettered(pages) and not any(_UNDECODED.search(page.text) for page in pages)
    if none and not any(page.hidden for page in pages):
        scans = list(range(len(pages)))
    else:
        scans = [number for number, page in enumerate(pages) if page.drawn and not page.lines]
    if not scans or len(document) != len(pages):
        return []
    if not can_recognise():
        if none and len(scans) == len(pages):
            raise UnreadableDocument(SCANNED)
        named = _listed(scans).capitalize()
        if len(scans) == 1:
            return [f"{named} has no text; it seems to be a scan."]
        return [f"{named} have no text; they seem to be scans."]
    texts = recognise(document, scans, until)
    for number, text in texts.items():
        if text:
            pages[number] = PageLines.of_text(text)
    if not _lettered(pages):
        raise UnreadableDocument(NOTHING_RECOGNISED if len(texts) == len(scans) else TOO_SLOW)
    notes: list[str] = []
    if any(texts.values()):
        recognised = [number for number, text in texts.items() if text]
        whole = (
            "The text" if len(recognised) == len(pages) else f"The text of {_listed(recognised)}"
        )
        notes.append(f"{whole} was recognised from scans; expect misread letters.")
    left = [number for number in scans if number not in texts]
    if left:
        notes.append(f"There was no time to recognise {_listed(left)}; split the file to have it.")
    return notes


def _listed(numbers: list[int]) -> str:
    """Pages counted from zero, as people count them: ``pages 1, 2, 5, ...``."""
    shown = ", ".join(str(number + 1) for number in numbers[:10])
    more = ", ..." if len(numbers) > 10 else ""
    return f"{'page' if len(numbers) == 1 else 'pages'} {shown}{more}"


def _lettered(pages: list[PageLines]) -> bool:
    return any(_LETTER.search(line.text) for page in pages for line in page.lines)


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
    undecoded = len(_UNDECODED.findall(composed.text))
    if undecoded and undecoded > len(_LETTER.findall(composed.text)):
        raise UnreadableDocument(_GARBLED)
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
