"""Sentences of a passage, and the one that supports a statement best."""

import re
from collections.abc import Iterator

from rag_platform.index.analysis import terms

_END = re.compile(
    r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[^\s])|(?<=[。！？])|\n{2,}|\n(?=\s*(?:[-*•|#]|\d+[.)]))"
)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}(?:[ \t][^\n]*)?$", re.MULTILINE)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mr|Mrs|Ms|No|Fig|approx|ca|z\.B|d\.h|bzw)\.|^\d+\.)$"
)
"""What ends with a full stop and no sentence: also the number of a list's item."""


def sentences(text: str) -> list[str]:
    """The sentences of a text as they stand in it, headings and empty ones left out."""
    found: list[str] = []
    start = 0
    for heading in _HEADING.finditer(text):
        found += _pieces(text[start : heading.start()])
        start = heading.end()
    return [*found, *_pieces(text[start:])]


def supporting_sentence(statement: str, text: str) -> str:
    """The sentence of ``text`` that shares most with ``statement``: a quote for a citation."""
    wanted = set(terms(statement))
    candidates = sentences(text) or [text.strip()]

    def shared(sentence: str) -> float:
        held = set(terms(sentence))
        return len(wanted & held) / (len(held) + 5) if held else 0.0

    return max(candidates, key=shared)


def _pieces(text: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.start()].strip()
        if _ABBREVIATION.search(piece):
            continue
        if piece:
            yield piece
        start = match.end()
    rest = text[start:].strip()
    if rest:
        yield rest
