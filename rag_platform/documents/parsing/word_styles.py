"""What a Word file says about its paragraphs outside of them: styles and lists."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.xml_tree import children, first, value_of

_LONGEST_CHAIN = 20
"""Word itself stops at about ten styles that are based on each other."""


@dataclass(frozen=True)
class Style:
    """What a paragraph's properties and its style say together.

    ``heading`` is 0 for a title, 1 for the first level below; ``numbering`` names the list.
    """

    heading: int | None = None
    numbering: str | None = None
    indent: int = 0
    bullet: bool = True
    hidden: bool = False
    key: str = ""
    """The style's own name in the file."""


class Styles:
    """Paragraph styles and list definitions."""

    def __init__(self, styles: Element | None, numbering: Element | None) -> None:
        """The roots of the parts that define them, where the file has such parts."""
        self._styles = {
            value_of(style, "styleId") or "": style for style in children(styles, "style")
        }
        self._default = next(
            (
                key
                for key, style in self._styles.items()
                if value_of(style, "default") == "1" and value_of(style, "type") == "paragraph"
            ),
            "",
        )
        self.defaults = first(styles, "docDefaults", "rPrDefault", "rPr")
        """What holds for letters that no style says anything about."""
        abstract = {
            value_of(item, "abstractNumId"): item for item in children(numbering, "abstractNum")
        }
        self._lists = {
            value_of(item, "numId") or "": abstract.get(_value(item, "abstractNumId"))
            for item in children(numbering, "num")
        }

    def of(self, properties: Element | None) -> Style:
        """The effective style of a paragraph with these properties."""
        key = _value(properties, "pStyle") or self._default
        heading = self._outline(properties)
        number, indent = self._numbered(properties)
        hidden = False
        for base, style in self.chain(key):
            name = (_value(style, "name") or base).lower()
            own = first(style, "pPr")
            hidden = hidden or _vanishes(first(style, "rPr")) is True
            if heading is None:
                heading = _named_heading(name)
                heading = self._outline(own) if heading is None else heading
            inherited, inherited_indent = self._numbered(own)
            if number is None and inherited is not None:
                number = inherited
                indent = inherited_indent if indent is None else indent
        if number == "0":  # switched off
            number = None
        indent = indent or 0
        return Style(heading, number, indent, self._is_bullet(number, indent), hidden, key)

    def hides(self, properties: Element | None, otherwise: bool) -> bool:
        """Whether a run with these properties is hidden text."""
        hidden = _vanishes(properties)
        if hidden is not None:
            return hidden
        for _, style in self.chain(_value(properties, "rStyle") or ""):
            hidden = _vanishes(first(style, "rPr"))
            if hidden is not None:
                return hidden
        return otherwise

    def chain(self, key: str) -> Iterator[tuple[str, Element | None]]:
        """A style and those that it is based on."""
        for _ in range(_LONGEST_CHAIN):
            if not key:
                return
            style = self._styles.get(key)
            yield key, style
            key = _value(style, "basedOn") or ""

    @staticmethod
    def _outline(properties: Element | None) -> int | None:
        level = _value(properties, "outlineLvl") or ""
        return int(level) + 1 if level.isdecimal() and int(level) < 9 else None

    @staticmethod
    def _numbered(properties: Element | None) -> tuple[str | None, int | None]:
        item = first(properties, "numPr")
        level = _value(item, "ilvl") or ""
        return _value(item, "numId"), min(int(level), 8) if level.isdecimal() else None

    def _is_bullet(self, number: str | None, indent: int) -> bool:
        for level in children(self._lists.get(number or ""), "lvl"):
            if value_of(level, "ilvl") == str(indent):
                return _value(level, "numFmt") in ("bullet", "none", None)
        return True


def _named_heading(name: str) -> int | None:
    if name == "title":
        return 0
    found = re.fullmatch(r"heading ([1-9])", name)
    return int(found[1]) if found else None


def _vanishes(properties: Element | None) -> bool | None:
    """Whether these properties hide text; ``None`` where they leave it open."""
    found = first(properties, "vanish")
    return None if found is None else value_of(found) not in ("0", "false", "off")


def _value(element: Element | None, name: str) -> str | None:
    found = first(element, name)
    return value_of(found) if found is not None else None
