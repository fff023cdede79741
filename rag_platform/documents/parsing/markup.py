"""TeX, AsciiDoc and Org. The text stays as it was written; its headings are found."""

import re

from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.documents.parsing.formats import ASCIIDOC, ORG, TEX
from rag_platform.documents.parsing.plain_text import decode

_HEADINGS = {
    TEX: re.compile(
        r"^[ \t]*\\(?P<mark>part|chapter|section|subsection|subsubsection|paragraph)\*?"
        r"(?:\[[^\]\n]{0,200}\])?\{(?P<title>[^\n]{1,300}?)\}[ \t]*+"
        r"(?:\\label\{[^}\n]*+\})?[ \t]*+(?:%.*)?$",
        re.MULTILINE,
    ),
    ASCIIDOC: re.compile(r"^(?P<mark>={1,6})[ \t]+(?P<title>\S[^\n]{0,300})$", re.MULTILINE),
    ORG: re.compile(
        r"^(?P<mark>\*{1,6})[ \t]+(?:(?:TODO|DONE)[ \t]+)?(?P<title>\S[^\n]{0,300}?)"
        r"(?:[ \t]+:[\w@#%:]{1,200}:)?[ \t]*+$",
        re.MULTILINE,
    ),
}
_TEX_LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph")
_TITLE = {
    TEX: re.compile(r"\\title(?:\[[^\]\n]{0,200}\])?\{([^{}\n]{1,300})\}"),
    ORG: re.compile(r"^#\+title:[ \t]*(\S[^\n]*)$", re.MULTILINE | re.IGNORECASE),
}
_AUTHOR = {
    TEX: re.compile(r"\\author(?:\[[^\]\n]{0,200}\])?\{([^{}\n]{1,300})\}"),
    ORG: re.compile(r"^#\+author:[ \t]*(\S[^\n]*)$", re.MULTILINE | re.IGNORECASE),
    ASCIIDOC: re.compile(r"^:author:[ \t]*(\S[^\n]*)$", re.MULTILINE),
}


def extract(data: bytes, media_type: str) -> ParsedDocument:
    """Read a text in one of these; ``media_type`` says in which."""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    found = [
        (_level(match["mark"]), _plain(match["title"]), match.start())
        for match in _HEADINGS[media_type].finditer(text)
    ]
    top = min((level for level, _, _ in found), default=1)
    headings = tuple(
        Heading(min(level - top + 1, 6), title, start) for level, title, start in found if title
    )
    first = headings[0].title if headings and media_type == ASCIIDOC else None
    return ParsedDocument(
        text=text,
        headings=headings,
        title=_said(_TITLE, media_type, text) or first,
        author=_said(_AUTHOR, media_type, text),
    )


def _level(mark: str) -> int:
    return _TEX_LEVELS.index(mark) + 1 if mark in _TEX_LEVELS else len(mark)


def _plain(title: str) -> str:
    return " ".join(re.sub(r"\\[a-zA-Z]+\*?|[{}]", " ", title).split())


def _said(patterns: dict[str, re.Pattern[str]], media_type: str, text: str) -> str | None:
    pattern = patterns.get(media_type)
    found = pattern.search(text[:20_000]) if pattern is not None else None
    return _plain(found[1]) or None if found else None
