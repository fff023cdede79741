"""Sentences of a passage, and the one that supports a statement best."""

import re
from collections.abc import Iterator

from rag_platform.index.analysis import terms

_END = re.compile(
    r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[^\s])|(?<=[。！？])|\n{2,}|\n(?=\s*(?:[-*•|#]|\d+[.)]))"
)
_HEADING = re.compile(
    r"^[ \t]{0,3}#{1,6}(?:[ \t][^\n]*)?$"
    # A line of its own above a rule, also where another rule stands above it.
    r"|(?<![^\n]\n)^(?:([-=~^\"'`*+#:.])\1{2,}[ \t]*\n)?[^\n]+\n([-=~^\"'`*+#:.])\2{2,}[ \t]*$",
    re.MULTILINE,
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mr|Mrs|Ms|No|Fig|approx|ca|z\.B|d\.h|bzw)\.|^\d+\.)$"
)
"""What ends with a full stop and no sentence: also the number of a list's item."""


def sentences(text: str) -> list[str]:
    """The sentences of a text as they stand in it, headings and empty ones left out."""
    return [text[start:end] for start, end in _spans(text)]


def supporting_sentence(statement: str, text: str) -> tuple[int, int]:
    """Where the sentence of ``text`` stands that shares most with ``statement``: its quote."""
    wanted = set(terms(statement))
    candidates = [*_spans(text)] or [*_trimmed(text, 0, len(text))] or [(0, 0)]

    def shared(span: tuple[int, int]) -> float:
        held = set(terms(text[slice(*span)]))
        return len(wanted & held) / (len(held) + 5) if held else 0.0

    return max(candidates, key=shared)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for heading in _HEADING.finditer(text):
        yield from _pieces(text, start, heading.start())
        start = heading.end()
    yield from _pieces(text, start, len(text))


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _END.finditer(text, start, end):
        if _ABBREVIATION.search(text[start : match.start()].strip()):
            continue
        yield from _trimmed(text, start, match.start())
        start = match.end()
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    body = text[start:end]
    left, right = len(body) - len(body.lstrip()), len(body.rstrip())
    if left < right:
        yield start + left, start + right
