"""Fusion of dense and keyword scores into one ranking."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag_platform.index.ranking import Rows, Scores, best_first


@dataclass(frozen=True, slots=True)
class Fused:
    """A candidate; ranks count from 1 and are None where a search did not return it."""

    row: int
    score: float
    dense: float | None
    dense_rank: int | None
    keyword_rank: int | None


def fuse(
    dense: Mapping[int, float],
    keyword: Mapping[int, float],
    *,
    dense_weight: float,
    neighbour_weight: float,
    beside: Callable[[Rows], Sequence[Rows]],
    name: Callable[[int], str],
) -> Iterator[Fused]:
    """Rank by the weighted sum of both scores, each scaled to [0, 1] over its candidates.

    Scaled scores beat reciprocal ranks: ranks forget by how much the best one leads. A candidate
    that one search did not return scores 0 there. An answer seldom fills one chunk exactly, so
    each candidate gains ``neighbour_weight`` of the scores of the chunks ``beside`` it (for each
    side an array like the rows, -1 where there is none), and what stands beside a candidate is
    one. Scores are in [0, 1]; ties are settled by ``name``. The best come first, and only who
    asks for more has more sorted out.
    """
    rows = np.fromiter({**dense, **keyword}, dtype=np.int64)
    own = dense_weight * _scaled(dense, rows) + (1 - dense_weight) * _scaled(keyword, rows)
    if neighbour_weight:
        sides = [(side, side >= 0) for side in beside(rows)]
        every = np.concatenate([rows, *(side[there] for side, there in sides)])
        gained = [neighbour_weight * own[there] for _, there in sides]
        rows, places = np.unique(every, return_inverse=True)
        own = np.bincount(places, weights=np.concatenate([own, *gained]), minlength=len(rows))
        own = own / (1 + neighbour_weight * len(sides))
    for row, score in best_first(rows, own, name):
        yield Fused(
            row=row,
            score=score,
            dense=dense.get(row),
            dense_rank=_rank(dense, row, name),
            keyword_rank=_rank(keyword, row, name),
        )


def _scaled(scores: Mapping[int, float], rows: Rows) -> Scores:
    if not scores:
        return np.zeros(len(rows))
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return np.array([float(row in scores) for row in rows.tolist()])
    return np.array([(scores.get(row, low) - low) / (high - low) for row in rows.tolist()])


def _rank(scores: Mapping[int, float], row: int, name: Callable[[int], str]) -> int | None:
    own = scores.get(row)
    if own is None:
        return None
    before = sum(score > own for score in scores.values())
    equal = [other for other, score in scores.items() if score == own and other != row]
    return 1 + before + sum(name(other) < name(row) for other in equal)
