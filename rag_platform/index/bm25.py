"""BM25 (Robertson, Zaragoza 2009) over segments, with one statistic for all of them together."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from rag_platform.index.analysis import term_ids, terms
from rag_platform.index.postings import Segment

Scores = npt.NDArray[np.float64]
"""A score for each row of each segment, one segment after the other."""


def score(
    segments: Sequence[Segment], question: str, *, k1: float, b: float
) -> tuple[Scores, float]:
    """The BM25 score of every row, and the most that a row could reach by holding every term.

    A row's score is 0 where it holds no term of the question. The statistics are those of all
    segments together: scores that each collection reckoned with its own could not be compared,
    and a word would count for little where a collection is small.
    """
    living = sum(segment.living for segment in segments)
    parts = [np.zeros(len(segment), dtype=np.float64) for segment in segments]
    if not living:
        return _joined(parts), 0.0
    mean_length = max(sum(segment.length for segment in segments) / living, 1e-9)
    norms = [segment.norm(mean_length, k1, b) for segment in segments]
    most = 0.0
    for term in dict.fromkeys(term_ids(terms(question))):
        postings = [segment.postings(term) for segment in segments]
        frequency = sum(len(rows) for rows, _ in postings)
        idf = np.log1p((living - frequency + 0.5) / (frequency + 0.5))
        most += float(idf) * (k1 + 1)
        for norm, (rows, counts), part in zip(norms, postings, parts, strict=True):
            part[rows] += idf * (k1 + 1) * counts / (counts + norm[rows])
    return _joined(parts), most


def best(scores: Scores, n: int, name: Callable[[int], str]) -> list[tuple[int, float]]:
    """The ``n`` best rows with a score above 0, best first; ties are settled by ``name``."""
    hits = np.flatnonzero(scores)
    if n < 1 or not len(hits):
        return []
    if len(hits) > n:
        # Everything as good as the n-th stays until ties are settled.
        bound = np.partition(scores[hits], len(hits) - n)[len(hits) - n]
        hits = hits[scores[hits] >= bound]
    ranked = zip(hits.tolist(), scores[hits].tolist(), strict=True)
    return sorted(ranked, key=lambda hit: (-hit[1], name(hit[0])))[:n]


def _joined(parts: list[Scores]) -> Scores:
    return np.concatenate(parts) if parts else np.zeros(0)
