"""One document at once: as a run would leave it, and proved at a cost of its own."""

import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from rag_platform.index import admission
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.documents import known_document
from rag_platform.ledger.entries import stale_collections
from rag_platform.ledger.transitions import announce, bury
from rag_platform.one_document import reconcile_document

OLD = "# Sauna\n\nThe sauna is heated on Thursdays."
NEW = "# Sauna\n\nThe sauna is heated on Sundays now."


@pytest.fixture
def upload(platform, pipeline, put):
    """Write a file and reconcile it alone, as the service does."""

    def reconcile(key, text, *, announced=True):
        put(key, text)
        revision = None
        if announced:
            with platform.ledger.write() as connection:
                found = ensure_collection(connection, key.split("/")[0])
                revision = announce(connection, found.id, {key: len(text)}, datetime.now(UTC))
        return reconcile_document(
            platform, pipeline.parser, key.split("/")[0], key, announced=revision
        )

    return reconcile


@pytest.fixture
def never_whole(monkeypatch):
    """No small collection is compared whole: what is proved is proved by the change alone."""
    monkeypatch.setattr(admission, "CHEAP", -1)


@pytest.fixture
def stale(platform, pipeline):
    def names():
        with platform.ledger.read() as connection:
            return stale_collections(connection, [g.id for g in pipeline.live()])

    return names


def left_for_a_run(pipeline, name="club"):
    """What the next run finds to do."""
    documents = pipeline.documents(name)
    return (len(documents.read), len(documents.deleted)), pipeline.index(name).added


def test_a_new_document_is_found_at_once_and_nothing_is_left_for_a_run(
    platform, pipeline, upload, put, found, stale, never_whole
):
    put("club/rules.md", "# Rules\n\nShoes are taken off at the door.")
    pipeline("club")
    report = upload("club/sauna.md", OLD)
    assert report.documents.read == ["club/sauna.md"]
    assert [index.current for index in report.indexes.values()] == [True]
    assert found("When is the sauna heated?")[0] == "club/sauna.md"
    assert stale() == []
    assert left_for_a_run(pipeline) == ((0, 0), 0)
    assert pipeline.verify().problems == []


def test_the_first_document_of_a_collection_is_proved_whole(pipeline, upload, found, stale):
    upload("club/sauna.md", OLD)
    assert found("When is the sauna heated?") == ["club/sauna.md"]
    assert stale() == []
    assert pipeline.verify().problems == []


def test_a_replaced_document_loses_its_old_text_and_its_vectors(
    pipeline, upload, put, found, stale, never_whole, platform
):
    put("club/sauna.md", OLD)
    pipeline("club")
    report = upload("club/sauna.md", NEW)
    (index,) = report.indexes.values()
    assert (index.added, index.removed, index.current) == (1, 1, True)
    assert platform.search("When is the sauna heated?").passages[0].chunk.text.endswith("now.")
    assert stale() == []
    assert pipeline.verify().problems == []


def test_a_text_that_another_document_has_keeps_its_vectors(
    pipeline, upload, put, found, stale, never_whole
):
    put("club/sauna.md", OLD)
    put("club/copy.md", OLD)
    pipeline("club")
    (index,) = upload("club/sauna.md", NEW).indexes.values()
    assert (index.added, index.removed) == (1, 0)
    assert set(found("When is the sauna heated?")) == {"club/sauna.md", "club/copy.md"}
    assert stale() == []
    assert pipeline.verify().problems == []


def test_an_unreadable_document_is_quarantined_and_its_old_text_removed(
    pipeline, upload, put, found, listed, stale, never_whole
):
    put("club/sauna.md", OLD)
    put("club/rules.md", "# Rules\n\nShoes are taken off at the door.")
    pipeline("club")
    report = upload("club/sauna.md", b"\x00\x01\x02 no text" * 50)
    assert list(report.documents.quarantined) == ["club/sauna.md"]
    assert listed()["club/sauna.md"].state == "quarantined"
    assert found("When is the sauna heated?") == ["club/rules.md"]
    assert stale() == []
    assert pipeline.verify().problems == []


def test_a_document_without_text_is_set_aside(pipeline, upload, put, listed, stale, never_whole):
    put("club/rules.md", "# Rules\n\nShoes are taken off at the door.")
    pipeline("club")
    upload("club/empty.md", "   \n")
    assert listed()["club/empty.md"].state == "quarantined"
    assert stale() == []
    assert pipeline.verify().problems == []


def test_other_uploads_that_wait_do_not_spoil_the_proof(
    platform, pipeline, upload, put, stale, never_whole
):
    put("club/rules.md", "# Rules\n\nShoes are taken off at the door.")
    pipeline("club")
    with platform.ledger.write() as connection:
        club = ensure_collection(connection, "club")
        announce(connection, club.id, {"club/later.md": 3}, datetime.now(UTC))
    (index,) = upload("club/sauna.md", OLD).indexes.values()
    assert index.current
    assert stale() == []


def test_a_deletion_that_came_between_is_left_to_a_run(
    platform, pipeline, upload, put, stale, never_whole, bucket_folder
):
    put("club/rules.md", "# Rules\n\nShoes are taken off at the door.")
    put("club/old.md", "# Old\n\nThe old bath is closed.")
    pipeline("club")
    with platform.ledger.write() as connection:
        club, document = known_document(connection, "club", "club/old.md")
        bury(connection, club, [document.id])
        announce(connection, club, {"club/old.md": 3}, datetime.now(UTC))  # it comes back, unread
    (bucket_folder / "club" / "old.md").unlink()
    (index,) = upload("club/sauna.md", OLD).indexes.values()
    assert index.published == 1
    assert not index.current
    assert stale() == ["club"]
    pipeline("club")
    assert stale() == []
    assert pipeline.verify().problems == []


def test_a_document_that_was_deleted_meanwhile_stays_deleted(platform, pipeline, upload, put):
    put("club/rules.md", "# Rules\n\nShoes are taken off at the door.")
    pipeline("club")
    assert reconcile_document(platform, pipeline.parser, "club", "club/unknown.md") is None


@pytest.mark.parametrize("whole", [True, False])
def test_the_lane_and_a_run_at_once_converge(
    platform, pipeline, stages, upload, put, found, monkeypatch, whole
):
    if not whole:
        monkeypatch.setattr(admission, "CHEAP", -1)
    put("club/rules.md", "# Rules\n\nShoes are taken off at the door.")
    pipeline("club")
    runs = stages.Pipeline(platform)
    failures: list[Exception] = []

    def run(stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                runs("club")
        except Exception as error:  # noqa: BLE001 - shown below
            failures.append(error)

    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,))
    thread.start()
    try:
        for number in range(6):
            upload(f"club/{number % 3}.md", f"# Sauna {number}\n\nSauna {number} is hot.")
    finally:
        stop.set()
        thread.join()
    assert failures == []
    pipeline("club")
    assert set(found("Which sauna is hot?", "club")) >= {f"club/{n}.md" for n in range(3)}
    assert pipeline.verify().problems == []


def test_the_work_for_one_document_reads_none_of_the_others(
    platform, pipeline, upload, put, never_whole
):
    put("club/rules.md", "# Rules\n\nShoes are taken off at the door.")
    pipeline("club")
    statements: list[str] = []
    engine = platform.ledger.engine

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_):
        statements.append(statement)

    upload("club/sauna.md", OLD)
    sa.event.remove(engine, "before_cursor_execute", note)
    assert not [s for s in statements if "UNION" in s or "EXCEPT" in s]
