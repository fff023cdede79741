import os
import socket
import subprocess

import psutil
import pytest

from rag_platform.errors import StartError
from rag_platform.settings import Settings
from rag_platform.supervisor import preflight, run, stack
from rag_platform.supervisor.seed import seed
from rag_platform.supervisor.state import take_lock


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """The settings of a temporary home with free ports."""
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_BUCKET", str(tmp_path / "bucket"))
    for name in ("CHAT", "DAGSTER", "MLFLOW", "CHROMA"):
        monkeypatch.setenv(f"RAG_{name}_PORT", str(preflight.free_port()))
    return Settings.load()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte, unmounted in the end."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not in every container")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_taken_port_gives_one_sentence_with_the_setting_and_the_holder(settings, capsys):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", settings.mlflow.port))
        listener.listen()
        assert run(settings) == 1
    assert capsys.readouterr().err == (
        f"Port {settings.mlflow.port} on 127.0.0.1 is taken by process {os.getpid()},"
        f" {psutil.Process().name()}. Free it or set RAG_MLFLOW_PORT to another.\n"
    )


def test_two_servers_on_one_port_give_one_sentence(settings, capsys):
    settings.chroma.port = settings.chat.port
    assert run(settings) == 1
    assert capsys.readouterr().err == (
        f"RAG_CHAT_PORT and RAG_CHROMA_PORT are both {settings.chat.port}. Change one of them.\n"
    )


def test_a_second_supervisor_on_one_home_gives_one_sentence(settings, capsys):
    settings.home.mkdir()
    with take_lock(settings.home):
        assert run(settings) == 1
    assert capsys.readouterr().err == (
        f"The platform already runs from {settings.home} (process {os.getpid()})."
        " Stop it first or set RAG_HOME.\n"
    )


def test_a_home_that_is_a_file_gives_one_sentence(settings, capsys):
    settings.home.write_text("")
    assert run(settings) == 1
    error = capsys.readouterr().err
    assert error == f"{settings.home} cannot be used: File exists. Set RAG_HOME.\n"


def test_a_read_only_home_gives_one_sentence(settings, capsys, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    settings.platform.home = small_disk / "home"
    assert run(settings) == 1
    error = capsys.readouterr().err
    assert error == f"{small_disk}/home cannot be written: the disk is read-only. Set RAG_HOME.\n"


def test_a_small_disk_gives_one_sentence(settings, capsys, small_disk):
    settings.platform.home = small_disk
    assert run(settings) == 1
    assert capsys.readouterr().err == (
        f"The disk of {small_disk} has 0.0 GB free, at least 1.0 are needed."
        " Make room or set RAG_HOME.\n"
    )


def test_a_full_disk_gives_one_sentence(small_disk):
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "filler").write_bytes(b"x" * 2_000_000)
    with pytest.raises(StartError) as caught:
        preflight.check_home(small_disk)
    assert str(caught.value) == f"The disk of {small_disk} is full. Make room or set RAG_HOME."


def test_samples_are_put_in_the_bucket_once_and_never_over_a_file_of_the_user(tmp_path):
    examples, bucket, home = (tmp_path / name for name in ("examples", "bucket", "home"))
    (examples / "guide").mkdir(parents=True)
    (examples / "guide" / "a.md").write_text("sample a")
    (examples / "guide" / "b.md").write_text("sample b")
    (bucket / "guide").mkdir(parents=True)
    (bucket / "guide" / "a.md").write_text("mine")
    home.mkdir()
    assert seed(bucket, examples, home) == 1
    assert (bucket / "guide" / "a.md").read_text() == "mine"
    assert (bucket / "guide" / "b.md").read_text() == "sample b"
    (bucket / "guide" / "b.md").unlink()
    assert seed(bucket, examples, home) == 0
    assert [path.name for path in (bucket / "guide").iterdir()] == ["a.md"]


def test_servers_that_run_elsewhere_are_not_started(settings):
    settings.mlflow.url = "http://mlflow.example:5000"
    settings.chroma.host = "chroma.example"
    names = [child.name for child in stack.children(settings, 1)]
    assert names == ["dagster-code", "dagster-webserver", "dagster-daemon", "chat"]
    assert list(stack.local_ports(settings)) == ["RAG_CHAT_PORT", "RAG_DAGSTER_PORT"]


def test_a_chroma_whose_host_does_not_exist_ends_the_start_with_a_sentence():
    with pytest.raises(StartError, match="RAG_CHROMA_HOST names a host that cannot be found"):
        preflight.check_host("RAG_CHROMA_HOST", "nohost.invalid")
    preflight.check_host("RAG_CHROMA_HOST", "127.0.0.1")
