"""What any fusion of two rankings has to promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_platform.retrieval import fusion
from rag_platform.retrieval.fusion import Fused

SCORES = st.dictionaries(st.integers(0, 7), st.floats(-1, 100, allow_nan=False), max_size=8)
WEIGHT = st.floats(0, 1)


def _line(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eight rows of one text."""
    return np.where(rows > 0, rows - 1, -1), np.where(rows < 7, rows + 1, -1)


def fuse(dense, keyword, *, dense_weight: float, neighbour_weight: float = 0.0) -> list[Fused]:
    return list(
        fusion.fuse(
            dense,
            keyword,
            dense_weight=dense_weight,
            neighbour_weight=neighbour_weight,
            beside=_line,
            name=str,
        )
    )


@given(SCORES, SCORES, WEIGHT)
def test_every_candidate_comes_once_best_first_with_scores_between_0_and_1(dense, keyword, weight):
    fused = fuse(dense, keyword, dense_weight=weight)
    assert sorted(hit.row for hit in fused) == sorted({*dense, *keyword})
    assert fused == sorted(fused, key=lambda hit: (-hit.score, hit.row))
    assert all(0 <= hit.score <= 1 + 1e-9 for hit in fused)


@given(SCORES, SCORES, WEIGHT)
def test_the_order_of_the_candidates_changes_nothing(dense, keyword, weight):
    backwards = dict(reversed(dense.items())), dict(reversed(keyword.items()))
    assert fuse(*backwards, dense_weight=weight) == fuse(dense, keyword, dense_weight=weight)


@given(SCORES, SCORES, WEIGHT)
def test_who_is_better_in_both_is_not_ranked_below(dense, keyword, weight):
    place = {hit.row: hit.score for hit in fuse(dense, keyword, dense_weight=weight)}
    both = dense.keys() & keyword.keys()
    for one in both:
        for other in both:
            if dense[one] >= dense[other] and keyword[one] >= keyword[other]:
                assert place[one] >= place[other] - 1e-9


@given(SCORES)
def test_one_half_alone_keeps_its_order(scores):
    for fused in (fuse(scores, {}, dense_weight=0.5), fuse({}, scores, dense_weight=0.5)):
        values = [scores[hit.row] for hit in fused]
        assert values == sorted(values, reverse=True) or len({h.score for h in fused}) < len(fused)


def test_nothing_fused_with_nothing_is_nothing():
    assert fuse({}, {}, dense_weight=0.5) == []


def test_equal_scores_are_settled_by_id():
    assert [hit.row for hit in fuse({2: 1, 1: 1}, {3: 1}, dense_weight=0.5)] == [1, 2, 3]


def test_ranks_are_those_of_each_half():
    first = fuse({1: 0.9, 2: 0.5}, {1: 3.0, 3: 9.0}, dense_weight=0.9)[0]
    assert (first.row, first.dense_rank, first.keyword_rank) == (1, 1, 2)
    assert first.dense == pytest.approx(0.9)


@given(SCORES, SCORES, WEIGHT, st.floats(0, 1))
def test_neighbours_add_their_weighted_score(dense, keyword, weight, neighbours):
    alone = {hit.row: hit.score for hit in fuse(dense, keyword, dense_weight=weight)}
    together = fuse(dense, keyword, dense_weight=weight, neighbour_weight=neighbours)
    for hit in together:
        beside = sum(alone.get(other, 0.0) for other in (hit.row - 1, hit.row + 1))
        expected = (alone.get(hit.row, 0.0) + neighbours * beside) / (1 + 2 * neighbours)
        assert hit.score == pytest.approx(expected, abs=1e-12)
    assert {hit.row for hit in together} >= alone.keys()


def test_a_chunk_between_two_good_ones_is_a_candidate():
    fused = fuse({1: 1.0, 3: 0.9, 6: 0.1}, {}, dense_weight=1, neighbour_weight=0.3)
    assert {hit.row for hit in fused} == {0, 1, 2, 3, 4, 5, 6, 7}
    between = next(hit for hit in fused if hit.row == 2)
    assert (between.dense_rank, between.keyword_rank) == (None, None)
    assert between.score > next(hit for hit in fused if hit.row == 6).score
