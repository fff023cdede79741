"""Cutting documents into passages."""

import dataclasses
import itertools
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rag_platform.documents.chunking import ChunkingSpec, Passage, split
from rag_platform.documents.parsing import Page, ParsedDocument, parse
from rag_platform.errors import InvalidRequest

SMALL = ChunkingSpec(max_tokens=24)


def markdown(text: str) -> ParsedDocument:
    return parse(text.encode(), "a.md")


def sentences(count: int, word: str = "duck") -> str:
    return " ".join(f"The {word} number {n} swims in the pond." for n in range(count))


def check(document: ParsedDocument, spec: ChunkingSpec, tokenizer: Tokenizer) -> list[Passage]:
    """Split, and assert all that holds for every document."""
    passages = split(document, spec, tokenizer)
    covered = 0
    for number, passage in enumerate(passages):
        assert passage.ordinal == number
        assert passage.text == document.text[passage.start : passage.end]
        assert passage.text == passage.text.strip() != ""
        tokens = tokenizer.encode(passage.text, add_special_tokens=False)
        assert passage.token_count == len(tokens) <= spec.max_tokens
        assert len(passage.text) <= 10 * spec.max_tokens
        starts = [place.start for place in passage.places]
        assert starts == sorted(set(starts))
        assert starts[0] == passage.start and starts[-1] < passage.end
        for place in passage.places:
            assert place.heading_path[: len(passage.heading_path)] == passage.heading_path
        assert not document.text[covered : passage.start].strip()
        if not spec.overlap_tokens:
            assert passage.start >= covered
        covered = max(covered, passage.end)
    assert not document.text[covered:].strip()
    return passages


@pytest.mark.parametrize("spec", [ChunkingSpec(), SMALL, ChunkingSpec(8), ChunkingSpec(40, 20)])
@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000,
        ("a" * 3_000 + " ") * 5,
        "日本語の文章です。" * 300,
        "日本語" * 1_000,
        "😀👨‍👩‍👧🏴" * 300,
        "é" * 5_000,
        "e\u0301\u0302" * 1_000,
        "1,2;" * 1_000,
        "line\n" * 1_000,
        "abcdefghij" * 9 + " " + "zyxwvutsrq" * 9,
        "a" + " " * 20_000 + "b",
        "# A\n\n" * 300,
        "# " + "very long heading " * 100 + "\n\ntext",
        "word " * 2_000,
    ],
)
def test_no_text_makes_a_passage_that_is_too_long(
    text: str, spec: ChunkingSpec, tokenizer: Tokenizer
) -> None:
    check(dataclasses.replace(markdown(text), text=text), spec, tokenizer)


WORDS = st.sampled_from(
    [
        "word",
        "Ende.",
        "1984",
        "日本語。",
        "😀",
        "naïve",
        "\n",
        "\n\n",
        "  ",
        "- item",
        "¦ a ¦ b ¦",
        "\n\n# One\n\n",
        "\n\n## Two\n\n",
        "\n\n### Three\n",
        "```\n",
        "@@@",
        "é",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(WORDS, max_size=120).map(" ".join), st.sampled_from([SMALL, ChunkingSpec(30, 10)]))
def test_passages_are_exact_and_cover_the_text(
    tokenizer: Tokenizer, text: str, spec: ChunkingSpec
) -> None:
    if text.strip():
        document = markdown(text)
        assert check(document, spec, tokenizer) == check(document, spec, tokenizer)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400))
def test_any_text_can_be_cut(tokenizer: Tokenizer, text: str) -> None:
    check(ParsedDocument(text=text), SMALL, tokenizer)


def test_sections_are_not_mixed_where_each_is_large(tokenizer: Tokenizer) -> None:
    document = markdown(f"# Ducks\n\n{sentences(14)}\n\n# Geese\n\n{sentences(14, 'goose')}\n")
    passages = check(document, ChunkingSpec(), tokenizer)
    assert [passage.heading_path for passage in passages] == [("Ducks",), ("Geese",)]


def test_small_sections_share_a_passage_under_their_common_heading(
    tokenizer: Tokenizer,
) -> None:
    sections = "\n\n".join(f"## Part {n}\n\n{sentences(2)}" for n in range(4))
    passages = check(markdown(f"# Ducks\n\n{sections}"), ChunkingSpec(), tokenizer)
    assert [passage.heading_path for passage in passages] == [("Ducks",)]


def test_a_passage_in_one_section_names_the_whole_path(tokenizer: Tokenizer) -> None:
    document = markdown(f"# Ducks\n\n## Food\n\n### Bread\n\n{sentences(60)}")
    passages = check(document, ChunkingSpec(), tokenizer)
    assert len(passages) > 1
    assert {passage.heading_path for passage in passages} == {("Ducks", "Food", "Bread")}


@pytest.mark.parametrize("words", range(100, 230, 7))
def test_a_heading_is_never_a_passage_and_never_the_end_of_one(
    tokenizer: Tokenizer, words: int
) -> None:
    text = "word " * words
    document = markdown(f"# One\n\n{text}\n\n## Two\n\n{text}\n\n## Three\n\n{text}\n\n# Four\n")
    for passage in check(document, ChunkingSpec(), tokenizer):
        assert passage.token_count > 10
        if passage.end < len(document.text):
            assert not passage.text.splitlines()[-1].startswith("#")


def test_passages_end_with_a_sentence_where_they_can(tokenizer: Tokenizer) -> None:
    document = markdown(sentences(200))
    assert all(p.text.endswith(".") for p in check(document, ChunkingSpec(), tokenizer))


def test_the_page_is_the_one_on_which_a_passage_starts(tokenizer: Tokenizer) -> None:
    first, last = sentences(30), sentences(30)
    text = f"{first}\n\n{last}"
    pages = (Page(1, 0, len(first)), Page(2, len(first), len(first)), Page(3, len(first) + 2, 9999))
    passages = check(ParsedDocument(text=text, pages=pages), ChunkingSpec(), tokenizer)
    assert [p.page for p in passages] == [1 if p.start < len(first) else 3 for p in passages]
    assert {p.page for p in passages} == {1, 3}
    assert split(ParsedDocument(text=text), SMALL, tokenizer)[0].page is None


def test_neighbours_overlap_by_the_words_that_were_asked_for(tokenizer: Tokenizer) -> None:
    passages = check(ParsedDocument(text=sentences(60)), ChunkingSpec(60, 20), tokenizer)
    for before, after in itertools.pairwise(passages):
        shared = before.text[after.start - before.start :]
        assert 10 <= len(tokenizer.encode(shared, add_special_tokens=False)) <= 20


def test_an_edit_changes_the_passages_around_it_only(tokenizer: Tokenizer) -> None:
    text = "\n\n".join(f"## Part {n}\n\n{sentences(12)} {n}" for n in range(40))
    before = {p.text for p in check(markdown(text), ChunkingSpec(), tokenizer)}
    edited = text.replace("## Part 3\n", "## Part 3\n\nA new sentence about something else.\n")
    after = {p.text for p in check(markdown(edited), ChunkingSpec(), tokenizer)}
    assert len(after - before) <= 3


def test_a_megabyte_is_cut_in_seconds(tokenizer: Tokenizer) -> None:
    text = "\n\n".join(f"## Part {n}\n\n{sentences(12)}" for n in range(2_300))
    document = markdown(text)
    started = time.monotonic()
    split(document, ChunkingSpec(), tokenizer)
    assert len(text) > 1_000_000
    assert time.monotonic() - started < 10  # 1 s on two idle cores


def test_a_spec_names_itself_and_survives_json() -> None:
    spec = ChunkingSpec(120, 10)
    assert spec.id == "structure-120-10-v2"
    assert ChunkingSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize("fields", [{"max_tokens": 4}, {"overlap_tokens": 150}, {"method": "x"}])
def test_a_spec_that_makes_no_sense_is_refused(fields: dict[str, int]) -> None:
    with pytest.raises(InvalidRequest):
        ChunkingSpec.from_dict(fields)
