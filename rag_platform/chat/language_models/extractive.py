"""The embedded default: answers with the best sentences of the best passages, each cited."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from rag_platform.chat.sentences import sentences
from rag_platform.embedding.encoder import Encoder
from rag_platform.index.analysis import terms
from rag_platform.retrieval.passages import Passage

_SENTENCES = 3
_CANDIDATES = 40
_MAX_CHARACTERS = 600
_MARK = re.compile(r"\s?\[\d+(?:\s*[,–-]\s*\d+)*\]")

_ITEM = re.compile(r"\A\s*(?:[-*+•]|\d{1,3}[.)])\s+(?=\S)")


class _Candidate(NamedTuple):
    passage: int
    position: int
    text: str


class Extractive:
    """Needs no language model; invents nothing, since every sentence stands in a document."""

    name = "extractive"

    def __init__(self, encoder: Encoder, why: str) -> None:
        self._encoder = encoder
        self.notice: str | None = (
            f"{why} These are the sentences of your documents that match the question best."
        )

    def stream(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        """The best sentences, in the order of their passages, a sentence a piece."""
        candidates = _candidates(passages)
        if not candidates:
            return
        scores = self._scores(question, candidates, passages)
        best = sorted(range(len(candidates)), key=lambda i: -scores[i])[:_SENTENCES]
        # A weak third sentence only dilutes a good first one.
        chosen = [i for i in best if scores[i] >= 0.6 * scores[best[0]]]
        for order, i in enumerate(sorted(chosen, key=lambda i: candidates[i][:2])):
            candidate = candidates[i]
            yield f"{' ' if order else ''}{candidate.text} [{candidate.passage}]"

    def _scores(
        self, question: str, candidates: list[_Candidate], passages: Sequence[Passage]
    ) -> list[float]:
        asked = self._encoder.encode_query(question)
        texts = [self._fitting(candidate.text) for candidate in candidates]
        similarities = self._encoder.encode_documents(texts) @ asked
        wanted = set(terms(question))
        scores: list[float] = []
        for candidate, similarity in zip(candidates, similarities, strict=True):
            held = len(wanted & set(terms(candidate.text))) / max(len(wanted), 1)
            rank = passages[candidate.passage - 1].score
            scores.append(float(np.clip(similarity, 0, 1)) + 0.3 * held + 0.2 * rank)
        return scores

    def _fitting(self, text: str) -> str:
        while self._encoder.count_tokens(text) > self._encoder.max_tokens:
            text = text[: len(text) * 3 // 4]
        return text


def _candidates(passages: Sequence[Passage]) -> list[_Candidate]:
    seen: set[str] = set()
    found: list[_Candidate] = []
    for n, passage in enumerate(passages, start=1):
        for position, sentence in enumerate(sentences(passage.chunk.text)):
            text = _quotable(sentence)
            if (len(text) > 15 or len(terms(text)) > 2) and text not in seen:
                seen.add(text)
                found.append(_Candidate(n, position, text))
    if not found:
        # Nothing but headings and scraps: better shown whole than not at all.
        whole = ((n, _quotable(passage.chunk.text)) for n, passage in enumerate(passages, start=1))
        found = [_Candidate(n, 0, text) for n, text in whole if text]
    return found[:_CANDIDATES]


def _quotable(text: str) -> str:
    """On one line, without the mark of a list's item, and without a document's own marks such as
    [3], which would read as ours."""
    return " ".join(_MARK.sub("", _ITEM.sub("", text)).split())[:_MAX_CHARACTERS]
