"""The command, with the real model and a Chroma of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from rag_platform.evaluation.results import Result
from rag_platform.evaluation.runner import DENSE, KEYWORDS, PLATFORM

RAG = Path(sys.executable).parent / "rag"


def _servers(folder: Path) -> list[psutil.Process]:
    """What runs over a folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in part for part in process.info["cmdline"] or ()):
            found.append(process)
    return found


def test_a_span_dataset_is_measured_and_asked_again_at_once(rag, span_folder, tmp_path):
    first = rag("eval", span_folder, "--output", tmp_path / "a.json")
    assert first.returncode == 0, first.stderr
    assert "spans: 4 questions, 2 documents" in first.stdout
    assert "mean of the documents" in first.stdout
    assert "search, in milliseconds: p50" in first.stdout
    assert first.stderr.startswith("Not logged to MLflow, the result stands: MLflow at")
    result = Result.load(tmp_path / "a.json")
    assert result.problems == ()
    estimates = result.estimates()
    # Both documents are one chunk: whatever is found first holds the answer.
    assert estimates["text-recall@5"].value == 1
    assert estimates["text-recall@4000chars"].value == 1
    assert estimates["ndcg@10"].value > 0.9
    assert result.settings[KEYWORDS]["dense_weight"] == 0
    assert result.settings[DENSE]["dense_weight"] == 1
    assert result.settings[PLATFORM]["dense_weight"] not in (0, 1)
    (index,) = (tmp_path / "home" / "evaluation").glob("*/complete.json")
    made = index.stat().st_mtime_ns
    second = rag("eval", span_folder, "--output", tmp_path / "b.json")
    assert second.returncode == 0, second.stderr
    assert index.stat().st_mtime_ns == made
    assert (Result.load(tmp_path / "b.json").values() == result.values()).all()
    assert not _servers(tmp_path)
    assert not (tmp_path / "home" / "ledger.db").exists()
    compared = rag("eval", "--compare", tmp_path / "a.json", tmp_path / "b.json")
    assert compared.returncode == 0, compared.stderr
    assert [line.split()[-1] for line in compared.stdout.splitlines() if "nDCG" in line] == ["no"]


def test_a_beir_dataset_is_measured(rag, beir_folder, tmp_path):
    done = rag("eval", beir_folder, "--output", tmp_path / "a.json")
    assert done.returncode == 0, done.stderr
    assert "beir, split test: 2 questions, 3 documents" in done.stdout
    assert "1 queries without a relevant document were left out." in done.stdout
    result = Result.load(tmp_path / "a.json")
    assert result.estimates()["recall@5"].value == 1
    assert result.estimates(KEYWORDS)["mrr"].value == 1


def test_a_budget_smaller_than_the_answer_finds_less(rag, span_folder, tmp_path):
    assert rag("eval", span_folder, "--budget", 10, "--output", tmp_path / "a.json").returncode == 0
    result = Result.load(tmp_path / "a.json")
    assert result.estimates()["text-recall@10chars"].value < 1
    refused = rag("eval", span_folder, "--budget", 0)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)


def test_a_document_that_cannot_be_read_is_said_and_its_questions_do_not_count(
    rag, span_folder, tmp_path
):
    (span_folder / "corpus" / "broken.pdf").write_bytes(b"%PDF-1.4")
    with (span_folder / "questions.jsonl").open("a") as file:
        question = {"question": "What?", "document": "broken.pdf", "spans": [{"text": "x y"}]}
        file.write(f"{json.dumps(question)}\n")
    done = rag("eval", span_folder)
    assert done.returncode == 0, done.stderr
    assert "broken.pdf could not be read:" in done.stdout
    assert "broken.pdf cannot be read or is not indexed (asked at" in done.stdout
    assert "spans: 4 questions, 3 documents" in done.stdout


def test_lost_vectors_are_put_back(rag, span_folder, tmp_path):
    import shutil

    assert rag("eval", span_folder).returncode == 0
    (folder,) = (tmp_path / "home" / "evaluation").glob("*/chroma")
    shutil.rmtree(folder)
    done = rag("eval", span_folder, "--output", tmp_path / "a.json")
    assert done.returncode == 0, done.stderr
    assert Result.load(tmp_path / "a.json").estimates(DENSE)["text-recall@5"].value == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_evaluation_that_is_ended_leaves_nothing_and_is_completed_by_the_next(
    rag, span_folder, tmp_path, eventually, number, interruptible
):
    (span_folder / "corpus" / "long.md").write_text(
        "\n\n".join(f"Paragraph {n} tells of the {n}th thing at some length." for n in range(3000))
    )
    process = subprocess.Popen(
        [RAG, "eval", span_folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    evaluations = tmp_path / "home" / "evaluation"
    eventually(lambda: list(evaluations.glob("*/home/objects/vectors")), 60, "it embeds")
    process.send_signal(number)
    error = process.communicate()[1]
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert error.splitlines()[-1] == "Interrupted. The same command goes on from there."
    eventually(lambda: not _servers(tmp_path), 30, "all have ended")
    done = rag("eval", span_folder, "--output", tmp_path / "a.json")
    assert done.returncode == 0, done.stderr
    assert Result.load(tmp_path / "a.json").estimates()["text-recall@4000chars"].value > 0.5


def test_two_at_once_wait_for_each_other(rag, span_folder, tmp_path):
    running = [
        subprocess.Popen(
            [RAG, "eval", span_folder, "--output", tmp_path / f"{name}.json"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ},
        )
        for name in "ab"
    ]
    assert [
        (process.communicate(timeout=200)[1], process.returncode)[1] for process in running
    ] == [
        0,
        0,
    ]
    one, other = (Result.load(tmp_path / f"{name}.json") for name in "ab")
    assert (one.values() == other.values()).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Give a dataset to evaluate, or two results to compare."),
        (("nope",), "There is nothing at nope."),
        (("{tmp}", "--half", "1"), "holds no dataset."),
        (("{spans}", "--split", "test"), "has no splits"),
        (("{spans}", "--output", "{tmp}/no/a.json"), "lies in a folder that does not exist."),
        (("{spans}", "--output", "{tmp}"), "is a folder."),
        (("--compare", "a.json", "b.json"), "a.json cannot be read: No such file"),
        (("{spans}", "--compare", "a.json", "b.json"), "Give a dataset to evaluate, or two"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(rag, span_folder, tmp_path, arguments, says):
    done = rag("eval", *(a.format(tmp=tmp_path, spans=span_folder) for a in arguments))
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_home_that_cannot_be_written_is_one_sentence(rag, span_folder, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "file"))
    done = rag("eval", span_folder)
    assert done.returncode == 1
    assert done.stderr == (
        f"The evaluation cannot write to {tmp_path}/file/evaluation: Not a directory. Make room "
        "there, or set RAG_HOME to another folder.\n"
    )


def test_questions_to_live_collections_want_a_platform(rag, write):
    question = {"question": "Q?", "document": "h/a.md", "passages": ["x"]}
    done = rag("eval", write("validation.jsonl", question))
    assert done.returncode == 1
    assert "is empty: the platform was never started with these settings." in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_questions_are_put_to_the_live_collections(platform, bucket_folder, write, monkeypatch):
    (bucket_folder / "handbook").mkdir()
    (bucket_folder / "handbook" / "leave.md").write_text("# Leave\n\nParental leave: 26 weeks.")
    with platform.parser() as parser:
        pipeline = platform.pipeline(parser)
        pipeline.ingest("handbook")
        pipeline.chroma.close()
    question = {
        "question": "How long is parental leave?",
        "document": "handbook/leave.md",
        "passages": ["Parental leave: 26 weeks"],
    }
    questions = write("questions.jsonl", question, {**question, "passages": ["Not there at all"]})
    monkeypatch.setenv("RAG_MLFLOW_PORT", "9")
    done = subprocess.run([RAG, "eval", questions], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert "questions.jsonl: 1 questions, 1 documents" in done.stdout
    assert "line 2: the quote “Not there at all” is not in the text" in done.stdout
    assert not (platform.settings.home / "evaluation").exists()


def test_a_search_with_a_reranker_is_compared_with_one_without(
    rag, span_folder, tmp_path, likes_a_word, monkeypatch
):
    monkeypatch.setenv("RAG_RERANKER_MS", "60000")
    assert rag("eval", span_folder, "--output", tmp_path / "a.json").returncode == 0
    model = likes_a_word("trains")
    monkeypatch.setenv("RAG_RERANKER", str(model))
    done = rag("eval", span_folder, "--output", tmp_path / "b.json")
    assert done.returncode == 0, done.stderr
    assert "time ran out" not in done.stdout
    base, reranked = (Result.load(tmp_path / name) for name in ("a.json", "b.json"))
    assert reranked.settings[PLATFORM]["reranker"].startswith(str(model))
    assert "reranker" not in reranked.settings[KEYWORDS]
    assert (base.values(KEYWORDS) == reranked.values(KEYWORDS)).all()
    assert (base.values(DENSE) == reranked.values(DENSE)).all()
    assert (base.values() != reranked.values()).any()
    compared = rag("eval", "--compare", tmp_path / "a.json", tmp_path / "b.json").stdout
    assert f"reranker: none in A, {model}" in " ".join(compared.split())
    monkeypatch.setenv("RAG_RERANKER", str(tmp_path))
    refused = rag("eval", span_folder)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"The reranker {tmp_path} cannot be loaded")
