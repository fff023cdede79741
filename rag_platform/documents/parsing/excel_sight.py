"""Cells of an Excel file that nobody sees: letters in the colour of what is behind them."""

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.colours import BLACK, WHITE, Colour, of_hex, shows
from rag_platform.documents.parsing.xml_tree import children, first, value_of

_INDEXED = {0: BLACK, 1: WHITE, 8: BLACK, 9: WHITE}
_THEME = {"0": WHITE, "1": BLACK}
_FAINT_TINT = 0.04
_RANGE = re.compile(r"\$?([A-Z]{1,3})?\$?(\d{1,7})?(?::\$?([A-Z]{1,3})?\$?(\d{1,7})?)?")
_MOST_RANGES = 300

Range = tuple[int, int, int, int]
"""First row and column, last row and column, all from 1."""
_WHOLE: Range = (0, 0, 1 << 30, 1 << 30)


def hidden_styles(styles: Element | None, formats: list[str]) -> frozenset[int]:
    """The numbers of the styles whose text nobody sees on a bare sheet."""
    fonts = children(first(styles, "fonts"), "font")
    fills = children(first(styles, "fills"), "fill")
    found: set[int] = set()
    for number, style in enumerate(children(first(styles, "cellXfs"), "xf")):
        font = _item(fonts, value_of(style, "fontId"))
        if _blank(formats[number]) or _tiny(font):
            found.add(number)
            continue
        ink = _colour(first(font, "color"))
        paper = _paper(_item(fills, value_of(style, "fillId")))
        if ink is not None and paper is not None and not shows(ink, 1.0, paper):
            found.add(number)
    return frozenset(found)


class Painted:
    """The ranges of a sheet that are painted by more than the styles of their cells."""

    def __init__(self, tables: Iterable[Element | None]) -> None:
        """``tables`` are the parts that describe the sheet's tables, which have styles."""
        self._ranges: list[Range] = []
        for table in tables:
            if table is not None and first(table, "tableStyleInfo") is not None:
                self._add(value_of(table, "ref") or "")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element of the sheet begins."""
        if name == "conditionalFormatting":
            for reference in attributes.get("sqref", "").split()[:100]:
                self._add(reference)
        elif name == "picture":
            self._ranges.append(_WHOLE)  # behind all cells

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Text inside of an element."""

    def covers(self, row: int, column: int) -> bool:
        """Whether a cell lies in one of the ranges."""
        return any(
            top <= row <= bottom and left <= column <= right
            for top, left, bottom, right in self._ranges
        )

    def _add(self, reference: str) -> None:
        found = _RANGE.fullmatch(reference)
        if found is None or len(self._ranges) >= _MOST_RANGES:
            self._ranges = [_WHOLE]
            return
        left, top, right, bottom = found.groups()
        last = ":" in reference
        self._ranges.append(
            (
                int(top or 0),
                column_number(left or ""),
                int((bottom if last else top) or 1 << 30),
                column_number((right if last else left) or "") or 1 << 30,
            )
        )


def column_number(letters: str) -> int:
    """The number of a column from 1; 0 for no letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _item(items: list[Element], number: str | None) -> Element | None:
    place = int(number) if number is not None and number.isdecimal() and len(number) < 8 else -1
    return items[place] if 0 <= place < len(items) else None


def _blank(code: str) -> bool:
    """Whether a format shows nothing of anything, as ``;;;`` does."""
    return code.replace(" ", "") == ";;;"


def _tiny(font: Element | None) -> bool:
    size = first(font, "sz")
    try:
        return size is not None and float(value_of(size) or "11") <= 1
    except ValueError:
        return False


def _paper(fill: Element | None) -> Colour | None:
    """The colour of a fill; ``None`` where it is a pattern."""
    if fill is None:
        return WHITE
    pattern = first(fill, "patternFill")
    if pattern is None:
        return None
    kind = value_of(pattern, "patternType") or "none"
    if kind == "none":
        return WHITE
    return _colour(first(pattern, "fgColor")) if kind == "solid" else None


def _colour(colour: Element | None) -> Colour | None:
    if colour is None:
        return None
    code = value_of(colour, "rgb") or ""
    try:
        if abs(float(value_of(colour, "tint") or "0")) > _FAINT_TINT:
            return None
    except ValueError:
        return None
    if code:
        return of_hex(code[-6:])
    indexed = value_of(colour, "indexed") or ""
    if indexed.isdecimal() and len(indexed) < 4:
        return _INDEXED.get(int(indexed))
    return _THEME.get(value_of(colour, "theme") or "")
