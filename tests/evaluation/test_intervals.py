"""Bootstrap intervals against the theory of the mean, and their pairing."""

import numpy as np
import pytest

from rag_platform.evaluation.intervals import (
    Estimate,
    group_mean_estimates,
    mean_estimates,
    percentile_estimates,
)


def _column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def test_an_interval_is_that_of_the_central_limit_theorem():
    values = np.random.default_rng(1).normal(5, 2, 400)[:, None]
    (found,) = mean_estimates(values)
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_the_same_values_have_the_same_interval():
    values = np.random.default_rng(2).random((50, 3))
    assert mean_estimates(values) == mean_estimates(values.copy())


def test_a_small_steady_difference_is_significant_though_the_intervals_overlap():
    values = np.random.default_rng(3).random((100, 1))
    better = values + 0.02
    (one,), (other,) = mean_estimates(values), mean_estimates(better)
    assert one.high > other.low
    (difference,) = mean_estimates(better - values)
    assert difference.is_significant
    assert difference.value == pytest.approx(0.02)


def test_no_difference_is_not_significant():
    assert not Estimate(0.0, 0.0, 0.0).is_significant
    assert not Estimate(0.1, -0.1, 0.3).is_significant
    assert Estimate(-0.1, -0.2, -0.01).is_significant
    (found,) = mean_estimates(np.random.default_rng(4).normal(0, 1, 200)[:, None])
    assert not found.is_significant


def test_one_question_has_an_interval_without_width():
    assert mean_estimates(_column(0.5)) == [Estimate(0.5, 0.5, 0.5)]


def test_groups_count_alike_however_many_questions_they_have():
    (found,) = group_mean_estimates([_column(1, 1, 1, 1), _column(0)])
    assert found == Estimate(0.5, 0.5, 0.5)


def test_the_interval_of_a_mean_of_groups_is_narrower_than_that_of_one():
    generator = np.random.default_rng(5)
    groups = [generator.random((80, 1)) for _ in range(4)]
    (mean,) = group_mean_estimates(groups)
    (one,) = mean_estimates(groups[0])
    assert mean.high - mean.low == pytest.approx((one.high - one.low) / 2, rel=0.2)


def test_percentiles_lie_in_their_intervals():
    values = np.random.default_rng(6).exponential(10, 500)
    found = percentile_estimates(values, (50, 95, 99))
    for percent, one in zip((50, 95, 99), found, strict=True):
        assert one.value == np.percentile(values, percent)
        assert one.low <= one.value <= one.high
