"""A passage is understood alone, and what two passages share is said once."""

from rag_platform.chat.language_models.extractive import _candidates
from rag_platform.chat.prompt import question_with_passages
from rag_platform.ledger.passages import Chunk
from rag_platform.ledger.places import Place
from rag_platform.retrieval.passages import Passage


def passage(
    number: int,
    text: str,
    *headings: str,
    places: tuple[Place, ...] = (),
    table_columns: str | None = None,
) -> Passage:
    place = ("c", "c/a.md", "A", None, headings, 0, len(text), text, places, table_columns)
    return Passage(Chunk(f"{number:032x}", "0" * 32, *place), 1.0, 0.9, 1, 1)


def test_a_language_model_is_told_the_headings_and_columns_of_a_passage():
    rows = passage(1, "| tea | 2 |", "Prices", table_columns="Product | Euros")
    told = question_with_passages("How much?", [rows])
    assert "section='Prices' columns='Product | Euros'>" in told


def test_a_language_model_is_told_the_section_that_a_passage_goes_on_with():
    text = "It costs two euros.\n\n## Coffee\n\nIt costs three euros."
    sections = (("Prices", "Tea"), ("Prices", "Coffee"))
    starts = (0, text.index("#"))
    places = [Place(start, None, path) for start, path in zip(starts, sections, strict=True)]
    told = question_with_passages("How much?", [passage(1, text, "Prices", places=(*places,))])
    assert "section='Prices > Tea'>" in told


def test_a_passage_without_headings_names_no_section():
    assert "section" not in question_with_passages("How much?", [passage(1, "Tea costs 2.")])


def test_a_sentence_of_two_overlapping_passages_is_offered_once():
    first = passage(1, "Tea costs two euros a cup. Coffee costs three euros a cup.")
    second = passage(2, "Coffee costs three euros a cup. Water costs nothing at all.")
    texts = [candidate.text for candidate in _candidates([first, second])]
    assert texts == [
        "Tea costs two euros a cup.",
        "Coffee costs three euros a cup.",
        "Water costs nothing at all.",
    ]
