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
        """The chunk of a row; one that stands in several collections has several rows."""
        number, inside = self._place(row)
        return self.segments[number].chunk_ids[inside]

    def rows_of(self, collection: str, vector_id: str) -> list[int]:
        """The rows of a collection that have a vector and that readers see."""
        return [
            self._offsets[number] + row
            for number in self._of_collection[collection]
            for row in self.segments[number].rows_of(vector_id)
        ]

    def beside(self, row: int) -> list[int]:
        """The rows of the chunks before and after one, in the same text."""
        number, inside = self._place(row)
        return [self._offsets[number] + other for other in self.segments[number].beside(inside)]

    def _place(self, row: int) -> tuple[int, int]:
        number = bisect_right(self._offsets, row) - 1
        return number, row - self._offsets[number]
