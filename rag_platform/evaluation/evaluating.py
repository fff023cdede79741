"""From a dataset to a result: against documents of its own, or against the live collections."""

import contextlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rag_platform.errors import InvalidRequest, Unavailable
from rag_platform.evaluation.datasets import Dataset
from rag_platform.evaluation.judging import DocumentJudge, SpanJudge
from rag_platform.evaluation.production import export_reranker
from rag_platform.evaluation.progress import Report, silent
from rag_platform.evaluation.references import Reference, Texts, resolve
from rag_platform.evaluation.results import Result
from rag_platform.evaluation.runner import PLATFORM, Asked, run, systems
from rag_platform.evaluation.scratch import COLLECTION, scratch_platform
from rag_platform.ledger import Ledger
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.listing import list_documents
from rag_platform.ledger.serving import Serving, current_serving
from rag_platform.objects import Objects
from rag_platform.retrieval.search import Search
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.settings import Settings
from rag_platform.wiring import Platform

BUDGET = 4000
"""Characters of passages that a reader gets, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How passages are judged."""

    budget: int = BUDGET
    """The characters of the ranked passages within which the reference is looked for."""
    min_overlap: float = 0.0
    """The share of a chunk, or of a shorter reference, that makes the chunk relevant."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Where questions are asked, and by which settings."""

    ledger: Ledger
    objects: Objects
    search: Search
    settings: RetrievalSettings
    recipe: str
    collection: str | None = None
    """The collection that holds a dataset's own documents; None for live questions."""
    notes: tuple[str, ...] = ()
    generation: Generation | None = None
    """The one that the search asks, where it is not the one that serves."""


def evaluate(
    settings: Settings, dataset: Dataset, measure: Measure, report: Report = silent
) -> Result:
    """Ingest the dataset in a platform of its own and ask it; or ask what is live."""
    with opened(settings, dataset, report) as corpus:
        return _evaluate(corpus, dataset, measure, report)


@contextlib.contextmanager
def opened(settings: Settings, dataset: Dataset, report: Report = silent) -> Generator[Corpus]:
    """Where a dataset's questions are asked, ready to be."""
    if dataset.kind == "validation":
        live = Platform(settings)
        try:
            live.ledger.require_schema()
            folder = settings.home / "evaluation"
            export_reranker(settings, live.models.folder, folder / "models", report)
            yield _live(live.ledger, live.objects, live.search)
        finally:
            live.close()
        return
    with scratch_platform(settings, dataset, report) as scratch:
        yield Corpus(
            scratch.platform.ledger,
            scratch.platform.objects,
            scratch.platform.search,
            scratch.production.retrieval,
            scratch.recipe,
            COLLECTION,
            scratch.production.notes,
        )


def evaluate_live(
    ledger: Ledger,
    objects: Objects,
    search: Search,
    dataset: Dataset,
    measure: Measure,
    report: Report = silent,
) -> Result:
    """Ask the live collections, with the settings and the generation that serve."""
    return _evaluate(_live(ledger, objects, search), dataset, measure, report)


def live_corpus(ledger: Ledger, objects: Objects, search: Search, generation: Generation) -> Corpus:
    """The live collections as a generation holds them, which ``search`` asks."""
    settings = RetrievalSettings.from_dict(_serving(ledger).settings)
    recipe = f"generation {generation.id}"
    return Corpus(ledger, objects, search, settings, recipe, generation=generation)


def _live(ledger: Ledger, objects: Objects, search: Search) -> Corpus:
    serving = _serving(ledger)
    settings = RetrievalSettings.from_dict(serving.settings)
    return Corpus(ledger, objects, search, settings, f"generation {serving.generation.id}")


def prepared(
    corpus: Corpus, dataset: Dataset, measure: Measure, report: Report = silent
) -> tuple[list[Asked], tuple[str, ...]]:
    """The questions with their judges, and a sentence for each place that could not be found.

    Raises :class:`InvalidRequest` where no question is left.
    """
    if dataset.kind == "beir":
        return [
            Asked(
                question.id,
                question.text,
                "",
                (COLLECTION,),
                DocumentJudge({f"{COLLECTION}/{n}": g for n, g in question.grades.items()}),
            )
            for question in dataset.questions
        ], ()
    report("answers looked for in the documents", 0, None)
    generation = corpus.generation or _serving(corpus.ledger).generation
    texts = Texts(corpus.ledger, corpus.objects, generation)
    top = f"{corpus.collection}/" if corpus.collection else ""
    found = resolve(dataset.questions, texts, originals=dataset.texts, top=top)
    asked = _by_spans(dataset, found.by_question, texts, corpus, measure)
    if not asked:
        raise InvalidRequest(
            f"No answer of {dataset.title} was found in the documents that the platform has read: "
            f"{' '.join(found.problems[:1])}",
            "Check that the documents are there and indexed: rag documents lists them.",
        )
    return asked, found.problems


def _evaluate(corpus: Corpus, dataset: Dataset, measure: Measure, report: Report) -> Result:
    asked, problems = prepared(corpus, dataset, measure, report)
    return Result(
        dataset=dataset.title,
        dataset_digest=dataset.digest,
        kind=dataset.kind,
        split=dataset.split,
        half=dataset.half,
        documents=dataset.document_count,
        budget=measure.budget,
        min_overlap=measure.min_overlap,
        recipe=corpus.recipe,
        generation=_serving(corpus.ledger).generation.spec,
        settings=_settings(corpus),
        figures=asked[0].judge.figures,
        outcomes=tuple(run(corpus.search, asked, corpus.settings, report)),
        notes=(*corpus.notes, *dataset.notes, *_unread(corpus)),
        problems=problems,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _settings(corpus: Corpus) -> dict[str, dict[str, Any]]:
    """The settings of each system, with the reranker that orders what the platform finds."""
    compared = {name: s.to_dict() for name, s in systems(corpus.settings).items()}
    if corpus.search.reranker is not None:
        compared[PLATFORM]["reranker"] = corpus.search.reranker.name
    return compared


def _by_spans(
    dataset: Dataset,
    references: Mapping[str, Reference],
    texts: Texts,
    corpus: Corpus,
    measure: Measure,
) -> list[Asked]:
    asked: list[Asked] = []
    for question in dataset.questions:
        reference = references.get(question.id)
        if reference is None:
            continue
        if corpus.collection:
            collections = (corpus.collection,)
        else:
            collections = (question.collection,) if question.collection else None
        judge = SpanJudge(
            reference.content, reference.places, texts.chunks, measure.budget, measure.min_overlap
        )
        asked.append(Asked(question.id, question.text, question.document, collections, judge))
    return asked


def _unread(corpus: Corpus) -> list[str]:
    """The documents of a dataset that could not be read, each with its reason."""
    if corpus.collection is None:
        return []
    with corpus.ledger.read() as connection:
        found = list_documents(
            connection, corpus.collection, chunking="", state="quarantined", limit=1_000_000
        )
    shown = [f"{item.key.partition('/')[2]} could not be read: {item.reason}" for item in found[:5]]
    more = [f"{len(found) - 5} more documents could not be read."] if len(found) > 5 else []
    return [*shown, *more]


def _serving(ledger: Ledger) -> Serving:
    with ledger.read() as connection:
        serving = current_serving(connection)
    if serving is None:
        raise Unavailable("Nothing serves yet.", "Start the platform with rag up.")
    return serving
