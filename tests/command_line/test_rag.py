import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag_platform.ledger import Ledger, migrate
from rag_platform.ledger.collections import ensure_collection, find_collection, note_place
from rag_platform.ledger.transitions import announce

RAG = Path(sys.executable).parent / "rag"


@pytest.fixture
def rag(tmp_path, monkeypatch, free_port):
    """Run the command with a home of its own, where nothing runs."""
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_BUCKET", str(tmp_path / "bucket"))
    monkeypatch.setenv("COLUMNS", "300")
    for name in ("CHAT", "DAGSTER", "MLFLOW", "CHROMA"):
        monkeypatch.setenv(f"RAG_{name}_PORT", str(free_port()))

    def run(*arguments):
        return subprocess.run([RAG, *arguments], capture_output=True, check=False, text=True)

    return run


@pytest.fixture
def ledger(tmp_path, rag):
    """The migrated ledger of that home."""
    ledger = Ledger(f"sqlite:///{tmp_path}/home/ledger.db")
    migrate(ledger)
    yield ledger
    ledger.close()


def put(ledger, collection, key):
    with ledger.write() as connection:
        announce(
            connection, ensure_collection(connection, collection).id, {key: 1}, datetime.now(UTC)
        )


def test_names_of_files_steer_no_terminal(rag, ledger):
    put(ledger, "a", "a/\x1b[31mred\r\n\x9b2J\u202etxt.md")
    done = rag("documents")
    assert done.returncode == 0
    assert "a/�[31mred���2J�txt.md" in done.stdout


def test_a_collection_whose_place_is_another_is_forgotten_on_demand_only(rag, ledger):
    put(ledger, "wiki", "wiki/a.md")
    with ledger.write() as connection:
        note_place(connection, find_collection(connection, "wiki").id, "another")
    done = rag("forget", "wiki")
    assert (done.returncode, done.stderr) == (0, "")
    assert "'wiki'" in done.stdout
    with ledger.read() as connection:
        assert find_collection(connection, "wiki").place is None
    refused = rag("forget", "nope")
    assert (refused.returncode, refused.stderr) == (1, "There is no collection 'nope'.\n")


def test_the_state_of_each_source_is_shown(rag, ledger, tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    monkeypatch.setenv("RAG_BUCKET", f"{tmp_path}/docs,wiki={tmp_path}/wiki")
    shown = rag("status").stdout
    assert f"The bucket {tmp_path}/wiki cannot be opened" in shown
    assert f"file://{tmp_path}/docs, 0 objects" in shown


def test_what_the_bucket_holds_and_nobody_reads_is_a_line_and_a_list_on_demand(
    rag, ledger, tmp_path
):
    folder = tmp_path / "bucket" / "club"
    folder.mkdir(parents=True)
    assert "skipped" not in rag("status").stdout
    assert rag("documents", "--skipped").stdout == "Nothing in the bucket is skipped.\n"
    os.mkfifo(folder / "pipe")
    for name in ("a", "b\x1b[2J", "c" * 255):
        (folder / name).symlink_to("/etc/passwd")
    (tmp_path / "bucket" / "root.md").symlink_to("/etc/passwd")
    done = rag("status")
    assert done.stderr == ""
    (line,) = [line for line in done.stdout.splitlines() if "skipped" in line]
    assert line == (
        "5 names in the bucket are skipped: club/a, club/b�[2J, "
        f"club/{'c' * 15}…{'c' * 19} and 2 more. rag documents --skipped says why."
    )
    put(ledger, "club", "club/rules.md")
    whole = rag("documents", "--skipped").stdout
    assert whole.count("Links are not followed.") == 4
    assert "It is no file but a pipe, a socket or a device." in whole
    assert "root.md" not in rag("documents", "--skipped", "-c", "club").stdout
    done = rag("documents")
    assert (done.stderr, "skipped" in done.stdout) == ("", False)


def test_documents_of_an_unknown_collection_give_the_known_ones(rag, ledger):
    put(ledger, "handbook", "handbook/a.md")
    done = rag("documents", "--collection", "nope")
    assert done.returncode == 1
    assert done.stderr == "There is no collection 'nope'. Known are: handbook.\n"
    assert "handbook/a.md" in rag("documents", "--collection", "handbook").stdout


def test_arguments_that_are_no_text_give_one_sentence(rag, ledger):
    done = rag("documents", "--collection", b"\xff")
    assert done.returncode == 1
    assert done.stderr == "There is no collection '\\udcff'. There is none yet.\n"


@pytest.mark.parametrize("command", ["ask", "search"])
def test_an_empty_question_gives_one_sentence(rag, ledger, command):
    done = rag(command, " ")
    assert done.returncode == 1
    assert done.stderr == "There is nothing to look for. Give the question as an argument.\n"


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_question_to_an_empty_home_gives_one_sentence(rag, ledger, command):
    done = rag(command, b"\xff\x01")
    assert done.returncode == 1
    assert done.stderr == "Nothing serves yet. Start the platform with rag up.\n"


@pytest.mark.parametrize(
    "arguments",
    [("nope",), ("ask",), ("search", "x", "-k", "0"), ("up", "--now"), ("status", b"\xff")],
)
def test_a_wrong_argument_gives_one_sentence(rag, arguments):
    done = rag(*arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_gives_one_sentence(rag, monkeypatch):
    monkeypatch.setenv("RAG_HOME", "")
    for command in ("up", "status", "documents"):
        done = rag(command)
        assert done.returncode == 1
        assert done.stderr.startswith("The setting RAG_HOME='' is not valid: it is empty;")
        assert done.stderr.count("\n") == 1


def test_the_status_says_that_nothing_runs(rag):
    done = rag("status")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == (
        "Nothing of the platform runs with these settings: start it with make up."
    )
    assert done.stderr == ""


def test_the_status_asks_the_chat_where_it_listens(rag, monkeypatch):
    monkeypatch.setenv("RAG_HOST", "::")
    assert f"http://[::1]:{os.environ['RAG_CHAT_PORT']} does not answer." in rag("status").stdout


def test_servers_that_hang_make_the_status_wait_once(rag, monkeypatch):
    hanging = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    for name, server in zip(("CHAT", "DAGSTER", "MLFLOW", "CHROMA"), hanging, strict=True):
        monkeypatch.setenv(f"RAG_{name}_PORT", str(server.getsockname()[1]))
    started = time.monotonic()
    assert rag("status").stdout.count("does not answer.") == 4
    took = time.monotonic() - started
    for server in hanging:
        server.close()
    assert took < 9  # in turn it would be 12 and the imports


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_a_command_quietly(rag, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        monkeypatch.setenv("RAG_CHROMA_PORT", str(hanging.getsockname()[1]))
        running = subprocess.Popen([RAG, "status"], stderr=subprocess.PIPE, text=True)
        connection, _ = hanging.accept()
        with connection:
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "Traceback" not in said
