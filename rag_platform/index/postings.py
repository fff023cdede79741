"""Postings of some chunks in memory: their order, their vectors, and which terms they hold."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rag_platform.index.analysis import TermIds, unpack

_DENSE = 4
"""A term that every fourth row holds, or more, is kept as one weight for each row: adding whole
arrays is ten times as fast as picking places out of them."""
_RARE = 64
"""A term that fewer rows hold than one of so many is weighed anew each time."""
_KEPT = 64
"""Weights that are kept of each segment, as a multiple of its rows."""


@dataclass(frozen=True, slots=True)
class Analysed:
    """A chunk as the ledger stores it for the search."""

    content_id: str
    ordinal: int
    chunk_id: str
    terms: bytes
    """As :func:`rag_platform.index.analysis.pack` made it."""
    vector_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Saturation:
    """What BM25 makes of counts and lengths: its two parameters, and the mean of all lengths."""

    k1: float
    b: float
    mean_length: float


@dataclass(frozen=True, slots=True)
class Weights:
    """What a term counts for in the living rows of a segment, before its rarity."""

    rows: npt.NDArray[np.int32] | None
    """None where there is a value for each row of the segment."""
    values: npt.NDArray[np.float32]
    frequency: int
    """How many living rows hold the term."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows are chunks, those of one content side by side in reading order.

    Postings are in CSR form: a term's rows are ``rows[starts[t]:starts[t + 1]]``.
    """

    chunk_ids: list[str]
    contents: list[str]
    spans: dict[str, tuple[int, int]]
    """Where the rows of each content begin and end."""
    vectors: dict[str, list[int]]
    """The rows of each vector."""
    lengths: npt.NDArray[np.float32]
    alive: npt.NDArray[np.bool_]
    vocabulary: TermIds
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    counts: npt.NDArray[np.uint16]
    _weights: dict[tuple[int, Saturation], Weights] = field(
        default_factory=dict[tuple[int, Saturation], Weights]
    )

    def __len__(self) -> int:
        return len(self.chunk_ids)

    @cached_property
    def living(self) -> int:
        """How many rows can be found."""
        return int(self.alive.sum())

    @cached_property
    def length(self) -> float:
        """The terms of all rows that can be found."""
        return float(self.lengths[self.alive].sum())

    def weights(self, term: int, saturation: Saturation) -> Weights:
        """BM25's weights of a term; kept, since texts don't change and the mean seldom does."""
        key = (term, saturation)
        known = self._weights.get(key)
        if known is None:
            known = self._weighed(term, saturation)
            if len(known.values) * _RARE >= len(self):
                kept = sum(len(weights.values) for weights in list(self._weights.values()))
                if kept + len(known.values) > _KEPT * len(self):
                    self._weights.clear()
                self._weights[key] = known
        return known

    def _weighed(self, term: int, saturation: Saturation) -> Weights:
        rows, counts = self.postings(term)
        k1, b, mean = saturation.k1, saturation.b, saturation.mean_length
        norm = k1 * (1 - b + b * self.lengths[rows].astype(np.float64) / mean)
        values = ((k1 + 1) * counts / (counts + norm)).astype(np.float32)
        if len(rows) * _DENSE < len(self):
            return Weights(rows, values, len(rows))
        dense = np.zeros(len(self), dtype=np.float32)
        dense[rows] = values
        return Weights(None, dense, len(rows))

    def postings(self, term: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint16]]:
        """The living rows that hold a term, and how often."""
        at = int(np.searchsorted(self.vocabulary, np.uint64(term)))
        if at == len(self.vocabulary) or self.vocabulary[at] != term:
            return self.rows[:0], self.counts[:0]
        part = slice(self.starts[at], self.starts[at + 1])
        rows, counts = self.rows[part], self.counts[part]
        if self.living == len(self):
            return rows, counts
        living = self.alive[rows]
        return rows[living], counts[living]

    def rows_of(self, vector_id: str) -> list[int]:
        """The living rows that have a vector."""
        return [row for row in self.vectors.get(vector_id, ()) if self.alive[row]]

    @cached_property
    def follows(self) -> npt.NDArray[np.bool_]:
        """Whether a row goes on with the text of the one before; one more than there are rows."""
        rows = np.ones(len(self) + 1, dtype=np.bool_)
        for start, end in self.spans.values():
            rows[start] = rows[end] = False
        return rows

    def living_contents(self) -> set[str]:
        """The contents that can be found."""
        return {content for content, (first, _) in self.spans.items() if self.alive[first]}

    def without(self, contents: Iterable[str]) -> "Segment":
        """The same, with the chunks of these contents dead."""
        dead = self.mask(contents)
        if not (dead & self.alive).any():
            return self
        return dataclasses.replace(self, alive=self.alive & ~dead, _weights={})

    def mask(self, contents: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Which rows belong to these contents."""
        rows = np.zeros(len(self), dtype=np.bool_)
        for content in contents:
            if (span := self.spans.get(content)) is not None:
                rows[slice(*span)] = True
        return rows


def segment_of(chunks: Iterable[Analysed]) -> Segment:
    """The segment of some chunks, of which there is at least one."""
    ordered = sorted(chunks, key=lambda chunk: (chunk.content_id, chunk.ordinal))
    unpacked = [unpack(chunk.terms) for chunk in ordered]
    sizes = [len(ids) for ids, _ in unpacked]
    ids = np.concatenate([ids for ids, _ in unpacked])
    counts = np.concatenate([counts for _, counts in unpacked])
    order = np.argsort(ids, kind="stable")
    vocabulary, starts = np.unique(ids[order], return_index=True)
    vectors: dict[str, list[int]] = {}
    spans: dict[str, tuple[int, int]] = {}
    for row, chunk in enumerate(ordered):
        spans[chunk.content_id] = (spans.get(chunk.content_id, (row, row))[0], row + 1)
        for vector_id in chunk.vector_ids:
            vectors.setdefault(vector_id, []).append(row)
    return Segment(
        chunk_ids=[chunk.chunk_id for chunk in ordered],
        contents=[chunk.content_id for chunk in ordered],
        spans=spans,
        vectors=vectors,
        lengths=np.array([counts.sum() for _, counts in unpacked], dtype=np.float32),
        alive=np.ones(len(ordered), dtype=np.bool_),
        vocabulary=vocabulary,
        starts=np.append(starts, len(ids)).astype(np.int64),
        rows=np.repeat(np.arange(len(ordered), dtype=np.int32), sizes)[order],
        counts=counts[order],
    )
