"""Figures against values reckoned by hand, and against other formulas for the same."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_platform.evaluation.metrics import (
    common,
    length,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    text_recall,
    union,
)

RANKING = [False, True, True, False]
hits = st.lists(st.booleans(), max_size=15)
intervals = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)


def _characters(places) -> set[int]:
    return {character for start, end in places for character in range(start, end)}


def test_recall_is_the_share_of_all_that_is_relevant():
    assert [recall(RANKING, k, 4) for k in (1, 2, 3, 10)] == [0, 0.25, 0.5, 0.5]


def test_precision_counts_empty_places_as_misses():
    assert [precision(RANKING, k) for k in (1, 2, 5)] == [0, 0.5, 0.4]


def test_the_reciprocal_rank_is_of_the_first_hit():
    assert reciprocal_rank(RANKING) == 0.5
    assert reciprocal_rank([False]) == reciprocal_rank([]) == 0.0


def test_ndcg_is_that_of_trec_eval():
    # By hand: 3/log2(2) + 2/log2(3) + 3/log2(4) + 0 + 1/log2(6) + 2/log2(7)
    gains = [3, 2, 3, 0, 1, 2]
    dcg = 3 + 2 / math.log2(3) + 3 / 2 + 1 / math.log2(6) + 2 / math.log2(7)
    ideal = 3 + 3 / math.log2(3) + 2 / 2 + 2 / math.log2(5) + 1 / math.log2(6)
    assert ndcg(gains, [3, 2, 3, 1, 2], 10) == pytest.approx(dcg / ideal)
    assert dcg == pytest.approx(6.861126688593502)


def test_ndcg_counts_a_negative_grade_as_none():
    assert ndcg([-1, 1], [1], 10) == ndcg([0, 1], [1], 10)


@given(st.lists(st.integers(0, 3), max_size=15), st.integers(1, 12))
def test_ndcg_is_1_for_the_best_order_and_never_more(gains, k):
    best = ndcg(sorted(gains, reverse=True), gains, k)
    assert best == pytest.approx(1.0 if any(gains) else 0.0)
    assert ndcg(gains, gains, k) <= best + 1e-12


@given(hits, st.integers(1, 12))
def test_ranked_figures_equal_their_definitions(relevant, k):
    found = [rank for rank, hit in enumerate(relevant, start=1) if hit]
    early = [rank for rank in found if rank <= k]
    assert recall(relevant, k, max(len(found), 1)) == len(early) / max(len(found), 1)
    assert precision(relevant, k) == len(early) / k
    assert reciprocal_rank(relevant) == (1 / min(found) if found else 0)


@given(intervals, intervals)
def test_characters_are_counted_once(one, other):
    assert length(one) == len(_characters(one))
    assert common(one, other) == len(_characters(one) & _characters(other))
    assert _characters(union(one)) == _characters(one)
    if _characters(other):
        share = len(_characters(one) & _characters(other)) / len(_characters(other))
        assert text_recall(one, other) == share
