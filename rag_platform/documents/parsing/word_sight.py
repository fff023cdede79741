"""What of a Word file's text is seen: letters in the colour of what is behind them are not."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.colours import WHITE, Colour, of_hex, shows
from rag_platform.documents.parsing.word_styles import Styles
from rag_platform.documents.parsing.xml_tree import descendants, first, local_name, value_of

_SMALLEST = 2
"""Half points; Word allows no letters below one point."""
_TRANSPARENT = 95_000
"""Of 100,000."""
_WIDE, _HIGH = 1_800_000, 360_000
"""EMU (360,000 a centimetre): a floating picture that may bear a line of text."""
_HIGHLIGHTS = {
    **{"black": "000000", "white": "FFFFFF", "yellow": "FFFF00", "blue": "0000FF", "red": "FF0000"},
    **{"green": "00FF00", "cyan": "00FFFF", "magenta": "FF00FF", "darkBlue": "000080"},
    **{"darkCyan": "008080", "darkGreen": "008000", "darkMagenta": "800080", "darkRed": "800000"},
    **{"darkYellow": "808000", "darkGray": "808080", "lightGray": "C0C0C0"},
}
SHAPES = frozenset(("wsp", "shape", "rect", "roundrect", "oval"))
"""What text boxes are drawn as, in DrawingML and in VML."""

_Paper = Colour | None
"""What is behind a text; ``None`` where nobody can tell."""
_Ink = tuple[str | None, int | None, str | None]
"""A style's colour, size and shading."""


class Sight:
    """Tells whether runs are seen, on papers that lie on each other: page, cell, text box."""

    def __init__(
        self, styles: Styles, document: Element | None, settings: Element | None,
        margins: Callable[[], list[Element | None]],
    ) -> None:  # fmt: skip
        """``margins`` gives the headers and footers, asked for only where a text is in question."""
        self._styles = styles
        self._document = document
        self._margins = margins
        self._papers: list[_Paper] = [_page_colour(document, settings)]
        self._inks: dict[tuple[str, str], _Ink] = {}
        self._shaded: dict[str, bool] = {}
        self._floating: tuple[set[int], dict[int, int]] | None = None

    def hides(self, run: Element | None, paragraph: Element, style: str) -> bool:
        """Whether a run of these properties is too small, clear, or as what is behind it.

        ``style`` names the paragraph's style.
        """
        own = _value(run, "color")
        colour, size, shading = self._inherited(_value(run, "rStyle") or "", style)
        size = _number(_value(run, "sz"), size)
        if size is not None and size <= _SMALLEST:
            return True
        colour = own or colour
        cover = 1.0
        fill = first(run, "textFill")
        if fill is not None:
            if first(fill, "noFill") is not None:
                return not _outlined(run)
            solid = first(fill, "solidFill")
            paint = next(iter(solid), None) if solid is not None else None
            colour = _scheme(paint)
            alpha = _number(_value(paint, "alpha"), 0) or 0
            cover = 0.0 if alpha >= _TRANSPARENT else 1.0
        ink = of_hex(colour)
        if ink is None:
            return False
        paper = self._paper(run, first(paragraph, "pPr"), style, shading)
        if paper is None or shows(ink, cover, paper):
            return False
        return cover == 0.0 or not self._over_pictures(paragraph)

    @contextmanager
    def on(self, paper: _Paper) -> Generator[None]:
        """What is read meanwhile stands on this paper."""
        self._papers.append(paper)
        try:
            yield
        finally:
            self._papers.pop()

    def cell_paper(self, cell: Element, table: Element) -> _Paper:
        """What is behind the text of a table's cell."""
        shaded = _shade(first(cell, "tcPr", "shd"))
        if shaded is not _NOTHING:
            return None if isinstance(shaded, str) else shaded
        if self._styled(_value(first(table, "tblPr"), "tblStyle") or ""):
            return None  # which of its cells the style shades depends on much
        shaded = _shade(first(table, "tblPr", "shd"))
        if shaded is not _NOTHING:
            return None if isinstance(shaded, str) else shaded
        return self._papers[-1]

    def box_paper(self, shape: Element | None) -> _Paper:
        """What is behind the text of a text box."""
        if shape is None:
            return None
        if local_name(shape) != "wsp":
            return _vml_paper(shape)
        properties = first(shape, "spPr")
        solid = first(properties, "solidFill")
        if solid is not None:
            return of_hex(_scheme(next(iter(solid), None)))
        return None if _filled(shape) else self._papers[0]

    def _paper(
        self, run: Element | None, paragraph: Element | None, style: str, shading: str | None
    ) -> _Paper:
        highlight = _value(run, "highlight") or "none"
        if highlight != "none":
            return of_hex(_HIGHLIGHTS.get(highlight))
        for shaded in (
            _shade(first(run, "shd")),
            _NOTHING if shading is None else of_hex(shading) or _UNKNOWN,
            _shade(first(paragraph, "shd")),
            *(_shade(first(base, "pPr", "shd")) for _, base in self._styles.chain(style)),
        ):
            if shaded is not _NOTHING:
                return None if isinstance(shaded, str) else shaded
        return self._papers[-1]

    def _over_pictures(self, paragraph: Element) -> bool:
        """Whether a floating picture may lie behind a paragraph of the page."""
        if self._floating is None:
            body = first(self._document, "body")
            behind = any(next(_floats(part), False) for part in self._margins() if part is not None)
            self._floating = ({-1}, {}) if behind else _pages(body)
        drawn, pages = self._floating
        return -1 in drawn or pages.get(id(paragraph), 0) in drawn

    def _inherited(self, run_style: str, paragraph_style: str) -> _Ink:
        key = (run_style, paragraph_style)
        if key not in self._inks:
            bases = [*self._styles.chain(run_style), *self._styles.chain(paragraph_style)]
            properties = [first(style, "rPr") for _, style in bases]
            properties.append(self._styles.defaults)
            colour = next(filter(None, (_value(item, "color") for item in properties)), None)
            sizes = (_number(_value(item, "sz"), None) for item in properties)
            size = next((size for size in sizes if size is not None), None)
            shades = [_shade(first(item, "shd")) for item in properties]
            shade = next((item for item in shades if item is not _NOTHING), None)
            code = None if shade is None else shade if isinstance(shade, str) else _code(shade)
            self._inks[key] = (colour, size, code)
        return self._inks[key]

    def _styled(self, style: str) -> bool:
        if style not in self._shaded:
            self._shaded[style] = any(
                _shade(shading) not in (_NOTHING, WHITE)
                for _, base in self._styles.chain(style)
                for shading in descendants(base, "shd")
            )
        return self._shaded[style]


_NOTHING = "nothing"
_UNKNOWN = "unknown"


def _shade(shading: Element | None) -> Colour | str:
    """The colour of a shading; ``_NOTHING`` if it lets through what is below it."""
    if shading is None:
        return _NOTHING
    pattern = value_of(shading) or "clear"
    code = value_of(shading, "color" if pattern == "solid" else "fill") or "auto"
    if pattern == "nil" or (pattern == "clear" and code == "auto"):
        return _NOTHING if value_of(shading, "themeFill") is None else _UNKNOWN
    return (of_hex(code) or _UNKNOWN) if pattern in ("clear", "solid") else _UNKNOWN


def _code(colour: Colour) -> str:
    return "".join(f"{part:02x}" for part in colour)


def _page_colour(document: Element | None, settings: Element | None) -> _Paper:
    background = first(document, "background")
    if background is None or first(settings, "displayBackgroundShape") is None:
        return WHITE
    return of_hex(value_of(background, "color")) if len(background) == 0 else None


def _scheme(paint: Element | None) -> str | None:
    """A colour of DrawingML as far as it needs no theme."""
    if paint is None:
        return None
    name = value_of(paint) or ""
    if local_name(paint) == "srgbClr":
        return name
    plain = all(local_name(item) == "alpha" for item in paint)
    return "FFFFFF" if name in ("bg1", "lt1") and plain else None


def _outlined(run: Element | None) -> bool:
    outline = first(run, "textOutline")
    return outline is not None and first(outline, "noFill") is None


def _vml_paper(shape: Element) -> _Paper:
    if value_of(shape, "filled") in ("f", "false", "0") or first(shape, "fill") is not None:
        return None
    code = (value_of(shape, "fillcolor") or "white").split(" ")[0]
    return WHITE if code == "white" else of_hex(code)


def _floats(root: Element) -> Iterator[bool]:
    """``True`` for every drawing that floats and may bear text."""
    for item in root.iter():
        name = local_name(item)
        if name == "anchor" and _bears(item):
            yield True
        elif name in SHAPES and name != "wsp" and "absolute" in (value_of(item, "style") or ""):
            yield first(item, "textpath") is None


def _filled(shape: Element) -> bool:
    """Whether a shape of DrawingML is painted, by itself or by its style."""
    properties = first(shape, "spPr")
    for item in properties if properties is not None else ():
        if local_name(item) == "noFill":
            return False
        if local_name(item).endswith("Fill"):
            return True
    style = first(shape, "style", "fillRef")
    return style is not None and value_of(style, "idx") not in ("0", None)


def _bears(anchor: Element) -> bool:
    extent = first(anchor, "extent")
    wide = _number(value_of(extent, "cx") if extent is not None else None, 0) or 0
    high = _number(value_of(extent, "cy") if extent is not None else None, 0) or 0
    free = first(anchor, "wrapNone") is not None or value_of(anchor, "behindDoc") in ("1", "true")
    return free and wide >= _WIDE and high >= _HIGH and any(map(_is_painted, anchor.iter()))


def _is_painted(item: Element) -> bool:
    name = local_name(item)
    return name in ("blip", "chart", "relIds") or (name == "wsp" and _filled(item))


def _pages(body: Element | None) -> tuple[set[int], dict[int, int]]:
    """The pages with floating drawings, and the page on which each paragraph begins."""
    page = 0
    drawn: set[int] = set()
    pages: dict[int, int] = {}
    for item in body.iter() if body is not None else ():
        name = local_name(item)
        if name == "p":
            pages[id(item)] = page
        elif name in ("lastRenderedPageBreak", "pageBreakBefore", "sectPr") or (
            name == "br" and value_of(item, "type") == "page"
        ):
            page += 1
        elif (name == "anchor" and _bears(item)) or (
            name in SHAPES and name != "wsp" and any(_floats(item))
        ):
            drawn.add(page)
    return drawn, pages


def _value(element: Element | None, name: str) -> str | None:
    found = first(element, name)
    return None if found is None else value_of(found)


def _number(value: str | None, otherwise: int | None) -> int | None:
    return int(value) if value is not None and value.isdecimal() and len(value) < 12 else otherwise
