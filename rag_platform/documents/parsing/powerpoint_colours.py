"""The colours of a presentation: themes, maps of names, and the modifiers of both."""

import colorsys
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.colours import BLACK, WHITE, Colour, of_css, of_hex, of_hls
from rag_platform.documents.parsing.ooxml import OfficePackage
from rag_platform.documents.parsing.xml_tree import first, local_name, value_of

Paint = tuple[Colour, float]
"""A colour and its opacity."""

_USUAL = {"lt1": WHITE, "dk1": BLACK}
_MAP = {"bg1": "lt1", "tx1": "dk1", "bg2": "lt2", "tx2": "dk2"}
FILLS = ("noFill", "solidFill", "gradFill", "blipFill", "pattFill", "grpFill")


class Theme:
    """What the names of colours mean on the slides of a master."""

    def __init__(self, package: OfficePackage, master: str) -> None:
        root = package.xml(master)
        mapped = first(root, "clrMap")
        self._map = dict(_MAP if mapped is None else mapped.attrib)
        paths = package.related(master, "theme") if root is not None else []
        scheme = first(package.xml(paths[0] if paths else None), "themeElements", "clrScheme")
        self._colours: dict[str, Colour | None] = dict(_USUAL)
        for item in scheme if scheme is not None else ():
            code = value_of(item[0], "lastClr") or value_of(item[0]) if len(item) else None
            self._colours[local_name(item)] = of_hex(code)

    def paint(self, paint: Element | None, override: Element | None) -> Paint | None:
        """A colour's element with its modifiers; ``None`` for what is too fine to tell."""
        if paint is None:
            return None
        kind, value = local_name(paint), value_of(paint) or ""
        colour: Colour | None = None
        if kind == "srgbClr":
            colour = of_hex(value)
        elif kind == "sysClr":
            colour = of_hex(value_of(paint, "lastClr"))
        elif kind == "prstClr":
            known = of_css(value)
            colour = known[0] if known is not None else None
        elif kind == "schemeClr":
            said = override.attrib if override is not None else {}
            colour = self._colours.get(said.get(value) or self._map.get(value, value))
        return None if colour is None else _modified(colour, paint)


def fill_of(properties: Element | None) -> Element | None:
    """The fill among the properties of a shape or of letters, of whatever kind."""
    for item in properties if properties is not None else ():
        if local_name(item) in FILLS:
            return item
    return None


def _modified(colour: Colour, paint: Element) -> Paint | None:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    opacity = 1.0
    for item in paint:
        name, value = local_name(item), value_of(item) or ""
        if not value.lstrip("-").isdecimal() or len(value) > 9:
            return None
        share = int(value) / 100_000
        if name == "alpha":
            opacity = share
        elif name == "lumMod":
            lightness *= share
        elif name == "lumOff":
            lightness += share
        else:
            return None
    return of_hls(hue, lightness, saturation), opacity
