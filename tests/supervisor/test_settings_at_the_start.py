"""Settings that cannot work are refused before anything starts, each with one sentence."""

import json
import os
import socket
import time

import pytest

from rag_platform.settings import Settings
from rag_platform.supervisor import preflight, run


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Start with these settings and give what was said; nothing may be laid out before it."""
    home = tmp_path / "home"
    monkeypatch.setenv("RAG_HOME", str(home))
    monkeypatch.setenv("RAG_BUCKET", str(tmp_path / "bucket"))
    for name in ("CHAT", "DAGSTER", "MLFLOW", "CHROMA"):
        monkeypatch.setenv(f"RAG_{name}_PORT", str(preflight.free_port()))

    def start(**settings):
        for name, value in settings.items():
            monkeypatch.setenv(f"RAG_{name}", str(value))
        began = time.monotonic()
        assert run(Settings.load()) == 1
        assert time.monotonic() - began < 5  # well below one second where nothing else runs
        assert not (home / "dagster").exists()
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and said.endswith("\n")
        return said.strip()

    return start


def test_passages_longer_than_the_packaged_model_reads(refused):
    assert refused(CHUNKING_MAX_TOKENS=300) == (
        "RAG_CHUNKING_MAX_TOKENS (300) is too large: the embedding model reads passages of at most "
        "254 tokens. Correct the variable and start again."
    )


def test_passages_longer_than_the_registered_model_reads(refused, tmp_path, model_folder):
    folder = tmp_path / "home" / "models" / "embedder" / "1"
    folder.mkdir(parents=True)
    described = json.loads((model_folder / "encoder.json").read_text())
    described["max_passage_tokens"] = 124
    (folder / "encoder.json").write_text(json.dumps(described))
    assert "at most 124 tokens" in refused(CHUNKING_MAX_TOKENS=200)


def test_a_folder_without_a_model(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    said = refused(EMBEDDING_MODEL=tmp_path / "empty")
    assert said.startswith(f"The folder {tmp_path}/empty holds no embedding model. Set RAG_EMBED")
    (tmp_path / "empty" / "config.json").write_text("{}")
    (tmp_path / "empty" / "pytorch_model.bin").write_text("x")
    assert "has no model.safetensors. Set RAG_EMBEDDING_MODEL" in refused()
    assert "does not exist. Correct RAG_EMBEDDING_MODEL." in refused(EMBEDDING_MODEL="/no/where")


def test_a_bucket_that_is_a_file(refused, tmp_path):
    (tmp_path / "bucket").write_text("x")
    assert refused() == f"The bucket {tmp_path}/bucket is no folder. Correct RAG_BUCKET."
    assert "is no folder" in refused(BUCKET=f"wiki={tmp_path}/bucket:ro")


def test_an_object_store_that_is_a_file(refused, tmp_path):
    (tmp_path / "objects").write_text("x")
    assert refused(OBJECT_STORE=tmp_path / "objects") == (
        f"{tmp_path}/objects cannot be used: File exists. Set RAG_OBJECT_STORE."
    )


def test_a_ledger_that_is_a_folder_or_below_a_file(refused, tmp_path):
    (tmp_path / "folder").mkdir()
    assert refused(LEDGER_URL=f"sqlite:///{tmp_path}/folder") == (
        f"The ledger {tmp_path}/folder is a folder. Give RAG_LEDGER_URL a file."
    )
    (tmp_path / "file").write_text("x")
    assert "Set RAG_LEDGER_URL." in refused(LEDGER_URL=f"sqlite:///{tmp_path}/file/ledger.db")


def test_a_ledger_whose_server_does_not_answer(refused, free_port):
    said = refused(LEDGER_URL=f"postgresql://me:secret@127.0.0.1:{free_port}/rag")
    assert said.startswith("The ledger (postgresql+psycopg2://me:***@127.0.0.1")
    assert "secret" not in said and "Check that its database runs" in said


def test_a_ledger_that_is_no_database_url(refused):
    assert "RAG_LEDGER_URL is not a database URL" in refused(LEDGER_URL="postgresql://a:b:c/d?e=%")


def test_servers_elsewhere_that_take_no_connections(refused, free_port):
    port = free_port
    assert refused(MLFLOW_URL=f"http://me:secret@127.0.0.1:{port}") == (
        f"MLflow at 127.0.0.1:{port} takes no connections (Connection refused). Start it, or "
        "correct RAG_MLFLOW_URL."
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = refused(
            MLFLOW_URL=f"http://127.0.0.1:{taken.getsockname()[1]}",
            CHROMA_HOST="127.0.0.2",
        )
    assert said.startswith("Chroma at 127.0.0.2:")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_bucket_that_cannot_be_read(refused, tmp_path):
    (tmp_path / "bucket").mkdir(0o000)
    assert "cannot be read: permission denied. Correct RAG_BUCKET." in refused()


def test_a_host_that_is_not_this_machine(refused):
    assert refused(HOST="192.0.2.1") == "192.0.2.1 is no address of this machine. Correct RAG_HOST."
    assert refused(HOST="no-such-host.invalid").startswith("RAG_HOST names a host that cannot be")
