"""Keyword scores are those of the textbook, current with the ledger, on both databases."""

import math
import random
from collections import Counter
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from rag_platform.index import bm25
from rag_platform.index.analysis import ANALYSIS, pack, terms
from rag_platform.index.catalogue import Catalogue
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.digests import digest
from rag_platform.ledger.documents import known_documents
from rag_platform.ledger.generations import Generation, create_generation
from rag_platform.ledger.statements import insert_ignore
from rag_platform.ledger.tables import chunk_terms, chunked_contents, chunks, contents
from rag_platform.ledger.transitions import announce, bury, publish, quarantine, set_content

WORDS = "leave weeks paid office train ticket budget report Räte model passage 休暇 🙂 x1".split()  # noqa: SIM905


def _spec(chunking: str = "whole") -> dict:
    return {
        "encoder": {"model": "none"},
        "chunking": {"id": chunking},
        "header": "none",
        "windows": [],
        "analysis": ANALYSIS,
    }


class Shelf:
    """A collection in the ledger, its documents published without vectors; a line is a chunk."""

    def __init__(self, ledger, name: str = "handbook", chunking: str = "whole") -> None:
        self.ledger = ledger
        with ledger.write() as connection:
            self.id = ensure_collection(connection, name).id
            self.generation: Generation = create_generation(connection, _spec(chunking))
        self.texts: dict[str, str] = {}

    def put(self, key: str, text: str, *, published: bool = True) -> None:
        generation, now = self.generation, datetime.now(UTC)
        content = digest(text)
        row = {"id": content, "sha256": content * 2, "media_type": "text/plain", "parser": "t@1"}
        rows, counted = [], []
        for ordinal, line in enumerate(text.split("\n")):
            chunk = digest(content, generation.chunking, ordinal)
            rows.append(
                {
                    "id": chunk,
                    "content_id": content,
                    "chunking": generation.chunking,
                    "ordinal": ordinal,
                    "text": line,
                    "heading_path": [],
                    "start": 0,
                    "end": len(line),
                    "token_count": 1,
                }
            )
            counted.append(
                {"chunk_id": chunk, "analysis": generation.analysis, "terms": pack(line)}
            )
        whole = {"content_id": content, "chunking": generation.chunking, "chunks": len(rows)}
        with self.ledger.write() as connection:
            connection.execute(insert_ignore(connection, contents), [{**row, "parsed_at": now}])
            connection.execute(insert_ignore(connection, chunks), rows)
            connection.execute(insert_ignore(connection, chunked_contents), [whole])
            connection.execute(insert_ignore(connection, chunk_terms), counted)
            announce(connection, self.id, {key: len(text)}, now)
            document = known_documents(connection, self.id)[key]
            set_content(
                connection, self.id, document.id, content_id=content, fingerprint=content, size=1
            )
            if published:
                publish(connection, self.id, [content])
        if published:
            self.texts[key] = text

    def remove(self, key: str, *, reason: str | None = None) -> None:
        with self.ledger.write() as connection:
            document = known_documents(connection, self.id)[key]
            if reason is None:
                bury(connection, self.id, [document.id])
            else:
                quarantine(connection, self.id, [document.id], reason)
        del self.texts[key]

    def index(self) -> Catalogue:
        index = Catalogue(self.generation, self.id)
        self.refresh(index)
        return index

    def refresh(self, index: Catalogue) -> None:
        with self.ledger.read() as connection:
            index.refresh(connection)

    def lines(self) -> dict[str, str]:
        """Each chunk's text by its id, equal documents once."""
        return {
            digest(digest(text), self.generation.chunking, ordinal): line
            for text in self.texts.values()
            for ordinal, line in enumerate(text.split("\n"))
        }


def search(index: Catalogue, question: str, n: int) -> list[tuple[str, float]]:
    """The best chunks with their scores."""
    ids = [chunk for segment in index.segments for chunk in segment.chunk_ids]
    scores, _ = bm25.score(index.segments, question, k1=1.2, b=0.75)
    return [(ids[row], score) for row, score in bm25.best(scores, n, ids.__getitem__)]


def textbook(question: str, lines: dict[str, str]) -> list[tuple[str, float]]:
    """BM25 (Robertson, Zaragoza 2009) with k1 = 1.2, b = 0.75 and a smoothed idf."""
    counts = {chunk: Counter(terms(line)) for chunk, line in lines.items()}
    mean = sum(sum(c.values()) for c in counts.values()) / max(len(counts), 1)
    scores: dict[str, float] = {}
    for chunk, count in counts.items():
        score = 0.0
        for term in set(terms(question)):
            n = sum(term in other for other in counts.values())
            idf = math.log(1 + (len(counts) - n + 0.5) / (n + 0.5))
            norm = 1.2 * (1 - 0.75 + 0.75 * sum(count.values()) / mean)
            score += idf * count[term] * 2.2 / (count[term] + norm)
        if score:
            scores[chunk] = score
    return sorted(scores.items(), key=lambda item: (-round(item[1], 6), item[0]))


def assert_textbook(index: Catalogue, shelf: Shelf, question: str) -> None:
    found, expected = dict(search(index, question, 1000)), dict(textbook(question, shelf.lines()))
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def shelf(ledger) -> Shelf:
    return Shelf(ledger)


def _text(chance: random.Random) -> str:
    return "\n".join(
        " ".join(chance.choices(WORDS, k=chance.randint(1, 30)))
        for _ in range(chance.randint(1, 4))
    )


def test_scores_are_those_of_the_textbook(shelf):
    chance = random.Random(7)
    for number in range(12):
        shelf.put(f"{number}.md", _text(chance))
    index = shelf.index()
    for question in (
        "paid leave",
        "leave leave leave",
        "Räte 休暇",
        "report of the budgets",
        "🙂 x1",
    ):
        assert_textbook(index, shelf, question)


def test_random_changes_keep_an_index_equal_to_a_fresh_one(shelf):
    chance = random.Random(11)
    index = shelf.index()
    for step in range(60):
        key = f"{chance.randint(0, 9)}.md"
        action = chance.random()
        if action < 0.6 or key not in shelf.texts:
            shelf.put(key, _text(chance))
        else:
            shelf.remove(key, reason=None if action < 0.9 else "unreadable")
        if chance.random() < 0.6:
            shelf.refresh(index)
            assert index.chunk_ids() == set(shelf.lines())
        if step % 15 == 14:
            shelf.refresh(index)
            fresh = shelf.index()
            for question in ("paid leave weeks", "休暇 budget", "train"):
                assert search(index, question, 50) == search(fresh, question, 50)
                assert_textbook(index, shelf, question)


def test_only_what_readers_see_counts(shelf):
    shelf.put("a.md", "parental leave")
    shelf.put("b.md", "train ticket")
    before = search(shelf.index(), "leave", 5)
    shelf.put("c.md", "leave leave leave", published=False)
    assert search(shelf.index(), "leave", 5) == before
    shelf.put("d.md", "leave of another kind")
    shelf.remove("d.md")
    assert search(shelf.index(), "leave", 5) == before


def test_another_generation_and_another_collection_change_no_scores(ledger, shelf):
    shelf.put("a.md", "parental leave")
    shelf.put("b.md", "train ticket")
    before = search(shelf.index(), "leave", 5)
    Shelf(ledger, "handbook", "other").put("a.md", "parental leave")
    Shelf(ledger, "people").put("c.md", "leave leave leave")
    assert search(shelf.index(), "leave", 5) == before


def test_ties_are_settled_by_id(shelf):
    for number in range(9):
        shelf.put(f"{number}.md", f"leave\nfiller{number}")
    shelf.put("x.md", "leave of leave")
    found = search(shelf.index(), "leave", 4)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert found == search(shelf.index(), "leave", 100)[:4]
    ids = [chunk for chunk, score in found if score == scores[-1]]
    assert ids == sorted(ids)


@pytest.mark.parametrize("question", ["", "the of and", "🙂", "?!*\"':()", "nosuchword", "\x00"])
def test_a_question_without_a_known_word_finds_nothing(shelf, question):
    shelf.put("a.md", "parental leave")
    assert search(shelf.index(), question, 5) == []


def test_syntax_of_query_languages_is_only_text(shelf):
    shelf.put("a.md", "parental leave")
    shelf.put("b.md", "train ticket")
    index = shelf.index()
    plain = search(index, "leave", 5)
    for question in ('"leave" OR 1=1', "leave*", "text:leave^9", "NEAR(leave)", "-leave"):
        assert search(index, question, 5)[0] == plain[0]


def test_an_empty_index_finds_nothing(shelf):
    index = shelf.index()
    assert search(index, "leave", 5) == []
    assert (len(index), index.chunk_ids()) == (0, set())


def test_a_content_whose_terms_come_late_is_found_once_they_are_there(ledger, shelf):
    shelf.put("a.md", "parental leave")
    with ledger.write() as connection:
        rows = connection.execute(sa.select(chunk_terms)).mappings().all()
        connection.execute(sa.delete(chunk_terms))
    index = shelf.index()
    assert index.chunk_ids() == set()
    with ledger.write() as connection:
        connection.execute(sa.insert(chunk_terms), [dict(row) for row in rows])
    shelf.refresh(index)
    assert index.chunk_ids() == set(shelf.lines())


def test_words_are_matched_whatever_their_form():
    assert terms("The Offices' RUNNING") == terms("office runs")
    assert terms("STRASSE ﬁle") == terms("straße file")
    assert terms("Räte") != terms("Rate")


def test_unspaced_scripts_are_cut_into_pairs():
    assert terms("休暇日数") == ["休暇", "暇日", "日数"]
    assert terms("休") == ["休"]
    assert terms("PCの電源") == ["pc", "の電", "電源"]


def test_any_text_can_be_packed():
    for text in ("", "\x00", "🙂" * 9, "a" * 100_000, "x " * 70_000, "\ud800"):
        assert len(pack(text)) % 10 == 0


def test_new_documents_do_not_have_the_postings_of_a_large_collection_built_again(ledger):
    shelf = Shelf(ledger)
    shelf.put("large.md", "\n".join(f"leave number {n}" for n in range(200)))
    index = shelf.index()
    (large,) = index.segments
    for n in range(40):
        shelf.put(f"{n}.md", f"train ticket w{n}")
        shelf.refresh(index)
        assert large in index.segments
        assert len(index.segments) <= 8
    assert len(index) == 240
    assert [chunk for chunk, _ in search(index, "w17", 5)] == [
        digest(digest("train ticket w17"), shelf.generation.chunking, 0)
    ]
