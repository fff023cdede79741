"""Fusion of dense and keyword scores into one ranking."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fused:
    """A candidate of either search; ranks count from 1."""

    id: str
    score: float
    dense: float | None
    dense_rank: int | None
    keyword_rank: int | None


def fuse(
    dense: Mapping[str, float], keyword: Mapping[str, float], *, dense_weight: float
) -> list[Fused]:
    """Rank by the weighted sum of both scores, each scaled to [0, 1] over its candidates.

    Scaled scores beat reciprocal ranks: ranks forget by how much the best one leads. A candidate
    that one search did not return scores 0 there. Ties are settled by id.
    """
    dense_ranks, keyword_ranks = _ranks(dense), _ranks(keyword)
    dense_scaled, keyword_scaled = _scaled(dense), _scaled(keyword)
    fused = [
        Fused(
            id=item,
            score=dense_weight * dense_scaled.get(item, 0.0)
            + (1 - dense_weight) * keyword_scaled.get(item, 0.0),
            dense=dense.get(item),
            dense_rank=dense_ranks.get(item),
            keyword_rank=keyword_ranks.get(item),
        )
        for item in {**dense, **keyword}
    ]
    return sorted(fused, key=lambda hit: (-hit.score, hit.id))


def _ranks(scores: Mapping[str, float]) -> dict[str, int]:
    ordered = sorted(scores, key=lambda item: (-scores[item], item))
    return {item: rank for rank, item in enumerate(ordered, start=1)}


def _scaled(scores: Mapping[str, float]) -> dict[str, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {item: (score - low) / (high - low) for item, score in scores.items()}
