"""What a ranking is worth, by places in a text and by documents."""

import math

import pytest

from rag_platform.evaluation.judging import DocumentJudge, Found, SpanJudge
from rag_platform.evaluation.runner import followed

CHUNKS = {"a": [(0, 100), (100, 200), (200, 300)], "b": [(0, 50), (50, 100)]}


def _judge(*references, budget=1000, min_overlap=0.0) -> SpanJudge:
    return SpanJudge("a", references, lambda content: CHUNKS[content], budget, min_overlap)


def _found(content: str, start: int, end: int) -> Found:
    return Found(content, f"evaluation/{content}.md", start, end, end - start)


def test_a_chunk_that_touches_a_reference_is_relevant():
    figures = _judge((190, 210)).judge([_found("b", 0, 50), _found("a", 100, 200)])
    assert figures["recall@1"] == 0
    assert figures["recall@5"] == 0.5  # the reference lies in two chunks
    assert figures["precision@5"] == 0.2
    assert figures["mrr"] == 0.5
    assert figures["ndcg@10"] == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert figures["text-recall@5"] == 0.5
    assert figures["first-hit"] == 0


def test_the_stricter_share_wants_more_than_a_touch():
    reference = (190, 260)
    assert _judge(reference).judge([_found("a", 100, 200)])["mrr"] == 1
    strict = _judge(reference, min_overlap=0.5)
    assert strict.judge([_found("a", 100, 200)])["mrr"] == 0  # 10 of 70 characters
    assert strict.judge([_found("a", 200, 300)])["recall@1"] == 1


def test_a_short_reference_makes_its_chunk_relevant_whatever_the_share():
    assert _judge((110, 115), min_overlap=1.0).judge([_found("a", 100, 200)])["mrr"] == 1


def test_the_last_passage_is_cut_to_the_budget():
    ranking = [_found("b", 0, 50), _found("a", 100, 200), _found("a", 200, 300)]
    judge = _judge((100, 120), (150, 170), budget=100)
    assert judge.judge(ranking)["text-recall@100chars"] == 0.5
    assert judge.judge(ranking)["text-recall@5"] == 1


def test_text_that_is_found_twice_counts_once():
    figures = _judge((0, 100)).judge([_found("a", 0, 60), _found("a", 40, 80)])
    assert figures["text-recall@5"] == pytest.approx(0.8)


def test_neighbours_merged_into_one_passage_neither_gain_nor_lose_a_place():
    apart = [_found("b", 0, 50), _found("b", 50, 100), _found("a", 0, 100), _found("a", 100, 200)]
    merged = [_found("b", 0, 100), _found("a", 0, 200)]
    judge = _judge((50, 150))
    one, other = judge.judge(apart), judge.judge(merged)
    for figure in ("recall@1", "recall@5", "precision@5", "mrr", "ndcg@10"):
        assert one[figure] == other[figure]


def test_a_part_of_a_chunk_counts_as_the_chunk():
    figures = _judge((0, 100)).judge([_found("a", 0, 40), _found("a", 40, 80)])
    assert figures["recall@5"] == 1
    assert figures["precision@5"] == 0.2


def test_an_empty_ranking_is_worth_nothing():
    assert set(_judge((0, 10)).judge([]).values()) == {0.0}
    assert set(DocumentJudge({"x": 1}).judge([]).values()) == {0.0}


def test_every_figure_that_is_promised_is_given():
    for judge in (_judge((0, 10), budget=77), DocumentJudge({"x": 1})):
        assert set(judge.figures) == judge.judge([]).keys()


def test_a_document_counts_where_its_first_passage_stands():
    judge = DocumentJudge({"evaluation/a.md": 2, "evaluation/c.md": 1, "evaluation/d.md": 0})
    figures = judge.judge([_found("b", 0, 50), _found("b", 50, 100), _found("a", 0, 100)])
    assert figures["mrr"] == 0.5
    assert figures["recall@5"] == 0.5
    ideal = 2 + 1 / math.log2(3)
    assert figures["ndcg@10"] == pytest.approx((2 / math.log2(3)) / ideal)


def test_what_production_shows_comes_first_and_once():
    shown = [_found("a", 0, 200), _found("b", 0, 50)]
    deep = [_found("b", 0, 50), _found("a", 100, 200), _found("b", 50, 100), _found("a", 150, 300)]
    assert followed(shown, deep) == [*shown, _found("b", 50, 100), _found("a", 150, 300)]
