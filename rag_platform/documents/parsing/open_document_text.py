"""The text of an OpenDocument file: its blocks, lists, tables and notes, with their styles."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.documents.parsing.open_document_styles import Sight, Styles
from rag_platform.documents.parsing.records import Row
from rag_platform.documents.parsing.tables import markdown_table
from rag_platform.documents.parsing.xml_tree import (
    descendants,
    first,
    local_name,
    value_of,
)
from rag_platform.documents.repetition import repeats_too_often

_SKIPPED = frozenset(
    re.findall(
        r"[\w-]+",
        "tracked-changes annotation annotation-end forms sequence-decls variable-decls shapes "
        "table-of-content notes-configuration user-field-decls change change-start change-end "
        "soft-page-break bookmark-start bookmark-end settings event-listeners title desc "
        "page-number page-count ruby-text table-column shadow",
    )
)
_HIDES = frozenset({"hidden-text", "hidden-paragraph"})
_COLUMNS = 16_384


class TextReader:
    """Walks the tree and writes blocks."""

    def __init__(self, content: Element, styles: Element | None) -> None:
        self.blocks = Blocks()
        self.styles = Styles((styles, content))
        self.sight = Sight(self.styles, content, styles)
        self.hidden = False
        """Whether hidden text was met, and left out."""
        self.shortened = False
        """Whether something was repeated too often and is written once."""
        self._titled = False
        self._notes: list[str] = []
        self._boxes: list[Element] = []

    def blocks_of(self, container: Iterable[Element]) -> None:
        """Everything in a body, a section or a text box."""
        for child in container:
            name = local_name(child)
            if name in ("p", "h"):
                self._paragraph(child, name == "h")
            elif name == "list":
                self._list(child, 1, None)
            elif name == "table":
                self._table(child)
            elif name in _HIDES or value_of(child, "display") == "none":
                self._hide(child)
            elif name not in _SKIPPED:
                self.blocks_of(child)

    def write_notes(self) -> None:
        """The footnotes and endnotes since the last time, each a line."""
        for note in self._notes:
            self.blocks.add(note, "item")
        self._notes = []

    def records(self, sheet: Element) -> Iterator[tuple[int, Row]]:
        """The filled rows of a sheet, with their numbers."""
        number = 0
        columns = _Columns(sheet)
        conditions = any(local_name(item) == "conditional-formats" for item in sheet)
        for row in _rows(sheet):
            usual = value_of(row, "default-cell-style-name")
            times = _repeated(row, "number-rows-repeated")
            cells: Row = {}
            column = 0
            for cell in row:
                wide = _repeated(cell, "number-columns-repeated")
                if local_name(cell) != "table-cell" or not len(cell):
                    text = ""
                else:
                    style = value_of(cell, "style-name") or usual or columns.style(column)
                    paper = self.sight.cell_paper((style, "table-cell-properties"))
                    with self.sight.on(None if conditions else paper, style):
                        text = self.plain(cell)
                if text:
                    last = column + self._times(wide, len(text))
                    cells |= dict.fromkeys(range(column, min(last, _COLUMNS)), text)
                column += wide
            if cells:
                for repeated in range(1, self._times(times, sum(map(len, cells.values()))) + 1):
                    yield number + repeated, cells
            number += times

    def _times(self, times: int, characters: int) -> int:
        """How often to write what so many characters are repeated: a file may claim any number."""
        if not repeats_too_often(times, times * characters):
            return times
        self.shortened = True
        return 1

    def plain(self, container: Element) -> str:
        """All paragraphs below in one line."""
        texts: list[str] = []
        for child in container:
            name = local_name(child)
            if name in ("p", "h"):
                texts.append(self._inline(child, _names(child)))
                boxes, self._boxes = self._boxes, []
                for box in boxes:
                    with self.sight.on(self.sight.box_paper(box), value_of(box, "style-name")):
                        texts.append(self.plain(box))
            elif name in _HIDES or value_of(child, "display") == "none":
                self._hide(child)
            elif name not in _SKIPPED:
                texts.append(self.plain(child))
        return " ".join(" ".join(texts).split())

    def title(self, shape: Element) -> str:
        """The text of a slide's title."""
        with self.sight.on(self.sight.box_paper(shape), value_of(shape, "style-name")):
            return self.plain(shape)

    def _paragraph(self, paragraph: Element, heading: bool) -> None:
        style = value_of(paragraph, "style-name")
        text = re.sub(r" *\n *", "\n", self._inline(paragraph, _names(paragraph))).strip()
        if text and not heading and self.styles.is_title(style):
            self._titled = True
            self.blocks.heading(1, text)
        elif text and heading:
            level = value_of(paragraph, "outline-level") or "1"
            number = int(level) if level.isdecimal() and len(level) < 3 else 1
            self.blocks.heading(number + self._titled, text)
        else:
            self.blocks.add(text)
        boxes, self._boxes = self._boxes, []
        for box in boxes:
            self.shape(box)

    def shape(self, shape: Element) -> None:
        """A frame or a shape, on its own paper."""
        with self.sight.on(self.sight.box_paper(shape), value_of(shape, "style-name")):
            self.blocks_of([shape])

    def _list(self, whole: Element, level: int, style: str | None) -> None:
        style = value_of(whole, "style-name") or style
        numbered = self.styles.is_numbered(style, level)
        number = 0
        for item in whole:
            if local_name(item) not in ("list-item", "list-header"):
                continue
            texts: list[str] = []
            later: list[Element] = []
            for child in item:
                if local_name(child) == "p":
                    texts.append(self._inline(child, _names(child)).strip())
                else:
                    later.append(child)
            text = "\n".join(filter(None, texts))
            if text:
                number += 1
                mark = f"{number}." if numbered else "-"
                self.blocks.add(f"{'  ' * min(level - 1, 8)}{mark} {text}", "item")
            boxes, self._boxes = self._boxes, []
            for child in later:
                if local_name(child) == "list":
                    self._list(child, level + 1, style)
                else:
                    self.blocks_of([child])
            for box in boxes:
                self.shape(box)

    def _table(self, table: Element) -> None:
        rows: list[list[str]] = []
        for row in _rows(table):
            cells: list[str] = []
            for cell in row:
                if local_name(cell) in ("table-cell", "covered-table-cell"):
                    wide = _repeated(cell, "number-columns-repeated")
                    paper = self.sight.cell_paper(
                        (value_of(cell, "style-name"), "table-cell-properties"),
                        (value_of(row, "style-name"), "table-row-properties"),
                        (value_of(table, "style-name"), "table-properties"),
                    )
                    with self.sight.on(paper):
                        text = self.plain(cell)
                    cells += [text] * (min(wide, 64) if text else min(wide, 1024 - len(cells)))
            rows.append(cells)
        used = max((n + 1 for row in rows for n, text in enumerate(row) if text), default=0)
        self.blocks.add(markdown_table([row[:used] for row in rows]), "table")

    def _inline(self, element: Element, names: tuple[str, ...]) -> str:
        """A paragraph's text; notes and text boxes in it are put aside.

        ``names`` are the styles of the element and those around it, the innermost first.
        """
        pieces = [self._seen(element.text, names)]
        for child in element:
            name = local_name(child)
            if name == "s" or name == "tab":
                pieces.append(" ")
            elif name == "line-break":
                pieces.append("\n")
            elif name == "note":
                pieces.append(self._note(child))
            elif name in ("frame", "text-box", "custom-shape", "rect", "g"):
                self._boxes.append(child)
            elif name in _HIDES:
                self._hide(child)
            elif name not in _SKIPPED:
                pieces.append(self._inline(child, (*_names(child), *names)))
            pieces.append(self._seen(child.tail, names))
        return re.sub(r"[ \t\r]+", " ", "".join(pieces))

    def _seen(self, text: str | None, names: tuple[str, ...]) -> str:
        """A piece of text, or nothing if it is hidden."""
        if text and text.strip() and self.sight.hides(names):
            self.hidden = True
            return ""
        return text or ""

    def _note(self, note: Element) -> str:
        mark = first(note, "note-citation")
        citation = "".join(mark.itertext()).strip() if mark is not None else "*"
        body = first(note, "note-body")
        boxes, self._boxes = self._boxes, []
        text = self.plain(body) if body is not None else ""
        self._boxes = boxes
        self._notes.append(f"[{citation}] {text}")
        return f"[{citation}]"

    def _hide(self, element: Element) -> None:
        self.hidden = self.hidden or bool("".join(element.itertext()).strip())


def _rows(table: Element) -> Iterator[Element]:
    """The rows of a table, those in groups too."""
    for child in table:
        name = local_name(child)
        if name == "table-row":
            yield child
        elif name in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows(child)


def _repeated(element: Element, name: str) -> int:
    number = value_of(element, name) or ""
    return max(1, int(number)) if number.isdecimal() and len(number) < 9 else 1


def _names(element: Element) -> tuple[str, ...]:
    name = value_of(element, "style-name")
    return (name,) if name else ()


class _Columns:
    """The styles of a sheet's columns."""

    def __init__(self, sheet: Element) -> None:
        self._ends: list[int] = []
        self._styles: list[str | None] = []
        end = 0
        for column in descendants(sheet, "table-column"):
            end += _repeated(column, "number-columns-repeated")
            self._ends.append(end)
            self._styles.append(value_of(column, "default-cell-style-name"))

    def style(self, column: int) -> str | None:
        """The style of the cells of a column, from 0, that name none."""
        place = bisect_right(self._ends, column)
        return self._styles[place] if place < len(self._styles) else None
