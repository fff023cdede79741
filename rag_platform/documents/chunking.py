"""Cutting a document into passages that fit the embedding model.

Where to cut is chosen for the whole document at once: every cut and every crossed heading has a
price, and the cheapest way through is taken. semantic-text-splitter, the usual choice, took 3 to 5
seconds for a megabyte with the MiniLM tokenizer, where this takes one, and it cuts greedily, which
leaves small rests at the ends of sections.
"""

import itertools
from bisect import bisect_right
from dataclasses import asdict, dataclass
from typing import Any, Self

from tokenizers import Tokenizer

from rag_platform.documents.boundaries import Unit, count_tokens, reaching_back, units_of
from rag_platform.documents.heading_paths import Places
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.structure import Structure, structure_of
from rag_platform.errors import InvalidRequest, SettingsError
from rag_platform.ledger.places import Place, common_path
from rag_platform.settings import ChunkingSettings

_CHARACTERS_PER_TOKEN = 10
"""A passage is no longer than this many characters a token: a word of 10,000 letters is one token
for WordPiece, and a megabyte of such words would be a passage."""

_BESIDE_HEADER = 0.8
"""The part of what a model reads that passages take where nothing is set: the packaged model's 200
of 254 leave room for the title and the headings."""

_BREAK_AFTER_HEADING = 5.0
_ONLY_HEADINGS = 5.0
_TINY = 0.25
"""Passages below this part of the limit cost up to one passage more."""
_CROSS_TOP = 1.6
_CROSS = 0.4
_CROSS_FROM_THE_MIDDLE = 0.5
"""What it costs that a passage goes on past a heading. A passage costs 1, so small sections share
one; over a heading that has none above it, a passage reaches only to avoid a tiny one."""


@dataclass(frozen=True)
class ChunkingSpec:
    """How to cut. Limits are in tokens of the embedding model, without its special tokens."""

    max_tokens: int = 200
    overlap_tokens: int = 0
    method: str = "structure"
    version: int = 2
    """1 knows no tables, code and items, and overlaps by words."""

    def __post_init__(self) -> None:
        if self.method != "structure" or self.version not in (1, 2):
            raise InvalidRequest(f"There is no chunking method {self.method}-v{self.version}.")
        if self.max_tokens < 8:
            raise InvalidRequest("A passage needs at least 8 tokens.")
        if not 0 <= self.overlap_tokens <= self.max_tokens // 2:
            raise InvalidRequest("Passages may overlap by at most half of their size.")

    @property
    def id(self) -> str:
        """A stable name: equal ids mean equal passages."""
        return f"{self.method}-{self.max_tokens}-{self.overlap_tokens}-v{self.version}"

    @classmethod
    def of(cls, settings: ChunkingSettings, most: int | None = None) -> Self:
        """The spec that the settings ask for, for a model that reads passages of ``most`` tokens.

        A size that nobody set is made to fit with room for a header. Raises
        :class:`SettingsError` where one was set that does not fit.
        """
        tokens, overlap = settings.max_tokens, settings.overlap_tokens
        remedy = "Correct the variable and start again."
        if most is not None and "max_tokens" not in settings.model_fields_set:
            tokens = min(tokens, int(most * _BESIDE_HEADER))
        elif most is not None and tokens > most:
            raise SettingsError(
                f"RAG_CHUNKING_MAX_TOKENS ({tokens}) is too large: the embedding model "
                f"reads passages of at most {most} tokens.",
                remedy,
            )
        if overlap > tokens // 2:
            raise SettingsError(
                f"RAG_CHUNKING_OVERLAP_TOKENS ({overlap}) may be at most half of the {tokens} "
                "tokens that passages have with this embedding model.",
                remedy,
            )
        return cls(tokens, overlap)

    def to_dict(self) -> dict[str, Any]:
        """The spec as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """The spec that :meth:`to_dict` gave."""
        return cls(**fields)


@dataclass(frozen=True)
class Passage:
    """A chunk of a document: ``text`` is exactly ``document.text[start:end]``.

    ``page`` is the one on which it starts; ``heading_path`` the headings, from the top, that all of
    it stands under; ``places`` where the page or the heading changes, the first where it starts;
    ``table_columns`` the names of the columns, where it begins among the rows of a table;
    ``token_count`` is without special tokens.
    """

    ordinal: int
    text: str
    start: int
    end: int
    page: int | None
    heading_path: tuple[str, ...]
    places: tuple[Place, ...]
    table_columns: str | None
    token_count: int


def split(document: ParsedDocument, spec: ChunkingSpec, tokenizer: Tokenizer) -> list[Passage]:
    """Cut a document. The tokenizer is the embedding model's, with truncation and padding off."""
    text = document.text
    limit = spec.max_tokens - spec.overlap_tokens
    places_in = Places(document)
    starts, paths = places_in.starts, places_in.paths
    structure = structure_of(document) if spec.version > 1 else Structure()
    units = units_of(text, starts, limit, limit * _CHARACTERS_PER_TOKEN, tokenizer, structure)
    runs = _cheapest(units, limit, starts, paths)
    if spec.overlap_tokens and spec.version > 1:
        runs = reaching_back(
            units, runs, spec.overlap_tokens, spec.max_tokens * _CHARACTERS_PER_TOKEN
        )
    spans = [
        span
        for first, last in runs
        for span in _trimmed(text, units[first].start, units[last - 1].end)
    ]
    if spec.overlap_tokens and spec.version == 1:
        spans = _overlapping(text, spans, spec, tokenizer)
    counted = _fitting(text, spans, spec, tokenizer)
    table_starts = [table.start for table in structure.tables]
    passages: list[Passage] = []
    for ordinal, (start, end, tokens) in enumerate(counted):
        places = places_in.between(start, end)
        above = bisect_right(table_starts, start) - 1
        inside = structure.tables[above] if above >= 0 else None
        # Rows without their head say little: it goes with them.
        in_table = inside is not None and inside.body <= start < inside.end
        passages.append(
            Passage(
                ordinal=ordinal,
                text=text[start:end],
                start=start,
                end=end,
                page=places[0].page,
                heading_path=common_path(places),
                places=places,
                table_columns=(inside.columns or None) if inside is not None and in_table else None,
                token_count=tokens,
            )
        )
    return passages


def _cheapest(
    units: list[Unit], limit: int, starts: list[int], paths: list[tuple[str, ...]]
) -> list[tuple[int, int]]:
    """The cheapest division of the units into runs of at most ``limit`` tokens, as index pairs."""
    most_characters = limit * _CHARACTERS_PER_TOKEN
    small = limit * _TINY
    crossing: list[float] = []
    for unit in units:
        if not unit.heading:
            crossing.append(0.0)
            continue
        depth = len(paths[bisect_right(starts, unit.start) - 1])
        crossing.append(_CROSS if depth > 1 else _CROSS_TOP)
    best = [0.0]
    came_from = [0]
    for after in range(1, len(units) + 1):
        tokens = 0
        has_body = False
        crossed = pending = 0.0
        cheapest, source = float("inf"), after - 1
        cut = 0.0 if after == len(units) else units[after].cut_cost
        if after < len(units) and units[after - 1].heading:
            cut = max(cut, _BREAK_AFTER_HEADING)
        end = units[after - 1].end
        for first in range(after - 1, -1, -1):
            unit = units[first]
            tokens += unit.tokens
            if first < after - 1 and (tokens > limit or end - unit.start > most_characters):
                break
            if unit.heading:
                pending = max(pending, crossing[first])
            else:
                has_body = True
                crossed += pending
                pending = 0.0
            price = best[first] + 1.0 + cut + crossed
            if crossed and not unit.heading:
                price += _CROSS_FROM_THE_MIDDLE
            if tokens < small:
                price += 1.0 - tokens / small
            if not has_body:
                price += _ONLY_HEADINGS
            if price < cheapest:
                cheapest, source = price, first
        best.append(cheapest)
        came_from.append(source)
    runs: list[tuple[int, int]] = []
    after = len(units)
    while after:
        runs.append((came_from[after], after))
        after = came_from[after]
    return runs[::-1]


def _overlapping(
    text: str, spans: list[tuple[int, int]], spec: ChunkingSpec, tokenizer: Tokenizer
) -> list[tuple[int, int]]:
    """Let every passage begin up to the overlap earlier, at the beginning of a word."""
    widened = spans[:1]
    longest = spec.max_tokens * _CHARACTERS_PER_TOKEN
    for (before, before_end), (start, end) in itertools.pairwise(spans):
        tokens = tokenizer.encode(text[before:before_end], add_special_tokens=False)
        for token_start, _ in tokens.offsets[-spec.overlap_tokens :]:
            place = before + token_start
            at_word = place == before or text[place - 1].isspace()
            if at_word and end - place <= longest:
                start = place
                break
        widened.append((start, end))
    return widened


def _fitting(
    text: str, spans: list[tuple[int, int]], spec: ChunkingSpec, tokenizer: Tokenizer
) -> list[tuple[int, int, int]]:
    """The spans with their token counts as the model will count them, halved where too long.

    Tokens of pieces add up for the usual tokenizers when cut between words, but neither is that a
    law nor can every word be kept whole.
    """
    counted: list[tuple[int, int, int]] = []
    counts = count_tokens([text[start:end] for start, end in spans], tokenizer)
    for (start, end), tokens in zip(spans, counts, strict=True):
        if tokens <= spec.max_tokens or end - start < 2:
            counted.append((start, end, tokens))
            continue
        middle = (start + end) // 2
        space = text.rfind(" ", start + 1, middle)
        cut = space if space > start else middle
        halves = [*_trimmed(text, start, cut), *_trimmed(text, cut, end)]
        counted += _fitting(text, halves, spec, tokenizer)
    return counted


def _trimmed(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The span without blanks at its ends; none if it is all blank."""
    body = text[start:end]
    left, right = len(body) - len(body.lstrip()), len(body.rstrip())
    return [(start + left, start + right)] if left < right else []
