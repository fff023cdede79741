"""Bootstrap intervals: how far a mean may be off because other questions could have been asked.

Questions are drawn with replacement. The percentile method, with a fixed seed: the same results
have the same intervals. Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
_CONFIDENCE = 95.0
_SEED = 20_240_229
_AT_ONCE = 100

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_significant(self) -> bool:
        """Of a difference: whether its interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def resampled_means(values: Values) -> Values:
    """The means of every resample, shape (RESAMPLES, figures), of values (questions, figures).

    Every call with as many questions draws the same ones, so two calls are paired.
    """
    count = len(values)
    generator = np.random.default_rng(_SEED)
    means = np.empty((RESAMPLES, values.shape[1]))
    for start in range(0, RESAMPLES, _AT_ONCE):
        drawn = generator.integers(0, count, (_AT_ONCE, count))
        weights = np.stack([np.bincount(row, minlength=count) for row in drawn])
        means[start : start + _AT_ONCE] = weights @ values / count
    return means


def mean_estimates(values: Values) -> list[Estimate]:
    """The mean of each column of values (questions, figures), with its interval."""
    return _estimates(values.mean(axis=0), resampled_means(values))


def group_mean_estimates(groups: Iterable[Values]) -> list[Estimate]:
    """The mean over groups of their means; questions are drawn within each group."""
    groups = list(groups)
    means = np.mean([group.mean(axis=0) for group in groups], axis=0)
    # The groups are drawn apart: the same draws in all of them would not be independent.
    rolled = [np.roll(resampled_means(g), 7 * i, axis=0) for i, g in enumerate(groups)]
    return _estimates(means, np.mean(rolled, axis=0))


def percentile_estimates(values: Values, percents: Sequence[float]) -> list[Estimate]:
    """Percentiles of one column of values (questions,), each with its interval."""
    count = len(values)
    generator = np.random.default_rng(_SEED)
    drawn: list[Values] = []
    for _ in range(0, RESAMPLES, _AT_ONCE):
        rows = values[generator.integers(0, count, (_AT_ONCE, count))]
        drawn.append(np.percentile(rows, percents, axis=1).T)
    return _estimates(np.percentile(values, percents), np.concatenate(drawn))


def _estimates(values: Values, resampled: Values) -> list[Estimate]:
    tail = (100.0 - _CONFIDENCE) / 2
    lows, highs = np.percentile(resampled, [tail, 100.0 - tail], axis=0)
    return [
        Estimate(float(value), float(low), float(high))
        for value, low, high in zip(values, lows, highs, strict=True)
    ]
