"""Places of a file, found again in the text that was made of it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_platform.documents.cleaning import clean
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing import parse
from rag_platform.evaluation.alignment import Alignment

TEXT = "# Leave\n\nParental leave lasts 26 weeks.\n\nHolidays are 27 days.\n"


def _mapped(original: str, made: str, quote: str, nth: int = 0) -> str | None:
    start = -1
    for _ in range(nth + 1):
        start = original.index(quote, start + 1)
    place = Alignment(original, made).place_of(start, start + len(quote))
    return made[slice(*place)] if place else None


def test_an_unchanged_text_keeps_its_places():
    assert Alignment(TEXT, TEXT).place_of(9, 39) == (9, 39)


def test_white_space_at_the_ends_of_a_span_is_left_out():
    assert Alignment(TEXT, TEXT).place_of(7, 41) == (9, 39)


@pytest.mark.parametrize(
    "original",
    [
        "---\ntitle: Leave\n---\n" + TEXT,
        TEXT.replace("\n", "\r\n"),
        "\ufeff" + TEXT,
        TEXT.replace("leave lasts", "leave \u200b  lasts\u00ad"),
        TEXT + "![](data:image/png;base64," + "QUJD" * 20 + ")\n",
    ],
)
def test_what_the_parser_of_markdown_makes_is_followed(original):
    made = parse(original.encode(), "leave.md").text
    assert _mapped(original, made, "Holidays are 27 days.") == "Holidays are 27 days."


def test_composed_and_decomposed_letters_are_the_same():
    original = unicodedata.normalize("NFD", "Die Räte tagen. Übergröße fällt auf.")
    made = unicodedata.normalize("NFC", original)
    quote = unicodedata.normalize("NFD", "Übergröße fällt")
    assert _mapped(original, made, quote) == "Übergröße fällt"


def test_of_several_equal_places_the_same_one_is_meant():
    original = "\n".join(f"Row {n}: yes indeed." for n in range(5)) + " <b>x</b>"
    made = original.replace("<b>x</b>", "")
    alignment = Alignment(original, made)
    start = [i for i in range(len(original)) if original.startswith("yes indeed.", i)][3]
    assert alignment.place_of(start, start + 11)[0] == start


def test_a_span_in_which_something_was_changed_is_found_by_the_rest():
    original = (
        "Before. " + "The office [opens](http://example.org/long/link) at nine o'clock. " + "x"
    )
    made = "Before. " + "The office opens at nine o'clock sharp. " + "y"
    quote = "The office [opens](http://example.org/long/link) at nine o'clock."
    words = "The quick brown fox jumps over the lazy dog and then it sleeps for a while. "
    original, made = words * 1 + original, words * 1 + made
    found = _mapped(original, made, words + "Before. " + quote)
    assert found is not None
    assert found.startswith("The quick brown fox")
    assert found.endswith("at nine o'clock")


def test_what_was_left_out_is_not_found():
    original = "---\nauthor: A very long name of an author\n---\nThe text itself is here."
    made = "The text itself is here."
    assert _mapped(original, made, "A very long name of an author") is None
    assert _mapped(original, "Something else altogether, and longer.", "The text itself") is None


def test_white_space_alone_is_nowhere():
    assert Alignment(TEXT, TEXT).place_of(7, 9) is None
    assert Alignment(TEXT, TEXT).place_of_quote(" \n") is None
    assert Alignment("", "").place_of(0, 5) is None


def test_a_quote_is_found_whatever_its_blanks():
    alignment = Alignment(TEXT, TEXT)
    assert alignment.place_of_quote("Parental  leave\nlasts 26 weeks.") == (9, 39)
    assert alignment.place_of_quote("Parental leave lasts 52 years.") is None


@given(
    st.lists(st.text("abé\u0301\u200bﬁ Ä\n\t日", min_size=1, max_size=12), min_size=1, max_size=6),
    st.data(),
)
def test_a_cleaned_text_holds_the_same_characters_at_the_place(parts, data):
    original = "".join(parts)
    made = clean(ParsedDocument(text=original, media_type="text/markdown")).text
    start = data.draw(st.integers(0, len(original) - 1))
    end = data.draw(st.integers(start + 1, len(original)))

    def meaning(text: str) -> str:
        return "".join(
            c for c in unicodedata.normalize("NFKD", text) if c.isalpha() and c != "\u200b"
        )

    place = Alignment(original, made).place_of(start, end)
    if not meaning(original[start:end]):
        assert place is None
    else:
        assert place is not None
        assert meaning(made[slice(*place)]) == meaning(original[start:end])
