"""Fits the settings of the search to questions with known answers, and confirms them on others."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag_platform.evaluation.intervals import Estimate, Values, mean_estimates
from rag_platform.evaluation.progress import Report, silent
from rag_platform.evaluation.runner import Asked, ask
from rag_platform.retrieval.search import Search
from rag_platform.retrieval.settings import RetrievalSettings

_GRID: dict[str, tuple[float, ...]] = {
    "dense_weight": (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    "neighbour_weight": (0.0, 0.1, 0.2, 0.3, 0.4),
    "k1": (0.2, 0.4, 0.8, 1.2),
}
_PASSES = 2
_REFUSED = 0.04
"""The share of answerable questions that the threshold may refuse where it is fitted; a little
less than the 5 % that it may refuse where it is confirmed."""
_MOST_REFUSED = 0.05


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was fitted on one half of the questions, and what the other half says of it."""

    before: RetrievalSettings
    fitted: RetrievalSettings
    gained: float
    """On the half that it was fitted to."""
    confirmed: Estimate
    """The difference on the other half."""

    @property
    def settings(self) -> RetrievalSettings:
        """The better ones: the fitted, if the other half confirms that they are."""
        return self.fitted if self.confirmed.low > 0 else self.before


@dataclass(frozen=True, slots=True)
class Threshold:
    """When a question is taken to have no answer here."""

    before: float
    fitted: float
    refused: float
    """The share of answerable questions that the fitted one refuses, on the half that confirms."""
    recognised: float
    """The share of unanswerable questions that the fitted one recognises."""
    gained: Estimate
    """How many more of those it recognises than the one before."""

    @property
    def is_better(self) -> bool:
        """Whether more unanswerable questions are recognised and few answerable ones refused."""
        return self.refused <= _MOST_REFUSED and self.gained.low > 0

    @property
    def value(self) -> float:
        """The better one."""
        return self.fitted if self.is_better else self.before


def tune(
    search: Search,
    fit: Sequence[Asked],
    confirm: Sequence[Asked],
    settings: RetrievalSettings,
    report: Report = silent,
) -> Tuned:
    """Improve one setting after the other on ``fit``; compare the outcome on ``confirm``.

    The measure of a question is the mean of its nDCG@10 and, where there are references in texts,
    of what of them stands in the budget and of whether the first passage hits one.
    """
    known: dict[RetrievalSettings, float] = {}
    steps = itertools.count(1)
    total = _PASSES * sum(len(values) for values in _GRID.values())

    def quality(candidate: RetrievalSettings) -> float:
        if candidate not in known:
            known[candidate] = float(_measured(search, fit, candidate).mean())
        return known[candidate]

    best = settings
    for _ in range(_PASSES):
        for name, values in _GRID.items():
            for value in values:
                candidate = replace(best, **{name: value})
                # Only what is better is taken: of equals the settings that serve are kept.
                if quality(candidate) > quality(best):
                    best = candidate
                report("settings tried", next(steps), total)
    difference = _measured(search, confirm, best) - _measured(search, confirm, settings)
    (confirmed,) = mean_estimates(difference[:, None])
    return Tuned(settings, best, quality(best) - quality(settings), confirmed)


def calibrate(
    search: Search,
    fit: Sequence[Asked],
    confirm: Sequence[Asked],
    unanswerable: Sequence[str],
    collections: Sequence[str] | None,
    settings: RetrievalSettings,
) -> Threshold:
    """The threshold that refuses few of the answerable questions, and what it recognises."""

    def relevance(texts: Sequence[str], where: Sequence[str] | None) -> Values:
        return np.array([search(text, where, settings=settings).relevance for text in texts])

    answerable = relevance([one.text for one in fit], fit[0].collections)
    fitted = round(float(np.quantile(answerable, _REFUSED)), 3)
    others = relevance([one.text for one in confirm], confirm[0].collections)
    without = relevance(unanswerable, collections)
    gained = (without < fitted).astype(float) - (without < settings.min_relevance).astype(float)
    return Threshold(
        settings.min_relevance,
        fitted,
        float((others < fitted).mean()),
        float((without < fitted).mean()),
        mean_estimates(gained[:, None])[0],
    )


def _measured(search: Search, asked: Sequence[Asked], settings: RetrievalSettings) -> Values:
    """The measure of each question, shape (questions,)."""
    rows: list[float] = []
    for question in asked:
        figures = ask(search, question, settings).figures
        counted = [v for name, v in figures.items() if _counts(name)]
        rows.append(float(np.mean(counted)))
    return np.array(rows)


def _counts(figure: str) -> bool:
    return figure in ("ndcg@10", "first-hit") or figure.endswith("chars")
