"""The text of an OpenDocument file: its blocks, lists, tables and notes, with their styles."""

import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.documents.parsing.records import Row
from rag_platform.documents.parsing.tables import markdown_table
from rag_platform.documents.parsing.xml_tree import first, local_name, value_of
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
_LONGEST_CHAIN = 20


class Styles:
    """What the styles say that a text needs: names to inherit by, bullets, what is hidden."""

    def __init__(self, roots: Iterable[Element | None]) -> None:
        self._styles: dict[str, Element] = {}
        self._numbered: dict[str, set[int]] = {}
        for root in roots:
            for group in ("styles", "automatic-styles"):
                for style in _items(first(root, group)):
                    name = value_of(style, "name") or ""
                    if local_name(style) == "style":
                        self._styles[name] = style
                    elif local_name(style) == "list-style":
                        self._numbered[name] = {
                            int(value_of(level, "level") or "1")
                            for level in style
                            if local_name(level) == "list-level-style-number"
                            and value_of(level, "num-format")
                            and (value_of(level, "level") or "1").isdecimal()
                        }

    def is_title(self, name: str | None) -> bool:
        """Whether a paragraph of this style is the document's title."""
        return any(key == "Title" for key, _ in self._chain(name))

    def is_numbered(self, name: str | None, level: int) -> bool:
        """Whether a list of this style has numbers at a level from 1."""
        return level in self._numbered.get(name or "", ())

    def hides(self, name: str | None) -> bool:
        """Whether text of this style is hidden."""
        for _, style in self._chain(name):
            display = value_of_first(style, "text-properties", "display")
            if display is not None:
                return display == "none"
        return False

    def shows_nothing(self, name: str | None) -> bool:
        """Whether a sheet of this style is hidden."""
        return any(
            value_of_first(style, "table-properties", "display") == "false"
            for _, style in self._chain(name)
        )

    def _chain(self, name: str | None) -> Iterator[tuple[str, Element]]:
        for _ in range(_LONGEST_CHAIN):
            style = self._styles.get(name or "")
            if style is None:
                if name:
                    yield name, Element("none")
                return
            yield name or "", style
            name = value_of(style, "parent-style-name")


def value_of_first(element: Element, child: str, name: str) -> str | None:
    """An attribute of a child."""
    found = first(element, child)
    return None if found is None else value_of(found, name)


class TextReader:
    """Walks the tree and writes blocks."""

    def __init__(self, content: Element, styles: Element | None) -> None:
        self.blocks = Blocks()
        self.styles = Styles((styles, content))
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
        for row in _rows(sheet):
            times = _repeated(row, "number-rows-repeated")
            cells: Row = {}
            column = 0
            for cell in row:
                wide = _repeated(cell, "number-columns-repeated")
                if local_name(cell) == "table-cell" and (text := self.plain(cell)):
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
                texts.append(self._inline(child))
                boxes, self._boxes = self._boxes, []
                texts += map(self.plain, boxes)
            elif name not in _SKIPPED:
                texts.append(self.plain(child))
        return " ".join(" ".join(texts).split())

    def _paragraph(self, paragraph: Element, heading: bool) -> None:
        style = value_of(paragraph, "style-name")
        if self.styles.hides(style):
            self._hide(paragraph)
            return
        text = re.sub(r" *\n *", "\n", self._inline(paragraph)).strip()
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
            self.blocks_of(box)

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
                    texts.append(self._inline(child).strip())
                else:
                    later.append(child)
            text = "\n".join(filter(None, texts))
            if text:
                number += 1
                mark = f"{number}." if numbered else "-"
                self.blocks.add(f"{'  ' * min(level - 1, 8)}{mark} {text}", "item")
            boxes, self._boxes = self._boxes, []
            for child in (*later, *boxes):
                if local_name(child) == "list":
                    self._list(child, level + 1, style)
                else:
                    self.blocks_of([child])

    def _table(self, table: Element) -> None:
        rows: list[list[str]] = []
        for row in _rows(table):
            cells: list[str] = []
            for cell in row:
                if local_name(cell) in ("table-cell", "covered-table-cell"):
                    wide = _repeated(cell, "number-columns-repeated")
                    text = self.plain(cell)
                    cells += [text] * (min(wide, 64) if text else min(wide, 1024 - len(cells)))
            rows.append(cells)
        used = max((n + 1 for row in rows for n, text in enumerate(row) if text), default=0)
        self.blocks.add(markdown_table([row[:used] for row in rows]), "table")

    def _inline(self, element: Element) -> str:
        """A paragraph's text; notes and text boxes in it are put aside."""
        pieces = [element.text or ""]
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
            elif name in _HIDES or (
                name == "span" and self.styles.hides(value_of(child, "style-name"))
            ):
                self._hide(child)
            elif name not in _SKIPPED:
                pieces.append(self._inline(child))
            pieces.append(child.tail or "")
        return re.sub(r"[ \t\r]+", " ", "".join(pieces))

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


def _items(element: Element | None) -> list[Element]:
    return [] if element is None else list(element)
