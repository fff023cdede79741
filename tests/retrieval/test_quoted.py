"""Quoted words are looked for side by side, and no mark breaks a search."""

import pytest

from rag_platform.retrieval.quoted import Quoted

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        ('Where is "paid in full" said?', ["paid in full"]),
        ('"One two" and (“Three, four!”)', ["one two", "three four"]),
        ("Was heißt „Urlaub auf Zeit“?", ["urlaub auf zeit"]),
        ("Que signifie « congé payé » ici ?", ["congé payé"]),
        ("「育児休暇」とは", ["育児休暇"]),
        ('"育児休暇"は何日ですか', ["育児休暇"]),
        ('What does "agile" mean?', ["agile"]),
        ('the same "twice" and "Twice"', ["twice"]),
        ("no marks at all", []),
        ('one "mark alone', []),
        ('"', []),
        ('""', []),
        ('" "', []),
        ('"!?" and "--"', []),
        ('a 5" pipe and a 6" pipe', []),
        ("it's the dogs' leave", []),
        ('three """ in a row', []),
        ('"one" "two', ["one"]),
        ("”the wrong way round“", []),
        ('""""""' * 1000, []),
        ('"a' * 5000, []),
    ],
)
def test_what_is_quoted_is_what_stands_between_two_marks(question, phrases):
    assert Quoted(question).phrases == phrases


def test_no_more_than_ten_phrases_are_looked_for():
    assert len(Quoted(" ".join(f'"phrase {n}"' for n in range(100))).phrases) == 10


@pytest.fixture
def filled(pipeline, put):
    leave = "Leave is paid. Full pay for parental leave in each year; leave is granted in full."
    put("handbook/often.md", f"# Parental leave\n\n{leave}")
    put("handbook/once.md", "# Rules\n\nSome of it, though few would expect it, is PAID in full!")
    put("handbook/title.md", "# Nothing is paid in full\n\nTrains are booked in second class.")
    put("handbook/japanese.md", "# 規則\n\n社員の育児休暇は三十日です。")
    put("handbook/emphasis.md", "# Marks\n\nThe **exact** _words_ of the *third* rule.")
    pipeline()
    return pipeline


def _keys(result) -> list[str]:
    return [passage.chunk.key.rpartition("/")[2] for passage in result.passages]


@on_sqlite
def test_a_passage_with_the_quoted_words_side_by_side_is_before_those_without(filled, platform):
    question = "Is parental leave {}paid in full{}?"
    assert _keys(platform.search(question.format("", "")))[0] == "often.md"
    for marks in ('""', "“”", "„“", "«»"):
        keys = _keys(platform.search(question.format(*marks)))
        assert set(keys[:2]) == {"once.md", "title.md"}, marks
        assert keys[2] == "often.md"


@on_sqlite
def test_what_holds_more_of_the_phrases_is_first(filled, platform):
    question = 'Does anybody say "paid in full" and "few would expect it" of parental leave?'
    assert _keys(platform.search(question))[:2] == ["once.md", "title.md"]


@on_sqlite
def test_quoted_words_are_whole_words_or_characters_of_scripts_without_spaces(filled, platform):
    assert _keys(platform.search("「育児休暇」", top_k=1)) == ["japanese.md"]
    assert _keys(platform.search('"exact words of the third rule" or leave', top_k=1)) == [
        "emphasis.md"
    ]
    plain = _keys(platform.search("Is leave paid in ful?"))
    assert _keys(platform.search('Is leave "paid in ful"?')) == plain


@on_sqlite
def test_words_that_no_passage_holds_side_by_side_change_nothing(filled, platform):
    plain = platform.search("Who grants full parental pay?")
    quoted = platform.search('Who grants "full parental pay"?')
    assert _keys(quoted) == _keys(plain)


@on_sqlite
def test_marks_without_their_other_half_are_searched_like_words(filled, platform):
    for question in ('"parental leave', 'parental leave"', "„parental leave", '" OR 1=1; --'):
        assert platform.search(question).passages, question


@on_sqlite
def test_the_quoted_words_are_found_among_many_that_hold_them_apart(platform, put, pipeline):
    for number in range(120):
        put(f"notes/{number}.md", f"The blue house {number} has a door; a blue door of the house.")
    put(
        "notes/hidden.md",
        "Much is said here of streets, towns, rivers and roads, of people who come and go, and "
        "of what they bring to market, and in the midst of it all of a house with a blue roof "
        "and the house blue door factory, which nobody has seen for many years.",
    )
    pipeline()
    question = 'Which blue door has the blue "house blue door" house?'
    assert _keys(platform.search(question, top_k=1)) == ["hidden.md"]
    assert "hidden.md" not in _keys(platform.search(question.replace('"', ""), top_k=5))


def test_quoted_words_are_found_in_the_columns_of_a_table(table_row):
    rows = [
        table_row("plain", "| Ada | 3 |", None),
        table_row("table", "| Ada | 4 |", "Keeper, wild zebra"),
    ]
    ordered = Quoted('who keeps a "wild zebra"').first(rows)
    assert [passage.chunk.key for passage in ordered] == ["table", "plain"]
