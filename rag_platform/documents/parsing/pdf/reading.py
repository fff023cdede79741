"""A page of a PDF as lines: their text, where they stand and how they are set."""

import ctypes
import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as pdfium  # pyright: ignore[reportMissingTypeStubs]

from rag_platform.documents.parsing.pdf.attached import annotation_lines
from rag_platform.documents.parsing.pdf.hidden import Box, Hidden, Span
from rag_platform.documents.parsing.pdf.lines import Line, PageLines
from rag_platform.documents.parsing.pdf.undecoded import UNDECODED, remove_undecoded

_RAW = cast(Any, pdfium)
# PDFium writes U+FFFE for a hyphen at a line's end, and no line break after it.
_LINE_END = re.compile("\r\n|\r|\n|\ufffe")
_WORD = re.compile(r"\S{1,16}")
_BOLD = re.compile(rb"bold|black|heavy|semibold|demi(?!ta)|[-,_]bd\b", re.IGNORECASE)
_CELL_GAP = 1.5
"""Blank space that parts two cells of a row, in letter sizes; a blank is a quarter of one."""

_SAMPLED = 10
_NARROW = 0.2
_FONT_NAME = 96


def read_page(document: Any, number: int, hidden: Hidden) -> PageLines:
    """The lines of a page, counted from zero; none where PDFium fails on it."""
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return PageLines(missing=True)
    try:
        text_page = page.get_textpage()
        try:
            found = _Reader(page, text_page, hidden).read()
            found.lines += annotation_lines(page)
            found.blank = not found.lines and not _RAW.FPDFPage_CountObjects(page.raw)
            return found
        finally:
            text_page.close()
    except (pypdfium2.PdfiumError, UnicodeError):
        return PageLines()
    finally:
        page.close()


class _Reader:
    """Reads one page; PDFium's answers come in numbers that are made once and used again."""

    def __init__(self, page: Any, text_page: Any, hidden: Hidden) -> None:
        self._page = page
        self._text_page: Any = text_page.raw
        self._hidden = hidden
        self._boxes: dict[Span, Box] = {}
        self._turn = _turn(_RAW.FPDFPage_GetRotation(page.raw))
        self._box: Any = _RAW.FS_RECTF()
        self._matrix: Any = _RAW.FS_MATRIX()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._name = ctypes.create_string_buffer(_FONT_NAME)
        self._flags = ctypes.c_int()

    def read(self) -> PageLines:
        text = self._text()
        _RAW.FPDF_GetPageBoundingBox(self._page.raw, self._box)
        corners = [(self._box.left, self._box.bottom), (self._box.right, self._box.top)]
        heights = [self._turn(x, y)[1] for x, y in corners]
        found = PageLines(bottom=min(heights), top=max(heights))
        words = [match.span() for match in _WORD.finditer(text.replace("\ufffe", " "))]
        self._boxes = self._hidden.seen(self._page, self._text_page, words)
        kept = list(self._boxes) if len(self._boxes) < len(words) else words
        sample = words[::_SAMPLED]
        unknown = _RAW.FPDFText_HasUnicodeMapError
        suspect = UNDECODED.search(text) is not None or any(
            unknown(self._text_page, word[0]) == 1 for word in sample
        )
        spans: list[list[Span]] = []
        found.hidden = len(kept) < len(words)
        if not words:
            found.drawn = self._hidden.covered_by_pictures(self._page)
        start, first = 0, 0
        while start < len(text):
            end = _LINE_END.search(text, start)
            stop, following = (end.start(), end.end()) if end else (len(text), len(text))
            last = first
            while last < len(kept) and kept[last][0] < stop:
                last += 1
            if first < last:
                line = self._line(text, kept[first:last], start, stop)
                if end and end[0] == "\ufffe":
                    line.text += "\ufffe"
                if found.lines and line.text.startswith("\u2044"):
                    found.lines[-1].text += line.text  # the lower part of a fraction
                    spans[-1] += kept[first:last]
                else:
                    found.lines.append(line)
                    spans.append(kept[first:last])
            start, first = following, last
        if suspect:
            remove_undecoded(found, self._text_page, text, spans)
        return found

    def _text(self) -> str:
        """One character for each of PDFium's, so that places in both are the same."""
        count = _RAW.FPDFText_CountChars(self._text_page)
        if count <= 0:
            return ""
        buffer = ctypes.create_string_buffer(2 * count + 2)
        pointer = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
        written = _RAW.FPDFText_GetText(self._text_page, 0, count, pointer)
        text = buffer.raw[: 2 * max(written - 1, 0)].decode("utf-16-le", "surrogatepass")
        if len(text) == count:
            return text
        get = _RAW.FPDFText_GetUnicode
        codes = [get(self._text_page, index) for index in range(count)]
        return "".join(chr(code) if code < 0x110000 else "\ufffd" for code in codes)

    def _line(self, text: str, words: list[tuple[int, int]], start: int, stop: int) -> Line:
        whole = "".join(
            text[one[0] : other[0]] if one[1] == other[0] or not text[one[1] : other[0]].strip()
            else text[one[0] : one[1]] + " "
            for one, other in pairwise(words)
        ) + text[words[-1][0] : words[-1][1]]  # fmt: skip
        if "\ud800" <= max(whole) <= "\udfff":
            whole = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        line = Line(whole)
        styles = [self._style(words[at][0]) for at in sorted({0, len(words) // 2, len(words) - 1})]
        line.size = sorted(size for size, _ in styles)[(len(styles) - 1) // 2]
        line.bold = all(bold for _, bold in styles)
        turn, boxes = self._turn, [self._boxes[word] for word in words]
        starts = [min(turn(x0, y0)[0], turn(x1, y1)[0]) for x0, y0, x1, y1 in boxes]
        line.left = min(starts)
        line.right = max(self._end(words[-1][1] - 1), starts[-1])
        _RAW.FPDFText_GetCharOrigin(self._text_page, words[0][0], self._x, self._y)
        line.baseline = turn(self._x.value, self._y.value)[1]
        gap = _CELL_GAP * line.size
        for (begin, end), left, right in zip(words, starts, starts[1:], strict=False):
            # Asking for the word's end costs time: only where even narrow letters leave a gap.
            room = right - left - gap
            if room > _NARROW * (end - begin) * line.size and room > self._end(end - 1) - left:
                line.cells += 1
        return line

    def _style(self, index: int) -> tuple[float, bool]:
        """Letter size as it is shown, and whether it is set in bold."""
        size = _RAW.FPDFText_GetFontSize(self._text_page, index)
        if _RAW.FPDFText_GetMatrix(self._text_page, index, self._matrix):
            size *= math.hypot(self._matrix.c, self._matrix.d)
        length = _RAW.FPDFText_GetFontInfo(
            self._text_page, index, self._name, _FONT_NAME, self._flags
        )
        name = self._name.value if 0 < length <= _FONT_NAME else b""
        return round(size, 1), _BOLD.search(name) is not None

    def _end(self, index: int) -> float:
        """The right edge of a letter."""
        box = self._box
        _RAW.FPDFText_GetLooseCharBox(self._text_page, index, box)
        return max(self._turn(box.left, box.bottom)[0], self._turn(box.right, box.top)[0])


def _turn(rotation: int) -> Callable[[float, float], tuple[float, float]]:
    """From a page's own coordinates to those in which it is shown, but for where they begin."""
    if rotation == 1:
        return lambda x, y: (y, -x)
    if rotation == 2:
        return lambda x, y: (-x, -y)
    if rotation == 3:
        return lambda x, y: (-y, x)
    return lambda x, y: (x, y)
