"""Fusion of dense and keyword scores into one ranking."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


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
    neighbour_weight: float = 0.0,
    beside: Callable[[int], Iterable[int]] = lambda row: (),
    name: Callable[[int], str] = str,
) -> list[Fused]:
    """Rank by the weighted sum of both scores, each scaled to [0, 1] over its candidates.

    Scaled scores beat reciprocal ranks: ranks forget by how much the best one leads. A candidate
    that one search did not return scores 0 there. An answer seldom fills one chunk exactly, so
    each candidate gains ``neighbour_weight`` of the scores of the chunks ``beside`` it, and what
    stands beside a candidate is one. Scores are in [0, 1]; ties are settled by ``name``.
    """
    names = {row: name(row) for row in {**dense, **keyword}}
    dense_ranks, keyword_ranks = _ranks(dense, names), _ranks(keyword, names)
    dense_scaled, keyword_scaled = _scaled(dense), _scaled(keyword)
    own = {
        row: dense_weight * dense_scaled.get(row, 0.0)
        + (1 - dense_weight) * keyword_scaled.get(row, 0.0)
        for row in names
    }
    total = dict(own)
    if neighbour_weight:
        for row, score in own.items():
            for other in beside(row):
                total[other] = total.get(other, 0.0) + neighbour_weight * score
    most = 1 + 2 * neighbour_weight
    fused = [
        Fused(
            row=row,
            score=score / most,
            dense=dense.get(row),
            dense_rank=dense_ranks.get(row),
            keyword_rank=keyword_ranks.get(row),
        )
        for row, score in total.items()
    ]
    names |= {row: name(row) for row in total.keys() - names.keys()}
    return sorted(fused, key=lambda hit: (-hit.score, names[hit.row]))


def _ranks(scores: Mapping[int, float], names: Mapping[int, str]) -> dict[int, int]:
    ordered = sorted(scores, key=lambda row: (-scores[row], names[row]))
    return {row: rank for rank, row in enumerate(ordered, start=1)}


def _scaled(scores: Mapping[int, float]) -> dict[int, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {row: (score - low) / (high - low) for row, score in scores.items()}
