"""How the passages that a question found are judged, by places in a text or by documents.

A ranking is judged in chunks: a passage counts as the chunks that it is made of, in order, each
where it is first seen. So merging neighbours into one passage neither gains nor loses a place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag_platform.evaluation.metrics import (
    Interval,
    common,
    length,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    text_recall,
)

CUTS = (1, 5, 10)
TEXT_CUT = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A passage as it is judged: offsets in the text of a content."""

    content: str
    key: str
    start: int
    end: int
    characters: int
    """How long what is shown of it is."""


class Judge(Protocol):
    """Turns a ranking into figures by name."""

    @property
    def figures(self) -> tuple[str, ...]:
        """The names, in the order in which they are shown."""
        ...

    def judge(self, found: Sequence[Found]) -> dict[str, float]:
        """The figures of one ranking."""
        ...


_RANKED = (*(f"recall@{k}" for k in CUTS), *(f"precision@{k}" for k in CUTS), "mrr", "ndcg@10")


def _ranked(gains: Sequence[float], ideal: Sequence[float]) -> dict[str, float]:
    relevant = [gain > 0 for gain in gains]
    total = sum(gain > 0 for gain in ideal)
    return {
        **{f"recall@{k}": recall(relevant, k, total) for k in CUTS},
        **{f"precision@{k}": precision(relevant, k) for k in CUTS},
        "mrr": reciprocal_rank(relevant),
        "ndcg@10": ndcg(gains, ideal, 10),
    }


@dataclass(frozen=True, slots=True)
class SpanJudge:
    """Judges by places in one content.

    A chunk is relevant if at least one character of it answers, or, where ``min_overlap`` is
    more than 0, if that share of the chunk or of the reference does, whichever is shorter.
    """

    content: str
    references: Sequence[Interval]
    chunks: Callable[[str], Sequence[Interval]]
    """All chunks of a content."""
    budget: int
    min_overlap: float = 0.0

    @property
    def figures(self) -> tuple[str, ...]:
        """Those of the ranking, and those of the text that a reader gets."""
        return (*_RANKED, f"text-recall@{TEXT_CUT}", f"text-recall@{self.budget}chars", "first-hit")

    def judge(self, found: Sequence[Found]) -> dict[str, float]:
        """The figures of one ranking."""
        here = [(p.start, p.end) if p.content == self.content else (0, 0) for p in found]
        ideal = [1.0] * max(sum(map(self._is_relevant, self.chunks(self.content))), 1)
        return {
            **_ranked(self._gains(found), ideal),
            f"text-recall@{TEXT_CUT}": text_recall(here[:TEXT_CUT], self.references),
            f"text-recall@{self.budget}chars": text_recall(self._cut(found), self.references),
            "first-hit": float(bool(here) and common(here[:1], self.references) > 0),
        }

    def _gains(self, found: Sequence[Found]) -> list[float]:
        """1 or 0 for each chunk in the order in which the passages show them."""
        seen: dict[tuple[str, Interval], float] = {}
        for passage in found:
            whole = (passage.start, passage.end)
            chunks = self.chunks(passage.content)
            made_of = [c for c in chunks if whole[0] <= c[0] and c[1] <= whole[1]]
            part_of = [c for c in chunks if c[0] <= whole[0] and whole[1] <= c[1]]
            for chunk in made_of or part_of[:1] or [whole]:
                hit = passage.content == self.content and self._is_relevant(chunk)
                seen.setdefault((passage.content, chunk), float(hit))
        return list(seen.values())

    def _is_relevant(self, chunk: Interval) -> bool:
        shared = common([chunk], self.references)
        shorter = min(length([chunk]), length(self.references))
        return shared > 0 and shared >= self.min_overlap * shorter

    def _cut(self, found: Sequence[Found]) -> list[Interval]:
        """What of the content stands within the budget, the last passage cut to fit."""
        left = self.budget
        kept: list[Interval] = []
        for passage in found:
            if left <= 0:
                break
            if passage.content == self.content:
                kept.append((passage.start, min(passage.end, passage.start + left)))
            left -= passage.characters
        return kept


@dataclass(frozen=True, slots=True)
class DocumentJudge:
    """Judges by graded documents; each counts where its first passage stands."""

    grades: Mapping[str, int]
    """By key."""

    @property
    def figures(self) -> tuple[str, ...]:
        """Those of the ranking."""
        return _RANKED

    def judge(self, found: Sequence[Found]) -> dict[str, float]:
        """The figures of one ranking."""
        documents = dict.fromkeys(passage.key for passage in found)
        gains = [float(max(self.grades.get(key, 0), 0)) for key in documents]
        return _ranked(gains, [float(grade) for grade in self.grades.values() if grade > 0])
