"""Headings that are lines with a rule of punctuation below, or above and below."""

import re

from rag_platform.documents.parsed import Heading

_RULE = re.compile(r"^([!-/:-@\[-`{-~])\1*[ \t]*$", re.MULTILINE)
_PLAIN_RULE = re.compile(r"^([-=~])\1{2,}[ \t]*$", re.MULTILINE)
_NO_RULES = frozenset({"::", ".."})
_LONGEST_TITLE = 1_000


def headings_of(text: str, exact: bool = False) -> tuple[Heading, ...]:
    """The headings of reStructuredText; each new kind of rule is a level down.

    ``exact`` is for texts that promise no markup: rules of ``=``, ``-`` or ``~``, about as long as
    their titles.
    """
    underlines = _underlines_exactly if exact else _underlines
    headings: list[Heading] = []
    kinds: list[tuple[str, bool]] = []
    free = 0  # where what belongs to no heading begins
    for match in (_PLAIN_RULE if exact else _RULE).finditer(text):
        rule = match[0].rstrip()
        title_start, title = _line_before(text, match.start(), free)
        words = title.strip()
        if not words or _RULE.fullmatch(title) or not underlines(rule, words):
            continue
        before_start, before = _line_before(text, title_start, free)
        over = before == rule
        # A title stands alone: a longer paragraph above a rule is a table or a quotation.
        alone = not before or before.startswith(".. ")
        if over or (alone and title == words):
            kind = (match[1], over)
            if kind not in kinds:
                kinds.append(kind)
            place = before_start if over else title_start
            headings.append(Heading(min(kinds.index(kind) + 1, 6), words, place))
        free = match.end() + 1
    return tuple(headings)


def _line_before(text: str, start: int, free: int) -> tuple[int, str]:
    """The line above the one that begins at ``start``, and where it begins; empty before ``free``.

    A line that is longer than a title can be is a blank.
    """
    if start <= free:
        return start, ""
    first = max(free, start - _LONGEST_TITLE)
    begin = text.rfind("\n", first, start - 1) + 1
    if not begin and first > free:
        return start, " "
    begin = begin or first
    return begin, text[begin : start - 1].rstrip()


def _underlines(rule: str, words: str) -> bool:
    """As docutils has it: at least as long as the title, or four characters and a warning."""
    return len(rule) >= min(len(words), 4) and rule not in _NO_RULES


def _underlines_exactly(rule: str, words: str) -> bool:
    columns = "  " in words or "\t" in words or "|" in words  # the head of a table
    is_rule = len(rule) > 2 and rule[0] in "=-~" and abs(len(rule) - len(words)) <= 2
    return is_rule and not columns and words[-1] not in ".,;" and words[:1].isalnum()
