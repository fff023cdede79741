"""Whether letters are those of a language, where nothing else tells."""

import re
import unicodedata
from string import ascii_lowercase

_COMMON = frozenset("aeinorst")
_LEAST_COMMON = 0.42
_TOO_FEW_COMMON = 0.35
"""Of the letters of a text in any language of the Latin alphabet, 45 to 65 % are these eight; of
letters taken at random 31 %, and of those of a shifted alphabet half as many."""
_LATIN = 0.8
_LEAST_LETTERS = 12
_SOME_LETTERS = 300
_DISTINCT = 12
"""Different letters; hexadecimal numbers have six."""
_SOME_WORDS = 30
_MOST_TRIPLED = 0.1
"""Of words. Roman numerals, cries and misprints are fewer than one in a hundred."""
_SAMPLE = 20_000
_LETTER = re.compile(r"[^\W\d_]")
_TOKEN = re.compile(r"(?<!\S)[(\"'“‘«]{0,2}([^\W\d_]{2,15})[.,;:!?)\"'”’»]{0,3}(?!\S)")
_WORD = re.compile(r"(?![ivxlcdmIVXLCDM]+\b)[^\W\d_]{4,}")
# Not the stroke that widens Arabic words, and not the scripts that write no blanks.
_TRIPLED = re.compile(r"([^\W\d_\u0640\u0e00-\u0eff\u3040-\U0010ffff])\1\1")


def looks_latin(text: str) -> bool:
    """Whether a text has the letters of a language in the Latin alphabet, as often as one has.

    Letters that stand for others, such as those of a shifted alphabet, are not as often.
    """
    latin, count = _latin(_LETTER.findall(text[:_SAMPLE]))
    if len(latin) < _LEAST_LETTERS or len(latin) < _LATIN * count:
        return False
    return _common(latin) >= _LEAST_COMMON


def has_wrong_letters(text: str) -> bool:
    """Whether a text has letters that stand for others: no language has its letters like that.

    For texts of a page and more; tables of figures and codes are no words and say nothing.
    """
    sample = text[:_SAMPLE]
    if _TRIPLED.search(sample):
        words = _WORD.findall(sample)
        tripled = sum(_TRIPLED.search(word) is not None for word in words)
        if len(words) >= _SOME_WORDS and tripled > _MOST_TRIPLED * len(words):
            return True
    small = sample.lower()  # counting letters costs little, and tells of most pages
    if sum(map(small.count, _COMMON)) >= _LEAST_COMMON * sum(map(small.count, ascii_lowercase)):
        return False
    tokens = _TOKEN.findall(sample)
    latin, count = _latin(_LETTER.findall("".join(tokens)))
    if len(latin) < _SOME_LETTERS or len(latin) < _LATIN * count or len(set(latin)) < _DISTINCT:
        return False
    most = 2 * len(latin) > len(_LETTER.findall(sample))
    return most and _common(latin) < _TOO_FEW_COMMON


def _latin(letters: list[str]) -> tuple[list[str], int]:
    """The letters from a to z, without their accents, and how many letters there are."""
    plain = [unicodedata.normalize("NFD", letter)[0].lower() for letter in letters]
    return [letter for letter in plain if "a" <= letter <= "z"], len(plain)


def _common(latin: list[str]) -> float:
    return sum(letter in _COMMON for letter in latin) / len(latin)
