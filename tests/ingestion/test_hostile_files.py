"""Names and files that somebody made to do harm: each is a document, or skipped with a reason."""

import os
import socket
import threading
import unicodedata
from pathlib import Path

import httpx
import psutil
import pytest

from rag_platform.documents import parsing
from rag_platform.documents.isolation import ParserProcess
from rag_platform.service.app import create_app
from rag_platform.service.fakes import served

pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)

NAMES = [
    unicodedata.normalize("NFC", "Ä.md"),
    unicodedata.normalize("NFD", "Ä.md"),
    "case.md",
    "CASE.md",
    "\u202egpj.md",
    "two\nlines.md",
    "back\\..\\slash.md",
    "%2e%2e%2f.md",
    "CON.md",
    "nul.txt",
    "COM1",
    "a:b.md",
    "-rf .md",
    "x" * 252 + ".md",
    " .md",
    "'; DROP TABLE documents; --.md",
    "{{7*7}}.md",
]


@pytest.fixture(autouse=True)
def nothing_left(pipeline, aftermath, temporary):
    """After each test."""
    after = aftermath(pipeline, temporary)
    yield
    after.check()


def test_every_name_that_a_file_system_takes_is_a_document(pipeline, put, listed, found):
    for number, name in enumerate(NAMES):
        put(f"odd\u202e folder\n/{name}", f"# Name {number}\n\nThe code word is w{number}x.")
    pipeline()
    assert {key.rpartition("/")[2]: item.state for key, item in listed().items()} == dict.fromkeys(
        NAMES, "indexed"
    )
    assert found("code word w5x")[0].endswith("/two\nlines.md")


def test_links_pipes_sockets_devices_and_names_that_are_no_text_are_skipped_with_a_reason(
    pipeline, platform, put, bucket_folder, tmp_path, listed, found
):
    (tmp_path / "secret.md").write_text("The secret code word is zebra.")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.md").write_text("The secret code word is zebra.")
    put("handbook/leave.md", "Parental leave is 26 weeks.")
    folder = bucket_folder / "handbook"
    (folder / "file.md").symlink_to(tmp_path / "secret.md")
    (folder / "folder").symlink_to(tmp_path / "outside")
    (folder / "circle").symlink_to(folder)
    (folder / "self.md").symlink_to("self.md")
    (folder / "proc").symlink_to("/proc/self/environ")
    os.mkfifo(folder / "pipe.md")
    expected = {"file.md", "folder", "circle", "self.md", "proc", "pipe.md", "socket.md"}
    with socket.socket(socket.AF_UNIX) as unix:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket may not be long
        unix.bind("socket.md")
        os.chdir(here)
    try:
        os.mknod(folder / "device.md", 0o20644, os.makedev(1, 5))
        expected.add("device.md")
    except OSError:
        pass  # not allowed here
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.md")).write_text("x")
        expected.add("\\xff\\xfe.md")
    except OSError:
        pass  # this file system takes UTF-8 only
    pipeline()
    assert list(listed()) == ["handbook/leave.md"]
    assert set(platform.bucket.skipped) == {f"handbook/{name}" for name in expected}
    assert found("secret code word zebra") in ([], ["handbook/leave.md"])


@pytest.mark.parametrize("megabytes", [1_000, 5_000])
def test_a_huge_file_is_refused_before_it_is_read(pipeline, put, listed, megabytes):
    path = put("handbook/huge.txt", "x")
    os.truncate(path, megabytes << 20)
    before = psutil.Process().memory_info().rss
    pipeline()
    assert psutil.Process().memory_info().rss - before < 100_000_000
    document = listed()["handbook/huge.txt"]
    assert document.state == "quarantined"
    assert document.reason == f"The file is too large: {megabytes} MB, and the limit is 1 MB."


def test_an_empty_file_is_quarantined_and_a_filled_one_read(pipeline, put, listed):
    put("handbook/a.md", b"")
    pipeline()
    assert listed()["handbook/a.md"].state == "quarantined"
    put("handbook/a.md", "Parental leave is 26 weeks.")
    pipeline()
    assert listed()["handbook/a.md"].state == "indexed"


class Meddling:
    """A parser during whose work something happens to the file."""

    def __init__(self, happens) -> None:
        self.happens = happens

    def parse(self, data: bytes, key: str):
        self.happens()
        return parsing.parse(data, key)


@pytest.mark.parametrize("what", ["overwritten", "truncated", "renamed", "deleted", "a folder"])
def test_what_happens_to_a_file_while_its_text_is_extracted_is_seen_at_the_next_look(
    pipeline, stages, platform, put, listed, what
):
    path = put("handbook/a.md", "# Leave\n\nParental leave is 26 weeks.")

    def happens() -> None:
        if what == "overwritten":
            path.write_text("# Leave\n\nParental leave is 40 weeks.")
        elif what == "truncated":
            os.truncate(path, 0)
        elif what == "renamed":
            path.rename(path.with_name("b.md"))
        else:
            path.unlink()
            if what == "a folder":
                path.mkdir()

    stages.Pipeline(platform, Meddling(happens)).documents("handbook")
    pipeline()
    expected = {
        "overwritten": {"handbook/a.md": "indexed"},
        "truncated": {"handbook/a.md": "quarantined"},
        "renamed": {"handbook/b.md": "indexed"},
    }
    assert {key: item.state for key, item in listed().items()} == expected.get(what, {})
    if what == "overwritten":
        assert "40 weeks" in platform.search("parental leave").passages[0].chunk.text


def test_one_file_written_twice_at_once_is_one_document_with_one_of_the_texts(
    pipeline, platform, listed
):
    texts = [f"# Version {n}\n\n{'text ' * 5000}".encode() for n in range(4)]
    threads = [
        threading.Thread(target=platform.bucket.write, args=("handbook/a.md", text))
        for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert platform.bucket.read("handbook/a.md") in texts
    pipeline()
    assert [item.state for item in listed().values()] == ["indexed"]


@pytest.mark.parametrize("name", ["../up.md", "..", "/etc/up.md", "a\0b.md", "a\nb.md", "x" * 300])
def test_a_name_that_is_a_path_or_no_text_is_refused_when_uploaded(
    platform, bucket_folder, listed, name
):
    platform.settings.chat.fast_lane_megabytes = 0
    field = b'Content-Disposition: form-data; name="file"; filename="'
    field += name.encode("utf-8", "surrogatepass") + b'"\r\n\r\nx\r\n'
    with served(create_app(platform)) as url:
        answer = httpx.post(
            f"{url}/v1/collections/handbook/documents",
            content=b"--b\r\n" + field + b"--b--\r\n",
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert list(bucket_folder.rglob("*")) == []
    assert listed() == {}


def test_an_upload_that_breaks_off_leaves_nothing(platform, bucket_folder, listed, temporary):
    platform.settings.chat.fast_lane_megabytes = 0
    head = (
        b"POST /v1/collections/handbook/documents HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 30000000\r\n\r\n"
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n'
    )
    with served(create_app(platform)) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with socket.create_connection(address) as connection:
            connection.sendall(head + bytes(10_000_000))
        assert httpx.get(f"{url}/v1/documents").json()["documents"] == []
    assert list(temporary.iterdir()) == list(bucket_folder.rglob("*")) == []
    assert listed() == {}


def test_one_file_uploaded_many_times_at_once_is_one_document(pipeline, platform, listed, found):
    platform.settings.chat.fast_lane_megabytes = 1
    app = create_app(platform)
    data = b"# Leave\n\nParental leave is 26 weeks."

    def upload(client: httpx.Client) -> None:
        files = {"file": ("leave.md", data)}
        answers.append(client.post("/v1/collections/handbook/documents", files=files).status_code)

    answers: list[int] = []
    with served(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        threads = [threading.Thread(target=upload, args=(client,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        pipeline()
        for thread in threads:
            thread.join()
    pipeline()
    assert answers == [202] * 6
    assert {key: item.state for key, item in listed().items()} == {"handbook/leave.md": "indexed"}
    assert found("parental leave") == ["handbook/leave.md"]


def test_ten_thousand_tiny_files_are_taken_in_runs_of_bounded_size(stages, platform, put):
    for number in range(10_000):
        put(f"many/{number}.md", "The same short text in all of them.")
    small = stages.Pipeline(platform, limit=4000)
    left = []
    while not left or left[-1]:
        left.append(small.documents("many").left)
    assert left == [6000, 2000, 0]
    report = small.documents("many")
    assert (report.unchanged, report.read) == (10_000, [])


def test_the_real_parser_leaves_no_process_and_no_file_behind(stages, platform, put, listed):
    put("handbook/a.md", "Parental leave is 26 weeks.")
    put("handbook/b.pdf", b"%PDF-1.7\n" + os.urandom(5000))
    with ParserProcess(timeout=30, memory_megabytes=1024) as parser:
        stages.Pipeline(platform, parser)()
    assert {key: item.state for key, item in listed().items()} == {
        "handbook/a.md": "indexed",
        "handbook/b.pdf": "quarantined",
    }
