"""Reading datasets: what is well-formed is read, what is not gets one sentence."""

import json
import re

import pytest

from rag_platform.errors import InvalidRequest
from rag_platform.evaluation.datasets import Span, open_dataset
from rag_platform.evaluation.datasets.validation import read

QUESTION = {
    "question": "Q?",
    "document": "a.md",
    "spans": [{"start": 0, "end": 5, "text": "Hello"}],
}


@pytest.fixture
def spans(write):
    """Make a span dataset of one document with these lines of questions."""

    def make(*lines: object, text: bytes = b"Hello world.\n"):
        write("d/corpus/a.md", text)
        return write("d/questions.jsonl", *lines).parent

    return make


def test_a_span_dataset_is_read(span_folder):
    dataset = open_dataset(span_folder)
    assert (dataset.kind, dataset.name, dataset.document_count) == ("spans", "spans", 2)
    assert [q.document for q in dataset.questions] == ["leave.md"] * 2 + ["office/travel.md"] * 2
    assert [d.name for d in dataset.documents()] == ["leave.md", "office/travel.md"]
    assert len({q.id for q in dataset.questions}) == 4


def test_a_beir_dataset_is_read(beir_folder):
    dataset = open_dataset(beir_folder)
    assert (dataset.kind, dataset.split, dataset.document_count) == ("beir", "test", 3)
    first, second = dataset.questions
    assert (first.text, dict(first.grades)) == ("How long is parental leave?", {"d1.md": 1})
    assert sorted(second.grades.values()) == [1, 2]
    documents = {document.name.lower(): document.data for document in dataset.documents()}
    assert len(documents) == 3  # also where a file system does not tell d1 from D1
    assert documents["d1.md"] == b"# Leave\n\nParental leave lasts 26 weeks.\n"
    assert {f"{name}".lower() for name in second.grades} <= documents.keys()
    assert dataset.notes == (
        "1 queries without a relevant document were left out.",
        "1 documents without any text were left out.",
    )


def test_qrels_without_a_header_are_read_from_another_split(beir_folder):
    (question,) = open_dataset(beir_folder, "dev").questions
    assert dict(question.grades) == {"d1.md": 1}
    assert open_dataset(beir_folder, "dev").digest != open_dataset(beir_folder).digest


def test_a_judged_document_that_is_not_there_counts_and_is_said(beir_folder, write):
    write("beir/qrels/test.tsv", "1\td1\t1", "1\tgone\t1")
    dataset = open_dataset(beir_folder)
    assert dataset.questions[0].grades == {"d1.md": 1, "?gone": 1}
    assert "1 judged documents are not in the corpus" in dataset.notes[1]


def test_equal_datasets_have_equal_digests_wherever_they_lie(spans, tmp_path):
    one = open_dataset(spans(QUESTION))
    moved = tmp_path / "elsewhere"
    (tmp_path / "d").rename(moved)
    other = open_dataset(moved)
    assert one.digest == other.digest
    assert [q.id for q in one.questions] == [q.id for q in other.questions]
    (moved / "corpus" / "b.md").write_text("More.")
    assert open_dataset(moved).digest != one.digest


def test_the_same_question_twice_is_two_questions(spans):
    dataset = open_dataset(spans(QUESTION, QUESTION))
    assert len({question.id for question in dataset.questions}) == 2


@pytest.mark.parametrize(
    ("text", "span"),
    [
        (b"Hello\r\n\r\nworld.", {"start": 7, "end": 13, "text": "world."}),
        (b"Hello\r\n\r\nworld.", {"start": 9, "end": 15, "text": "world."}),
        (b"\xef\xbb\xbfHello world.", {"start": 6, "end": 12, "text": "world."}),
        (b"\xef\xbb\xbfHello world.", {"start": 7, "end": 13, "text": "world."}),
    ],
)
def test_offsets_count_in_whichever_reading_of_the_file_agrees(spans, text, span):
    dataset = open_dataset(spans({**QUESTION, "spans": [span]}, text=text))
    assert dataset.texts["a.md"][span["start"] : span["end"]] == "world."


def test_a_file_that_is_no_text_takes_quotes(spans):
    folder = spans({**QUESTION, "spans": [{"text": "Hello"}]}, text=b"\xff\xfe\x00")
    dataset = open_dataset(folder)
    assert dataset.questions[0].spans == (Span(None, None, "Hello"),)
    assert dataset.texts == {}


def test_the_halves_part_the_questions_and_never_change(span_folder):
    dataset = open_dataset(span_folder)
    halves = [{q.id for q in dataset.questions if q.half == half} for half in (1, 2)]
    assert halves[0].isdisjoint(halves[1])
    assert len(halves[0] | halves[1]) == 4
    for half, ids in zip((1, 2), halves, strict=True):
        if ids:
            kept = dataset.halved(half)
            assert {q.id for q in kept.questions} == ids
            assert kept.title.endswith(f"half {half}")
    assert dataset.halved(None) is dataset


def test_a_half_without_questions_is_refused(spans):
    dataset = open_dataset(spans(QUESTION))
    with pytest.raises(InvalidRequest, match="has no questions"):
        dataset.halved(3 - dataset.questions[0].half)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{nope\n", "line 1: it is no JSON"),
        (b"\xff\n", "line 1: it is not UTF-8"),
        (b"[" * 100_000 + b"\n", "line 1: it is no JSON"),
        ([1], "line 1: it is no JSON object"),
        ({}, "line 1: 'question' is missing"),
        ({**QUESTION, "question": 7}, "'question' is not a text"),
        ({**QUESTION, "question": " "}, "'question' is empty"),
        ({**QUESTION, "document": "b.md"}, "there is no document 'b.md' under"),
        ({**QUESTION, "document": "../questions.jsonl"}, "there is no document"),
        ({**QUESTION, "spans": "x"}, "'spans' is not a list"),
        ({**QUESTION, "spans": []}, "'spans' is empty"),
        ({**QUESTION, "spans": [3]}, "'spans' has to be a list of objects"),
        ({**QUESTION, "spans": [{}]}, "neither start and end nor a text"),
        ({**QUESTION, "spans": [{"text": 4}]}, "is not a text"),
        ({**QUESTION, "spans": [{"start": 3, "end": 3}]}, "3 and 3 are no start and end"),
        ({**QUESTION, "spans": [{"start": True, "end": 3}]}, "True and 3 are no start"),
        ({**QUESTION, "spans": [{"start": 1}]}, "1 and None are no start and end"),
        ({**QUESTION, "spans": [{"start": 0, "end": 99}]}, "0 to 99 does not hold its text"),
        ({**QUESTION, "spans": [{"start": 1, "end": 5, "text": "Hell"}]}, "does not hold its text"),
    ],
)
def test_a_malformed_question_is_one_sentence_with_its_line(spans, line, says):
    folder = spans(line)
    with pytest.raises(InvalidRequest, match=re.escape(says)) as raised:
        open_dataset(folder)
    assert str(folder / "questions.jsonl") in str(raised.value)
    assert "line 1" in str(raised.value)
    assert raised.value.remedy


def test_offsets_into_what_is_no_text_are_refused(spans):
    folder = spans({**QUESTION, "spans": [{"start": 0, "end": 2}]}, text=b"\xff\xfe\x00")
    with pytest.raises(InvalidRequest, match="no UTF-8 text"):
        open_dataset(folder)


def test_a_file_without_questions_is_refused(spans):
    with pytest.raises(InvalidRequest, match="holds no question"):
        open_dataset(spans(""))


@pytest.mark.parametrize(
    ("name", "lines", "says"),
    [
        ("corpus.jsonl", [{"text": "x"}], "corpus.jsonl, line 1: '_id' is missing"),
        ("corpus.jsonl", [{"_id": "a", "text": 4}], "line 1: 'text' is not a text"),
        (
            "corpus.jsonl",
            [{"_id": "a", "text": "x"}] * 2,
            "line 2: the document 'a' is there twice",
        ),
        ("corpus.jsonl", [{"_id": "a", "text": ""}], "holds no document with text"),
        ("queries.jsonl", [{"_id": "1", "text": " "}], "queries.jsonl, line 1: 'text' is empty"),
        ("queries.jsonl", [{"_id": 1, "text": "x"}] * 2, "line 2: the query '1' is there twice"),
        ("queries.jsonl", [{"_id": "x", "text": "x"}], "which "),
        ("qrels/test.tsv", ["1\td1"], "test.tsv, line 1: it has to be query-id, corpus-id"),
        ("qrels/test.tsv", ["1\td1\t1", "1\td1\tmuch"], "test.tsv, line 2: it has to be"),
        ("qrels/test.tsv", ["1 d1 1"], "separated by tabs"),
        ("qrels/test.tsv", [b"\xff\td1\t1"], "test.tsv, line 1: it is not UTF-8"),
        ("qrels/test.tsv", ["1\td1\t1", "1\td1\t2"], "two different scores"),
        ("qrels/test.tsv", ["1\td1\t0"], "names no relevant document"),
    ],
)
def test_a_malformed_beir_file_is_one_sentence(beir_folder, write, name, lines, says):
    write(f"beir/{name}", *lines)
    with pytest.raises(InvalidRequest, match=re.escape(says)) as raised:
        open_dataset(beir_folder)
    assert raised.value.remedy


def test_an_unknown_split_gives_the_known_ones(beir_folder):
    with pytest.raises(InvalidRequest, match=r"no split 'train'.*--split: dev, test"):
        open_dataset(beir_folder, "train")


def test_several_splits_without_test_have_to_be_chosen_from(beir_folder):
    (beir_folder / "qrels" / "test.tsv").rename(beir_folder / "qrels" / "train.tsv")
    with pytest.raises(InvalidRequest, match=r"several splits.*dev, train"):
        open_dataset(beir_folder)


@pytest.mark.parametrize("missing", ["queries.jsonl", "qrels"])
def test_a_part_that_is_missing_is_named(beir_folder, missing):
    (beir_folder / missing).rename(beir_folder / "other")
    with pytest.raises(InvalidRequest, match=f"{missing} is missing"):
        open_dataset(beir_folder)


def test_what_is_no_dataset_is_refused(tmp_path, span_folder):
    with pytest.raises(InvalidRequest, match="There is nothing at"):
        open_dataset(tmp_path / "nope")
    with pytest.raises(InvalidRequest, match="holds no dataset"):
        open_dataset(tmp_path)
    with pytest.raises(InvalidRequest, match="has no splits"):
        open_dataset(span_folder, "test")


def test_a_validation_set_takes_quotes_and_spans():
    lines = [
        {"question": "Q?", "document": "h/a.md", "passages": ["An exact quote"]},
        {
            "question": "R?",
            "document": "h/a.md",
            "collection": "h",
            "passages": [{"start": 2, "end": 4}],
        },
    ]
    dataset = read("\n".join(map(json.dumps, lines)).encode(), "validation.jsonl")
    first, second = dataset.questions
    assert (first.collection, first.spans) == (None, (Span(None, None, "An exact quote"),))
    assert (second.collection, second.spans) == ("h", (Span(2, 4, ""),))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "holds no question. Write lines like"),
        (b'{"question": "Q?", "passages": ["x"]}', "line 1: 'document' is missing"),
        (b'{"question": "Q?", "document": "d", "passages": [""]}', "neither start and end nor"),
        (b'\n{"question": "Q?", "document": "d"}', "line 2: 'passages' is missing"),
    ],
)
def test_a_malformed_validation_set_is_one_sentence(data, says):
    with pytest.raises(InvalidRequest, match=re.escape(says)):
        read(data, "evaluation/validation.jsonl")
