"""BM25 (Robertson, Zaragoza 2009) over segments, with one statistic for all of them together."""

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from rag_platform.index.analysis import term_ids, terms
from rag_platform.index.postings import Saturation, Segment
from rag_platform.index.ranking import Scores, best_first

_BLOCK = 64
_LEAST = np.nextafter(0.0, 1.0)
"""The smallest score above 0."""


def score(
    segments: Sequence[Segment], question: str, *, k1: float, b: float
) -> tuple[Scores, float]:
    """The BM25 score of every row, and the most that a row could reach by holding every term.

    A row's score is 0 where it holds no term of the question. The statistics are those of all
    segments together: scores that each collection reckoned with its own could not be compared,
    and a word would count for little where a collection is small.
    """
    scores = np.zeros(sum(len(segment) for segment in segments))
    living = sum(segment.living for segment in segments)
    if not living:
        return scores, 0.0
    ends = np.cumsum([len(segment) for segment in segments])
    parts = np.split(scores, ends[:-1])
    mean_length = max(sum(segment.length for segment in segments) / living, 1e-9)
    saturation = Saturation(k1, b, mean_length)
    most = 0.0
    for term in dict.fromkeys(term_ids(terms(question))):
        weights = [segment.weights(term, saturation) for segment in segments]
        frequency = sum(part.frequency for part in weights)
        idf = float(np.log1p((living - frequency + 0.5) / (frequency + 0.5)))
        most += idf * (k1 + 1)
        for part, weight in zip(parts, weights, strict=True):
            if weight.rows is None:
                part += idf * weight.values
            else:
                part[weight.rows] += idf * weight.values
    return scores, most


def best(scores: Scores, n: int, name: Callable[[int], str]) -> list[tuple[int, float]]:
    """The ``n`` best rows with a score above 0, best first; ties are settled by ``name``."""
    if n < 1:
        return []
    hits = np.flatnonzero(scores >= max(_floor(scores, n), _LEAST))
    if len(hits) > n:
        # Everything as good as the n-th stays until ties are settled.
        bound = np.partition(scores[hits], len(hits) - n)[len(hits) - n]
        hits = hits[scores[hits] >= bound]
    return list(islice(best_first(hits, scores[hits], name), n))


def _floor(scores: Scores, n: int) -> float:
    """A score that the ``n`` best reach: the n-th best of blocks' best ones, found without sorting
    out all rows."""
    blocks = len(scores) // _BLOCK
    if blocks <= n:
        return 0.0
    best_ones = scores[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
    return float(np.partition(best_ones, blocks - n)[blocks - n])
