"""Text to terms: the one analyser of documents and questions."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import Stemmer

ANALYSIS = "snowball-english-v1"
"""Lower case, compatibility forms unified, English stop words out, Snowball stems, CJK bigrams."""

TermIds = npt.NDArray[np.uint64]

_STOP_WORDS = frozenset(
    """a about above after again against all am an and any are as at be because been before being
    below between both but by can could did do does doing down during each few for from further had
    has have having he her here hers herself him himself his how i if in into is it its itself just
    me more most my myself no nor not now of off on once only or other our ours ourselves out over
    own same she should so some such than that the their theirs them themselves then there these
    they this those through to too under until up very was we were what when where which while who
    whom why will with would you your yours yourself yourselves""".split()  # noqa: SIM905
)
_WORD = re.compile(r"[^\W_]+")
# Scripts written without spaces: a word cannot be cut out, so pairs of characters stand for it.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff]+")
_MAX_TERM = 64


def words(text: str) -> list[str]:
    """The words of a text as they stand: lower case, compatibility forms unified.

    What is written without spaces is one word as far as it goes.
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def is_unspaced(character: str) -> bool:
    """Whether it belongs to a script that is written without spaces."""
    return _UNSPACED.match(character) is not None


def terms(text: str) -> list[str]:
    """The terms of a text in their order, stop words left out."""
    return list(_terms(text))


def term_ids(words: Iterable[str]) -> list[int]:
    """The 64-bit ids of terms: the same on every machine, so that they can be stored."""
    return [_term_id(word) for word in words]


def pack(text: str) -> bytes:
    """The term counts of a text: n ids (uint64, ascending), then n counts (uint16)."""
    counts = Counter(term_ids(_terms(text)))
    ids = sorted(counts)
    return (
        np.array(ids, dtype="<u8").tobytes()
        + np.array([min(counts[i], 65535) for i in ids], dtype="<u2").tobytes()
    )


def unpack(packed: bytes) -> tuple[TermIds, npt.NDArray[np.uint16]]:
    """The ids and counts of :func:`pack`."""
    n = len(packed) // 10
    return np.frombuffer(packed, "<u8", n), np.frombuffer(packed, "<u2", n, offset=8 * n)


def _terms(text: str) -> Iterator[str]:
    for word in words(text):
        if _UNSPACED.search(word):
            yield from _pairs(word)
        elif word not in _STOP_WORDS:
            yield _stem(word[:_MAX_TERM])


def _pairs(word: str) -> Iterator[str]:
    end = 0
    for run in _UNSPACED.finditer(word):
        if run.start() > end:
            yield word[end : run.start()]
        characters = run.group()
        if len(characters) == 1:
            yield characters
        for first, second in pairwise(characters):
            yield first + second
        end = run.end()
    if end < len(word):
        yield word[end:]


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    return _stemmer().stemWord(word)


@lru_cache(maxsize=65536)
def _term_id(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")
