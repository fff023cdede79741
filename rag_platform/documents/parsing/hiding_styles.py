"""Declarations of style sheets that take an element, with all that it holds, out of sight."""

import re
from collections.abc import Mapping

HIDING_PROPERTIES = frozenset(
    re.findall(
        r"[\w-]+",
        "display visibility opacity font-size font left top right bottom text-indent margin-left "
        "margin-top clip clip-path width height max-width max-height overflow overflow-x "
        "overflow-y transform position transition transition-property transition-duration "
        "animation animation-name content-visibility",
    )
)
_ZERO = r"(?:0+(?:\.0*)?|\.0+)(?![\d.])"
HIDING = re.compile(
    r"^(?:display:none|visibility:(?:hidden|collapse)|content-visibility:hidden|"
    rf"opacity:(?:0?\.0\d*|{_ZERO})|font-size:(?:{_ZERO}|0?\.\d|1(?:px|pt|%)|1\.\d)|font:.*\b0|"
    r"(?:left|top|right|bottom|text-indent|margin-(?:left|top)):-?\d{2,}|"
    r"clip:rect|clip-path:(?:inset|circle|polygon)|transform:.*(?:translate|scale)|"
    rf"(?:max-)?(?:width|height):(?:{_ZERO}|1px))"
)
"""Whether a declaration, as ``name:value``, may hide anything at all."""

_LENGTH = re.compile(r"(-?(?:\d+\.?\d*|\.\d+))\s*(px|pt|r?em|ex|ch|%|vw|vh|in|cm|mm)?")
_PIXELS = {
    **{"": 1.0, "px": 1.0, "pt": 4 / 3, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0},
    **{"%": 1.0, "vw": 10.0, "vh": 10.0, "in": 96.0, "cm": 38.0, "mm": 3.8},
}
_FAR = 999
_CLIPPED = re.compile(r"rect\(\s*([01])(?:px)?[\s,]+\1(?:px)?[\s,]+\1(?:px)?[\s,]+\1(?:px)?\s*\)")
_CLIPPED_PATH = re.compile(r"inset\(\s*(?:50|100)%\s*\)|circle\(\s*0")
_MOVED = re.compile(r"translate(?:x|y|3d)?\(\s*([^,()]+)(?:,\s*([^,()]+))?")
_SHRUNK = re.compile(rf"scale(?:x|y|3d)?\(\s*{_ZERO}")
_FADES = re.compile(r"(?:^|[\s_-])(?:fade|anim|aos|reveal|wow|lazy|slid|carousel|swiper)")
"""Names of elements that a page shows a moment after it is opened."""
_NARROW = re.compile(rf"{_ZERO}(?:px|r?em|%|pt)?|1px")
_STILL = ("none", "0s", "all 0s")


def hides_box(own: Mapping[str, str], classes: str, attributes: Mapping[str, str | None]) -> bool:
    """Whether an element with these declarations, by property, is not there for the eye."""
    if own.get("display") == "none" or own.get("content-visibility") == "hidden":
        return True
    if _moves(own) or _FADES.search(classes.lower()) or "data-aos" in attributes:
        return _far_off(own)
    if (opacity := _number(own.get("opacity", "1"))) is not None and opacity <= 0.02:
        return True
    return _far_off(own) or _without_room(own)


def size_of(own: Mapping[str, str], inherited: float) -> float:
    """The size of an element's letters in pixels."""
    value = own.get("font-size")
    if value is None:
        return 0.0 if re.match(r"(?:.*\s)?0(?:px|pt|em)?(?:/|\s)", own["font"]) else 16.0
    found = _LENGTH.fullmatch(value)
    if found is None:
        # Words such as "small" begin anew; "smaller" makes nothing vanish.
        return inherited if value in ("inherit", "smaller", "larger", "unset") else 16.0
    number, unit = float(found[1]), found[2] or "px"
    if unit in ("em", "%", "ex", "ch"):
        return inherited * number * {"em": 1.0, "%": 0.01}.get(unit, 0.5)
    return number * _PIXELS[unit]


def _moves(own: Mapping[str, str]) -> bool:
    names = ("transition", "transition-property", "transition-duration", "animation")
    return any(own.get(name, "none") not in _STILL for name in (*names, "animation-name"))


def _far_off(own: Mapping[str, str]) -> bool:
    for name in ("left", "top", "text-indent", "margin-left", "margin-top"):
        if _pixels(own.get(name, "")) <= -_FAR:
            return True
    if own.get("position") in ("absolute", "fixed") and any(
        abs(_pixels(own.get(name, ""))) >= _FAR * 5 for name in ("left", "top", "right", "bottom")
    ):
        return True
    moved = _MOVED.search(own.get("transform", ""))
    return moved is not None and any(abs(_pixels(part or "")) >= _FAR for part in moved.groups())


def _without_room(own: Mapping[str, str]) -> bool:
    if _CLIPPED.search(own.get("clip", "")) or _CLIPPED_PATH.search(own.get("clip-path", "")):
        return True
    if _SHRUNK.search(own.get("transform", "")):
        return True
    cut = any(
        own.get(name, "").split(" ")[0] in ("hidden", "clip")
        for name in ("overflow", "overflow-x", "overflow-y")
    )
    return cut and any(
        name in own and _NARROW.fullmatch(own[name])
        for name in ("width", "height", "max-width", "max-height")
    )


def _pixels(value: str) -> float:
    found = _LENGTH.fullmatch(value.strip())
    return 0.0 if found is None else float(found[1]) * _PIXELS[found[2] or ""]


def _number(value: str) -> float | None:
    found = _LENGTH.fullmatch(value)
    if found is None:
        return None
    return float(found[1]) * (0.01 if found[2] == "%" else 1.0)
