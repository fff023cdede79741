"""Where a text may be cut and at what price: its smallest units, with their token counts."""

import itertools
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from tokenizers import Tokenizer

from rag_platform.documents.structure import Span, Structure

_PARAGRAPH = 0.1
_ENDED_LINE = 0.2
_SENTENCE = 0.3
_LINE = 0.5
_WORD = 1.0
_CHARACTER = 3.0
_HEADING = 0.0
_KEPT = 20.0
"""A cut inside what fits in a passage: dearer than all else that such a cut could save."""

_BOUNDARY = re.compile(
    r"(?P<newline>\n[ \t\n]*)"
    r"|(?P<sentence>(?<=\w[.!?…])[\"')\]”’»]{0,3}[ \t]+(?=[^\sa-z]))"
    r"|(?P<ideographic>(?<=[。！？])[”’」』）]{0,3}(?=\S))"
)
_ENDED = frozenset(".!?:;…。！？|>")
_JOINS = frozenset("\u200d\ufe0e\ufe0f")
_BATCH = 4096
_STRETCH = 100_000
"""Characters that are tokenized at once."""


@dataclass(slots=True)
class Unit:
    """A stretch of text that is not cut again. ``cut_cost`` is the price of cutting before it."""

    start: int
    end: int
    tokens: int
    cut_cost: float
    heading: bool = False


def units_of(
    text: str,
    heading_starts: list[int],
    max_tokens: int,
    max_characters: int,
    tokenizer: Tokenizer,
    structure: Structure,
) -> list[Unit]:
    """The units of a text, in order and without gaps; none is longer than the limits."""
    cuts = _cuts(text, heading_starts)
    edges = _at_edges(cuts, structure, len(text))
    places = sorted(cuts)
    ends = [*places[1:], len(text)]
    pieces = [text[start:end] for start, end in zip(places, ends, strict=True)]
    units: list[Unit] = []
    headings = frozenset(heading_starts)
    # What is too long anyway is broken further on; its tokens need not be counted before.
    counts = count_tokens(
        [piece if len(piece) <= max_characters else "" for piece in pieces], tokenizer
    )
    for start, end, tokens in zip(places, ends, counts, strict=True):
        if start == end or (not tokens and text[start:end].isspace()):
            if units:
                units[-1].end = end
            continue
        unit = Unit(start, end, tokens, cuts[start], start in headings)
        # A unit that nearly fills a passage would leave its heading without a place.
        most = max_tokens if unit.heading else max_tokens // 2
        if tokens > most or end - start > max_characters:
            for stretch in _stretches(text, unit):
                units += _broken(text, stretch, max_tokens, max_characters, tokenizer)
        else:
            _append(units, unit, max_tokens // 12, max_characters, edges)
    _keep(units, structure.whole, structure.parts, max_tokens, max_characters)
    return units


def reaching_back(
    units: list[Unit], runs: list[tuple[int, int]], tokens: int, characters: int
) -> list[tuple[int, int]]:
    """Let runs of units begin up to so many ``tokens`` earlier, with a sentence where one fits.

    Never before a heading: the words of another section would be taken for this one's. No run
    gets longer than ``characters``, nor begins where the one before begins.
    """
    widened = runs[:1]
    for (before, _), (first, last) in itertools.pairwise(runs):
        left = tokens
        sentence = word = first
        for at in range(first - 1, before, -1):
            left -= units[at].tokens
            too_long = units[last - 1].end - units[at].start > characters
            if units[at + 1].heading or left < 0 or too_long:
                break
            if units[at].cut_cost <= _LINE:
                sentence = at
            elif units[at].cut_cost < _CHARACTER:
                word = at
        widened.append((sentence if sentence < first else word, last))
    return widened


def _at_edges(cuts: dict[int, float], structure: Structure, length: int) -> frozenset[int]:
    """Let the text be cut where what belongs together begins and ends; returns these places."""
    for place, price in structure.prices.items():
        if cuts.get(place, price) > _HEADING:
            cuts[place] = price
    spans = itertools.chain(structure.whole, *structure.parts.values())
    edges = frozenset(place for span in spans for place in span if place < length)
    for place in edges:
        cuts.setdefault(place, _LINE)
    return edges


def _keep(
    units: list[Unit],
    spans: list[Span],
    parts: dict[Span, list[Span]],
    max_tokens: int,
    max_characters: int,
) -> None:
    """Make cuts inside a span dear where it fits, and inside its parts where it does not."""
    starts = [unit.start for unit in units]
    for start, end in spans:
        first, last = bisect_left(starts, start), bisect_left(starts, end)
        inside = units[first:last]
        if not inside:
            continue
        fits = end - start <= max_characters and sum(u.tokens for u in inside) <= max_tokens
        if not fits:
            _keep_parts(inside, parts.get((start, end), []), max_tokens, max_characters)
            continue
        for unit in inside:
            if unit.start > start:
                unit.cut_cost += _KEPT


def _keep_parts(units: list[Unit], spans: list[Span], max_tokens: int, max_characters: int) -> None:
    if spans:
        _keep(units, spans, {}, max_tokens, max_characters)


def count_tokens(texts: list[str], tokenizer: Tokenizer) -> list[int]:
    """How many tokens each text has, without special tokens."""
    counts: list[int] = []
    for first in range(0, len(texts), _BATCH):
        batch = texts[first : first + _BATCH]
        counts += map(len, tokenizer.encode_batch_fast(batch, add_special_tokens=False))
    return counts


def _cuts(text: str, heading_starts: list[int]) -> dict[int, float]:
    """Places where the text may be cut, with their prices."""
    cuts = {0: 0.0}
    for match in _BOUNDARY.finditer(text):
        place = match.end()
        if match.lastgroup != "newline":
            cuts[place] = _SENTENCE
            continue
        follows = text[place : place + 1]
        # Indentation belongs to the line that it begins.
        place = text.rfind("\n", match.start(), place) + 1
        ended = text[match.start() - 1 : match.start()] in _ENDED
        if match[0].count("\n") > 1:
            # A blank line inside a sentence is the end of a page.
            cuts[place] = _LINE if follows.islower() and not ended else _PARAGRAPH
        else:
            cuts[place] = _ENDED_LINE if ended or follows in ("-", "*", "|", "•") else _LINE
    for start in heading_starts:
        cuts[start] = _HEADING
    return cuts


def _append(
    units: list[Unit], unit: Unit, few_tokens: int, max_characters: int, edges: frozenset[int]
) -> None:
    """Add a unit, joined to the one before if both are very small: fewer units, faster choice.

    What belongs together is joined as a whole with the next whole, or not at all.
    """
    if units and not unit.heading and unit.cut_cost >= _ENDED_LINE:
        before = units[-1]
        apart = unit.start in edges and not (before.start in edges and unit.end in edges)
        if (
            not apart
            and not before.heading
            and before.tokens + unit.tokens <= few_tokens
            and unit.end - before.start <= max_characters
        ):
            before.end = unit.end
            before.tokens += unit.tokens
            return
    units.append(unit)


def _stretches(text: str, unit: Unit) -> Iterator[Unit]:
    """A unit in stretches of bounded length, broken at blanks: the tokens of a line of megabytes
    would take gigabytes at once."""
    start, price = unit.start, unit.cut_cost
    while unit.end - start > _STRETCH:
        blank = text.rfind(" ", start + _STRETCH // 2, start + _STRETCH)
        end = blank + 1 if blank >= 0 else _between_characters(text, start + _STRETCH)
        yield Unit(start, end, 0, price)
        start, price = end, _WORD if blank >= 0 else _CHARACTER
    yield Unit(start, unit.end, 0, price, unit.heading and start == unit.start)


def _broken(
    text: str, unit: Unit, max_tokens: int, max_characters: int, tokenizer: Tokenizer
) -> list[Unit]:
    """Break a unit that is too long: between words, inside a word only if it is too long itself."""
    step_tokens = max(1, max_tokens // 8)
    step_characters = max(1, max_characters // 8)
    body = text[unit.start : unit.end]
    offsets = tokenizer.encode(body, add_special_tokens=False).offsets
    places: list[tuple[int, float, int]] = [(0, unit.cut_cost, 0)]  # place, price, tokens before it
    for index, (start, _) in enumerate(offsets):
        last, _, tokens = places[-1]
        while start - last > max_characters:  # a word without end, or blanks
            last = _between_characters(body, last + step_characters)
            places.append((last, _CHARACTER, index))
        if start <= last:
            continue
        at_word = body[start - 1].isspace() or not (
            body[start - 1].isalnum() and body[start].isalnum()
        )
        if index - tokens >= step_tokens or start - last >= step_characters:
            if at_word and not unicodedata.combining(body[start]) and body[start] not in _JOINS:
                places.append((start, _WORD if body[start - 1].isspace() else _WORD + 0.5, index))
            elif index - tokens >= max_tokens // 2:
                places.append((start, _CHARACTER, index))
    while len(body) - places[-1][0] > max_characters:
        place = _between_characters(body, places[-1][0] + step_characters)
        places.append((place, _CHARACTER, len(offsets)))
    units: list[Unit] = []
    ends = [(place, tokens) for place, _, tokens in places[1:]] + [(len(body), len(offsets))]
    for (place, price, before), (end, after) in zip(places, ends, strict=True):
        units.append(Unit(unit.start + place, unit.start + end, after - before, price))
    units[0].heading = unit.heading and len(units) == 1
    return units


def _between_characters(body: str, place: int) -> int:
    """The next place that does not part a letter from its accent or an emoji from its modifier."""
    stop = min(place + 32, len(body))
    while place < stop and (
        unicodedata.combining(body[place]) or body[place] in _JOINS or body[place - 1] == "\u200d"
    ):
        place += 1
    return place
