"""What the queries of the ledger promise, on both databases."""

import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from rag_platform.errors import Conflict, InvalidRequest, NotFound
from rag_platform.ledger.answers import (
    Answer,
    Citation,
    find_answer,
    ratings_of,
    save_answer,
    save_rating,
)
from rag_platform.ledger.collections import ensure_collection, list_collections, next_revision
from rag_platform.ledger.digests import digest, spec_digest
from rag_platform.ledger.generations import create_generation, set_generation_state
from rag_platform.ledger.listing import list_documents
from rag_platform.ledger.serving import (
    current_serving,
    live_generations,
    start_serving,
    switch_serving,
)
from rag_platform.ledger.tables import chunks, contents
from rag_platform.ledger.transitions import announce

NAMES = [
    "A.md",
    "B.md",
    "Z.md",
    "_.md",
    "a b.md",
    "a-b.md",
    "a.md",
    "ab.md",
    "b.md",
    "Ärger.md",
    "Äpfel.md",
    "ärger.md",
    "éclair.md",
    "日本.md",
    "ﬀ.md",
    "🙂.md",
]


def _answer(answer_id: str, **members: object) -> Answer:
    values: dict = {
        "id": answer_id,
        "conversation_id": "c",
        "question": "How?",
        "answer": "So [1].",
        "status": "complete",
        "notice": None,
        "model": "extractive",
        "prompt_hash": None,
        "collections": ("handbook", "Räte"),
        "generation_id": 1,
        "settings_version": 1,
        "timings_ms": {"total": 1.5},
        "created_at": datetime.now(UTC),
    }
    return Answer(**values | members)


def _citation(n: int) -> Citation:
    return Citation(
        n, "c" * 32, "d" * 32, "handbook", "handbook/ä.md", "Ä", 3, ("A", "B"), 5, 9, "“q” 🙂", 0.5,
        {"dense": 1, "keyword": None},
    )  # fmt: skip


def test_digests_tell_parts_apart():
    assert digest("ab", "c") != digest("a", "bc") != digest("a", "b", "c")
    assert spec_digest({"a": 1, "b": 2}) == spec_digest({"b": 2, "a": 1})


def test_documents_are_listed_in_byte_order_page_by_page(ledger):
    folders = ["Räte", "handbook", "Handbook", "日本"]
    keys = [(folder, f"{folder}/{name}") for folder in folders for name in NAMES]
    with ledger.write() as connection:
        for folder in folders:
            sizes = {key: 1 for name, key in reversed(keys) if name == folder}
            collection = ensure_collection(connection, folder)
            announce(connection, collection.id, sizes, datetime.now(UTC))
    seen: list[tuple[str, str]] = []
    with ledger.read() as connection:
        while page := list_documents(
            connection, None, chunking="", after=seen[-1] if seen else None, limit=7
        ):
            seen += [(item.collection, item.key) for item in page]
        listed = [item.name for item in list_collections(connection)]
    assert seen == sorted(keys, key=lambda pair: (pair[0].encode(), pair[1].encode()))
    assert listed == sorted(folders, key=str.encode)


def test_a_collection_made_twice_at_once_is_one(ledger):
    made: list[object] = []

    def make() -> None:
        with ledger.write() as connection:
            made.append(ensure_collection(connection, "Räte").id)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len(set(made)) == 1


def test_revisions_become_visible_in_their_order(ledger):
    with ledger.write() as connection:
        collection = ensure_collection(connection, "handbook")
    order: list[int] = []

    def change() -> None:
        for _ in range(10):
            with ledger.write() as connection:
                # Appended while the row is held: the order of the list is that of the commits.
                order.append(next_revision(connection, collection.id))

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order == list(range(1, 41))


@pytest.fixture
def generations(ledger):
    """Three generations, of which the first serves."""
    spec = {"encoder": {}, "chunking": {"id": "x"}, "header": "none", "windows": [], "analysis": ""}
    with ledger.write() as connection:
        made = [create_generation(connection, spec | {"header": str(n)}) for n in range(3)]
        set_generation_state(connection, made[0].id, "verified")
        start_serving(connection, made[0].id, {"top_k": 5})
    return made


def test_of_many_switches_at_once_one_wins(ledger, generations):
    outcomes: list[str] = []
    barrier = threading.Barrier(6)

    def switch(generation_id: int) -> None:
        barrier.wait()
        try:
            with ledger.write() as connection:
                switch_serving(connection, expected_revision=1, generation_id=generation_id)
            outcomes.append("switched")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=switch, args=(generations[1 + n % 2].id,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 5 + ["switched"]
    with ledger.read() as connection:
        serving = current_serving(connection)
    assert serving is not None
    assert serving.revision == 2
    assert serving.previous == generations[0] or serving.previous.id == generations[0].id


def test_a_second_start_changes_nothing_that_serves(ledger, generations):
    with ledger.write() as connection:
        start_serving(connection, generations[2].id, {"top_k": 9})
    with ledger.read() as connection:
        serving = current_serving(connection)
    assert serving is not None
    assert (serving.generation.id, serving.settings) == (generations[0].id, {"top_k": 5})


def test_live_are_what_serves_what_served_and_what_is_built(ledger, generations):
    with ledger.write() as connection:
        switch_serving(connection, expected_revision=1, generation_id=generations[1].id)
        set_generation_state(connection, generations[0].id, "retired")
        refused = create_generation(connection, generations[0].spec)
        set_generation_state(connection, refused.id, "refused")
    with ledger.read() as connection:
        live = [generation.id for generation in live_generations(connection)]
    assert live == [generations[1].id, generations[0].id, generations[2].id]


def test_an_answer_comes_back_as_it_was_saved(ledger):
    answer = _answer("a" * 32, citations=(_citation(1), _citation(3)), notice="Räte 🙂")
    with ledger.write() as connection:
        save_answer(connection, answer)
    with ledger.read() as connection:
        assert find_answer(connection, answer.id) == answer


def test_an_unknown_answer_cannot_be_found_or_rated(ledger):
    with ledger.write() as connection:
        with pytest.raises(NotFound):
            find_answer(connection, "no such answer" * 9)
        with pytest.raises(NotFound):
            save_rating(connection, "nothing", rater="anna", rating="up")


def test_a_rating_said_twice_is_one_and_the_newest_wins(ledger):
    with ledger.write() as connection:
        save_answer(connection, _answer("a" * 32))
    for verdict, comment in (("up", ""), ("up", ""), ("down", "wrong")):
        with ledger.write() as connection:
            save_rating(
                connection, "a" * 32, rater="anna", rating=verdict, comment=comment, reasons=["r"]
            )
    with ledger.write() as connection:
        save_rating(connection, "a" * 32, rater="Anna", rating="up")
    with ledger.read() as connection:
        first, second = ratings_of(connection, "a" * 32)
    assert (first.rater, first.rating, first.comment, first.reasons) == (
        "anna", "down", "wrong", ("r",),
    )  # fmt: skip
    assert first.created_at <= first.updated_at
    assert (second.rater, second.rating) == ("Anna", "up")


def test_one_rater_at_many_places_at_once_leaves_one_rating(ledger):
    with ledger.write() as connection:
        save_answer(connection, _answer("a" * 32))
    failures: list[Exception] = []

    def rate(verdict: str) -> None:
        try:
            with ledger.write() as connection:
                save_rating(connection, "a" * 32, rater="anna", rating=verdict)
        except Exception as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=rate, args=(("up", "down")[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with ledger.read() as connection:
        assert len(ratings_of(connection, "a" * 32)) == 1


def test_a_rating_may_name_a_known_passage_only(ledger):
    content = {"id": "d" * 32, "sha256": "d" * 64, "media_type": "text/plain", "parser": "p@1"}
    chunk = {"id": "c" * 32, "content_id": "d" * 32, "chunking": "x", "ordinal": 0, "text": "t"}
    offsets = {"heading_path": [], "start": 0, "end": 1, "token_count": 1}
    with ledger.write() as connection:
        save_answer(connection, _answer("a" * 32))
        connection.execute(sa.insert(contents).values(**content, parsed_at=datetime.now(UTC)))
        connection.execute(sa.insert(chunks).values(**chunk, **offsets))
        saved = save_rating(connection, "a" * 32, rater="anna", rating="down", passage="c" * 32)
        assert saved.passage == "c" * 32
        with pytest.raises(InvalidRequest, match="no passage"):
            save_rating(connection, "a" * 32, rater="anna", rating="down", passage="e" * 40)
