"""The connection to the ledger: one engine, short transactions, and the rules of each database."""

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
)

from rag_platform.errors import LedgerUnavailable, SettingsError

BUSY_SECONDS = 20
"""How long a writer waits for another one on SQLite."""

_CONNECTIONS = 16
"""Connections that are kept: a new one costs more than the query that it is for."""


class Ledger:
    """The relational database that holds the record.

    ``read()`` and ``write()`` give a connection inside a transaction. On SQLite a writer begins
    with BEGIN IMMEDIATE: under WAL a transaction that reads first and writes later fails at once
    when another writer came between, whatever the busy timeout.
    """

    def __init__(self, url: str) -> None:
        self.url = normalised(url)
        if self.url.get_backend_name() == "sqlite":
            self.engine = _sqlite_engine(self.url)
        else:
            self.engine = sa.create_engine(
                self.url,
                pool_pre_ping=True,
                hide_parameters=True,  # they hold questions and texts, and errors are logged
                connect_args={"connect_timeout": 5},
            )

    @contextmanager
    def read(self) -> Generator[sa.Connection]:
        """A transaction that only reads: one consistent state of the ledger."""
        with _sentences(self.url), self.engine.connect() as connection, connection.begin():
            if self.engine.dialect.name == "postgresql":
                connection.exec_driver_sql(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                )
            yield connection

    @contextmanager
    def write(self) -> Generator[sa.Connection]:
        """A transaction that may write; committed at the end, rolled back on any exception."""
        with _sentences(self.url), self.engine.connect() as connection:
            writing = connection.execution_options(ledger_write=True)
            with writing.begin():
                yield writing

    def require_schema(self) -> None:
        """Raise :class:`LedgerUnavailable` where no migration ever ran."""
        file = self.url.database if self.url.get_backend_name() == "sqlite" else None
        if file and file != ":memory:" and not Path(file).exists():
            raise self._empty()
        with self.read() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                raise self._empty()

    def _empty(self) -> LedgerUnavailable:
        return LedgerUnavailable(
            f"The ledger ({self.url.render_as_string(hide_password=True)}) is empty: "
            "the platform was never started with these settings.",
            "Start it with make up, or set RAG_HOME to the home it runs from.",
        )

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def normalised(url: str) -> sa.URL:
    """The URL with its driver: SQLAlchemy 2.1 would take psycopg 3 for a plain ``postgresql``."""
    try:
        parsed = sa.make_url(url)
        name = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise _bad_url() from error
    if name in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg2")
    if name == "sqlite" and not parsed.query:  # its driver would fail over most options
        return parsed
    raise _bad_url()


def _bad_url() -> SettingsError:
    # The URL may hold a password: it is not repeated.
    return SettingsError(
        "RAG_LEDGER_URL is not a database URL that the platform can use.",
        "Give sqlite:///path/ledger.db or postgresql://user:password@host/database.",
    )


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    if url.database and url.database != ":memory:":
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerUnavailable(
                f"The ledger's folder {folder} cannot be made ({error.strerror}).",
                "Correct RAG_HOME or RAG_LEDGER_URL.",
            ) from error
    engine = sa.create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS}, pool_size=_CONNECTIONS
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # the driver begins nothing by itself; `begin` below does
        cursor = connection.cursor()
        _use_wal(cursor)
        cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged rating survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.close()
        # SQLite's own knows the case of ASCII letters only.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        writing = connection.get_execution_options().get("ledger_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """Two connections that both make a new database WAL get SQLITE_BUSY, without any timeout."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # the other one needs some milliseconds, and tells nobody when


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


@contextmanager
def _sentences(url: sa.URL) -> Generator[None]:
    """Turn a database that is away, locked or full into one sentence."""
    try:
        yield
    except DBAPIError as error:
        # Without a statement, the driver refused the URL when it was to connect.
        refused = isinstance(error, ProgrammingError) and error.statement is None
        if isinstance(error, IntegrityError | ProgrammingError | DataError) and not refused:
            raise
        raise LedgerUnavailable(
            f"The ledger ({url.render_as_string(hide_password=True)}) does not answer: "
            f"{str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else error}.",
            "Check that its database runs, that its disk is not full, and RAG_LEDGER_URL.",
        ) from error
