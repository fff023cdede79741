"""Rows by their scores."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def best_first(
    rows: Rows, scores: Scores, name: Callable[[int], str]
) -> Iterator[tuple[int, float]]:
    """Each row with its score, best first; ties are settled by ``name``, asked for these only."""
    order = np.argsort(-scores, kind="stable")
    ranked = list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))
    start = 0
    while start < len(ranked):
        end = start + 1
        while end < len(ranked) and ranked[end][1] == ranked[start][1]:
            end += 1
        if end - start == 1:
            yield ranked[start]
        else:
            yield from sorted(ranked[start:end], key=lambda hit: name(hit[0]))
        start = end
