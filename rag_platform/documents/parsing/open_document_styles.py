"""The styles of an OpenDocument file: what they say of lists, and of which text is seen."""

import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.colours import WHITE, Colour, of_hex, shows
from rag_platform.documents.parsing.xml_tree import descendants, first, local_name, value_of

_LONGEST_CHAIN = 20
_SMALLEST = 1.0
_POINTS = re.compile(r"(\d*\.?\d+)pt")
_PICTURES = frozenset(("image", "object", "plugin", "object-ole"))
_SHAPES = frozenset(("custom-shape", "rect", "ellipse", "polygon", "path", "circle"))

_Paper = Colour | None
"""What is behind a text; ``None`` where nobody can tell."""


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
        return any(key == "Title" for key, _ in self.chain(name))

    def is_numbered(self, name: str | None, level: int) -> bool:
        """Whether a list of this style has numbers at a level from 1."""
        return level in self._numbered.get(name or "", ())

    def shows_nothing(self, name: str | None) -> bool:
        """Whether a sheet of this style is hidden."""
        return any(
            value_of_first(style, "table-properties", "display") == "false"
            for _, style in self.chain(name)
        )

    def says(self, name: str | None, kind: str, attribute: str) -> str | None:
        """An attribute of a style's properties of a kind, by itself or inherited."""
        for _, style in self.chain(name):
            found = value_of_first(style, kind, attribute)
            if found is not None:
                return found
        return None

    def chain(self, name: str | None) -> Iterator[tuple[str, Element]]:
        """A style and those that it inherits from."""
        for _ in range(_LONGEST_CHAIN):
            style = self._styles.get(name or "")
            if style is None:
                if name:
                    yield name, Element("none")
                return
            yield name or "", style
            name = value_of(style, "parent-style-name")


class Sight:
    """Tells whether text is seen, on papers that lie on each other: page, cell, frame."""

    def __init__(self, styles: Styles, content: Element, others: Element | None) -> None:
        self._styles = styles
        self._others = others
        self._papers: list[_Paper] = [_page_colour(others)]
        if any(
            value_of(item, "run-through") == "background"
            for item in descendants(content, "graphic-properties")
        ):
            self._papers = [None]  # pictures behind the text
        self._around: list[tuple[str, ...]] = [()]
        self._known: dict[tuple[tuple[str, ...], _Paper], bool] = {}
        self.pictured = any(local_name(item) in _PICTURES for item in content.iter())
        """Whether a frame without a fill may lie on a picture."""

    def hides(self, names: tuple[str, ...]) -> bool:
        """Whether text is hidden that stands in elements of these styles, the innermost first."""
        key = ((*names, *self._around[-1]), self._papers[-1])
        if key not in self._known:
            self._known[key] = self._hidden(*key)
        return self._known[key]

    @contextmanager
    def on(self, paper: _Paper, *styles: str | None) -> Generator[None]:
        """What is read meanwhile stands on this paper, in elements of these styles."""
        self._papers.append(paper)
        self._around.append(tuple(filter(None, styles)))
        try:
            yield
        finally:
            self._papers.pop()
            self._around.pop()

    def cell_paper(self, *styles: tuple[str | None, str]) -> _Paper:
        """What is behind a cell's text, by the styles of cell, row and table with their kinds."""
        for name, kind in styles:
            if any(first(style, "map") is not None for _, style in self._styles.chain(name)):
                return None  # under a condition
            colour = self._styles.says(name, kind, "background-color")
            if colour not in (None, "transparent"):
                return of_hex(colour)
        return self._papers[-1]

    def box_paper(self, shape: Element) -> _Paper:
        """What is behind the text of a frame or a shape."""
        name = value_of(shape, "style-name")
        fill = self._styles.says(name, "graphic-properties", "fill")
        if fill == "solid":
            return of_hex(self._styles.says(name, "graphic-properties", "fill-color"))
        colour = self._styles.says(name, "graphic-properties", "background-color")
        if fill in (None, "none") and colour not in (None, "transparent"):
            return of_hex(colour)
        if fill not in (None, "none"):
            return None
        return None if self.pictured else self._papers[-1]

    def slide_paper(self, slide: Element) -> _Paper:
        """What is behind the texts of a slide that have no fill of their own."""
        master = next(
            (
                page
                for page in descendants(self._others, "master-page")
                if value_of(page, "name") == value_of(slide, "master-page-name")
            ),
            None,
        )
        if any(self._is_painted(shape) for page in (slide, master) for shape in _items(page)):
            return None
        for page in (slide, master):
            name = value_of(page, "style-name") if page is not None else None
            fill = self._styles.says(name, "drawing-page-properties", "fill")
            if fill == "solid":
                return of_hex(self._styles.says(name, "drawing-page-properties", "fill-color"))
            if fill not in (None, "none"):
                return None
        return WHITE

    def _is_painted(self, shape: Element) -> bool:
        if local_name(shape) == "notes":
            return False
        if any(local_name(item) in _PICTURES or local_name(item) == "g" for item in shape.iter()):
            return True
        fill = self._styles.says(value_of(shape, "style-name"), "graphic-properties", "fill")
        return fill not in (None, "none") or (fill is None and local_name(shape) in _SHAPES)

    def _hidden(self, names: tuple[str, ...], paper: _Paper) -> bool:
        display = self._first(names, "text-properties", "display")
        if display is not None:
            return display == "none"
        size = _POINTS.fullmatch(self._first(names, "text-properties", "font-size") or "")
        if size is not None and float(size[1]) <= _SMALLEST:
            return True
        ink = self._ink(names)
        if ink is None:
            return False
        for kind in ("text-properties", "paragraph-properties"):
            for name in names:
                colour = self._styles.says(name, kind, "background-color")
                if colour not in (None, "transparent"):
                    below = of_hex(colour)
                    return below is not None and not shows(ink, 1.0, below)
        return paper is not None and not shows(ink, 1.0, paper)

    def _ink(self, names: tuple[str, ...]) -> Colour | None:
        """The letters' colour; ``None`` where the program chooses one that can be seen."""
        for name in names:
            for _, style in self._styles.chain(name):
                if value_of_first(style, "text-properties", "use-window-font-color") == "true":
                    return None
                code = value_of_first(style, "text-properties", "color")
                if code is not None:
                    return of_hex(code)
        return None

    def _first(self, names: tuple[str, ...], kind: str, attribute: str) -> str | None:
        found = (self._styles.says(name, kind, attribute) for name in names)
        return next((value for value in found if value is not None), None)


def _page_colour(styles: Element | None) -> _Paper:
    for layout in descendants(styles, "page-layout-properties"):
        colour = value_of(layout, "background-color")
        fill = value_of(layout, "fill")
        if fill not in (None, "none", "solid"):
            return None
        if colour not in (None, "transparent") and of_hex(colour) != WHITE:
            return None  # some page has a colour; which one a text stands on is not looked for
    return WHITE


def value_of_first(element: Element, child: str, name: str) -> str | None:
    """An attribute of a child."""
    found = first(element, child)
    return None if found is None else value_of(found, name)


def _items(element: Element | None) -> list[Element]:
    return [] if element is None else list(element)
