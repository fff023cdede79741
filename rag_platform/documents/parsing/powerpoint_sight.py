"""What of a slide's text is seen: letters in the colour of what is behind them are not."""

from collections.abc import Iterator
from functools import cached_property
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.colours import WHITE, Colour, shows
from rag_platform.documents.parsing.ooxml import OfficePackage
from rag_platform.documents.parsing.powerpoint_colours import Theme, fill_of
from rag_platform.documents.parsing.xml_tree import (
    children,
    descendants,
    first,
    local_name,
    value_of,
)

_SMALLEST = 100
"""Hundredths of a point."""
_BARE_TABLES = frozenset(
    ("{2D5ABB26-0587-4C30-8999-92F81FD0307C}", "{5940675A-B579-460E-94D1-54222C63F5DA}", "")
)
"""The styles of tables that paint nothing."""
_SOLID = "1001"
_MOST_SHAPES = 1_000
_DRAWN = frozenset(("sp", "pic", "graphicFrame", "grpSp", "cxnSp", "AlternateContent"))

_Paper = Colour | None
_Box = tuple[int, int, int, int]
"""Left, top, right, bottom in EMU."""


class Masters:
    """Layouts and masters of a presentation, each read once, when a text is in question."""

    def __init__(self, package: OfficePackage) -> None:
        self._package = package
        self._read: dict[str, tuple[list[Element | None], Theme]] = {}

    def of(self, slide: str) -> tuple[list[Element | None], Theme]:
        """The layout and the master of a slide, and their theme."""
        package = self._package
        layout = next(iter(package.related(slide, "slideLayout")), "") if slide else ""
        if layout not in self._read:
            master = next(iter(package.related(layout, "slideMaster")), "") if layout else ""
            above = [package.xml(part) for part in (layout, master) if part]
            self._read[layout] = (above, Theme(package, master))
        return self._read[layout]


class Sight:
    """Tells which runs of a slide are seen, and which shapes lie on it at all."""

    def __init__(
        self, masters: Masters, path: str, root: Element | None, size: tuple[int, int]
    ) -> None:
        self._masters = masters
        self._path = path
        self._root = root
        self._size = size
        self._shape: Element | None = None
        self._cell: tuple[Element, Element] | None = None
        self._papers: dict[int, _Paper] = {}
        self._painted: dict[int, bool] = {}

    @cached_property
    def _above(self) -> list[Element | None]:
        return self._masters.of(self._path)[0]

    @cached_property
    def _theme(self) -> Theme:
        return self._masters.of(self._path)[1]

    @cached_property
    def _override(self) -> Element | None:
        mappings = (
            first(root, "clrMapOvr", "overrideClrMapping")
            for root in (self._root, *self._above[:1])
        )
        return next((mapping for mapping in mappings if mapping is not None), None)

    def at(self, shape: Element, cell: tuple[Element, Element] | None = None) -> None:
        """The runs asked for from now on stand in this shape, or in a cell of a table in it."""
        self._shape, self._cell = shape, cell

    def hides(self, run: Element, level: str) -> bool:
        """Whether nobody sees a run, in a paragraph of a level from 0."""
        properties = first(run, "rPr")
        size = value_of(properties, "sz") or "" if properties is not None else ""
        if size.isdecimal() and int(size[:9]) <= _SMALLEST:
            return True
        fill = fill_of(properties)
        if fill is not None and local_name(fill) == "noFill":
            return fill_of(first(properties, "ln")) is None
        paint = self._letters(fill, level)
        if paint is None:
            return False
        marker = first(properties, "highlight")
        if marker is not None:
            behind = self._theme.paint(next(iter(marker), None), self._override)
            paper = None if behind is None else behind[0]
        else:
            paper = self._paper()
        return paper is not None and not shows(*paint, paper)

    def is_outside(self, shape: Element) -> bool:
        """Whether a shape lies beside the slide, where no audience sees it."""
        box = _box(shape)
        wide, high = self._size
        tree = self._top if box is not None and wide else []
        if box is None or not tree or tree[self._places.get(id(shape), 0)] is not shape:
            return False
        return box[2] <= 0 or box[3] <= 0 or box[0] >= wide or box[1] >= high

    def _letters(self, fill: Element | None, level: str) -> tuple[Colour, float] | None:
        if fill is None:
            name = f"lvl{int(level) + 1 if level.isdecimal() and len(level) == 1 else 1}pPr"
            fill = fill_of(first(self._shape, "txBody", "lstStyle", name, "defRPr"))
        if fill is not None:
            solid = local_name(fill) == "solidFill"
            return self._theme.paint(next(iter(fill), None), self._override) if solid else None
        # The style of a shape has letters for its fill, and the fill can be taken away.
        own = fill_of(first(self._shape, "spPr"))
        if own is None or local_name(own) != "noFill":
            return None
        reference = first(self._shape, "style", "fontRef")
        paint = next(iter(reference), None) if reference is not None else None
        return self._theme.paint(paint, self._override)

    def _paper(self) -> _Paper:
        if self._shape is None:
            return None
        if self._cell is not None:
            cell, table = self._cell
            fill = fill_of(first(cell, "tcPr"))
            if fill is not None and local_name(fill) != "noFill":
                return self._filled(fill)
            style = first(table, "tblPr", "tableStyleId")
            if (
                fill is None
                and style is not None
                and (style.text or "").strip() not in _BARE_TABLES
            ):
                return None
        key = id(self._shape)
        if key not in self._papers:
            self._papers[key] = self._behind(self._shape)
        return self._papers[key]

    def _filled(self, fill: Element) -> _Paper:
        if local_name(fill) != "solidFill":
            return None
        paint = self._theme.paint(next(iter(fill), None), self._override)
        return paint[0] if paint is not None and paint[1] > 0.9 else None

    def _behind(self, shape: Element) -> _Paper:
        """What is behind the text of a shape: its fill, what it lies on, or the background."""
        fill = fill_of(first(shape, "spPr"))
        reference = first(shape, "style", "fillRef")
        if fill is None and reference is not None and value_of(reference, "idx") != "0":
            return None
        inherited = list(self._inherited(shape))
        if fill is None:
            fills = (fill_of(first(item, "spPr")) for item in inherited)
            fill = next((found for found in fills if found is not None), None)
        if fill is not None and local_name(fill) != "noFill":
            return self._filled(fill)
        boxes = (box for item in (shape, *inherited) if (box := _box(item)) is not None)
        return None if self._on_something(shape, next(boxes, None)) else self._background()

    def _inherited(self, shape: Element) -> Iterator[Element]:
        """The placeholders of the layout and the master that a placeholder follows."""
        own = _placeholder(shape)
        if own is None:
            return
        for root in self._above:
            for item in self._tree(root):
                other = _placeholder(item)
                if other is not None and (
                    (value_of(other, "idx") or "0") == (value_of(own, "idx") or "0")
                    or _kind(other) == _kind(own)
                ):
                    yield item

    def _on_something(self, shape: Element, box: _Box | None) -> bool:
        """Whether a picture or a painted shape may lie below a shape in this box."""
        tree = self._top
        number = self._places.get(id(shape), 0)
        if len(tree) > _MOST_SHAPES or number >= len(tree):
            return True
        if tree[number] is not shape:  # in a group, whose shapes have places of their own
            others = (item for item in tree[number].iter() if local_name(item) in ("sp", "pic"))
            if any(self._is_painted(item) for item in others if item is not shape):
                return True
            box = _box(tree[number])
        below = tree[:number]
        for root in self._above:
            below += [item for item in self._tree(root) if _placeholder(item) is None]
        return any(self._is_painted(item) and _meet(box, _box(item)) for item in below)

    @cached_property
    def _top(self) -> list[Element]:
        return self._tree(self._root)

    @cached_property
    def _places(self) -> dict[int, int]:
        """At which place of the slide a shape stands, by itself or in a group."""
        return {
            id(item): number
            for number, top in enumerate(self._top)
            for item in top.iter()
            if local_name(item) in _DRAWN
        }

    def _is_painted(self, shape: Element) -> bool:
        key = id(shape)
        if key not in self._painted:
            self._painted[key] = _paints(shape)
        return self._painted[key]

    def _background(self) -> _Paper:
        for root in (self._root, *self._above):
            background = first(root, "cSld", "bg")
            if background is None:
                continue
            fill = fill_of(first(background, "bgPr"))
            if fill is not None:
                return self._filled(fill)
            reference = first(background, "bgRef")
            if reference is None or value_of(reference, "idx") != _SOLID:
                return None
            paint = self._theme.paint(next(iter(reference), None), self._override)
            return None if paint is None else paint[0]
        return WHITE

    @staticmethod
    def _tree(root: Element | None) -> list[Element]:
        tree = first(root, "cSld", "spTree")
        return [item for item in tree if local_name(item) in _DRAWN] if tree is not None else []


def _paints(shape: Element) -> bool:
    """Whether a shape, or anything in a group, is more than letters."""
    for item in shape.iter():
        name = local_name(item)
        if name in ("pic", "blip", "chart", "relIds"):
            return True
        if name in ("sp", "cxnSp"):
            fill = fill_of(first(item, "spPr"))
            reference = first(item, "style", "fillRef")
            painted = reference is not None and value_of(reference, "idx") != "0"
            if local_name(fill) != "noFill" if fill is not None else painted:
                return True
        if name == "tbl":
            return True
    return False


def _placeholder(shape: Element) -> Element | None:
    own = next((item for item in shape if local_name(item).startswith("nv")), None)
    return first(own, "nvPr", "ph")


def _kind(placeholder: Element) -> str:
    kind = value_of(placeholder, "type") or "obj"
    return "title" if kind == "ctrTitle" else kind


def _box(shape: Element) -> _Box | None:
    place = next(descendants(shape, "xfrm"), None)
    offset, extent = first(place, "off"), first(place, "ext")
    if offset is None or extent is None:
        return None
    try:
        left, top = int(value_of(offset, "x") or ""), int(value_of(offset, "y") or "")
        return (
            left, top, left + int(value_of(extent, "cx") or ""),
            top + int(value_of(extent, "cy") or ""),
        )  # fmt: skip
    except ValueError:
        return None


def _meet(one: _Box | None, other: _Box | None) -> bool:
    if one is None or other is None:
        return True
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def slide_size(presentation: Element | None) -> tuple[int, int]:
    """Width and height of the slides in EMU; zeros if the file does not say."""
    sizes = children(presentation, "sldSz")
    said = [value_of(sizes[0], name) or "" for name in ("cx", "cy")] if sizes else []
    return (int(said[0]), int(said[1])) if said and all(map(str.isdecimal, said)) else (0, 0)
