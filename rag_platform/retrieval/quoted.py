"""Quoted words in a question: passages that hold them side by side come first."""

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rag_platform.index import bm25
from rag_platform.index.analysis import is_unspaced, term_ids, terms, words
from rag_platform.retrieval.corpus import Corpus
from rag_platform.retrieval.fusion import Fused
from rag_platform.retrieval.passages import Passage

LOOKED_AT = 200
"""Of the passages that hold the words of a phrase, so many are looked at for their order."""

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

    def candidates(
        self, ranked: Iterable[Fused], corpus: Corpus, scores: bm25.Scores
    ) -> Iterator[Fused]:
        """Rows that hold every word of some phrase, in whatever order.

        First those that are ranked, then the best by keywords that are not: they are candidates
        for the sake of the phrase alone and score 0.
        """
        likely = np.zeros(len(scores), dtype=np.bool_)
        for phrase in self.phrases:
            # Of a phrase of stop words every row may hold them: nothing is looked up by those.
            likely |= _holding(corpus, term_ids(dict.fromkeys(terms(phrase))))
        known: set[int] = set()
        for hit in ranked:
            known.add(hit.row)
            if likely[hit.row]:
                yield hit
        more = bm25.best(np.where(likely, scores, 0.0), LOOKED_AT, corpus.chunk_id)
        for row in corpus.by_chunk(more):
            if row not in known:
                yield Fused(row, 0.0, None, None, None)

    def first(self, passages: Sequence[Passage], likely: Sequence[Passage] = ()) -> list[Passage]:
        """Those that hold the most phrases first, in the text or above it; else in their order.

        Of the ``likely`` those are added that hold one.
        """
        if not self.phrases:
            return list(passages)
        holding = [passage for passage in likely if self._count(passage)]
        known = {passage.chunk.text for passage in holding}
        others = [passage for passage in passages if passage.chunk.text not in known]
        return sorted([*holding, *others], key=lambda passage: -self._count(passage))

    def _count(self, passage: Passage) -> int:
        chunk = passage.chunk
        # A line is never part of a phrase with the next of these.
        above = (chunk.title, *chunk.heading_path, chunk.table_columns or "")
        text = "\n".join(" ".join(words(part)) for part in (*above, chunk.text))
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
