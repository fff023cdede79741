"""reStructuredText. The text stays as it was written; its underlined headings are found."""

import re

from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.documents.parsing.plain_text import decode

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1{2,}")


def extract(data: bytes) -> ParsedDocument:
    """Read reStructuredText."""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    headings = headings_of(text)
    first = headings[0].title if headings and headings[0].start < 2_000 else None
    return ParsedDocument(text=text, headings=headings, title=first)


def headings_of(text: str) -> tuple[Heading, ...]:
    """Lines with a rule of punctuation below, or above and below; each new kind is a level down."""
    headings: list[Heading] = []
    kinds: list[tuple[str, bool]] = []
    before, title = "", ""
    start = 0
    before_start = title_start = 0
    for line in text.split("\n"):
        here, start = start, start + len(line) + 1
        line = line.rstrip()
        rule = _RULE.fullmatch(line)
        words = title.strip()
        over = before == line
        if rule and words and not _RULE.fullmatch(title) and len(line) >= len(words):
            # A title stands alone: a longer paragraph above a rule is a table or a quotation.
            if over or (not before and title == words):
                kind = (rule[1], over)
                if kind not in kinds:
                    kinds.append(kind)
                place = before_start if over else title_start
                headings.append(Heading(min(kinds.index(kind) + 1, 6), words, place))
            before, title = "", ""
            continue
        before, before_start = title, title_start
        title, title_start = line, here
    return tuple(headings)
