"""A text under change, whose offsets are kept true."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable

Edit = tuple[int, int, str]
"""Where the replaced text begins and ends, and what stands there instead."""


class Draft:
    """A text under change, and where each mark of the original has got to."""

    def __init__(self, text: str, marks: list[int]) -> None:
        self.text = text
        self._marks = marks
        self._now = list(marks)

    def substitute(self, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str]) -> None:
        """Replace every match; a replacement equal to the match changes nothing."""
        self.apply(
            (match.start(), match.end(), new)
            for match in pattern.finditer(self.text)
            if (new := replace(match)) != match[0]
        )

    def apply(self, edits: Iterable[Edit]) -> None:
        """Make edits, which are in order and do not overlap."""
        pieces: list[str] = []
        ends: list[int] = []  # where each edit ends in the old text
        starts: list[int] = []
        shifts: list[int] = []  # how far the text behind each edit moves
        done = shift = 0
        for start, end, new in edits:
            pieces += (self.text[done:start], new)
            done = end
            shift += len(new) - (end - start)
            starts.append(start)
            ends.append(end)
            shifts.append(shift)
        if not ends:
            return
        self.text = "".join((*pieces, self.text[done:]))

        def move(offset: int) -> int:
            past = bisect_right(ends, offset)  # edits wholly before the offset
            before = shifts[past - 1] if past else 0
            if past < len(ends) and starts[past] < offset:
                # Inside an edit: what the mark pointed at begins where the replacement ends.
                return ends[past] + shifts[past]
            return offset + before

        self._now = [move(offset) for offset in self._now]

    def trim(self) -> None:
        """Drop blank space at both ends, but not the indentation of the first line."""
        body = self.text.rstrip()
        first = len(body) - len(body.lstrip())
        first = body.rfind("\n", 0, first) + 1
        self.text = body[first:]
        self._now = [min(max(offset - first, 0), len(self.text)) for offset in self._now]

    def moved(self) -> dict[int, int]:
        """From every mark's place in the original to its place now."""
        return dict(zip(self._marks, self._now, strict=True))
