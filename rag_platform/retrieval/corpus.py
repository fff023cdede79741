"""What a search looks through: the chunks of the asked collections, as rows."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from rag_platform.index.postings import Segment


class Corpus:
    """The segments of some collections, their rows numbered one segment after the other."""

    def __init__(self, by_collection: Mapping[str, Sequence[Segment]]) -> None:
        self.segments: list[Segment] = []
        self._of_collection: dict[str, list[int]] = {}
        for name, segments in by_collection.items():
            self._of_collection[name] = [len(self.segments) + n for n in range(len(segments))]
            self.segments += segments
        self._offsets = [0, *accumulate(len(segment) for segment in self.segments)]

    def __len__(self) -> int:
        return self._offsets[-1]

    def allowed(self, contents: Mapping[str, Iterable[str]]) -> npt.NDArray[np.bool_]:
        """Which rows readers see and belong to these contents, by collection."""
        rows = np.zeros(len(self), dtype=np.bool_)
        for name, ids in contents.items():
            wanted = set(ids)
            for number in self._of_collection[name]:
                segment = self.segments[number]
                part = slice(self._offsets[number], self._offsets[number + 1])
                rows[part] = segment.mask(wanted) & segment.alive
        return rows

    def chunk_id(self, row: int) -> str:
        """The chunk of a row."""
        number, inside = self._place(row)
        return self.segments[number].chunk_ids[inside]

    def by_chunk(self, hits: Iterable[tuple[int, float]]) -> dict[int, float]:
        """The best score of each chunk, each under one row in the order in which it is met."""
        best: dict[int, float] = {}
        for row, score in hits:
            known = self._first_row(row)
            best[known] = max(score, best.get(known, score))
        return best

    def rows_of(self, collection: str, vector_id: str) -> list[int]:
        """The rows of a collection that have a vector and that readers see."""
        return [
            self._offsets[number] + row
            for number in self._of_collection[collection]
            for row in self.segments[number].rows_of(vector_id)
        ]

    def beside(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
        """The rows of the chunks before and after each in the same text; -1 where there is none."""
        numbers = np.searchsorted(self._offsets, rows, side="right") - 1
        before, after = np.full(len(rows), -1), np.full(len(rows), -1)
        for number in set(numbers.tolist()):
            here = numbers == number
            segment, inside = self.segments[number], rows[here] - self._offsets[number]
            before[here] = np.where(segment.follows[inside], rows[here] - 1, -1)
            after[here] = np.where(segment.follows[inside + 1], rows[here] + 1, -1)
        return before, after

    def _place(self, row: int) -> tuple[int, int]:
        number = bisect_right(self._offsets, row) - 1
        return number, row - self._offsets[number]

    def _first_row(self, row: int) -> int:
        """One row for a text that stands in several collections: that of the first of them."""
        if row < self._offsets[1]:
            return row
        number, inside = self._place(row)
        content = self.segments[number].contents[inside]
        for earlier, segment in enumerate(self.segments[:number]):
            span = segment.spans.get(content)
            if span is not None and segment.alive[span[0]]:
                start, _ = self.segments[number].spans[content]
                return self._offsets[earlier] + span[0] + inside - start
        return row
