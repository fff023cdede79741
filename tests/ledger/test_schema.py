"""Migrations and the rules of the connection, on both databases."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from rag_platform.errors import LedgerUnavailable, SettingsError
from rag_platform.ledger import Ledger, migrate
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.tables import collections, metadata


def _in_threads(*works) -> list[object]:
    """Run all at once; returns their results, an exception as itself."""
    barrier = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = works[place]()
        except Exception as error:  # noqa: BLE001 - it is the result
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_migrated_schema_is_the_one_of_the_tables(ledger):
    with ledger.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(ledger):
    with ledger.write() as connection:
        ensure_collection(connection, "handbook")
    assert migrate(ledger) == migrate(ledger)
    with ledger.read() as connection:
        assert connection.execute(sa.select(collections.c.name)).scalars().all() == ["handbook"]


def test_two_migrations_at_once_make_one_schema(ledger_url):
    ledgers = [Ledger(ledger_url) for _ in range(2)]
    first, second = _in_threads(*(lambda ledger=ledger: migrate(ledger) for ledger in ledgers))
    assert first == second
    assert isinstance(first, str)
    for ledger in ledgers:
        ledger.close()


def test_a_new_sqlite_ledger_can_be_opened_by_many_at_once(tmp_path):
    for number in range(40):
        ledgers = [Ledger(f"sqlite:///{tmp_path / str(number)}.db") for _ in range(4)]

        def mode(ledger: Ledger) -> object:
            with ledger.read() as connection:
                return connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()

        assert (
            _in_threads(*(lambda ledger=ledger: mode(ledger) for ledger in ledgers)) == ["wal"] * 4
        )
        for ledger in ledgers:
            ledger.close()


def test_a_newer_schema_is_refused_in_a_sentence(ledger):
    with ledger.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerUnavailable, match=r"\(9999\) is newer than this version"):
        migrate(ledger)


def test_an_empty_ledger_says_how_to_start(ledger_url):
    ledger = Ledger(ledger_url)
    with pytest.raises(LedgerUnavailable, match="make up"):
        ledger.require_schema()
    ledger.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://anna:s3cret@host/database",
        "postgresql://anna:s3cret@host:port/database",
        "anna:s3cret",
        "",
        "://s3cret",
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(url):
    with pytest.raises(SettingsError, match="RAG_LEDGER_URL") as caught:
        Ledger(url)
    assert "s3cret" not in str(caught.value)


def test_a_database_that_is_away_is_named_without_its_password(free_port):
    ledger = Ledger(f"postgresql://anna:s3cret@127.0.0.1:{free_port()}/ledger")
    with pytest.raises(LedgerUnavailable, match="does not answer") as caught, ledger.read():
        pass
    assert "s3cret" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerUnavailable, match="cannot be made"):
        Ledger(f"sqlite:///{tmp_path}/file/ledger.db")


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "ledger.db").write_text("not a database" * 100)
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    with pytest.raises(LedgerUnavailable, match=r"ledger\.db"):
        migrate(ledger)
    ledger.close()


def test_writers_that_read_first_wait_for_each_other(ledger):
    def count_up() -> None:
        for _ in range(10):
            with ledger.write() as connection:
                query = sa.select(collections.c.revision).with_for_update()
                now = connection.execute(query).scalar_one()
                connection.execute(sa.update(collections).values(revision=now + 1))

    with ledger.write() as connection:
        ensure_collection(connection, "handbook")
    assert _in_threads(*[count_up] * 6) == [None] * 6
    with ledger.read() as connection:
        assert connection.execute(sa.select(collections.c.revision)).scalar_one() == 60


def test_a_reader_sees_one_state_while_others_write(ledger):
    with ledger.read() as connection:
        query = sa.select(sa.func.count()).select_from(collections)
        assert connection.execute(query).scalar_one() == 0
        with ledger.write() as other:
            ensure_collection(other, "handbook")
        assert connection.execute(query).scalar_one() == 0


def test_a_failed_transaction_leaves_nothing(ledger):
    with pytest.raises(RuntimeError), ledger.write() as connection:
        ensure_collection(connection, "handbook")
        raise RuntimeError
    with ledger.read() as connection:
        assert connection.execute(sa.select(collections.c.id)).all() == []


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC),
        datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(9999, 12, 30, tzinfo=UTC),
    ],
)
def test_a_time_comes_back_as_the_same_moment_in_utc(ledger, moment):
    values = {"name": "handbook", "revision": 0, "created_at": moment}
    with ledger.write() as connection:
        connection.execute(sa.insert(collections).values(**values))
    with ledger.read() as connection:
        stored = connection.execute(sa.select(collections.c.created_at)).scalar_one()
    assert stored == moment
    assert stored.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(ledger):
    naive = datetime(2026, 1, 1)
    values = {"name": "handbook", "revision": 0, "created_at": naive}
    with pytest.raises(sa.exc.StatementError, match="zone"), ledger.write() as connection:
        connection.execute(sa.insert(collections).values(**values))
