"""Results: written, read, compared and shown."""

import dataclasses
import io
import re

import numpy as np
import pytest
from rich.console import Console

from rag_platform.errors import InvalidRequest
from rag_platform.evaluation.plot import markdown_plot
from rag_platform.evaluation.report import closed, label, markdown, show, show_comparison
from rag_platform.evaluation.results import LATENCY, Result, compare
from rag_platform.evaluation.runner import SYSTEMS, Outcome, systems
from rag_platform.retrieval.settings import RetrievalSettings

FIGURES = ("ndcg@10", "text-recall@4000chars", "first-hit")


def _result(values, *, groups=("a.md", "b.md"), **changes) -> Result:
    """A result in which the platform has these values, keywords 0.1 less, vectors 0.2 less."""
    outcomes = tuple(
        Outcome(
            id=str(number),
            text=f"Question {number}?",
            group=groups[number % len(groups)],
            figures={
                system: dict.fromkeys(FIGURES, float(value) - 0.1 * place)
                for place, system in enumerate(SYSTEMS)
            },
            milliseconds=10.0 + number,
        )
        for number, value in enumerate(values)
    )
    fields = {
        "dataset": "spans",
        "dataset_digest": "d",
        "kind": "spans",
        "split": "",
        "half": None,
        "documents": 2,
        "budget": 4000,
        "min_overlap": 0.0,
        "recipe": "r",
        "generation": {"encoder": {"model": "embedder", "version": "1"}, "chunking": {"id": "c"}},
        "settings": {n: s.to_dict() for n, s in systems(RetrievalSettings()).items()},
        "figures": FIGURES,
        "outcomes": outcomes,
        "notes": (),
        "problems": (),
        "created_at": "2026-11-21T12:00:00+00:00",
    }
    return Result(**{**fields, **changes})


VALUES = np.random.default_rng(1).uniform(0.3, 0.8, 60)


def _printed(show_it) -> str:
    output = io.StringIO()
    show_it(Console(file=output, width=100))
    return output.getvalue()


def test_what_was_written_is_read_again(tmp_path):
    result = _result(VALUES, notes=("A note.",), problems=("A problem.",))
    path = tmp_path / "a.json"
    path.write_text(result.to_json())
    assert Result.load(path) == result


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: "", "is no result of an evaluation"),
        (lambda text: "[1]", "is no result of an evaluation"),
        (lambda text: "[" * 100_000, "is no result of an evaluation"),
        (lambda text: text.replace('"format": 1', '"format": 99'), "another version of rag eval"),
        (lambda text: text.replace('"outcomes"', '"other"'), "is damaged"),
        (lambda text: text.replace('"dense":', '"other":'), "is damaged"),
        (lambda text: text.replace('"milliseconds": 10.0', '"milliseconds": NaN'), "is damaged"),
        (
            lambda text: re.sub(r'"outcomes": \[.*?\n \]', '"outcomes": []', text, flags=re.S),
            "is d",
        ),
    ],
)
def test_what_is_no_result_is_one_sentence(tmp_path, change, says):
    path = tmp_path / "a.json"
    path.write_text(change(_result(VALUES[:3]).to_json()))
    with pytest.raises(InvalidRequest, match=says):
        Result.load(path)


def test_a_steady_gain_is_significant_and_noise_is_not():
    noise = np.random.default_rng(2).normal(0, 0.05, 60)
    better = compare(_result(VALUES), _result(VALUES + 0.03))["ndcg@10"]
    assert better.difference.value == pytest.approx(0.03)
    assert better.difference.is_significant
    same = compare(_result(VALUES), _result(VALUES + noise - noise.mean()))["ndcg@10"]
    assert not same.difference.is_significant


def test_questions_are_compared_in_pairs_whatever_their_order():
    one, other = _result(VALUES), _result(VALUES + 0.03)
    shuffled = dataclasses.replace(other, outcomes=other.outcomes[::-1])
    assert compare(one, shuffled) == compare(one, other)
    assert compare(one, shuffled)[LATENCY].difference.value == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dataset_digest": "other"}, "datasets differ"),
        ({"split": "dev"}, "splits differ"),
        ({"half": 2}, r"halves differ \(whole and 2\)"),
        ({"budget": 100}, r"budgets differ \(4000 and 100\)"),
        ({"min_overlap": 0.5}, "overlaps differ"),
    ],
)
def test_results_of_different_questions_are_refused(change, says):
    with pytest.raises(InvalidRequest, match=says) as raised:
        compare(_result(VALUES), _result(VALUES, **change))
    assert "\n" not in str(raised.value)


def test_a_comparison_says_what_was_set_differently():
    other = _result(VALUES + 0.03, recipe="another")
    other.settings["platform"]["dense_weight"] = 0.7
    one = _result(VALUES)
    shown = _printed(lambda console: show_comparison(console, one, other, compare(one, other)))
    assert re.search(r"nDCG@10 .*\+0\.030 .* yes\n", shown)
    assert re.search(r"search, ms .*\+0\.0 .* no\n", shown)
    assert "dense_weight: 0.5 in A, 0.7 in B" in shown
    assert "another recipe" in shown


def test_few_documents_have_figures_of_their_own_and_their_mean():
    result = _result([0.5, 0.9, 0.5, 0.9, 0.5])
    groups = result.group_estimates()
    assert {name: one["ndcg@10"].value for name, one in groups.items()} == pytest.approx(
        {"a.md": 0.5, "b.md": 0.9, "": 0.7}
    )
    assert result.estimates()["ndcg@10"].value == pytest.approx(0.66)
    many = _result(VALUES, groups=[f"{n}.md" for n in range(11)])
    assert many.group_estimates() == {}
    assert _result(VALUES, groups=["one.md"]).group_estimates() == {}


def test_the_share_of_the_distance_is_that_of_the_mean_of_documents():
    result = _result([0.5, 0.9] * 4)
    groups = {name: result.group_estimates(name) for name in SYSTEMS}
    # In the mean 0.7, the better half 0.6: 0.1 of 0.4.
    assert closed(groups, "ndcg@10").startswith("25% of the distance")


def test_a_result_is_shown_with_its_halves_and_what_was_left_out():
    result = _result(VALUES, problems=tuple(f"line {n}: it is gone" for n in range(7)))
    shown = _printed(lambda console: show(console, result))
    assert "spans: 60 questions, 2 documents" in shown
    assert re.search(r"platform over +BM25 only +dense only\nnDCG@10 +\+0\.100 .*\*", shown)
    assert "7 places of the dataset could not be found" in shown
    assert "… and 2 more" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_a_result_is_a_table_and_a_picture_in_markdown():
    result = _result(VALUES)
    header, line, *rows = markdown(result).splitlines()
    assert header == "| figure | platform | BM25 only | dense only |"
    assert line.count("|") == header.count("|")
    assert len(rows) == len(FIGURES)
    assert markdown_plot(result).startswith("![Figures of 60 questions](data:image/png;base64,iVBO")


def test_figures_have_names_for_people():
    assert [label(f) for f in (*FIGURES, "mrr", "text-recall@5", "recall@5")] == [
        "nDCG@10",
        "text in 4000 characters",
        "first passage hits",
        "MRR",
        "text in 5 passages",
        "recall@5",
    ]
