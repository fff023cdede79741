"""Settings are fitted on one half of the questions and serve if the other half confirms them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rag_platform.errors import Conflict
from rag_platform.evaluation.intervals import Estimate
from rag_platform.evaluation.judging import SpanJudge
from rag_platform.evaluation.runner import Asked
from rag_platform.evaluation.tuning import Threshold, calibrate, tune
from rag_platform.ledger.generations import create_generation
from rag_platform.ledger.passages import Chunk
from rag_platform.ledger.serving import adopt_settings, current_serving, start_serving
from rag_platform.retrieval.passages import Passage
from rag_platform.retrieval.search import SearchResult
from rag_platform.retrieval.settings import RetrievalSettings

SETTINGS = RetrievalSettings()


class PeakedSearch:
    """Finds the answer first the likelier, the nearer ``dense_weight`` is to 0.7."""

    def __call__(self, question, collections=None, top_k=None, *, settings=SETTINGS):
        number = int(question)
        hits = number % 10 < 10 * (1 - abs(settings.dense_weight - 0.7))
        order = ("right", "wrong") if hits else ("wrong", "right")
        passages = tuple(
            Passage(Chunk(c, c, "c", f"c/{c}", c, None, (), 0, 10, "x" * 10), 1.0, 0.5, 1, 1)
            for c in order
        )
        return SearchResult(passages, 1, 1, settings, ("c",), number / 100, {})


def _asked(numbers: range) -> list[Asked]:
    judge = SpanJudge("right", [(0, 10)], lambda content: [(0, 10)], 10)
    return [Asked(str(n), str(n), "", ("c",), judge) for n in numbers]


def test_the_best_setting_is_found_and_confirmed():
    tuned = tune(PeakedSearch(), _asked(range(100)), _asked(range(100, 200)), SETTINGS)
    assert tuned.fitted == replace(SETTINGS, dense_weight=0.7)
    assert tuned.gained > 0.1
    assert tuned.confirmed.low > 0
    assert tuned.settings == tuned.fitted


def test_what_is_best_already_is_kept():
    best = replace(SETTINGS, dense_weight=0.7)
    tuned = tune(PeakedSearch(), _asked(range(100)), _asked(range(100, 200)), best)
    assert tuned.fitted == tuned.settings == best
    assert tuned.gained == tuned.confirmed.value == 0


def test_what_the_other_half_does_not_confirm_is_not_taken():
    # Every question of the other half is answered whatever the settings are.
    tuned = tune(PeakedSearch(), _asked(range(100)), _asked(range(100, 1000, 10)), SETTINGS)
    assert tuned.fitted != SETTINGS
    assert tuned.settings == SETTINGS


def test_the_threshold_refuses_few_answerable_questions():
    found = calibrate(
        PeakedSearch(),
        _asked(range(50, 150)),
        _asked(range(50, 150)),
        [str(n) for n in range(100)],
        ("c",),
        SETTINGS,
    )
    assert found.before == SETTINGS.min_relevance
    assert found.fitted == pytest.approx(0.5 + 0.04 * 0.99, abs=0.002)
    assert found.refused <= 0.05
    assert found.recognised == pytest.approx(0.54, abs=0.01)
    assert found.gained.low > 0
    assert found.is_better and found.value == found.fitted


def test_a_threshold_that_refuses_too_many_is_not_taken():
    certain = Estimate(0.5, 0.4, 0.6)
    assert not Threshold(0.4, 0.6, 0.06, 0.9, certain).is_better
    assert Threshold(0.4, 0.6, 0.05, 0.9, certain).value == 0.6
    assert Threshold(0.4, 0.6, 0.01, 0.9, Estimate(0.1, -0.1, 0.3)).value == 0.4


def test_adopted_settings_are_a_new_version_that_serves(ledger):
    with ledger.write() as connection:
        generation = create_generation(connection, {"encoder": {}})
        start_serving(connection, generation.id, SETTINGS.to_dict())
    better = replace(SETTINGS, dense_weight=0.7)
    with ledger.write() as connection:
        assert adopt_settings(connection, better.to_dict(), expected_revision=1) == 2
    with ledger.read() as connection:
        serving = current_serving(connection)
    assert RetrievalSettings.from_dict(serving.settings) == better
    assert (serving.settings_version, serving.revision) == (2, 2)
    with pytest.raises(Conflict), ledger.write() as connection:
        adopt_settings(connection, better.to_dict(), expected_revision=1)
    with ledger.read() as connection:
        assert current_serving(connection).settings_version == 2


def test_too_few_questions_are_refused_in_one_sentence(rag, span_folder):
    done = rag("tune", span_folder, "--dry-run")
    assert done.returncode == 1
    assert "too few questions" in done.stderr and "Traceback" not in done.stderr


def test_a_home_that_was_never_started_is_said_before_the_work(rag, span_folder):
    done = rag("tune", span_folder)
    assert done.returncode == 1
    assert "never started" in done.stderr and "Traceback" not in done.stderr


def test_a_dataset_is_tuned_and_nothing_changes_in_a_dry_run(rag, write):
    words = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    questions = []
    for number, word in enumerate(words):
        text = f"# Paper {number}\n\nThe {word} is kept in cupboard {number}.\n"
        write(f"many/corpus/{number}.md", text.encode())
        at = text.index("The")
        span = {"start": at, "end": len(text) - 1, "text": "The"}
        questions.append(
            {"question": f"Where is the {word}?", "document": f"{number}.md", "spans": [span]}
        )
    folder = write("many/questions.jsonl", *questions).parent
    other = write("other/questions.jsonl", json.dumps(questions[0])).parent
    write("other/corpus/0.md", b"# Paper 0\n\nThe worda is kept in cupboard 0. And more of it.\n")
    done = rag("tune", folder, "--unanswerable", other, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "min_relevance: 0.42 →" in done.stdout
    assert "serves from now on" not in done.stdout


def test_the_measure_of_a_question_is_between_0_and_1():
    from rag_platform.evaluation.tuning import _measured

    values = _measured(PeakedSearch(), _asked(range(30)), SETTINGS)
    assert values.shape == (30,)
    assert np.all((values >= 0) & (values <= 1))
