"""Quoted words in a question: passages that hold them side by side come first."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rag_platform.index import bm25
from rag_platform.index.analysis import is_unspaced, term_ids, terms, words
from rag_platform.retrieval.corpus import Corpus
from rag_platform.retrieval.passages import Passage

LOOKED_AT = 200
"""Candidates whose texts are read for the quoted words, and what a search adds for them."""

# A straight mark after a letter or digit opens nothing: it is an inch or a second.
_QUOTED = re.compile(
    r"""(?<![0-9A-Za-z])"(?=\S)([^"]*)(?<=\S)"(?![0-9A-Za-z])"""
    r"""|“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|「([^「」]+)」|『([^『』]+)』"""
)
_PHRASES = 10


class Quoted:
    """The phrases in quotation marks of a question; there are none in most."""

    def __init__(self, question: str) -> None:
        parts = ("".join(match.groups("")) for match in _QUOTED.finditer(question))
        # A mark without its other half quotes nothing, nor do two with no word between them.
        known = dict.fromkeys(phrase for part in parts if (phrase := " ".join(words(part))))
        self.phrases = list(known)[:_PHRASES]
        self._patterns = [_pattern(phrase) for phrase in self.phrases]

    def __bool__(self) -> bool:
        return bool(self.phrases)

    def hits(self, corpus: Corpus, scores: bm25.Scores) -> list[tuple[int, float]]:
        """The best rows by keywords that hold every word of some phrase, in whatever order."""
        holding = np.zeros(len(scores), dtype=np.bool_)
        for phrase in self.phrases:
            ids = term_ids(dict.fromkeys(terms(phrase)))
            if ids:  # else all are stop words, which nothing is looked up by
                holding |= _holding(corpus, ids)
        return bm25.best(np.where(holding, scores, 0.0), LOOKED_AT, corpus.chunk_id)

    def first(self, passages: Sequence[Passage]) -> list[Passage]:
        """Those that hold the most phrases first, in the text or above it; else in their order."""
        if not self.phrases:
            return list(passages)
        return sorted(passages, key=lambda passage: -self._count(passage))

    def _count(self, passage: Passage) -> int:
        chunk = passage.chunk
        # A line is never part of a phrase with the next of these.
        text = "\n".join(
            " ".join(words(part)) for part in (chunk.title, *chunk.heading_path, chunk.text)
        )
        return sum(pattern.search(text) is not None for pattern in self._patterns)


def _pattern(phrase: str) -> re.Pattern[str]:
    """Matches whole words, or parts of what is written without spaces."""
    before = "" if is_unspaced(phrase[0]) else r"(?<!\S)"
    after = "" if is_unspaced(phrase[-1]) else r"(?!\S)"
    return re.compile(before + re.escape(phrase) + after)


def _holding(corpus: Corpus, ids: Sequence[int]) -> npt.NDArray[np.bool_]:
    parts: list[npt.NDArray[np.bool_]] = []
    for segment in corpus.segments:
        found = np.zeros(len(segment), dtype=np.int64)
        for term in ids:
            found[segment.postings(term)[0]] += 1
        parts.append(found == len(ids))
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)
