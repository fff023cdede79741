"""Rows of spreadsheets as text: every row says what its values are."""

import re
from collections import Counter
from collections.abc import Iterable

from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.errors import UnreadableDocument

Row = dict[int, str]
"""The filled cells of a row by column."""

_NUMBER = re.compile(r"[^A-Za-z]*\d[^A-Za-z]*")
_YEAR = re.compile(r"(?:19|20)\d\d(?:-\d\d){0,2}")
_LONGEST_NAME = 80
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

    def write(self, rows: Iterable[tuple[int, Row]], title: str = "") -> None:
        """Write rows with their numbers; a number left out is an empty row, and ends a table.

        The title becomes a heading if there are rows.
        """
        table: list[Row] = []
        header: Row = {}
        last = 0
        for number, row in rows:
            if title:
                self._blocks.heading(1, title)
                title = ""
            if table and number > last + 1:
                header = self._table(table, header)
                table = []
            last = number
            table.append(row)
            self._characters += sum(map(len, row.values()))
            if self._characters > _MAX_CHARACTERS:
                raise UnreadableDocument(
                    "The file is refused: its cells hold more than "
                    f"{_MAX_CHARACTERS // 1_000_000} million characters; divide it."
                )
        if table:
            self._table(table, header)

    def _table(self, rows: list[Row], above: Row) -> Row:
        """Write a table; its header, or that of the table above, whose rows may go on in it."""
        first = 0
        while first < len(rows) and len(rows[first]) == 1:
            self._blocks.add(_line(next(iter(rows[first].values()))))
            first += 1
        rows = rows[first:]
        if not rows:
            return above
        header: Row = {}
        if self._is_header(rows, bool(above)):
            header = _named(rows[0])
            rows = rows[1:] or rows
        elif set(rows[0]) <= set(above):
            header = above
        for row in rows:
            self._blocks.add(_record(row, header), "item")
        return header or above

    def _is_header(self, rows: list[Row], continued: bool) -> bool:
        names = rows[0]
        if len(rows) == 1:
            return False
        if self._always_headed and not continued:
            return not all(map(_NUMBER.fullmatch, names.values()))
        columns = Counter(column for row in rows[1:50] for column in row)
        usual = [column for column, count in columns.items() if count * 2 > len(rows[1:50])]
        if len(names) * 2 < len(usual) or len(set(names.values())) < len(names):
            return False
        if len(names) == 2 and all(text.rstrip().endswith(":") for text in _lefts(rows)):
            return False  # a form: what stands on the left names what stands on the right
        return all(
            not _NUMBER.fullmatch(text) or _YEAR.fullmatch(text.strip()) for text in names.values()
        ) and not all(_NUMBER.fullmatch(text) for text in names.values())


def _lefts(rows: list[Row]) -> list[str]:
    return [row[min(row)] for row in rows[:50]]


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
