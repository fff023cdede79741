"""PDF: PDFium reads it; pypdf is asked where PDFium finds nothing, fails, or is wrong."""

import contextlib
import io
import re
import statistics
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import Any, cast

import pypdf
import pypdf.errors
import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as pdfium  # pyright: ignore[reportMissingTypeStubs]

from rag_platform.documents.parsed import Heading, Page, ParsedDocument
from rag_platform.errors import UnreadableDocument

_ENCRYPTED = "The PDF is encrypted; remove its password and drop it again."
_SCANNED = "The PDF has no text; it seems to be scanned pages."
_GARBLED = "The PDF's text cannot be decoded: its fonts do not say which letters they draw."
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:Z|([+-])(\d\d)'?(\d\d)?)?")
_NO_TITLE = re.compile(
    r"[\W\d_]*|untitled.*|.*powerpoint presentation|document\d*|slide \d+|title"
    r"|.*\.(?:docx?|pptx?|xlsx?|indd|qxd|tex|dvi|pdf|tmp|html?)",
    re.IGNORECASE,
)
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_LETTER = re.compile(r"[^\W_]")
_UNDECODED = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")
_RAW = cast(Any, pdfium)
_BOOKMARKS = 5000
_TITLE_CHARACTERS = 4000


def extract(data: bytes) -> ParsedDocument:
    """Read a PDF: text by page, bookmarks as headings, title, author and dates."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
            raise UnreadableDocument(_ENCRYPTED) from error
        return _assembled(_Second(data).texts(), {}, [], None)
    try:
        return _read(document, data)
    finally:
        document.close()


def _read(document: Any, data: bytes) -> ParsedDocument:
    second = _Second(data)
    texts: list[str] = []
    for number in range(len(document)):
        text = _page_text(document, number)
        # PDFium swaps the two letters of the Arabic ligature lam-alef.
        wrong = len(_ARABIC.findall(text)) * 3 > len(text)
        texts.append((second.page(number) if wrong else "") or text)
    if not any(_LETTER.search(text) for text in texts):
        texts = second.texts()
    # Broken bookmarks or metadata must not cost the text.
    bookmarks: list[tuple[int, str, int]] = []
    with contextlib.suppress(pypdfium2.PdfiumError, UnicodeError):
        for item in islice(document.get_toc(), _BOOKMARKS):
            place = item.get_dest()
            page = place.get_index() if place is not None else None
            if page is not None:
                bookmarks.append((item.level + 1, item.get_title(), page))
    metadata: dict[str, Any] = {}
    for name in ("Title", "Author", "Subject", "CreationDate", "ModDate"):
        with contextlib.suppress(pypdfium2.PdfiumError, UnicodeError):
            metadata[name] = document.get_metadata_value(name)
    return _assembled(texts, metadata, bookmarks, _largest_line(document))


def _page_text(document: Any, number: int) -> str:
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return ""
    try:
        text_page = page.get_textpage()
        try:
            return text_page.get_text_range().replace("\r\n", "\n")
        finally:
            text_page.close()
    except pypdfium2.PdfiumError:
        return ""
    finally:
        page.close()


class _Second:
    """The second opinion: pypdf, opened when it is first needed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._reader: pypdf.PdfReader | None = None

    def texts(self) -> list[str]:
        """All pages; raises :class:`UnreadableDocument` where there is no document either."""
        try:
            return [self.page(number) for number in range(len(self._open().pages))]
        except (pypdf.errors.FileNotDecryptedError, pypdf.errors.WrongPasswordError) as error:
            raise UnreadableDocument(_ENCRYPTED) from error
        except (UnreadableDocument, MemoryError):
            raise
        except Exception as error:
            raise UnreadableDocument("The file is damaged: it is not a complete PDF.") from error

    def page(self, number: int) -> str:
        """One page's text, empty where pypdf fails on it."""
        try:
            return self._open().pages[number].extract_text()
        except (pypdf.errors.FileNotDecryptedError, UnreadableDocument, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - one page must not cost the others
            return ""

    def _open(self) -> pypdf.PdfReader:
        if self._reader is None:
            reader = pypdf.PdfReader(io.BytesIO(self._data), strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                raise UnreadableDocument(_ENCRYPTED)
            self._reader = reader
        return self._reader


def _assembled(
    texts: list[str],
    metadata: dict[str, Any],
    bookmarks: list[tuple[int, str, int]],
    largest: str | None,
) -> ParsedDocument:
    if not texts:
        raise UnreadableDocument("The file is damaged: the PDF has no pages.")
    whole = "\n\n".join(texts)
    letters = len(_LETTER.findall(whole))
    if not letters and not _UNDECODED.search(whole):
        raise UnreadableDocument(_SCANNED)
    if len(_UNDECODED.findall(whole)) > letters:
        raise UnreadableDocument(_GARBLED)
    pages: list[Page] = []
    start = 0
    for number, text in enumerate(texts, 1):
        pages.append(Page(number, start, start + len(text)))
        start += len(text) + 2
    return ParsedDocument(
        text=whole,
        pages=tuple(pages),
        headings=_headings(bookmarks, texts, pages),
        title=_title(metadata.get("Title")) or _described(largest, metadata.get("Subject")),
        author=(metadata.get("Author") or "").strip() or None,
        created=_date(metadata.get("CreationDate")),
        modified=_date(metadata.get("ModDate")),
        page_count=len(texts),
    )


def _headings(
    bookmarks: list[tuple[int, str, int]], texts: list[str], pages: list[Page]
) -> tuple[Heading, ...]:
    """Bookmarks as headings, where their words are found on the page they point to."""
    headings: dict[int, Heading] = {}
    for level, title, page in bookmarks:
        words = title.split()
        if not words or page >= len(texts):
            continue
        pattern = r"\s+".join(map(re.escape, words))
        found = re.search(rf"^[ \t]*(?:[\dA-Z.]+\s+)?{pattern}", texts[page], re.I | re.M)
        found = found or re.search(pattern, texts[page], re.IGNORECASE)
        if found:
            start = pages[page].start + found.start()
            headings.setdefault(start, Heading(level, " ".join(words), start))
    return tuple(headings[start] for start in sorted(headings))


def _largest_line(document: Any) -> str | None:
    """What stands in clearly the largest letters on the first page: its title."""
    try:
        page = document[0]
        text_page = page.get_textpage()
    except (pypdfium2.PdfiumError, IndexError):
        return None
    lines: list[tuple[float, str]] = []
    characters: list[str] = []
    heights: list[float] = []
    count = min(text_page.count_chars(), _TITLE_CHARACTERS)
    for index in range(count + 1):
        character = chr(_RAW.FPDFText_GetUnicode(text_page, index)) if index < count else "\n"
        if character in "\r\n":
            if heights:
                lines.append((statistics.median(heights), "".join(characters).strip()))
            characters, heights = [], []
            continue
        characters.append(character)
        if not character.isspace():
            _, bottom, _, top = text_page.get_charbox(index, loose=True)
            heights.append(abs(top - bottom))
    text_page.close()
    page.close()
    if len(lines) < 3:
        return None
    usual = statistics.median([height for height, line in lines for _ in line])
    largest = max(height for height, _ in lines)
    if largest < 1.25 * usual:
        return None
    first = next(index for index, (height, _) in enumerate(lines) if height == largest)
    title: list[str] = []
    for height, line in lines[first : first + 4]:
        if height < 0.95 * largest:
            break
        title.append(line)
    return " ".join(title)


def _described(largest: str | None, subject: str | None) -> str | None:
    """A title from the first page and the subject: four reports of one company need both."""
    parts = [_title(largest), _title(subject) if subject and " " in subject.strip() else None]
    return ": ".join(part for part in parts if part) or None


def _title(title: str | None) -> str | None:
    """A title that a person would recognise; none for what programs write there."""
    title = re.sub(r"^Microsoft \w+ - ", "", title or "").strip("\x00 ")
    if _NO_TITLE.fullmatch(title) or not 3 <= len(title) <= 250:
        return None
    return title


def _date(value: str | None) -> datetime | None:
    found = _DATE.match(value or "")
    if found is None:
        return None
    numbers = [int(part) for part in found.groups()[:6] if part is not None]
    numbers += [1] * (3 - len(numbers))
    zone: timezone = UTC
    try:
        if found[7]:
            offset = timedelta(hours=int(found[8]), minutes=int(found[9] or 0))
            zone = timezone(-offset if found[7] == "-" else offset)
        return datetime(*numbers, tzinfo=zone)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return None
