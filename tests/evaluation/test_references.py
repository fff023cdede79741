"""Answers looked for in what the platform has read."""

import runpy
from pathlib import Path

import pytest

from rag_platform.evaluation.datasets import Question, Span
from rag_platform.evaluation.references import Texts, resolve
from rag_platform.ledger.serving import current_serving

_shared = runpy.run_path(str(Path(__file__).parents[1] / "ingestion" / "conftest.py"))
stages, platforms, platform, pipeline, put = (
    _shared[name] for name in ("stages", "platforms", "platform", "pipeline", "put")
)


@pytest.fixture
def ledger_url(tmp_path) -> str:
    """SQLite alone."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def texts(platform, pipeline, put):
    put("handbook/leave.md", "# Leave\n\nParental leave lasts 26 weeks.")
    put("root.md", "A document without a folder.")
    pipeline()
    with platform.ledger.read() as connection:
        generation = current_serving(connection).generation
    return Texts(platform.ledger, platform.objects, generation)


def _question(document: str, *spans: Span, collection: str | None = None) -> Question:
    return Question("q", "Q?", "file, line 1", document, spans, collection=collection)


def _quote(text: str) -> Span:
    return Span(None, None, text)


def test_a_quote_is_found_in_a_live_document(texts):
    question = _question("handbook/leave.md", _quote("lasts  26\nweeks"))
    found = resolve([question], texts, originals={})
    ((content, places),) = [(r.content, r.places) for r in found.by_question.values()]
    assert places == ((24, 38),)
    assert found.problems == ()
    assert texts.chunks(content) == [(0, 39)]


def test_offsets_of_a_live_document_count_in_its_text(texts):
    found = resolve([_question("root.md", Span(2, 10, ""))], texts, originals={})
    assert found.by_question["q"].places == ((2, 10),)


def test_a_span_that_is_not_there_is_reported_and_the_others_count(texts):
    question = _question("handbook/leave.md", _quote("Parental leave"), _quote("Sick leave" * 20))
    found = resolve([question], texts, originals={})
    assert len(found.by_question["q"].places) == 1
    (problem,) = found.problems
    assert problem.startswith("file, line 1: the quote “Sick leave")
    assert "…” is not in the text" in problem


@pytest.mark.parametrize(
    ("document", "collection"),
    [("handbook/gone.md", None), ("handbook/leave.md", "people"), ("handbook/leave.md", "root")],
)
def test_a_document_that_is_not_there_is_reported(texts, document, collection):
    question = _question(document, _quote("Parental leave"), collection=collection)
    found = resolve([question], texts, originals={})
    assert not found.by_question
    assert found.problems == (
        f"{document} cannot be read or is not indexed (asked at file, line 1).",
    )
