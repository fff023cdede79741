"""What any fusion of two rankings has to promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_platform.retrieval.fusion import fuse

SCORES = st.dictionaries(
    st.sampled_from("abcdefgh"), st.floats(-1, 100, allow_nan=False), max_size=8
)
WEIGHT = st.floats(0, 1)


@given(SCORES, SCORES, WEIGHT)
def test_every_candidate_comes_once_best_first_with_scores_between_0_and_1(dense, keyword, weight):
    fused = fuse(dense, keyword, dense_weight=weight)
    assert sorted(hit.id for hit in fused) == sorted({*dense, *keyword})
    assert fused == sorted(fused, key=lambda hit: (-hit.score, hit.id))
    assert all(0 <= hit.score <= 1 + 1e-9 for hit in fused)


@given(SCORES, SCORES, WEIGHT)
def test_the_order_of_the_candidates_changes_nothing(dense, keyword, weight):
    backwards = dict(reversed(dense.items())), dict(reversed(keyword.items()))
    assert fuse(*backwards, dense_weight=weight) == fuse(dense, keyword, dense_weight=weight)


@given(SCORES, SCORES, WEIGHT)
def test_who_is_better_in_both_is_not_ranked_below(dense, keyword, weight):
    place = {hit.id: hit.score for hit in fuse(dense, keyword, dense_weight=weight)}
    both = dense.keys() & keyword.keys()
    for one in both:
        for other in both:
            if dense[one] >= dense[other] and keyword[one] >= keyword[other]:
                assert place[one] >= place[other] - 1e-9


@given(SCORES)
def test_one_half_alone_keeps_its_order(scores):
    for fused in (fuse(scores, {}, dense_weight=0.5), fuse({}, scores, dense_weight=0.5)):
        values = [scores[hit.id] for hit in fused]
        assert values == sorted(values, reverse=True) or len({h.score for h in fused}) < len(fused)


def test_nothing_fused_with_nothing_is_nothing():
    assert fuse({}, {}, dense_weight=0.5) == []


def test_equal_scores_are_settled_by_id():
    assert [hit.id for hit in fuse({"b": 1, "a": 1}, {"c": 1}, dense_weight=0.5)] == ["a", "b", "c"]


def test_ranks_are_those_of_each_half():
    first = fuse({"a": 0.9, "b": 0.5}, {"a": 3.0, "c": 9.0}, dense_weight=0.9)[0]
    assert (first.id, first.dense_rank, first.keyword_rank) == ("a", 1, 2)
    assert first.dense == pytest.approx(0.9)
