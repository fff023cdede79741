"""Colours as formats write them, and whether letters of one can be made out on another."""

import colorsys
import re

Colour = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
_ALIKE = 16
"""Of 255: letters that differ less than this from what is behind them are not seen."""
_FAINT = 0.06
"""Paint that covers less than this part of what is behind it is as good as none."""

_HEX = re.compile(r"[0-9a-fA-F]{6}")
_CSS_HEX = re.compile(r"#([0-9a-f]{3,8})")
_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^()]{1,80})\)")
_NAMES = {
    name: code
    for code, names in {
        **{"ffffff": "white", "000000": "black", "fffafa": "snow", "f8f8ff": "ghostwhite"},
        **{"f5f5f5": "whitesmoke", "fffaf0": "floralwhite", "fffff0": "ivory", "f0ffff": "azure"},
        **{"f5fffa": "mintcream", "f0fff0": "honeydew", "f0f8ff": "aliceblue"},
        **{"fff5ee": "seashell", "fdf5e6": "oldlace", "faf0e6": "linen", "fff0f5": "lavenderblush"},
        **{"dcdcdc": "gainsboro", "d3d3d3": "lightgray lightgrey", "c0c0c0": "silver"},
        **{"808080": "gray grey", "a9a9a9": "darkgray darkgrey", "696969": "dimgray dimgrey"},
        **{"ff0000": "red", "008000": "green", "0000ff": "blue", "ffff00": "yellow"},
        **{"000080": "navy", "00008b": "darkblue", "008080": "teal", "800080": "purple"},
        **{"800000": "maroon", "808000": "olive", "00ff00": "lime", "00ffff": "aqua cyan"},
        **{"ff00ff": "fuchsia magenta", "ffa500": "orange", "8b0000": "darkred"},
        **{"006400": "darkgreen", "2f4f4f": "darkslategray darkslategrey", "a52a2a": "brown"},
    }.items()
    for name in names.split()
}


def alike(first: Colour, second: Colour) -> bool:
    """Whether two colours differ by less than an eye tells apart in letters."""
    return all(abs(one - two) <= _ALIKE for one, two in zip(first, second, strict=True))


def blended(paint: Colour, cover: float, below: Colour) -> Colour:
    """What is seen of paint that covers a part (0 to 1) of the colour below it."""
    red, green, blue = (
        round(top * cover + under * (1 - cover)) for top, under in zip(paint, below, strict=True)
    )
    return red, green, blue


def shows(paint: Colour, cover: float, below: Colour) -> bool:
    """Whether letters in this paint can be made out on the colour below."""
    return cover > _FAINT and not alike(blended(paint, cover, below), below)


def of_hex(code: str | None) -> Colour | None:
    """A colour of six hexadecimal digits, with or without ``#``; ``None`` for any other value."""
    code = (code or "").removeprefix("#")
    if not _HEX.fullmatch(code):
        return None
    return int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)


def of_css(value: str) -> tuple[Colour, float] | None:
    """A colour of a style sheet with its opacity (0 to 1); ``None`` for what names no colour."""
    value = value.strip().lower()
    if value == "transparent":
        return WHITE, 0.0
    if name := _NAMES.get(value):
        value = f"#{name}"
    if found := _CSS_HEX.fullmatch(value):
        digits = found[1]
        if len(digits) < 5:
            digits = "".join(digit * 2 for digit in digits)
        colour = of_hex(digits[:6])
        opacity = int(digits[6:8], 16) / 255 if len(digits) == 8 else 1.0
        return None if colour is None or len(digits) == 7 else (colour, opacity)
    if found := _FUNCTION.fullmatch(value):
        return _of_function(found[1], re.findall(r"[-+.\d]+(?:e-?\d+)?[a-z%]*", found[2]))
    return None


def of_hls(hue: float, lightness: float, saturation: float) -> Colour:
    """A colour by hue, lightness and saturation, each from 0 to 1."""
    red, green, blue = (
        round(part * 255)
        for part in colorsys.hls_to_rgb(hue % 1.0, _within(lightness), _within(saturation))
    )
    return red, green, blue


def _of_function(kind: str, parts: list[str]) -> tuple[Colour, float] | None:
    if len(parts) not in (3, 4):
        return None
    try:
        opacity = _within(_number(parts[3], 1)) if len(parts) == 4 else 1.0
        if kind == "hsl":
            hue = float(parts[0].removesuffix("deg")) / 360
            saturation, lightness = (float(part.removesuffix("%")) / 100 for part in parts[1:3])
            return of_hls(hue, lightness, saturation), opacity
        red, green, blue = (round(255 * _within(_number(part, 255))) for part in parts[:3])
    except (ValueError, OverflowError):
        return None
    return (red, green, blue), opacity


def _number(part: str, whole: float) -> float:
    """A share of the whole, given as a percentage or a number."""
    return float(part[:-1]) / 100 if part.endswith("%") else float(part) / whole


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)
