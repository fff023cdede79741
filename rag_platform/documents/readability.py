"""Whether letters are those of a language, where nothing else tells."""

import re
import unicodedata

_COMMON = frozenset("aeinorst")
_LEAST_COMMON = 0.42
"""Of the letters of a text in any language of the Latin alphabet, 48 to 65 % are these eight."""
_LATIN = 0.8
_LEAST_LETTERS = 12
_LETTER = re.compile(r"[^\W\d_]")


def looks_latin(text: str) -> bool:
    """Whether a text has the letters of a language in the Latin alphabet, as often as one has.

    Letters that stand for others, such as those of a shifted alphabet, are not as often.
    """
    letters = _LETTER.findall(text[:20_000])
    plain = [unicodedata.normalize("NFD", letter)[0].lower() for letter in letters]
    latin = [letter for letter in plain if "a" <= letter <= "z"]
    if len(latin) < _LEAST_LETTERS or len(latin) < _LATIN * len(plain):
        return False
    return sum(letter in _COMMON for letter in latin) >= _LEAST_COMMON * len(latin)
