"""Markdown. The text stays as it was written; headings and front matter are read from it."""

import re
from datetime import UTC, datetime

from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.documents.parsing.plain_text import decode

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^([A-Za-z_]+)[ \t]*:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_NO_PARAGRAPH = re.compile(r"[ \t]*$|[ \t]*(?:[-*+>|#]|\d+[.)])(?:[ \t]|$)| {4}|\t|[ \t]*\|")
_EMPHASIS = re.compile(r"(\*\*|__|`|\*)(.+?)\1")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")

_PICTURE_DATA = re.compile(r"data:[\w.+-]{1,50}/[\w.+-]{1,50};base64,[A-Za-z0-9+/=]{40,}")


def extract(data: bytes) -> ParsedDocument:
    """Read Markdown: front matter (title, author, date) is taken out of the text."""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    fields: dict[str, str] = {}
    if front := _FRONT_MATTER.match(text):
        fields = {name.lower(): _unquoted(value) for name, value in _FIELD.findall(front[1])}
        text = text[front.end() :]
    text = without_pictures(text)
    headings = headings_of(text)
    first = next((heading.title for heading in headings if heading.level == 1), None)
    return ParsedDocument(
        text=text,
        headings=headings,
        title=fields.get("title") or first,
        author=fields.get("author") or fields.get("authors"),
        created=_date(fields.get("date") or fields.get("created")),
        modified=_date(fields.get("modified") or fields.get("updated")),
    )


def headings_of(text: str) -> tuple[Heading, ...]:
    """The headings of Markdown, ``#`` and underlined ones, outside code fences."""
    headings: list[Heading] = []
    fence = ""
    start = 0
    above: tuple[int, str] | None = None  # the line above, if it may be an underlined heading
    for line in text.split("\n"):
        here, start = start, start + len(line) + 1
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
            above = None
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence, above = mark[1], None
        elif (atx := _ATX.fullmatch(line)) is not None:
            if title := plain(atx[2] or ""):
                headings.append(Heading(len(atx[1]), title, here))
            above = None
        elif above is not None and (under := _UNDERLINE.fullmatch(line)) is not None:
            headings.append(Heading(1 if under[1][0] == "=" else 2, plain(above[1]), above[0]))
            above = None
        elif above is None and not _NO_PARAGRAPH.match(line):
            above = (here, line)
        elif not line.strip() or above is not None:
            # Only a paragraph of one line becomes a heading here: below a longer one, a row of
            # dashes is nearly always meant as a rule.
            above = None
    return tuple(headings)


def plain(line: str) -> str:
    """A heading's text without its Markdown marks."""
    return " ".join(_EMPHASIS.sub(r"\2", _LINK.sub(r"\1", line)).split())


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1].strip()
    return value.strip("[]").strip()


def _date(value: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def without_pictures(text: str) -> str:
    """Markdown without the bytes of pictures that it carries in itself."""
    return _PICTURE_DATA.sub("", text)
