"""Filters are decided by the ledger, and narrow ones find what wide ones find."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from rag_platform.ledger.filters import Filters, as_spelled
from rag_platform.ledger.tables import contents
from rag_platform.retrieval import dense
from rag_platform.retrieval.settings import RetrievalSettings

ANIMALS = ("heron", "eel", "bee", "mole", "lynx", "crow", "toad", "newt", "hare", "wren")


@pytest.fixture
def zoo(pipeline, put, platform):
    """Ten animals in two formats and folders; the even ones are French, of Ada, and of 2020."""
    for number, animal in enumerate(ANIMALS):
        folder, suffix = ("wild", "md") if number < 4 else ("tame", "txt")
        put(f"zoo/{folder}/{animal}.{suffix}", f"The {animal} costs {number} coins a day.")
    pipeline()
    with platform.ledger.write() as connection:
        rows = connection.execute(sa.select(contents.c.id, contents.c.media_type)).all()
        assert len(rows) == len(ANIMALS)
        for number, animal in enumerate(ANIMALS):
            connection.execute(
                sa.update(contents)
                .where(contents.c.id == _content(connection, animal))
                .values(
                    author=None if number % 2 else "Ada",
                    language="en" if number % 2 else "fr",
                    modified_at=None if number % 2 else datetime(2020, 1, 31, 23, 59, tzinfo=UTC),
                )
            )
    return platform


def _content(connection, animal: str) -> str:
    from rag_platform.ledger.tables import documents

    return connection.execute(
        sa.select(documents.c.content_id).where(documents.c.key.contains(f"/{animal}."))
    ).scalar_one()


def _animals(result) -> set[str]:
    return {p.chunk.key.rsplit("/", 1)[1].split(".")[0] for p in result.passages}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), set(ANIMALS)),
        (Filters(key_prefix="zoo/wild/"), set(ANIMALS[:4])),
        (Filters(key_prefix="zoo/w"), set(ANIMALS[:4])),
        (Filters(key_prefix="zoo/%"), set()),
        (Filters(media_types=("text/markdown",)), set(ANIMALS[:4])),
        (Filters(media_types=("text/markdown", "text/plain")), set(ANIMALS)),
        (Filters(authors=("Ada",)), set(ANIMALS[::2])),
        (Filters(languages=("en",)), set(ANIMALS[1::2])),
        (Filters(until=date(2020, 1, 31)), set(ANIMALS[::2])),
        (Filters(until=date(2020, 1, 30)), set()),
        (Filters(since=date(2020, 1, 31), until=date(2020, 1, 31)), set(ANIMALS[::2])),
        (Filters(since=date(2020, 2, 1)), set(ANIMALS[1::2])),
        (Filters(key_prefix="zoo/wild/", authors=("Ada",)), {"heron", "bee"}),
        (Filters(authors=("nobody",)), set()),
        (Filters(authors=("ADA",)), set(ANIMALS[::2])),
        (Filters(key_prefix="zoo/wild/", authors=("ada", "nobody")), {"heron", "bee"}),
    ],
)
def test_only_documents_that_pass_are_found(zoo, filters, expected):
    result = zoo.search("How many coins does the animal cost?", ["zoo"], 50, filters=filters)
    assert _animals(result) == expected


def test_a_document_of_unknown_language_passes_a_filter_of_languages(zoo):
    with zoo.ledger.write() as connection:
        note = contents.c.id == _content(connection, "heron")
        connection.execute(sa.update(contents).where(note).values(language=None))
    filters = Filters(languages=("en",))
    result = zoo.search("How many coins does the animal cost?", ["zoo"], 50, filters=filters)
    assert _animals(result) == {"heron", *ANIMALS[1::2]}


@pytest.mark.parametrize(
    ("asked", "spelled"),
    [
        (("åsa räty",), {"Åsa Räty", "ÅSA RÄTY"}),
        (("ÅSA  RA\u0308TY ",), {"Åsa Räty", "ÅSA RÄTY"}),
        (("STRASSE", "ανδρέασ"), {"Straße", "Ανδρέας"}),
        (("İpek",), {"İPEK"}),
        (("Asa Raty",), {"Asa Raty"}),
        (("Åsa",), {"Åsa"}),
        ((), set()),
    ],
)
def test_authors_are_found_in_any_case_on_both_databases(ledger, asked, spelled):
    now = datetime.now(UTC)
    names = ["Åsa Räty", "ÅSA RÄTY", "Straße", "Ανδρέας", "İPEK", None]
    rows = [
        {"id": f"{n:032}", "sha256": "0", "media_type": "a/b", "parser": "p@1", "parsed_at": now}
        | {"author": name}
        for n, name in enumerate(names)
    ]
    with ledger.write() as connection:
        connection.execute(sa.insert(contents), rows)
    with ledger.read() as connection:
        found = as_spelled(connection, Filters(key_prefix="x", authors=asked))
    assert (found.key_prefix, set(found.authors)) == ("x", spelled)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_scanning_and_asking_for_more_give_the_same(zoo, monkeypatch):
    filters = Filters(authors=("Ada",))
    for question in ("What does the hare cost?", "bird", "eel heron", "a day"):
        found = []
        for scanned in (0, 2000):
            monkeypatch.setattr(dense, "_SCANNED", scanned)
            monkeypatch.setattr(dense, "_MOST", 5000 if scanned else 10**9)
            zoo.search._known.clear()
            found.append(zoo.search(question, ["zoo"], 3, filters=filters).passages)
        one, other = found
        assert [p.chunk.id for p in one] == [p.chunk.id for p in other]
        assert [p.similarity for p in one] == pytest.approx([p.similarity for p in other], abs=1e-5)
        assert [(p.dense_rank, p.keyword_rank) for p in one] == [
            (p.dense_rank, p.keyword_rank) for p in other
        ]


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_the_same_bytes_are_cited_from_the_document_that_passes(zoo, put, pipeline):
    put("zoo/also/heron.md", "The heron costs 0 coins a day.")
    pipeline()
    result = zoo.search("heron", ["zoo"], filters=Filters(key_prefix="zoo/wild/"))
    assert result.passages[0].chunk.key == "zoo/wild/heron.md"
    result = zoo.search("heron", ["zoo"], filters=Filters(key_prefix="zoo/also/"))
    assert [p.chunk.key for p in result.passages] == ["zoo/also/heron.md"]


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_filter_does_not_change_how_much_a_word_counts(zoo):
    whole = zoo.search("heron coins", ["zoo"], 50)
    narrow = zoo.search("heron coins", ["zoo"], 50, filters=Filters(authors=("Ada",)))
    assert narrow.passages[0].chunk.id == whole.passages[0].chunk.id
    assert narrow.passages[0].keyword_rank == whole.passages[0].keyword_rank == 1


@given(st.dates(), st.dates())
def test_any_two_days_are_a_filter(since, until):
    try:
        Filters(since=since, until=until).conditions()
    except OverflowError:
        assert until == date.max


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_filter_that_lets_none_of_the_nearest_pass_finds_what_lies_behind(zoo, monkeypatch):
    few = replace(RetrievalSettings(), candidates=2)
    question, filters = "eel mole crow newt wren", Filters(authors=("Ada",))
    scanned = zoo.search(question, ["zoo"], 2, filters=filters, settings=few)
    monkeypatch.setattr(dense, "_SCANNED", 0)
    monkeypatch.setattr(dense, "_MOST", 4)
    zoo.search._known.clear()
    asked = zoo.search(question, ["zoo"], 2, filters=filters, settings=few)
    assert [p.chunk.id for p in asked.passages] == [p.chunk.id for p in scanned.passages]
    assert len(asked.passages) == 2
