"""The words of a drawing (.svg): its title, its descriptions and its texts."""

from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.hiding_styles import hides_box, size_of
from rag_platform.documents.parsing.style_sheets import declarations_of
from rag_platform.documents.parsing.xml_tree import local_name

_SKIPPED = frozenset(
    ("script", "style", "metadata", "clipPath", "mask", "pattern", "marker", "filter")
)
_PRESENTATION = ("display", "visibility", "opacity", "font-size", "fill", "fill-opacity", "stroke")


def drawing_text(root: Element) -> tuple[str, list[str], bool]:
    """The title, the texts in their order, and whether words were left out as hidden."""
    reader = _Reader()
    reader.read(root, {})
    return reader.title, reader.lines, reader.hidden


class _Reader:
    def __init__(self) -> None:
        self.title = ""
        self.lines: list[str] = []
        self.hidden = False

    def read(self, element: Element, inherited: dict[str, str]) -> None:
        """An element with all that is in it."""
        name = local_name(element)
        if name in _SKIPPED:
            return
        own = _style(element)
        style = inherited | own
        if hides_box(own, "", {}) or _unseen(name, style):
            self.hidden = self.hidden or any(map(str.isalpha, "".join(element.itertext())))
        elif name in ("title", "desc"):
            text = _words(element)
            if name == "title" and not self.title:
                self.title = text
            self._add(text)
        elif name in ("text", "foreignObject"):
            self._add(_words(element))
        else:
            for child in element:
                self.read(child, style)

    def _add(self, text: str) -> None:
        if text and text not in self.lines[-1:]:
            self.lines.append(text)


def _style(element: Element) -> dict[str, str]:
    found = {name: element.attrib[name].strip() for name in _PRESENTATION if name in element.attrib}
    said = declarations_of(element.attrib.get("style", ""))
    return found | {name: value for name, (value, _) in said.items()}


def _unseen(name: str, style: dict[str, str]) -> bool:
    if name != "text":
        return False
    if style.get("visibility") in ("hidden", "collapse"):
        return True
    if style.get("fill") in ("none", "transparent") and style.get("stroke", "none") == "none":
        return True
    return "font-size" in style and size_of(style, 16.0) == 0


def _words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())
