"""The figures of one ranking. Each is a function of what was found and what should have been."""

import math
from collections.abc import Iterable, Sequence

Interval = tuple[int, int]
"""The first character and the one after the last."""


def recall(relevant: Sequence[bool], k: int, total: int) -> float:
    """The share of all ``total`` relevant items that the first ``k`` hold."""
    return sum(relevant[:k]) / total


def precision(relevant: Sequence[bool], k: int) -> float:
    """The share of the first ``k`` places that hold a relevant item; empty places hold none."""
    return sum(relevant[:k]) / k


def reciprocal_rank(relevant: Sequence[bool]) -> float:
    """One over the rank of the first relevant item; 0 where there is none."""
    return next((1 / rank for rank, hit in enumerate(relevant, start=1) if hit), 0.0)


def ndcg(gains: Sequence[float], ideal: Iterable[float], k: int) -> float:
    """Normalised discounted cumulative gain of the first ``k``, as trec_eval's ``ndcg_cut``.

    Gains are linear and negative ones count as 0. ``ideal`` holds the gains of all items that are
    relevant, in any order.
    """
    best = _dcg(sorted(ideal, reverse=True)[:k])
    return _dcg(gains[:k]) / best if best else 0.0


def _dcg(gains: Sequence[float]) -> float:
    return sum(max(gain, 0.0) / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same characters as disjoint intervals in order; empty ones left out."""
    merged: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def length(intervals: Iterable[Interval]) -> int:
    """How many characters lie in at least one of the intervals."""
    return sum(end - start for start, end in union(intervals))


def common(one: Iterable[Interval], other: Iterable[Interval]) -> int:
    """How many characters lie in intervals of both."""
    one, other = union(one), union(other)
    shared = i = j = 0
    while i < len(one) and j < len(other):
        shared += max(min(one[i][1], other[j][1]) - max(one[i][0], other[j][0]), 0)
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return shared


def text_recall(found: Iterable[Interval], references: Sequence[Interval]) -> float:
    """The share of the reference's characters that lie in what was found."""
    return common(found, references) / length(references)
