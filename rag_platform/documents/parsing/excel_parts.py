"""The large parts of an Excel file, read as they come: cells of a sheet, and shared texts."""

import re
from collections.abc import Callable, Iterator
from typing import Protocol
from xml.parsers import expat

from rag_platform.documents.parsing.archive import Archive
from rag_platform.documents.parsing.excel_sight import column_number
from rag_platform.documents.parsing.records import Row
from rag_platform.documents.parsing.xml_tree import ENTITIES
from rag_platform.errors import UnreadableDocument

_COLUMN = re.compile(r"[A-Z]{1,3}")
_COLUMNS = 16_384
_LONGEST = 32_767
"""Excel's own limits: columns of a sheet, characters of a cell."""

Shown = Callable[[str, str, str], str]
"""What people see of a cell: from its type, its style's number and its stored value."""
Hides = Callable[[str, int, int], bool]
"""Whether nobody sees a cell: from its style's number, its row and its column from 1."""


class Listener(Protocol):
    """Hears the elements of a part."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        ...

    def end(self, name: str) -> None:
        """An element ends."""
        ...

    def text(self, text: str) -> None:
        """Text inside of an element."""
        ...


class SheetReader:
    """Hears the elements of a sheet and keeps its filled rows until they are taken."""

    def __init__(self, shown: Shown, hides: Hides) -> None:
        self.uncalculated = 0
        """Formulas without a result."""
        self.hidden = False
        """Whether there are cells with text that nobody sees."""
        self._shown = shown
        self._hides = hides
        self._rows: list[tuple[int, Row]] = []
        self._row: Row = {}
        self._number = 0
        self._column = -1
        self._kind = self._style = ""
        self._value: list[str] = []
        self._listening = self._formula = self._phonetic = False

    def taken(self) -> list[tuple[int, Row]]:
        """The rows since the last time."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "c":
            self._kind = attributes.get("t", "")
            self._style = attributes.get("s", "")
            self._column = _column(attributes.get("r", ""), self._column + 1)
        elif name == "row":
            number = attributes.get("r", "")
            self._number = int(number[:9]) if number.isdecimal() else self._number + 1
            self._column = -1
        elif name == "v" or (name == "t" and not self._phonetic):
            self._listening = True
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._phonetic = True

    def end(self, name: str) -> None:
        """An element ends."""
        if name == "v" or name == "t":
            self._listening = False
        elif name == "c":
            if self._value:
                self._keep("".join(self._value))
                self._value = []
            elif self._formula:
                self.uncalculated += 1
            self._formula = False
        elif name == "row":
            if self._row:
                self._rows.append((self._number, self._row))
                self._row = {}
        elif name == "rPh":
            self._phonetic = False

    def text(self, text: str) -> None:
        """Text inside of an element."""
        if self._listening:
            self._value.append(text)

    def _keep(self, value: str) -> None:
        text = self._shown(self._kind, self._style, value).strip()[:_LONGEST]
        if text and 0 <= self._column < _COLUMNS:
            if self._hides(self._style, self._number, self._column + 1):
                self.hidden = True
            else:
                self._row[self._column] = text


class TextReader:
    """Hears the elements of the shared texts."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._text: list[str] = []
        self._listening = self._phonetic = False

    def taken(self) -> list[str]:
        """The texts since the last time."""
        texts, self._texts = self._texts, []
        return texts

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "t":
            self._listening = not self._phonetic
        elif name == "rPh":
            self._phonetic = True

    def end(self, name: str) -> None:
        """An element ends."""
        if name == "t":
            self._listening = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            self._texts.append("".join(self._text)[:_LONGEST])
            self._text = []

    def text(self, text: str) -> None:
        """Text inside of an element."""
        if self._listening:
            self._text.append(text)


def listen(archive: Archive, path: str, reader: Listener) -> Iterator[None]:
    """Read a part; after each megabyte the reader's takings can be taken."""

    def declared(*_: object) -> None:
        raise UnreadableDocument(ENTITIES)

    def start(name: str, attributes: dict[str, str]) -> None:
        reader.start(name.rpartition(":")[2] if ":" in name else name, attributes)

    def end(name: str) -> None:
        reader.end(name.rpartition(":")[2] if ":" in name else name)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = reader.text
    try:
        for piece in archive.pieces(path):
            parser.Parse(piece, False)
            yield
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnreadableDocument(archive.damaged) from error
    yield


def _column(reference: str, otherwise: int) -> int:
    letters = _COLUMN.match(reference)
    if letters is None:
        return otherwise
    return column_number(letters[0]) - 1
