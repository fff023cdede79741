"""Rows of spreadsheets as text: every row says what its values are."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.errors import UnreadableDocument

Row = dict[int, str]
"""The filled cells of a row by column."""

_NUMBER = re.compile(r"[^A-Za-z]*\d[^A-Za-z]*(?:[eE][-+]?\d+)?")
_YEAR = re.compile(r"(?:19|20)\d\d(?:-\d\d){0,2}")
_TRUTH = re.compile(r"true|false", re.IGNORECASE)
_LONGEST_VALUE = 60
"""Characters of a number, a date or an amount."""
_LONGEST_NAME = 80
_SAMPLE = 60
"""So many rows of a table are looked at to tell whether it has a header."""
_MAX_CHARACTERS = 100_000_000
"""One long text can be the value of a million cells."""


class Records:
    """Writes the rows of a sheet, a table after the other, into blocks.

    A row becomes a line such as ``Name: Mallard; Length: 50 cm``. A passage of some rows then needs
    no header that stands in another passage, and a row is an exact quote by itself.
    """

    def __init__(self, blocks: Blocks, always_headed: bool = False) -> None:
        """``always_headed``: the first full row is a header whatever it looks like."""
        self._blocks = blocks
        self._always_headed = always_headed
        self._characters = 0
        self._first: list[Row] = []  # the rows of a table from which its header is known
        self._header: Row = {}
        self._begun = False

    def write(self, rows: Iterable[tuple[int, Row]], title: str = "") -> None:
        """Write rows with their numbers; a number left out is an empty row, and ends a table.

        The title becomes a heading if there are rows.
        """
        self._header = {}
        last = 0
        for number, row in rows:
            if title:
                self._blocks.heading(1, title)
                title = ""
            if number > last + 1:
                self._end()
            last = number
            if self._begun:
                self._record(row, self._header)
                continue
            self._first.append(row)
            if len(self._first) == _SAMPLE:
                self._begin()
        self._end()

    def _begin(self) -> None:
        """Write the first rows of a table, under its header or that of the table above."""
        rows, self._first = self._first, []
        single = next((n for n, row in enumerate(rows) if len(row) > 1), len(rows))
        for row in rows[:single]:
            text = _line(next(iter(row.values())))
            self._blocks.add(text, "item" if single > 1 else "paragraph")
            self._count(len(text))
        rows = rows[single:]
        if not rows:
            return
        self._begun = True
        if self._is_header(rows, bool(self._header)):
            names = rows.pop(0)
            self._header = _named(names)
            if any(len(_line(text)) > _LONGEST_NAME for text in names.values()):
                self._record(names, {})  # whole once, since the names are cut
        elif not set(rows[0]) <= set(self._header):
            self._header = {}
        for row in rows:
            self._record(row, self._header)
        lone = len(rows) == 1 and len(rows[0]) > 2 and not self._header
        if lone and not any(_is(_NUMBER, text) for text in rows[0].values()):
            self._header = _named(rows[0])  # set apart from its rows by an empty one

    def _end(self) -> None:
        if self._first:
            self._begin()
        self._begun = False

    def _record(self, row: Row, header: Row) -> None:
        text = _record(row, header)
        self._count(len(text))
        self._blocks.add(text, "item")

    def _count(self, characters: int) -> None:
        self._characters += characters
        if self._characters > _MAX_CHARACTERS:
            raise UnreadableDocument(
                "The file is refused: its cells hold more than "
                f"{_MAX_CHARACTERS // 1_000_000} million characters; divide it."
            )

    def _is_header(self, rows: list[Row], continued: bool) -> bool:
        names = rows[0]
        if len(rows) == 1:
            return False
        columns = Counter(column for row in rows[1:] for column in row)
        usual = [column for column, count in columns.items() if count * 2 > len(rows[1:])]
        numbers = [text for text in names.values() if _is(_NUMBER, text)]
        below = [text for text in rows[1].values() if _is(_NUMBER, text)]
        scale = _is_scale(numbers) and not _is_scale(below)
        if len(numbers) == len(names) and not (
            # Years or weeks above the columns, with nothing above the first.
            set(usual) - set(names) and (scale or all(_is(_YEAR, text) for text in numbers))
        ):
            return False
        if not scale and any(
            _is_value(text, [row[column] for row in rows[1:] if column in row])
            for column, text in names.items()
        ):
            return False
        if self._always_headed and not continued:
            return True
        if len(names) * 2 < len(usual) or len(set(names.values())) < len(names):
            return False
        if len(names) == 2 and all(text.rstrip().endswith(":") for text in _lefts(rows)):
            return False  # a form: what stands on the left names what stands on the right
        return scale or all(_is(_YEAR, text) for text in numbers)


def _is_value(text: str, below: list[str]) -> bool:
    """Whether a cell is of the kind that most of the cells below it are: no name of theirs."""
    for kind in (_YEAR, _NUMBER, _TRUTH):
        if _is(kind, text):
            return sum(_is(kind, other) for other in below) * 2 > len(below)
    shape = _shape(text)
    return "0" in shape and sum(_shape(other) == shape for other in below) * 2 > len(below)


def _is(kind: re.Pattern[str], text: str) -> bool:
    text = text.strip()
    return len(text) <= _LONGEST_VALUE and kind.fullmatch(text) is not None


def _shape(text: str) -> str:
    """How a text is made of numbers and words: dates, and amounts with their units, are alike."""
    text = text.strip()
    if len(text) > _LONGEST_VALUE:
        return ""
    shape = re.sub(r"\d+(?:[.,]\d+)*", "0", text)
    return re.sub(r"[^\W\d_]+", "a", shape) if shape[:1] == "0" else shape


def _is_scale(numbers: list[str]) -> bool:
    """Whether they go up by equal steps, such as weeks and wavelengths: names of columns."""
    if len(numbers) < 3 or not all(len(t) < 10 and t.strip().isdecimal() for t in numbers):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(numbers)}
    return len(steps) == 1 and steps.pop() > 0


def _lefts(rows: list[Row]) -> list[str]:
    return [row[min(row)] for row in rows]


def _named(row: Row) -> Row:
    names = {column: _line(text)[:_LONGEST_NAME].rstrip(": ") for column, text in row.items()}
    return {column: name for column, name in names.items() if name}


def _record(row: Row, header: Row) -> str:
    columns = sorted(row)
    if not header and len(columns) == 2:
        left, right = (_line(row[column]) for column in columns)
        return f"{left.rstrip(':')}: {right}"
    return "; ".join(
        f"{header[column]}: {_line(row[column])}" if column in header else _line(row[column])
        for column in columns
    )


def _line(text: str) -> str:
    return " ".join(text.split())
