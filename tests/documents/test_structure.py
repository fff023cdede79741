"""What belongs together stays together: tables, code, items of lists."""

import itertools
import random
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rag_platform.documents.chunking import ChunkingSpec, Passage, split
from rag_platform.documents.parsed import Heading, Page, ParsedDocument
from rag_platform.documents.parsing import parse
from rag_platform.documents.parsing.tables import markdown_table
from rag_platform.documents.structure import structure_of

SPEC = ChunkingSpec()


def markdown(text: str) -> ParsedDocument:
    return parse(text.encode(), "a.md")


def sentences(count: int, word: str = "duck") -> str:
    return " ".join(f"The {word} number {n} swims in the pond." for n in range(count))


def table(rows: int, words: int = 1) -> str:
    body = [[f"item {n}", "costs " * words + str(n), f"{n} pieces"] for n in range(rows)]
    return markdown_table([["Product", "Price", "Stock"], *body])


def cut(text: str, tokenizer: Tokenizer, spec: ChunkingSpec = SPEC) -> list[Passage]:
    document = markdown(text)
    passages = split(document, spec, tokenizer)
    for passage in passages:
        assert passage.text == document.text[passage.start : passage.end]
        assert passage.token_count <= spec.max_tokens
    return passages


@pytest.mark.parametrize("before", range(0, 40, 3))
def test_a_table_that_fits_is_never_cut(tokenizer: Tokenizer, before: int) -> None:
    whole = table(10)
    text = f"# Prices\n\n{sentences(before)}\n\n{whole}\n\n{sentences(12)}"
    assert any(whole in passage.text for passage in cut(text, tokenizer))


def test_a_long_table_is_cut_between_rows(tokenizer: Tokenizer) -> None:
    whole = table(120)
    passages = cut(f"# Prices\n\n{whole}", tokenizer)
    assert len(passages) > 5
    for passage in passages:
        for line in passage.text.splitlines():
            assert line in ("", "# Prices") or line in whole.splitlines()


def test_each_further_piece_of_a_table_names_its_columns(tokenizer: Tokenizer) -> None:
    first, *further = cut(f"# Prices\n\n{table(120)}\n\n## After\n\n{sentences(40)}", tokenizer)
    assert first.heading_path == ("Prices",)
    assert "| Product | Price | Stock |" in first.text
    pieces = [passage for passage in further if passage.text.startswith("| item")]
    assert len(pieces) > 5
    for passage in pieces:
        assert passage.heading_path == ("Prices",)
        assert passage.table_columns == "Product | Price | Stock"
    assert further[-1].heading_path == ("Prices", "After")
    assert first.table_columns is None and further[-1].table_columns is None


def test_the_head_of_a_long_table_stays_with_its_first_row(tokenizer: Tokenizer) -> None:
    for before in range(0, 30, 2):
        for passage in cut(f"{sentences(before)}\n\n{table(120)}", tokenizer):
            if "| --- |" in passage.text:
                assert "| Product |" in passage.text
                assert "| item 0 |" in passage.text


def test_a_long_row_is_kept_whole_where_it_fits(tokenizer: Tokenizer) -> None:
    whole = table(12, words=120)
    rows = set(whole.splitlines())
    for passage in cut(whole, tokenizer):
        assert set(passage.text.splitlines()) <= rows


def test_the_names_of_many_columns_are_bounded(tokenizer: Tokenizer) -> None:
    rows = [[f"column number {n}" for n in range(90)]] * 3
    for passage in cut(markdown_table(rows), tokenizer):
        assert len(passage.table_columns or "") <= 200


@pytest.mark.parametrize("before", range(0, 40, 3))
@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_fenced_code_that_fits_is_never_cut(tokenizer: Tokenizer, before: int, fence: str) -> None:
    lines = "\n\n".join(f"value_{n} = compute(value_{n - 1})  # Step. Then" for n in range(7))
    code = f"{fence}python\n{lines}\n{fence}"
    text = f"# Code\n\n{sentences(before)}\n\n{code}\n\n{sentences(12)}"
    assert any(code in passage.text for passage in cut(text, tokenizer))


def test_long_code_is_cut_between_lines(tokenizer: Tokenizer) -> None:
    lines = [f"    value_{n} = compute(value_{n - 1})  # Step. Then" for n in range(80)]
    code = "\n".join(["```", *lines, "```"])
    for passage in cut(code, tokenizer):
        assert {line.strip() for line in passage.text.splitlines()} <= {
            line.strip() for line in code.splitlines()
        }


@pytest.mark.parametrize("before", range(0, 40, 3))
def test_an_item_that_fits_is_never_cut(tokenizer: Tokenizer, before: int) -> None:
    items = [f"- {sentences(6, word)}" for word in ("duck", "goose", "swan", "heron")]
    passages = cut(f"{sentences(before)}\n\n" + "\n".join(items), tokenizer)
    for item in items:
        assert any(item in passage.text for passage in passages)


def test_definitions_of_source_code_are_not_cut_where_they_fit(tokenizer: Tokenizer) -> None:
    functions = [
        f"def function_{n}(value):\n    first = value + {n}\n\n    second = first * {n}\n"
        f"    # Then. And so on.\n    return second - {n}\n\n\n"
        for n in range(30)
    ]
    text = "".join(functions)
    headings = tuple(
        Heading(1, f"def {found[1]}", found.start())
        for found in re.finditer(r"^def (\w+)", text, re.MULTILINE)
    )
    document = ParsedDocument(text=text, headings=headings, parser="source_code@1")
    passages = split(document, SPEC, tokenizer)
    for function in functions:
        assert any(function.strip() in passage.text for passage in passages)


def test_prose_with_bars_and_dashes_is_no_table() -> None:
    assert structure_of(ParsedDocument(text="a | b\nc | d\n\n---\n\nx - y | z")).tables == []


def test_a_fence_that_never_closes_is_no_code() -> None:
    assert structure_of(ParsedDocument(text="```\nthis goes on\n\nfor ever")).whole == []


def test_an_overlap_is_whole_sentences(tokenizer: Tokenizer) -> None:
    passages = cut(sentences(80), tokenizer, ChunkingSpec(100, 30))
    for before, after in itertools.pairwise(passages):
        shared = before.text[after.start - before.start :]
        assert shared.startswith("The duck") and shared.endswith("pond.")
        assert len(tokenizer.encode(shared, add_special_tokens=False)) <= 30
        assert after.start > before.start


def test_an_overlap_never_reaches_over_a_heading(tokenizer: Tokenizer) -> None:
    text = f"# Ducks\n\n{sentences(14)}\n\n# Geese\n\n{sentences(14, 'goose')}\n"
    first, second = cut(text, tokenizer, ChunkingSpec(200, 40))
    assert first.end <= second.start
    assert second.heading_path == ("Geese",)


PIECES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "\n\n# Heading\n\n",
            "\n\n## Of the second level\n\n",
            "\n\n| a | b |\n| --- | --- |\n",
            "| one | two |\n",
            f"| {'long ' * 40} | x |\n",
            "\n\n```\n",
            "x = y\n",
            "    z = 1\n",
            "- an item of a list\n",
            "1. another. With two sentences.\n",
            "\n\n",
            "A sentence of some words. ",
            "日本語の文章です。" * 5,
            "👨‍👩‍👧🏴😀" * 8,
            "e\u0301\u0302" * 20,
            "Donaudampfschifffahrtsgesellschaft" * 8,
            "word " * 30,
            "\u200b\ufeff\u0000",
        ]
    ),
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(PIECES, max_size=40).map("".join),
    st.sampled_from([ChunkingSpec(24), ChunkingSpec(60, 20), ChunkingSpec(), ChunkingSpec(254)]),
    st.sampled_from(["", "source_code@1"]),
    st.lists(st.floats(0, 1), max_size=3),
)
def test_whatever_the_text_passages_are_exact_complete_and_fit(
    tokenizer: Tokenizer,
    text: str,
    spec: ChunkingSpec,
    parser: str,
    breaks: list[float],
) -> None:
    places = [0, *sorted(int(share * len(text)) for share in breaks), len(text)]
    pages = tuple(
        Page(n, start, end) for n, (start, end) in enumerate(itertools.pairwise(places), start=1)
    )
    headings = tuple(
        Heading(len(found[1]), found[2], found.start(1))
        for found in re.finditer(r"^(#{1,2}) (.+)$", text, re.MULTILINE)
    )
    document = ParsedDocument(text=text, pages=pages, headings=headings, parser=parser)
    passages = split(document, spec, tokenizer)
    assert passages == split(document, spec, tokenizer)
    covered = 0
    for passage in passages:
        assert passage.text == text[passage.start : passage.end]
        counted = len(tokenizer.encode(passage.text, add_special_tokens=False))
        assert counted == passage.token_count <= spec.max_tokens
        assert not text[covered : passage.start].strip()
        assert passage.end > covered
        covered = passage.end
        page = max((p for p in pages if p.start <= passage.start), key=lambda p: p.number)
        assert passage.page == page.number
    assert not text[covered:].strip()


def _seconds(text: str, tokenizer: Tokenizer) -> float:
    """The least of three: whatever else the machine does can only add to it."""
    laps: list[float] = []
    for _ in range(3):
        started = time.process_time()
        split(ParsedDocument(text=text), SPEC, tokenizer)
        laps.append(time.process_time() - started)
    return min(laps)


@pytest.mark.parametrize(
    "piece",
    [
        "- a\n",
        "| a | b |\n",
        "```python\n",
        "~~~\n\n",
        "a\n\n",
        "word ",
        "日",
        "x",
        "| --- | --- |\n",
        "a | b\n|-|-|\n",
        "1. One. Two. Three.\n",
    ],
)
def test_four_times_the_text_takes_about_four_times_as_long(
    tokenizer: Tokenizer, piece: str
) -> None:
    """Processor time; a quadratic part would take sixteen times."""
    small = "".join(random.Random(1).choices([piece, piece + " "], k=80_000 // len(piece)))
    assert _seconds(4 * small, tokenizer) < 9 * max(_seconds(small, tokenizer), 0.05)
