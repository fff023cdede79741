"""Word documents (.docx): the text of the body in its order, as Markdown.

Read from the XML by itself, for the text's sake: python-docx refuses Strict documents, loads every
picture, and leaves out content controls, tracked insertions, text boxes and footnotes.
"""

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.documents.parsing.equations import equation
from rag_platform.documents.parsing.ooxml import OfficePackage
from rag_platform.documents.parsing.tables import markdown_table
from rag_platform.documents.parsing.word_sight import SHAPES, Sight
from rag_platform.documents.parsing.word_styles import Style, Styles
from rag_platform.documents.parsing.xml_tree import first, local_name, value_of
from rag_platform.errors import UnreadableDocument

_SKIPPED = frozenset({"del", "moveFrom", "instrText", "delText", "rPr", "pPr", "Fallback"})
_CONTAINERS = frozenset({"sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag", "body"})
_NO_TITLE = re.compile(r"[\W\d_]*|word document|document\d*|untitled.*|title", re.IGNORECASE)


_FIELD_ONLY = re.compile(r"(?:page|seite|página|pagina|of|von|de|di|sur|[\W\d_])*", re.IGNORECASE)
HIDDEN = "Text that the author has hidden was left out."


def extract(data: bytes) -> ParsedDocument:
    """Read a Word document: headings, lists and tables in order; notes and margins at the end."""
    package = OfficePackage(data, "Word document", ".docx", "word/document.xml")
    parts: dict[str, list[str]] = {}
    for kind, path in package.relationships(package.main).values():
        parts.setdefault(kind, []).append(path)

    def part(kind: str) -> Element | None:
        return package.xml(next(iter(parts.get(kind, ())), None))

    def margins() -> list[Element | None]:
        paths = [path for kind in ("header", "footer") for path in parts.get(kind, ())]
        return [package.xml(path) for path in dict.fromkeys(paths)]

    document = package.xml(package.main)
    body = first(document, "body")
    if body is None:
        raise UnreadableDocument(package.damaged)
    styles = Styles(part("styles"), part("numbering"))
    reader = _Reader(styles, Sight(styles, document, part("settings"), margins))
    reader.blocks_of(body)
    reader.footnotes(part("footnotes"))
    reader.footnotes(part("endnotes"))
    for kind in ("header", "footer"):
        reader.margins([package.xml(path) for path in dict.fromkeys(parts.get(kind, ()))])
    properties = package.properties()
    blocks = reader.blocks
    title = properties["title"] or ""
    if _NO_TITLE.fullmatch(title):
        title = reader.title or next((h.title for h in blocks.headings if h.level == 1), "")
    properties["title"] = title or None
    return ParsedDocument(
        text=blocks.text,
        headings=tuple(blocks.headings),
        notes=(HIDDEN,) if reader.hidden else (),
        **properties,
    )


class _Reader:
    """Walks the body and writes blocks."""

    def __init__(self, styles: Styles, sight: Sight) -> None:
        self.blocks = Blocks()
        self.title = ""
        self.hidden = False
        """Whether hidden text was met, and left out."""
        self._styles = styles
        self._style = Style()
        self._sight = sight
        self._around = Element("p")
        """The paragraph that is read."""
        self._shape: Element | None = None
        self._numbers: Counter[tuple[str, int]] = Counter()
        self._boxes: list[tuple[Element, Element | None]] = []
        """Text boxes, each with the shape that it stands in."""

    def blocks_of(self, container: Element) -> None:
        """Everything in a body, a cell or a text box."""
        for child in container:
            name = local_name(child)
            if name == "p":
                self._paragraph(child)
            elif name == "tbl":
                self._table(child)
            elif name in _CONTAINERS:
                self.blocks_of(child)
            elif name == "AlternateContent":
                self.blocks_of(_choice(child))

    def footnotes(self, notes: Element | None) -> None:
        """Footnotes or endnotes, each a block."""
        for note in notes if notes is not None else ():
            if value_of(note, "type") is None and (text := self._plain(note)):
                self.blocks.add(f"[{value_of(note, 'id')}] {text}", "item")

    def margins(self, parts: list[Element | None]) -> None:
        """Headers or footers, each once, as far as they say anything but the page's number."""
        said: set[str] = set()
        for part in parts:
            text = self._plain(part) if part is not None else ""
            if text not in said and not _FIELD_ONLY.fullmatch(text):
                self.blocks.add(text)
            said.add(text)

    def _paragraph(self, paragraph: Element) -> None:
        self._around = paragraph
        style = self._style = self._styles.of(first(paragraph, "pPr"))
        lines = (" ".join(line.split()) for line in self._inline(paragraph).split("\n"))
        text = "\n".join(lines).strip()
        if text and style.heading is not None:
            # Below a title, the first headings are its sections.
            level = style.heading if style.heading == 0 else style.heading + bool(self.title) - 1
            if style.heading == 0 and not self.title:
                self.title = " ".join(text.split())
            self.blocks.heading(level + 1, text)
        elif text and style.numbering is not None:
            mark = self._mark(style.numbering, style.indent, style.bullet)
            self.blocks.add(f"{'  ' * min(style.indent, 8)}{mark} {text}", "item")
        else:
            self.blocks.add(text)
        boxes, self._boxes = self._boxes, []
        for box, shape in boxes:
            with self._sight.on(self._sight.box_paper(shape)):
                self.blocks_of(box)

    def _mark(self, numbering: str, indent: int, bullet: bool) -> str:
        if bullet:
            return "-"
        self._numbers[numbering, indent] += 1
        for deeper in range(indent + 1, 9):
            self._numbers.pop((numbering, deeper), None)
        return f"{self._numbers[numbering, indent]}."

    def _table(self, table: Element) -> None:
        whole_rows = [row for row in _children(table, "tr") if not self._hides_row(row)]
        rows = [list(_cells(row)) for row in whole_rows]
        if sum(map(len, rows)) == 1:
            cell = next(cell for row in rows for cell in row)
            with self._sight.on(self._sight.cell_paper(cell, table)):
                self.blocks_of(cell)  # a frame, not a table
            return
        lines: list[list[str]] = []
        for whole, row in zip(whole_rows, rows, strict=True):
            line = [""] * _number(first(whole, "trPr", "gridBefore"), 0)
            for cell in row:
                span, continued = _spans(cell)
                with self._sight.on(self._sight.cell_paper(cell, table)):
                    text = "" if continued else self._plain(cell)
                line += [text, *[""] * (span - 1)]
            lines.append(line)
        self.blocks.add(markdown_table(lines), "table")

    def _plain(self, container: Element) -> str:
        """All paragraphs of a cell or a note in one line, nested tables too."""
        texts: list[str] = []
        for child in container:
            name = local_name(child)
            if name == "p":
                self._around = child
                self._style = self._styles.of(first(child, "pPr"))
                texts.append(self._inline(child))
                boxes, self._boxes = self._boxes, []
                for box, shape in boxes:
                    with self._sight.on(self._sight.box_paper(shape)):
                        texts.append(self._plain(box))
            elif name in ("tbl", "tr", "tc") or name in _CONTAINERS:
                texts.append(self._plain(child))
        return " ".join(" ".join(texts).split())

    def _inline(self, element: Element) -> str:
        """The text of a paragraph; text boxes anchored in it are put aside."""
        pieces: list[str] = []
        for child in element:
            name = local_name(child)
            if name == "t":
                pieces.append(child.text or "")
            elif name in ("tab", "ptab"):
                pieces.append(" ")
            elif name in ("br", "cr"):
                pieces.append("\n")
            elif name == "noBreakHyphen":
                pieces.append("-")
            elif name == "txbxContent":
                self._boxes.append((child, self._shape))
            elif name in SHAPES:
                outer, self._shape = self._shape, child
                pieces.append(self._inline(child))
                self._shape = outer
            elif name == "AlternateContent":
                pieces.append(self._inline(_choice(child)))
            elif name == "oMath":
                pieces.append(f" {equation(child).strip()} ")
            elif name == "r" and self._hides(first(child, "rPr")):
                self.hidden = self.hidden or _holds_text(child)
            elif name in ("footnoteReference", "endnoteReference"):
                pieces.append(f"[{value_of(child, 'id')}]")
            elif name not in _SKIPPED:
                pieces.append(self._inline(child))
        return "".join(pieces)

    def _hides(self, properties: Element | None) -> bool:
        """Whether nobody sees a run with these properties."""
        if self._styles.hides(properties, self._style.hidden):
            return True
        return self._sight.hides(properties, self._around, self._style.key)

    def _hides_row(self, row: Element) -> bool:
        mark = first(row, "trPr", "hidden")
        hides = mark is not None and value_of(mark) not in ("0", "false", "off")
        self.hidden = self.hidden or (hides and _holds_text(row))
        return hides


def _holds_text(element: Element) -> bool:
    return any(local_name(item) == "t" and (item.text or "").strip() for item in element.iter())


def _choice(alternatives: Element) -> Element:
    """The first of the alternatives that has text: the same content is given in two ways."""
    for alternative in alternatives:
        if any(local_name(item) == "t" and item.text for item in alternative.iter()):
            return alternative
    return alternatives[0] if len(alternatives) else alternatives


def _children(element: Element, name: str) -> Iterator[Element]:
    """Children by name, through content controls and tracked insertions."""
    for child in element:
        if local_name(child) == name:
            yield child
        elif local_name(child) in _CONTAINERS:
            yield from _children(child, name)


def _cells(row: Element) -> Iterator[Element]:
    return _children(row, "tc")


def _spans(cell: Element) -> tuple[int, bool]:
    """How many columns a cell takes, and whether it only goes on from the row above."""
    span, continued = 1, False
    properties = next(_children(cell, "tcPr"), None)
    for item in properties if properties is not None else ():
        if local_name(item) == "gridSpan":
            span = _number(item, 1)
        elif local_name(item) == "vMerge":
            continued = value_of(item) != "restart"
    return max(span, 1), continued


def _number(element: Element | None, otherwise: int) -> int:
    """The small number that an element holds."""
    number = value_of(element) or "" if element is not None else ""
    return min(int(number), 63) if number.isdecimal() else otherwise
