"""Where a place in a file stands in the text that the platform made of it.

Both texts are compared by the characters that carry meaning: white space, invisible characters and
combining marks left out, compatibility forms undone.
"""

import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache

_PIECE = 16
"""Characters of a span by which its place is looked for where the whole is not found."""
_SHARE_OF_SPAN = 0.6
_SHARE_OF_QUOTE = 0.9
"""What is not found exactly has to be found to this share of its characters. Offsets lead to the
right place whatever was changed there; a quote that is another text must not."""
_LONGEST = 20_000
"""Characters that are compared one by one; difflib's time grows with the square."""

Place = tuple[int, int]


class Alignment:
    """Maps places of one text to another that was made from it."""

    def __init__(self, original: str, made: str) -> None:
        self._original = _Meaning(original)
        self._made = self._original if original == made else _Meaning(made)
        # Front matter is cut off at the beginning, so what was made may lie whole in the original.
        self._shift: int | None = None
        if self._made.text:
            found = self._original.text.find(self._made.text)
            self._shift = found if found >= 0 else None

    def place_of(self, start: int, end: int) -> Place | None:
        """Where ``original[start:end]`` stands in what was made, or None where it does not."""
        first, last = self._original.between(start, end)
        if first == last:
            return None
        if self._shift is not None:
            first, last = first - self._shift, last - self._shift
            return self._made.place(max(first, 0), min(last, len(self._made.text)))
        return self._find(self._original.text[first:last], first)

    def place_of_quote(self, quote: str) -> Place | None:
        """Where a quote stands in what was made; the first place where there are several."""
        meaning = _Meaning(quote).text
        return self._find(meaning, None) if meaning else None

    def _find(self, meaning: str, first: int | None) -> Place | None:
        places = list(_occurrences(self._made.text, meaning))
        if places:
            start = places[0]
            if first is not None and len(places) > 1:
                start = self._same_of(places, meaning, first)
            return self._made.place(start, start + len(meaning))
        return self._resembling(meaning, _SHARE_OF_QUOTE if first is None else _SHARE_OF_SPAN)

    def _same_of(self, places: list[int], meaning: str, first: int) -> int:
        """Which of several equal places is meant: the one with the same number, or the nearest."""
        before = list(_occurrences(self._original.text, meaning))
        if len(before) == len(places) and first in before:
            return places[before.index(first)]
        expected = first * len(self._made.text) / max(len(self._original.text), 1)
        return min(places, key=lambda place: abs(place - expected))

    def _resembling(self, meaning: str, share: float) -> Place | None:
        """The place that shares most characters with one of which something was changed."""
        made = self._made.text
        votes: list[int] = []  # where the span would begin, by each piece that is there once
        for offset in range(0, max(len(meaning) - _PIECE, 0) + 1, _PIECE // 2):
            piece = meaning[offset : offset + _PIECE]
            found = made.find(piece)
            if len(piece) == _PIECE and found >= 0 and made.find(piece, found + 1) < 0:
                votes.append(found - offset)
        if not votes:
            return None
        middle = sorted(votes)[len(votes) // 2]
        margin = len(meaning) // 2 + 64
        low = max(middle - margin, 0)
        window = made[low : middle + len(meaning) + margin]
        if len(meaning) + len(window) > _LONGEST:
            near = [vote for vote in votes if abs(vote - middle) <= margin]
            if len(near) < share * len(votes):
                return None
            return self._made.place(max(min(near), 0), min(max(near) + len(meaning), len(made)))
        blocks = SequenceMatcher(None, meaning, window, autojunk=False).get_matching_blocks()
        blocks = [block for block in blocks if block.size > 2]
        if not blocks or sum(block.size for block in blocks) < share * len(meaning):
            return None
        return self._made.place(low + blocks[0].b, low + blocks[-1].b + blocks[-1].size)


class _Meaning:
    """The characters of a text that carry meaning, and where each stands in it."""

    def __init__(self, text: str) -> None:
        characters: list[str] = []
        self._places = array("Q")
        for place, character in enumerate(text):
            if meaning := _meaning(character):
                characters.append(meaning)
                self._places.extend([place] * len(meaning))
        self.text = "".join(characters)

    def between(self, start: int, end: int) -> Place:
        """The characters of meaning that stand in ``text[start:end]``."""
        return bisect_left(self._places, start), bisect_left(self._places, end)

    def place(self, first: int, last: int) -> Place | None:
        """Where the characters of meaning from ``first`` to before ``last`` stand in the text."""
        if first >= last:
            return None
        return self._places[first], self._places[last - 1] + 1


@lru_cache(maxsize=65_536)
def _meaning(character: str) -> str:
    if character.isspace():
        return ""
    if character.isascii():
        return "" if ord(character) < 32 or character == "\x7f" else character
    return "".join(
        part
        for part in unicodedata.normalize("NFKD", character)
        if not part.isspace() and unicodedata.category(part) not in ("Mn", "Cf", "Cc", "Cs")
    )


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    found = text.find(wanted)
    while found >= 0:
        yield found
        found = text.find(wanted, found + 1)
