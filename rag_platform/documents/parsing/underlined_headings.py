"""Headings that are lines with a rule of punctuation below, or above and below."""

import re

from rag_platform.documents.parsed import Heading

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1*")
_NO_RULES = frozenset({"::", ".."})


def headings_of(text: str, exact: bool = False) -> tuple[Heading, ...]:
    """The headings of reStructuredText; each new kind of rule is a level down.

    ``exact`` is for texts that promise no markup: rules of ``=``, ``-`` or ``~``, about as long as
    their titles.
    """
    underlines = _underlines_exactly if exact else _underlines
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
        if rule and words and not _RULE.fullmatch(title) and underlines(line, words):
            over = before == line
            # A title stands alone: a longer paragraph above a rule is a table or a quotation.
            alone = not before or before.startswith(".. ")
            if over or (alone and title == words):
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


def _underlines(rule: str, words: str) -> bool:
    """As docutils has it: at least as long as the title, or four characters and a warning."""
    return len(rule) >= min(len(words), 4) and rule not in _NO_RULES


def _underlines_exactly(rule: str, words: str) -> bool:
    columns = "  " in words or "\t" in words or "|" in words  # the head of a table
    is_rule = len(rule) > 2 and rule[0] in "=-~" and abs(len(rule) - len(words)) <= 2
    return is_rule and not columns and words[-1] not in ".,;" and words[:1].isalnum()
