"""Which page and which headings each part of a passage stands under."""

import json
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rag_platform.documents.chunking import ChunkingSpec, Passage, split
from rag_platform.documents.heading_paths import paths_of
from rag_platform.documents.parsed import Heading, Page, ParsedDocument
from rag_platform.documents.parsing import parse
from rag_platform.ledger.places import Place, at, common_path, most_of, packed, unpacked


def cut(text: str, tokenizer: Tokenizer, *pages: Page) -> list[Passage]:
    document = parse(text.encode(), "a.md")
    assert document.text == text
    return split(
        ParsedDocument(text, headings=document.headings, pages=pages), ChunkingSpec(), tokenizer
    )


def test_each_small_section_of_a_passage_is_a_place(tokenizer: Tokenizer) -> None:
    text = "# Ducks\n\n## Food\n\nBread.\n\n## Ponds\n\nThey swim."
    (passage,) = cut(text, tokenizer)
    assert passage.heading_path == ("Ducks",)
    assert passage.places == (
        Place(0, None, ("Ducks", "Food")),
        Place(text.index("## Ponds"), None, ("Ducks", "Ponds")),
    )


def test_the_place_of_words_is_that_of_the_heading_above_them(tokenizer: Tokenizer) -> None:
    text = "# Birds\n\nBefore.\n\n## Ducks\n\nThey swim.\n\n## Geese\n\nThey fly."
    (passage,) = cut(text, tokenizer)
    found = {
        word: at(passage.places, text.index(word)).heading_path
        for word in ("Before", "They swim", "They fly")
    }
    assert found == {
        "Before": ("Birds",),
        "They swim": ("Birds", "Ducks"),
        "They fly": ("Birds", "Geese"),
    }


def test_a_passage_over_the_end_of_a_page_knows_both_pages(tokenizer: Tokenizer) -> None:
    text = "# Ducks\n\nThey swim.\n\nThey quack."
    turn = text.index("They quack")
    (passage,) = cut(text, tokenizer, Page(7, 0, turn), Page(8, turn, len(text)))
    assert passage.page == 7
    assert at(passage.places, text.index("swim")).page == 7
    assert at(passage.places, text.index("quack")) == Place(turn, 8, ("Ducks",))


def test_a_passage_of_one_section_has_one_place(tokenizer: Tokenizer) -> None:
    (passage,) = cut("# Ducks\n\n## Food\n\nBread.", tokenizer)
    assert passage.places == (Place(0, None, ("Ducks", "Food")),)
    assert packed(passage.places, passage.heading_path) is None


def test_most_of_a_text_decides_between_sections() -> None:
    places = [Place(0, 1, ("A",)), Place(10, 1, ("B",)), Place(15, 2, ("B",)), Place(21, 2, ())]
    assert most_of(places, 25) == ("B",)
    assert most_of(places[:2], 20) == ("A",)


def test_a_heading_of_a_thousand_words_is_shortened_in_every_path() -> None:
    (path,) = paths_of((Heading(1, "word " * 1000, 0),))
    assert len(path[0]) <= 300
    assert path[0].endswith("word…")


def test_what_is_above_many_sections_is_stored_once() -> None:
    places = [Place(n, None, ("x" * 300, "y" * 300, str(n))) for n in range(100)]
    stored = packed([*places, Place(100, None, ("z",))], ())
    assert len(json.dumps(stored)) < 5_000


PATHS = st.lists(st.sampled_from("abc"), max_size=4).map(tuple)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.none() | st.integers(1, 3), PATHS), min_size=2, max_size=8))
def test_stored_places_come_back(rows: list[tuple[int | None, tuple[str, ...]]]) -> None:
    places = [Place(start, page, path) for start, (page, path) in enumerate(rows)]
    shared = common_path(places)
    stored = json.loads(json.dumps(packed(places, shared)))
    assert list(unpacked(stored, shared)) == places


LINES = st.sampled_from(["# A", "## B", "## C", "### D", "", "The ducks swim.", "They fly south."])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, min_size=1, max_size=30), st.sampled_from([8, 16, 40, 200]))
def test_every_sentence_stands_under_the_last_heading_before_it(
    tokenizer: Tokenizer, lines: list[str], max_tokens: int
) -> None:
    document = parse("\n".join([*lines, "Geese."]).encode(), "a.md")
    paths = dict(
        zip([h.start for h in document.headings], paths_of(document.headings), strict=True)
    )
    for passage in split(document, ChunkingSpec(max_tokens), tokenizer):
        for match in re.finditer(r"^\w", passage.text, re.MULTILINE):
            offset = passage.start + match.start()
            above = [path for start, path in paths.items() if start <= offset]
            assert at(passage.places, offset).heading_path == (above[-1] if above else ())
