"""What in a text belongs together: tables, code, the items of lists. One pass over the lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rag_platform.documents.parsed import ParsedDocument

_ITEM = re.compile(r"[ \t]{0,20}(?:[-*+•‣–]|\d{1,3}[.)]|[a-z][.)])[ \t]")
_FENCE = re.compile(r"[ \t]{0,20}(`{3,}|~{3,})")
_CELLS = re.compile(r"(?<!\\)\|")
_DELIMITER = frozenset("|:- \t")
_CLOSING = frozenset(")]}>")
_COLUMNS = 200
"""Characters of a table's head that the pieces of a long table carry."""

_BLANK_LINE = 0.1
_BLANK_LINE_INSIDE = 0.25
_STATEMENT = 0.6
_INSIDE = 0.9

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Table:
    """A Markdown table; its rows start at ``body``, and ``columns`` is its head in one line."""

    start: int
    body: int
    end: int
    columns: str


@dataclass(slots=True)
class Structure:
    """Spans that are kept whole where they fit in a passage, in order and apart.

    Where a span of ``parts`` does not fit, the spans that it maps to are kept whole instead.
    """

    whole: list[Span] = field(default_factory=list[Span])
    parts: dict[Span, list[Span]] = field(default_factory=dict[Span, list[Span]])
    tables: list[Table] = field(default_factory=list[Table])
    prices: dict[int, float] = field(default_factory=dict[int, float])
    """What a cut before a line of code costs, by the line's start."""


def structure_of(document: ParsedDocument) -> Structure:
    """The tables, fenced code and items of a text; of source code, its definitions."""
    found = Structure()
    lines = list(_lines(document.text))
    if document.parser.startswith("source_code@"):
        starts = sorted({0, *(heading.start for heading in document.headings)})
        _add_code(found, document.text, lines, starts)
    else:
        _Reading(document.text, lines, found).read()
    return found


def _lines(text: str) -> Iterator[Span]:
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield start, end + 1
        start = end + 1
    if start < len(text):
        yield start, len(text)


class _Reading:
    """The lines of a text from top to bottom, with what is open at the moment."""

    def __init__(self, text: str, lines: list[Span], found: Structure) -> None:
        self._text = text
        self._lines = lines
        self._found = found
        self._item: int | None = None
        self._fence: tuple[int, str] | None = None  # its first line, and its mark

    def read(self) -> None:
        number = 0
        while number < len(self._lines):
            start, end = self._lines[number]
            if self._fence is not None:
                self._in_fence(number)
            elif fence := _FENCE.match(self._text, start, end):
                self._close_item(start)
                self._fence = (number, fence[1])
            elif self._heads_table(number):
                self._close_item(start)
                number = self._table(number)
                continue
            elif _ITEM.match(self._text, start, end):
                self._close_item(start)
                self._item = start
            elif self._text[start:end].isspace() or self._text.startswith("#", start):
                self._close_item(start)
            number += 1
        self._close_item(len(self._text))

    def _close_item(self, end: int) -> None:
        if self._item is not None:
            self._found.whole.append((self._item, end))
            self._item = None

    def _in_fence(self, number: int) -> None:
        assert self._fence is not None
        first, mark = self._fence
        start, end = self._lines[number]
        close = _FENCE.match(self._text, start, end)
        if close is None or not close[1].startswith(mark):
            return
        if self._text[close.end() : end].strip():
            return  # a mark that opens, inside
        self._fence = None
        _add_code(self._found, self._text, self._lines[first : number + 1], [self._lines[first][0]])

    def _heads_table(self, number: int) -> bool:
        if number + 1 >= len(self._lines):
            return False
        start, end = self._lines[number + 1]
        if end - start > 10_000 or self._text.find("|", *self._lines[number]) < 0:
            return False
        line = self._text[start:end].strip()
        return "-" in line and "|" in line and _DELIMITER.issuperset(line)

    def _table(self, number: int) -> int:
        """Note the table whose head is this line; returns the number of the line after it."""
        after = number + 2
        while after < len(self._lines) and self._text.find("|", *self._lines[after]) >= 0:
            after += 1
        start, end = self._lines[number][0], self._lines[after - 1][1]
        rows = self._lines[number + 2 : after]
        body = rows[0][0] if rows else end
        self._found.whole.append((start, end))
        # The head stays with its first row.
        head = (start, rows[0][1] if rows else end)
        self._found.parts[start, end] = [head, *rows[1:]]
        head_line = self._text[slice(*self._lines[number])]
        self._found.tables.append(Table(start, body, end, _columns(head_line)))
        return after


def _columns(line: str) -> str:
    """The cells of a table's head in one line, as many as are short enough."""
    cells = [" ".join(cell.split()) for cell in _CELLS.split(line[: 10 * _COLUMNS])]
    text = ""
    for cell in filter(None, cells):
        longer = f"{text} | {cell}" if text else cell
        if len(longer) > _COLUMNS:
            return text or longer[:_COLUMNS]
        text = longer
    return text


def _add_code(found: Structure, text: str, lines: list[Span], starts: list[int]) -> None:
    """Note code of these lines that consists of sections with these starts."""
    if not lines:
        return
    bounds = [*starts[1:], lines[-1][1]]
    at = 0
    for start, end in zip(starts, bounds, strict=True):
        section: list[Span] = []
        while at < len(lines) and lines[at][0] < end:
            section.append(lines[at])
            at += 1
        if section:
            found.whole.append((start, end))
            found.parts[start, end] = section
    blank = True
    for start, end in lines:
        first = text[start]
        if text[start:end].isspace():
            blank = True
            continue
        inside = first.isspace() or first in _CLOSING
        if blank:
            found.prices[start] = _BLANK_LINE_INSIDE if inside else _BLANK_LINE
        else:
            found.prices[start] = _INSIDE if inside else _STATEMENT
        blank = False
