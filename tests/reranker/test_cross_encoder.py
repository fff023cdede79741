"""A cross-encoder scores what it can within its time, and the same whatever stands beside it."""

import numpy as np
import pytest

from rag_platform.errors import ModelUnavailable
from rag_platform.reranker.cross_encoder import CrossEncoder

QUESTION = "How long is parental leave?"
PASSAGES = [f"Passage {n}. {'Parental leave is long. ' * (n % 7)}" for n in range(30)]


def test_scores_do_not_depend_on_what_is_scored_at_once(exported):
    alone = [CrossEncoder(exported, threads=1).scores(QUESTION, [text])[0] for text in PASSAGES]
    for threads, tokens in ((1, 1), (2, 384), (4, 100_000)):
        model = CrossEncoder(exported, threads=threads, batch_tokens=tokens)
        assert np.allclose(model.scores(QUESTION, PASSAGES), alone, atol=1e-6)


def test_no_passages_have_no_scores(exported):
    assert CrossEncoder(exported, threads=1).scores(QUESTION, []) == []


def test_without_time_nothing_is_scored(exported):
    assert set(CrossEncoder(exported, threads=1).scores(QUESTION, PASSAGES, 0.0)) == {None}


def test_what_is_not_scored_in_time_is_left_and_the_next_call_goes_on(exported):
    model = CrossEncoder(exported, threads=1)
    passages = [f"{n} {'leave ' * 600}" for n in range(2000)]
    first = model.scores(QUESTION, passages, 0.3)
    scored = [score is not None for score in first]
    assert 0 < sum(scored) < len(passages)
    assert scored == sorted(scored, reverse=True)  # the best candidates come first
    again = model.scores(QUESTION, passages, 0.3)
    assert sum(score is not None for score in again) > sum(scored)
    assert again[: sum(scored)] == first[: sum(scored)]


def test_what_is_broken_off_does_not_hold_up_the_next_question(exported):
    model = CrossEncoder(exported, threads=1, batch_tokens=1_000_000)
    model.scores(QUESTION, [f"{n} {'leave ' * 600}" for n in range(3000)], 0.05)
    assert model.scores("other", ["a", "b"], 30.0) == model.scores("other", ["a", "b"])


def test_a_broken_model_is_a_sentence(exported):
    model = CrossEncoder(exported, threads=1)
    model._pad_id = 10**6  # no such token
    with pytest.raises(ModelUnavailable, match="reranker failed"):
        model.scores("short", ["a", "a much longer passage than the other"])
