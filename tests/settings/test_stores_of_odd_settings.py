import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from rag_platform.errors import IndexUnavailable, LedgerUnavailable, SettingsError
from rag_platform.index.chroma import Chroma
from rag_platform.ledger import Ledger
from rag_platform.settings import Settings


def test_a_database_url_that_the_driver_refuses_gives_one_sentence():
    ledger = Ledger("postgresql://u:secret@127.0.0.1:1/x?foo=bar")
    with pytest.raises(LedgerUnavailable) as caught, ledger.read():
        pass
    sentence = str(caught.value)
    assert 'invalid connection option "foo"' in sentence
    assert "RAG_LEDGER_URL" in sentence
    assert "secret" not in sentence


def test_options_of_sqlite_give_one_sentence(tmp_path):
    with pytest.raises(SettingsError, match="RAG_LEDGER_URL is not a database URL"):
        Ledger(f"sqlite:///{tmp_path}/ledger.db?foo=bar")


def test_a_statement_that_makes_no_sense_stays_a_mistake_of_the_program(postgresql):
    ledger = Ledger(postgresql)
    with pytest.raises(ProgrammingError), ledger.read() as connection:
        connection.execute(sa.text("SELECT nonsense FROM nowhere"))
    ledger.close()


def test_a_chroma_on_ipv6_is_asked_there(monkeypatch):
    monkeypatch.setenv("RAG_CHROMA_HOST", "::1")
    monkeypatch.setenv("RAG_CHROMA_PORT", "9")
    settings = Settings.load().chroma
    client = Chroma(settings.host, settings.port, timeout=2)
    assert client.url == settings.url == "http://[::1]:9"
    with pytest.raises(IndexUnavailable, match="does not answer"):
        client.heartbeat()
    client.close()
