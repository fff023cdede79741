"""Numbers of spreadsheets as people see them: ``0.5`` under the format ``0%`` is ``50%``."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

_BUILT_IN = {
    **{0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%"},
    **{11: "0.00E+00", 12: "General", 13: "General", 14: "yyyy-mm-dd", 15: "d-mmm-yy"},
    **{16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm", 21: "h:mm:ss"},
    **{22: "yyyy-mm-dd h:mm", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00"},
    **{45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss", 48: "0.0E+0", 49: "@"},
    **dict.fromkeys((*range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd"),
    **dict.fromkeys(range(32, 36), "h:mm:ss"),
}
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.|\[\$(?P<symbol>[^\]-]*)[^\]]*\]'
    r"|\[(?P<elapsed>h+|m+|s+)\]|\[[^\]]*\]|(?P<number>[0#?][0#?,./ ]*(?:E[+-]0+)?|\.[0#?]+)"
    r"|(?P<general>General)|(?P<date>AM/PM|A/P|[ymdhs]+)|(?P<literal>.)",
    re.IGNORECASE | re.DOTALL,
)
_EPOCH = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)
_LAST_DAY = 2_958_466
"""The year 10000, where Excel's calendar ends."""


def built_in(number: int) -> str:
    """The format code that a number stands for where the file does not define it."""
    return _BUILT_IN.get(number, "General")


def shown(value: float, code: str, from_1904: bool = False) -> str:
    """The number under a format. Dates come as ISO 8601: the format's order is local, and lost."""
    if not math.isfinite(value):
        return str(value)
    sections = _sections(code[:255])
    number = sections[0]
    if value < 0 and len(sections) > 1:
        number, value = sections[1], -value
    elif value == 0 and len(sections) > 2:
        number = sections[2]
    if number.date:
        return _date(value, number, from_1904)
    return f"{number.prefix}{_digits(value, number)}{number.suffix}".strip()


@dataclass(frozen=True)
class _Section:
    """One of the up to four parts of a format: positive; negative; zero; text."""

    prefix: str = ""
    suffix: str = ""
    digits: str = ""
    """The placeholders, ``General``, or nothing where the number is not shown at all."""
    date: str = ""
    """Its letters of dates and times, in order; those of elapsed time are capital."""


@lru_cache(1024)
def _sections(code: str) -> tuple[_Section, ...]:
    parts = [""]
    for match in _TOKEN.finditer(code):
        if match["literal"] == ";":
            parts.append("")
        else:
            parts[-1] += match[0]
    return tuple(_section(part) for part in parts[:4])


def _section(code: str) -> _Section:
    prefix, suffix, digits, date = "", "", "", ""
    for match in _TOKEN.finditer(code):
        literal = match["quoted"] or match["escaped"] or match["symbol"] or match["literal"] or ""
        if match["date"]:
            date += match["date"].lower()
        elif match["elapsed"]:
            date += match["elapsed"].upper()
        elif match["number"] or match["general"]:
            digits += match[0].rstrip()
            suffix += " " * (len(match[0]) - len(match[0].rstrip()))
        elif digits:
            suffix += literal
        elif match["literal"] != "@":
            prefix += literal
    if code.strip() in ("@", ""):
        digits = "General" if code.strip() else ""
    return _Section(prefix, suffix, digits.rstrip(), date)


def _digits(value: float, section: _Section) -> str:
    digits = section.digits
    if not digits:
        return ""
    if "general" in digits.lower() or "/" in digits or "%" in digits:
        return _general(value)
    if "%" in section.suffix or "%" in section.prefix:
        value *= 100
    whole, _, fraction = digits.partition(".")
    if "e" in digits.lower():
        return f"{value:.{min(len(re.findall('[0#?]', fraction.lower().split('e')[0])), 15)}E}"
    value /= 1000 ** (len(digits) - len(digits.rstrip(",")))
    whole, fraction = whole.rstrip(","), fraction.rstrip(",")
    places = min(len(re.findall("[0#?]", fraction)), 15)
    least = min(fraction.count("0"), places)
    # Excel rounds what is written in decimal digits, and halves away from zero.
    text = f"{round(value + math.copysign(abs(value) * 1e-15, value), places):,.{places}f}"
    if places > least:
        kept = text[: len(text) - places] + text[-places:].rstrip("0").ljust(least, "0")
        text = kept.rstrip(".")
    if "," not in whole:
        text = text.replace(",", "")
    head, point, tail = text.partition(".")
    return head.zfill(whole.count("0")) + point + tail if whole.count("0") > 1 else text


def _general(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.11g}" if abs(value) >= 1 else f"{value:.10g}"


def _date(value: float, section: _Section, from_1904: bool) -> str:
    letters = section.date
    if not 0 <= value < _LAST_DAY:
        return _general(value)
    if letters != letters.lower():  # elapsed: hours go on past 24
        seconds = round(value * 86400)
        text = f"{seconds // 3600}:{seconds // 60 % 60:02}"
        return f"{text}:{seconds % 60:02}" if "s" in letters.lower() else text
    epoch = _EPOCH_1904 if from_1904 else _EPOCH
    if value < 60 and not from_1904:
        value += 1  # Excel has a 29 February 1900, which was none
    moment = epoch + timedelta(seconds=round(value * 86400))
    has_time = "h" in letters or "s" in letters
    has_date = "y" in letters or "d" in letters or (not has_time and "m" in letters)
    if not has_date:
        return f"{moment:%H:%M:%S}" if "s" in letters else f"{moment:%H:%M}"
    text = f"{moment:%Y-%m-%d}" if "d" in letters else f"{moment:%Y-%m}"
    if "y" in letters and not re.search("[md]", letters):
        text = f"{moment.year}"
    if has_time and moment.time() != datetime.min.time():
        text += f" {moment:%H:%M:%S}" if moment.second else f" {moment:%H:%M}"
    return text
