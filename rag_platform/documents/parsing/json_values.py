"""JSON: one line a value, each with the path to it, so that a passage can be understood alone."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.documents.parsing.plain_text import decode

_BLANKS = re.compile(r"[ \t\r\n\x1e\ufeff]+")
_LONG = 300
"""A text of more characters, or of several lines, stands under a heading of its own."""
_LINE = 200
_NAME = 80
_PATH = 160
"""Characters of a name and a path; the beginning of a longer path is left out."""


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written: names may come twice."""


def extract(data: bytes) -> ParsedDocument:
    """Read JSON. What is no valid JSON, such as with comments, is read as plain text."""
    text = decode(data)
    values = Values()
    try:
        for value in _values(text):
            values.add(value)
    except json.JSONDecodeError as error:
        note = f"It is no valid JSON (line {error.lineno}) and was read as plain text."
        return ParsedDocument(text=text, notes=(note,))
    except RecursionError:
        note = "Its JSON is nested too deeply and was read as plain text."
        return ParsedDocument(text=text, notes=(note,))
    return values.document()


def load(text: str) -> Any:
    """The value of a JSON text: numbers as written, objects as lists of pairs.

    Raises :class:`json.JSONDecodeError`, and :class:`RecursionError` for nesting without end.
    """
    return _DECODER.decode(text)


class Values:
    """Writes values as blocks: a line each, and what is long under a heading."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._lines: list[str] = []
        self._heading: str | None = None
        """The path that the lines to come would seem to stand under, from the first heading on."""
        self._full = False
        """Whether the heading is that of a long text, which holds nothing else."""

    def add(self, value: Any, root: str = "") -> None:
        """Write a value and all that it holds; paths begin with ``root``."""
        stack = [iter([(root, value)])]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                continue
            path, child = step
            if isinstance(child, list):
                items = cast(list[Any], child)
                named = isinstance(child, _Pairs)
                if not named and _plain_items(items):
                    for row in _rows([_scalar(item) for item in items]):
                        self._line(path, row)
                    continue
                if named and path.endswith("]"):
                    self._flush()  # a record of a list stands apart
                stack.append(_steps(path, items, named))
            elif isinstance(child, str) and (len(child) > _LONG or "\n" in child.strip()):
                self._flush()
                self._head(path, full=True)
                self._blocks.add(child)
            else:
                self._line(path, _scalar(child))
        self._flush()

    def document(self, notes: tuple[str, ...] = ()) -> ParsedDocument:
        """What was written so far."""
        headings = tuple(self._blocks.headings)
        return ParsedDocument(text=self._blocks.text, headings=headings, notes=notes)

    def _line(self, path: str, shown: str) -> None:
        if not shown:
            return
        if self._heading is not None and (self._full or not _inside(path, self._heading)):
            self._flush()
            self._head(_parent(path), full=False)
        self._lines.append(f"{path}: {shown}" if path else shown)

    def _head(self, path: str, full: bool) -> None:
        self._blocks.heading(1, path or "(top level)")
        self._heading, self._full = path, full

    def _flush(self) -> None:
        self._blocks.add("\n".join(self._lines))
        self._lines.clear()


def _inside(path: str, heading: str) -> bool:
    return not heading or (path.startswith(heading) and path[len(heading) :][:1] in ("", ".", "["))


def _values(text: str) -> Iterator[Any]:
    """All values of the text: several may follow each other without a comma."""
    place = _past_blanks(text, 0)
    while place < len(text):
        value, place = _DECODER.raw_decode(text, place)
        yield value
        place = _past_blanks(text, place)


def _past_blanks(text: str, place: int) -> int:
    blanks = _BLANKS.match(text, place)
    return blanks.end() if blanks else place


def _steps(path: str, items: list[Any], named: bool) -> Iterator[tuple[str, Any]]:
    if not named:
        for number, item in enumerate(items):
            yield _shortened(f"{path}[{number}]"), item
        return
    for name, item in items:
        name = " ".join(name.split())
        name = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
        yield _shortened(f"{path}.{name}" if path else name), item


def _shortened(path: str) -> str:
    return path if len(path) <= _PATH else f"…{path[1 - _PATH :]}"


def _parent(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]


def _plain_items(items: list[Any]) -> bool:
    return all(
        not isinstance(item, list)
        and not (isinstance(item, str) and (len(item) > _LONG or "\n" in item))
        for item in items
    )


def _rows(shown: list[str]) -> Iterator[str]:
    """Plain values of a list, in lines."""
    row: list[str] = []
    length = 0
    for item in filter(None, shown):
        if row and length + len(item) > _LINE:
            yield ", ".join(row)
            row, length = [], 0
        row.append(item)
        length += len(item) + 2
    if row:
        yield ", ".join(row)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(str(value).split())


# Numbers stay as they are written: some have more digits than an int may be read from.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=str, parse_float=str, parse_constant=str
)
