"""PowerPoint presentations (.pptx): every slide a page, with its title as heading.

A slide's shapes come in the order of the file, which is the reading order that PowerPoint shows and
gives to screen readers.
"""

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from rag_platform.documents.parsed import Page, ParsedDocument
from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.documents.parsing.equations import equation
from rag_platform.documents.parsing.ooxml import OfficePackage
from rag_platform.documents.parsing.powerpoint_sight import Masters, Sight, slide_size
from rag_platform.documents.parsing.tables import markdown_table
from rag_platform.documents.parsing.xml_tree import (
    children,
    descendants,
    first,
    local_name,
    value_of,
)

_TITLES = ("title", "ctrTitle")
_EVERYWHERE = ("dt", "ftr", "sldNum", "hdr", "sldImg")
_LISTED = ("body", "obj", "")
"""Placeholders whose paragraphs have bullets if nothing says otherwise."""

HIDDEN = "Text that the author has hidden was left out."


def extract(data: bytes) -> ParsedDocument:
    """Read a presentation: the slides in order, each with its tables and speaker notes."""
    package = OfficePackage(data, "PowerPoint presentation", ".pptx", "ppt/presentation.xml")
    parts = package.relationships(package.main)
    presentation = package.xml(package.main)
    reader = _Reader(package, slide_size(presentation))
    listed = children(first(presentation, "sldIdLst"), "sldId")
    pages: list[Page] = []
    for number, item in enumerate(listed, 1):
        # The slide's number has the attribute's name too, without a namespace.
        reference = next((v for k, v in item.attrib.items() if k.endswith("}id")), "")
        _, path = parts.get(reference, ("", ""))
        pages.append(reader.slide(number, path))
    blocks = reader.blocks
    properties = package.properties()
    if not properties["title"] or properties["title"].lower() == "powerpoint presentation":
        properties["title"] = reader.title or None
    return ParsedDocument(
        text=blocks.text,
        headings=tuple(blocks.headings),
        pages=tuple(pages),
        page_count=len(pages),
        notes=(*reader.notes, *((HIDDEN,) if reader.hidden else ())),
        **properties,
    )


class _Reader:
    """Writes slides as blocks."""

    def __init__(self, package: OfficePackage, size: tuple[int, int]) -> None:
        self.blocks = Blocks()
        self.title = ""
        """The first slide's."""
        self.notes: list[str] = []
        self.hidden = False
        """Whether hidden text was met, and left out."""
        self._package = package
        self._size = size
        self._masters = Masters(package)
        self._sight = Sight(self._masters, "", None, size)
        self._diagrams: dict[str, str] = {}

    def slide(self, number: int, path: str) -> Page:
        """Write a slide; it may be missing or empty."""
        root = self._package.xml(path)
        parts = self._package.relationships(path) if root is not None else {}
        self._diagrams = {
            key: target for key, (kind, target) in parts.items() if kind == "diagramData"
        }
        self._sight = Sight(self._masters, path, root, self._size)
        shapes = [
            shape
            for shape in _shapes(first(root, "cSld", "spTree"))
            if not self._lies_outside(shape)
        ]
        title = next(filter(None, (self._title(shape) for shape in shapes)), "")
        if number == 1:
            self.title = title
        begin = self.blocks.length
        self.blocks.heading(1, title if any(map(str.isalnum, title)) else f"Slide {number}")
        begin = self.blocks.headings[-1].start if self.blocks.headings else begin
        if root is not None and value_of(root, "show") in ("0", "false"):
            self.notes.append(f"Slide {number} is hidden in the show; it was read.")
        for shape in shapes:
            if not self._title(shape):
                self._shape(shape)
        for kind, target in parts.values():
            if kind == "notesSlide":
                self._speaker_notes(target)
        return Page(number, begin, self.blocks.length)

    def _shape(self, shape: Element) -> None:
        placeholder = _placeholder(shape)
        if placeholder in _EVERYWHERE:
            return
        if local_name(shape) == "graphicFrame":
            for table in descendants(shape, "tbl"):
                self._table(table, shape)
            for diagram in descendants(shape, "relIds"):
                self._diagram(self._diagrams.get(value_of(diagram, "dm") or ""))
            return
        self._sight.at(shape)
        paragraphs = children(first(shape, "txBody"), "p")
        listed = placeholder in _LISTED if placeholder is not None else False
        listed = listed and sum(1 for item in paragraphs if self._text(item)) > 1
        number = 0
        for paragraph in paragraphs:
            properties = first(paragraph, "pPr")
            text = self._text(paragraph)
            level = (value_of(properties, "lvl") or "") if properties is not None else ""
            indent = "  " * (min(int(level), 8) if level.isdecimal() else 0)
            numbered = first(properties, "buAutoNum") is not None
            bullet = first(properties, "buChar") is not None or (
                listed and first(properties, "buNone") is None
            )
            number = number + 1 if numbered and text else 0
            if text and (numbered or bullet or indent):
                self.blocks.add(f"{indent}{f'{number}.' if numbered else '-'} {text}", "item")
            else:
                self.blocks.add(text)

    def _title(self, shape: Element) -> str:
        if _placeholder(shape) not in _TITLES:
            return ""
        self._sight.at(shape)
        return self._lines(first(shape, "txBody"))

    def _lines(self, body: Element | None) -> str:
        return " ".join(filter(None, map(self._text, children(body, "p"))))

    def _text(self, paragraph: Element) -> str:
        properties = first(paragraph, "pPr")
        level = (value_of(properties, "lvl") or "0") if properties is not None else "0"

        def hides(run: Element) -> bool:
            text = "".join(item.text or "" for item in children(run, "t")).strip()
            hidden = bool(text) and self._sight.hides(run, level)
            self.hidden = self.hidden or hidden
            return hidden

        return _tidy("".join(_pieces(paragraph, hides)))

    def _lies_outside(self, shape: Element) -> bool:
        outside = self._sight.is_outside(shape)
        if outside and any((item.text or "").strip() for item in descendants(shape, "t")):
            self.hidden = True
        return outside

    def _table(self, table: Element, shape: Element) -> None:
        rows: list[list[str]] = []
        for row in children(table, "tr"):
            cells: list[str] = []
            for cell in children(row, "tc"):
                merged = "1" in (value_of(cell, "hMerge"), value_of(cell, "vMerge"))
                self._sight.at(shape, (cell, table))
                cells.append("" if merged else self._lines(first(cell, "txBody")))
            rows.append(cells)
        self.blocks.add(markdown_table(rows), "table")

    def _diagram(self, path: str | None) -> None:
        root = self._package.xml(path)
        for point in children(first(root, "ptLst"), "pt"):
            if text := _plain(first(point, "t")):
                self.blocks.add(f"- {text}", "item")

    def _speaker_notes(self, path: str) -> None:
        root = self._package.xml(path)
        for shape in _shapes(first(root, "cSld", "spTree")):
            if _placeholder(shape) == "body" and (text := _plain(first(shape, "txBody"), "\n")):
                self.blocks.add(f"Notes: {text}")


def _shapes(tree: Element | None) -> Iterator[Element]:
    """What is drawn on a slide, groups opened; hidden shapes are not."""
    for shape in tree if tree is not None else ():
        name = local_name(shape)
        if name == "AlternateContent":
            yield from _shapes(first(shape, "Choice"))
        elif name == "grpSp":
            if not _hidden(shape):
                yield from _shapes(shape)
        elif name in ("sp", "graphicFrame", "cxnSp") and not _hidden(shape):
            yield shape


def _own(shape: Element) -> Element | None:
    """A shape's properties that are no drawing (``nvSpPr`` and its like)."""
    return next((item for item in shape if local_name(item).startswith("nv")), None)


def _hidden(shape: Element) -> bool:
    properties = first(_own(shape), "cNvPr")
    return properties is not None and value_of(properties, "hidden") in ("1", "true")


def _placeholder(shape: Element) -> str | None:
    """What a placeholder is for; ``None`` for a shape that is none."""
    found = first(_own(shape), "nvPr", "ph")
    return None if found is None else value_of(found, "type") or ""


def _plain(body: Element | None, between: str = " ") -> str:
    """The text of what is no shape of a slide."""
    texts = ("".join(_pieces(paragraph)) for paragraph in children(body, "p"))
    return between.join(filter(None, map(_tidy, texts)))


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(filter(None, lines))


def _pieces(element: Element, hides: Callable[[Element], bool] | None = None) -> Iterator[str]:
    """The pieces of a paragraph's text, without the runs that are hidden."""
    for child in element:
        name = local_name(child)
        if name == "t":
            yield child.text or ""
        elif name == "br":
            yield "\n"
        elif name == "oMath":
            yield f" {equation(child)} "
        elif name == "AlternateContent":
            choice = first(child, "Choice")
            yield from _pieces(child if choice is None else choice, hides)
        elif name in ("r", "fld") and hides is not None and hides(child):
            continue
        elif name not in ("pPr", "rPr", "endParaRPr") and value_of(child, "type") != "slidenum":
            yield from _pieces(child, hides)
