"""What repeats itself without end is kept once; what only looks alike is kept whole."""

import pytest

from rag_platform.documents.parsing import parse
from rag_platform.documents.repetition import NOTE
from rag_platform.errors import UnreadableDocument


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
@pytest.mark.parametrize("character", ["a", "[", ">", "> "])
def test_one_character_without_end_is_refused(name: str, character: str) -> None:
    with pytest.raises(UnreadableDocument, match=r"holds nothing but “.”, repeated [\d,]{6,} "):
        parse(character.encode() * 120_000, name)


def test_one_word_on_every_line_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="nothing but “junk”, repeated 100,000 times"):
        parse(b"junk\n" * 100_001, "a.txt")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.py", "a.csv"])
def test_a_line_without_end_is_kept_once_between_what_stands_around_it(name: str) -> None:
    text = "The beginning\n" + "The same line again\n" * 50_000 + "The end"
    document = parse(text.encode(), name)
    assert document.text.count("The same line again") == 1
    assert "The beginning" in document.text
    assert "The end" in document.text
    assert document.notes == (NOTE,)


def test_equal_paragraphs_of_a_page_are_kept_once() -> None:
    page = "<html><body><h1>Title</h1>" + "<p>The same paragraph.</p>" * 20_000 + "<p>End.</p>"
    document = parse(page.encode(), "a.html")
    assert document.text == "# Title\n\nThe same paragraph.\n\nEnd."
    assert document.notes == (NOTE,)


def test_a_csv_of_equal_rows_behind_an_open_quote_is_kept_once() -> None:
    table = 'name,text\n1,"never closed\n' + "1,row\n" * 50_000
    document = parse(table.encode(), "a.csv")
    assert document.text == 'name: 1; text: "never closed\nname: 1; text: row'
    assert document.notes == (NOTE,)


def test_several_repetitions_in_one_text_are_each_kept_once() -> None:
    parts = [f"Section {n}\n" + f"Line of section {n}\n" * 5000 for n in range(3)]
    document = parse("".join(parts).encode(), "a.txt")
    assert [line for line in document.text.split("\n") if line.startswith("Section")] == [
        "Section 0",
        "Section 1",
        "Section 2",
    ]
    assert len(document.text) < 200


def test_a_long_period_that_holds_a_short_one_is_found() -> None:
    text = ("cell; " * 300 + "end of the row\n") * 500
    assert len(parse(text.encode(), "a.txt").text) < 4000


def test_headings_and_what_follows_keep_their_places() -> None:
    text = "# First\n\n" + "# Same\n\nText.\n\n" * 20_000 + "# Last\n\nThe end."
    document = parse(text.encode(), "a.md")
    assert [heading.title for heading in document.headings] == ["First", "Same", "Last"]
    for heading in document.headings:
        assert document.text[heading.start :].startswith(f"# {heading.title}\n")


def test_a_long_log_is_kept_whole() -> None:
    log = "\n".join(f"2026-11-21 10:00:00 INFO request {n} GET /ducks 200" for n in range(20_000))
    document = parse(log.encode(), "a.txt")
    assert document.text == log
    assert document.notes == ()


def test_a_table_of_mostly_equal_cells_is_kept_whole() -> None:
    table = "id,a,b,c\n" + "".join(f"{n},0,0,ok\n" for n in range(20_000))
    document = parse(table.encode(), "a.csv")
    assert document.text.count("\n") == 19_999
    assert document.notes == ()


def test_a_thousand_equal_lines_are_kept_whole() -> None:
    text = "\n".join(["Nothing to report"] * 1000)
    assert parse(text.encode(), "a.txt").text == text
