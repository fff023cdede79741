"""Asks the production search every question of a dataset, and judges what it finds."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag_platform.evaluation.judging import Found, Judge
from rag_platform.evaluation.progress import Report
from rag_platform.retrieval.search import Passage, Search
from rag_platform.retrieval.settings import RetrievalSettings

DEPTH = 50
"""Passages asked for, so that the budget of characters is used up."""

PLATFORM, KEYWORDS, DENSE = "platform", "bm25", "dense"
SYSTEMS = (PLATFORM, KEYWORDS, DENSE)
LABELS = {PLATFORM: "platform", KEYWORDS: "BM25 only", DENSE: "dense only"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its judge."""

    id: str
    text: str
    group: str
    """The document that answers it; empty where there are many."""
    collections: Sequence[str] | None
    judge: Judge


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one question by system and name, and what the search took."""

    id: str
    text: str
    group: str
    figures: Mapping[str, Mapping[str, float]]
    milliseconds: float
    """Of the platform's own settings, with as many passages as they say."""
    cut: bool = False
    """Whether the reranker's time ran out."""


def baseline(settings: RetrievalSettings, dense_weight: float) -> RetrievalSettings:
    """One half of the search alone, on the same chunks: keywords at 0, vectors at 1."""
    return replace(settings, dense_weight=dense_weight, neighbour_weight=0.0, reranked=0)


def systems(settings: RetrievalSettings) -> dict[str, RetrievalSettings]:
    """What is compared."""
    return {
        PLATFORM: settings,
        KEYWORDS: baseline(settings, 0.0),
        DENSE: baseline(settings, 1.0),
    }


def run(
    search: Search, asked: Sequence[Asked], settings: RetrievalSettings, report: Report
) -> list[Outcome]:
    """Ask every question of the settings and of each half, one after the other."""
    compared = systems(settings)
    search.warm_up()
    outcomes: list[Outcome] = []
    for number, question in enumerate(asked, start=1):
        answers = {name: ask(search, question, system) for name, system in compared.items()}
        outcomes.append(
            Outcome(
                question.id,
                question.text,
                question.group,
                {name: answer.figures for name, answer in answers.items()},
                answers[PLATFORM].milliseconds,
                answers[PLATFORM].cut,
            )
        )
        report("questions asked", number, len(asked))
    return outcomes


@dataclass(frozen=True, slots=True)
class Answered:
    """The figures of one question under some settings."""

    figures: dict[str, float]
    milliseconds: float
    """What the search took."""
    cut: bool
    """Whether the reranker's time ran out."""


def ask(search: Search, question: Asked, settings: RetrievalSettings) -> Answered:
    """Ask one question as production does, and judge what is found."""
    # First as production asks, so that nothing of this question is cached yet.
    started = time.perf_counter()
    result = search(question.text, question.collections, settings=settings)
    milliseconds = 1000 * (time.perf_counter() - started)
    deep = search(question.text, question.collections, DEPTH, settings=settings).passages
    ranking = followed([_found(p) for p in result.passages], [_found(p) for p in deep])
    cut = result.reranking is not None and result.reranking.is_cut
    return Answered(question.judge.judge(ranking), milliseconds, cut)


def followed(shown: Sequence[Found], deep: Sequence[Found]) -> list[Found]:
    """What production shows, then what stands deeper in the ranking and is not shown already.

    How many passages are asked for can change their order: a longer list of candidates has
    another worst one, which scores are scaled by.
    """
    return [
        *shown,
        *(
            passage
            for passage in deep
            if not any(
                passage.content == other.content
                and other.start <= passage.start
                and passage.end <= other.end
                for other in shown
            )
        ),
    ]


def _found(passage: Passage) -> Found:
    chunk = passage.chunk
    return Found(chunk.content_id, chunk.key, chunk.start, chunk.end, len(chunk.text))
