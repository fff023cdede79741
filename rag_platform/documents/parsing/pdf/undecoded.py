"""Lines of a page whose fonts do not say which letters they draw: what is read there is wrong."""

import ctypes
import re
from collections import Counter
from typing import Any, cast

import pypdfium2.raw as pdfium  # pyright: ignore[reportMissingTypeStubs]

from rag_platform.documents.parsing.pdf.hidden import Span
from rag_platform.documents.parsing.pdf.lines import PageLines
from rag_platform.documents.readability import looks_latin

_RAW = cast(Any, pdfium)
UNDECODED = re.compile("[\ue000-\uf8ff\ufffd\x00\x01\x03-\x08\x0e-\x1f]")
"""Without U+0002, which some versions of PDFium write for a hyphen at a line's end."""
_CONTROL = re.compile("[\x00\x01\x03-\x08\x0e-\x1f]")
_MOST_OF_A_LINE = 0.2
_MOST_OF_A_FONT = 0.15
"""Where a font is lost, its codes of two bytes are read as letters of another font, a byte each:
the zero bytes among them tell."""
_FONT_NAME = 96


def remove_undecoded(found: PageLines, text_page: Any, text: str, spans: list[list[Span]]) -> None:
    """Take out the lines that are not decoded; ``spans`` are the words of each line."""
    lost_fonts = _lost_fonts(text_page, text, spans)
    name = _FontNames(text_page)
    unknown = _RAW.FPDFText_HasUnicodeMapError
    wrong: set[int] = set()
    doubtful: set[int] = set()
    lengths: list[int] = []
    for number, words in enumerate(spans):
        strange = unexplained = 0
        lengths.append(sum(end - start for start, end in words))
        for start, end in words:
            if name(start) in lost_fonts:
                strange += end - start
                continue
            strange += len(UNDECODED.findall(text, start, end))
            unexplained += sum(unknown(text_page, place) == 1 for place in range(start, end))
        if strange > _MOST_OF_A_LINE * lengths[number]:
            wrong.add(number)
        elif unexplained > _MOST_OF_A_LINE * lengths[number]:
            doubtful.add(number)
    # Some fonts explain nothing, and their codes are the letters all the same.
    if not looks_latin(" ".join(found.lines[number].text for number in doubtful)):
        wrong |= doubtful
    found.lines = [line for number, line in enumerate(found.lines) if number not in wrong]
    found.letters = sum(lengths)
    found.undecoded = sum(lengths[number] for number in wrong) / max(1, found.letters)


def _lost_fonts(text_page: Any, text: str, spans: list[list[Span]]) -> set[bytes]:
    if not _CONTROL.search(text):
        return set()
    name = _FontNames(text_page)
    letters: Counter[bytes] = Counter()
    controls: Counter[bytes] = Counter()
    for start, end in (word for words in spans for word in words):
        font = name(start)
        letters[font] += end - start
        controls[font] += len(_CONTROL.findall(text, start, end))
    return {font for font, count in controls.items() if count > _MOST_OF_A_FONT * letters[font]}


class _FontNames:
    """The name of a letter's font."""

    def __init__(self, text_page: Any) -> None:
        self._text_page = text_page
        self._name = ctypes.create_string_buffer(_FONT_NAME)
        self._flags = ctypes.c_int()

    def __call__(self, index: int) -> bytes:
        length = _RAW.FPDFText_GetFontInfo(
            self._text_page, index, self._name, _FONT_NAME, self._flags
        )
        return self._name.value if 0 < length <= _FONT_NAME else b""
