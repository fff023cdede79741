"""All stages in one process: what it makes, what it leaves alone, and who may stop it."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rag_platform.errors import Conflict, IndexUnavailable, InvalidRequest
from rag_platform.index.chroma import Chroma
from rag_platform.ingestion import lease
from rag_platform.ingestion.copying import copy
from rag_platform.ingestion.pipeline import Pipeline

RAG = Path(sys.executable).parent / "rag"


@pytest.fixture
def ingest(platform, stages):
    """Ingest a collection, reading two documents at once; what was parsed and encoded."""
    parser = stages.InProcessParser()
    encoders = stages.CountingEncoders(platform.encoders)

    def run(collection, chroma=None, report=None):
        parser.parsed.clear()
        encoders.encoded.clear()
        pipeline = Pipeline(
            platform.ledger,
            platform.bucket,
            platform.objects,
            parser,
            encoders,
            chroma or platform.chroma,
            at_once=2,
        )
        return pipeline.ingest(collection, report)

    run.parsed, run.encoded = parser.parsed, encoders.encoded
    return run


@pytest.fixture
def folder(tmp_path):
    """A user's folder, outside the bucket."""
    made = tmp_path / "mine"
    (made / "sub").mkdir(parents=True)
    (made / "a.md").write_text("# A\n\nThe code word of A is azimuth.")
    (made / "sub" / "b.md").write_text("# B\n\nThe code word of B is basalt.")
    return made


@pytest.fixture
def copied(platform, folder):
    """Copy the folder to the collection ``papers``."""
    return lambda path=folder, collection="papers": copy(
        platform.ledger, platform.bucket, path, collection, max_bytes=1000
    )


def test_everything_is_answerable_afterwards_and_nothing_is_done_twice(
    ingest, put, found, pipeline
):
    for number in range(20):
        put(f"papers/{number}.md", f"# Paper {number}\n\nIts code word is w{number}x.")
    put("papers/broken.pdf", b"%PDF-1.7 nothing")
    done = ingest("papers")
    assert done.current
    assert (done.chunks, done.embedded, done.published) == (20, 20, 20)
    assert list(done.documents.quarantined) == ["papers/broken.pdf"]
    assert found("code word w7x")[0] == "papers/7.md"
    assert pipeline.verify().problems == []
    again = ingest("papers")
    assert again.current and again.documents.unchanged == 21
    assert ingest.parsed == ingest.encoded == []


def test_equal_files_are_read_once_however_many_are_read_at_once(ingest, put):
    for number in range(10):
        put(f"papers/{number}.md", "# The same\n\nThe same text.")
    assert ingest("papers").published == 10
    assert len(ingest.parsed) == len(ingest.encoded) == 1


def test_a_failure_of_the_index_is_said_before_the_work(ingest, put, free_port):
    put("papers/a.md", "# A\n\ntext")
    with pytest.raises(IndexUnavailable):
        ingest("papers", Chroma("127.0.0.1", free_port(), timeout=1))
    assert ingest.parsed == []


def test_an_interrupt_keeps_what_was_done(ingest, put, pipeline):
    for number in range(120):
        put(f"papers/{number}.md", f"# Paper {number}\n\nIts code word is w{number}x.")

    kept = []

    def interrupt(progress):
        if progress.documents.read:
            kept[:] = progress.documents.read
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest("papers", report=interrupt)
    ingest("papers")
    assert kept and not set(kept) & set(ingest.parsed)
    assert pipeline.verify().problems == []


def test_a_folder_is_copied_with_its_structure(copied, bucket_folder, folder):
    done = copied()
    assert (done.found, done.written) == (2, 2)
    assert (bucket_folder / "papers/sub/b.md").read_bytes() == (folder / "sub/b.md").read_bytes()
    assert not [p for p in bucket_folder.rglob("*") if p.name.startswith(".")]


def test_what_is_there_is_not_copied_again(copied, ingest, bucket_folder, folder):
    copied()
    before = (bucket_folder / "papers/a.md").stat()
    assert copied().same == 2  # by the bytes: the ledger does not know them yet
    ingest("papers")
    assert copied().same == 2  # by the ledger
    assert (bucket_folder / "papers/a.md").stat() == before
    (folder / "a.md").write_text("# A\n\nThe code word of A is aerosol.")
    assert (copied().written, copied().same) == (1, 2)


def test_a_file_that_changed_in_the_bucket_is_copied_again(copied, ingest, bucket_folder, folder):
    copied()
    ingest("papers")
    text = (folder / "a.md").read_text()
    (bucket_folder / "papers/a.md").write_text(text.replace("azimuth", "altered"))
    assert copied().written == 1
    assert (bucket_folder / "papers/a.md").read_text() == text


def test_links_hidden_and_temporary_names_are_skipped_and_counted(copied, folder, bucket_folder):
    (folder / ".hidden").write_text("x")
    (folder / "draft.tmp").write_text("x")
    (folder / "link.md").symlink_to(folder / "a.md")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    done = copied()
    assert (done.written, done.ignored) == (2, 5)
    assert sorted(p.name for p in (bucket_folder / "papers").iterdir()) == ["a.md", "sub"]


def test_a_file_too_large_is_refused_with_the_reason(copied, folder):
    (folder / "large.md").write_text("x" * 1001)
    assert copied().refused == {str(folder / "large.md"): "It is larger than 0.1 MB."}


def test_a_path_that_cannot_be_used_is_one_sentence(copied, folder, bucket_folder):
    with pytest.raises(InvalidRequest, match="There is nothing at"):
        copied(folder / "nope")
    with pytest.raises(InvalidRequest, match="lies in the bucket already"):
        copied(bucket_folder)
    with pytest.raises(InvalidRequest, match="collection"):
        copied(folder, "../up")
    with pytest.raises(InvalidRequest, match="File name too long"):
        copied(folder / ("x" * 300))
    with pytest.raises(InvalidRequest, match="cannot be looked up"):
        copied(Path("~nobody-of-this-name/x"))
    (folder / "circle").symlink_to(folder / "circle")
    with pytest.raises(InvalidRequest, match="cannot be looked up"):
        copied(folder / "circle")


def test_what_is_neither_a_file_nor_a_folder_is_called_by_its_name(copied, folder):
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s"))
        for path, kind in ((folder / "pipe", "pipe"), (folder / "s", "socket")):
            with pytest.raises(InvalidRequest) as error:
                copied(path)
            assert str(error.value) == f"{path} is a {kind}. Give a file or a folder."
    with pytest.raises(InvalidRequest, match="/dev/null is a device"):
        copied(Path("/dev/null"))


def test_a_bucket_inside_the_folder_is_not_copied_into_itself(copied, tmp_path, bucket_folder):
    (bucket_folder / "x.md").write_text("in the bucket")
    copied(tmp_path)
    assert not list((bucket_folder / "papers").rglob("x.md"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_bucket_says_so(copied, bucket_folder):
    bucket_folder.chmod(0o500)
    with pytest.raises(Conflict, match="read-only"):
        copied()


def test_a_collection_is_ingested_by_one_process_at_a_time(tmp_path):
    assert not lease.is_held(tmp_path, "papers")
    with lease.held(tmp_path, "papers"):
        assert lease.is_held(tmp_path, "papers")
        assert not lease.is_held(tmp_path, "other")
        with pytest.raises(Conflict, match="Another rag ingest"), lease.held(tmp_path, "papers"):
            pass
    assert not lease.is_held(tmp_path, "papers")


@pytest.fixture
def command(platform, ledger_url, bucket_folder, chroma_server, folder):
    """Start ``rag ingest`` on the folder."""
    environment = {
        **os.environ,
        "RAG_HOME": str(platform.settings.home),
        "RAG_BUCKET": str(bucket_folder),
        "RAG_LEDGER_URL": ledger_url,
        "RAG_CHROMA_PORT": str(chroma_server.port),
        "COLUMNS": "200",
    }

    def start(path=folder, **changes):
        return subprocess.Popen(
            [RAG, "ingest", str(path), "--collection", "papers"],
            env=environment | changes,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_the_command_says_what_it_did(command, folder, found):
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    out, errors = command().communicate(timeout=120)
    assert errors == ""
    assert "3 files found: 3 copied." in out
    assert "2 documents read, 1 quarantined; 2 chunks embedded in" in out
    assert "The collection holds 2 indexed, 1 quarantined now." in out
    assert "papers/broken.pdf" in out
    assert found("code word basalt")[0] == "papers/sub/b.md"

    (folder / "a.md").write_text("# A\n\nThe code word of A is aerosol.")
    out, _ = command().communicate(timeout=120)
    assert "3 files found: 1 copied, 2 in the bucket already." in out
    assert "1 document read, 2 unchanged; 1 chunk embedded in" in out
    out, _ = command().communicate(timeout=120)
    assert "0 documents read, 3 unchanged; nothing to embed." in out
    assert "The collection holds 2 indexed, 1 quarantined now." in out


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_the_command_fails_where_it_is_given_no_file(command, tmp_path, bucket_folder):
    os.mkfifo(tmp_path / "pipe")
    running = command(tmp_path / "pipe")
    out, errors = running.communicate(timeout=120)
    assert (running.returncode, out) == (1, "")
    assert errors == f"{tmp_path}/pipe is a pipe. Give a file or a folder.\n"
    large = tmp_path / "large.md"
    large.touch()
    os.truncate(large, 2 << 20)
    running = command(large, RAG_INGESTION_MAX_DOCUMENT_MEGABYTES="1")
    out, _ = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "1 file found: 1 refused." in out and "It is larger than 1 MB." in out
    assert list(bucket_folder.iterdir()) == []


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_the_command_without_chroma_is_one_sentence(command, free_port, bucket_folder):
    running = command(RAG_CHROMA_PORT=str(free_port()))
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 1
    assert errors.startswith("Chroma at http://127.0.0.1:") and errors.count("\n") == 1
    assert list(bucket_folder.iterdir()) == []


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_command_is_one_sentence_and_goes_on_later(
    command, folder, platform, eventually, pipeline
):
    for number in range(400):
        (folder / f"{number}.md").write_text(f"# Paper {number}\n\nIts code word is w{number}x.")
    running = command()
    eventually(lambda: lease.is_held(platform.settings.home, "papers"), what="it works")
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 130
    assert errors.count("\n") == 1 and errors.startswith("Interrupted.")
    out, errors = command().communicate(timeout=200)
    assert errors == "" and "402 files found" in out
    assert pipeline.verify().problems == []
