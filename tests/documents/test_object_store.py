"""A bucket in an object store, against a server that speaks S3."""

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import pytest

from rag_platform.documents.bucket import Bucket, BucketObject, DocumentChanging
from rag_platform.errors import (
    BucketUnavailable,
    Conflict,
    NotFound,
    SettingsError,
    UnreadableDocument,
)

pytest.importorskip("moto", reason="moto[server] is a development dependency")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.put(f"{url}/documents").raise_for_status()
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline and server.poll() is None
        yield url
        server.terminate()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    bucket = Bucket("s3://documents")
    yield bucket
    for found in list(bucket.list()):
        bucket.delete(found.key)


@pytest.fixture
def client(bucket: Bucket, endpoint: str) -> Any:
    """S3 as others speak it."""
    return botocore.session.get_session().create_client(
        "s3", endpoint_url=endpoint, region_name="us-east-1"
    )


@pytest.mark.parametrize("name", ["a.md", "a b#?%~ü.md", "%41.md", "日本語.md", "a+b&c=d.md"])
def test_an_object_of_any_name_is_listed_read_and_deleted_by_that_name(
    bucket: Bucket, name: str
) -> None:
    written = bucket.write(f"Räte/{name}", b"text")
    assert [found.fingerprint for found in bucket.list()] == [written.fingerprint]
    assert [found.key for found in bucket.list()] == [f"Räte/{name}"]
    assert bucket.read_stable(written.key, max_bytes=4)[1] == b"text"
    bucket.delete(written.key)
    bucket.delete(written.key)
    assert bucket.stat(written.key) is None
    with pytest.raises(NotFound):
        bucket.read(written.key)


def test_a_listing_of_many_pages_is_complete(bucket: Bucket, endpoint: str) -> None:
    httpx.put(f"{endpoint}/many").raise_for_status()
    keys = {f"folder/{number}.md" for number in range(1_001)}  # a page has 1,000
    with httpx.Client(base_url=f"{endpoint}/many/") as client:
        for key in keys:
            client.put(key, content=b"x").raise_for_status()
    assert {found.key for found in Bucket("s3://many").list("folder")} == keys


def test_another_content_of_the_same_size_has_another_fingerprint(bucket: Bucket) -> None:
    assert bucket.write("a.md", b"one").fingerprint != bucket.write("a.md", b"two").fingerprint


def test_ignored_names_and_folder_markers_are_not_listed(bucket: Bucket, endpoint: str) -> None:
    httpx.put(f"{endpoint}/documents/folder/").raise_for_status()
    httpx.put(f"{endpoint}/documents/folder/a.tmp", content=b"x").raise_for_status()
    assert list(bucket.list()) == []
    assert list(bucket.list("folder")) == []


def test_an_object_that_is_too_large_is_not_fetched(bucket: Bucket) -> None:
    bucket.write("a.md", b"xxx")
    with pytest.raises(UnreadableDocument):
        bucket.read_stable("a.md", max_bytes=2)


def test_a_bucket_that_does_not_exist_is_unavailable(bucket: Bucket) -> None:
    with pytest.raises(BucketUnavailable):
        list(Bucket("s3://another").list())


def test_a_store_that_does_not_answer_is_unavailable(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(BucketUnavailable):
        list(Bucket("s3://documents").list())


ODD_KEYS = {
    "b//c.md": "A folder in its name is empty.",
    "/lead.md": "A folder in its name is empty.",
    "b/../d.md": "A folder in its name is a dot or two.",
    "./d.md": "A folder in its name is a dot or two.",
    "b/tab\t.md": "Its name has a control character.",
    "b/full/": "Its name ends with a slash.",
}
GOOD_KEYS = {
    "!first.md",
    "b/(draft).md",
    "b/z.md",
    "b/a b+%.md",
    "b/%2F.md",
    unicodedata.normalize("NFC", "ü.md"),
    unicodedata.normalize("NFD", "ü.md"),
    "r\u202etl.md",
    "k" * 1021 + ".md",
    "d/" * 400 + "deep.md",
}


@pytest.mark.parametrize("prefix", ["", "/in/a folder"])
def test_keys_that_cannot_be_paths_are_skipped_with_a_reason_and_the_others_listed(
    bucket: Bucket, client: Any, prefix: str
) -> None:
    name = f"odd{len(prefix)}"
    client.create_bucket(Bucket=name)
    for key in (*ODD_KEYS, *GOOD_KEYS):
        whole = f"{prefix.lstrip('/')}/{key}" if prefix else key
        if len(whole) <= 1024:
            client.put_object(Bucket=name, Key=whole, Body=b"x")
    client.put_object(Bucket=name, Key="elsewhere.md", Body=b"x")
    good = {key for key in GOOD_KEYS if len(key) + len(prefix) <= 1024}
    odd = Bucket(f"s3://{name}{prefix.replace(' ', '%20')}")
    for _ in range(2):  # the second time it is known to be odd
        found = [item.key for item in odd.list()]
        assert sorted(key for key in found if key not in ("lead.md", "elsewhere.md")) == sorted(
            good
        )
        assert odd.skipped == ODD_KEYS
    assert [item.key for item in odd.list("b/")] == sorted(k for k in good if k.startswith("b/"))
    for item in odd.list():
        assert odd.stat(item.key) == item


def test_the_files_at_the_root_are_listed_beside_a_key_that_is_no_path(
    bucket: Bucket, client: Any
) -> None:
    client.create_bucket(Bucket="odd-root")
    for key in ("a.md", "tab\t.md", "folder/b.md"):
        client.put_object(Bucket="odd-root", Key=key, Body=b"x")
    odd = Bucket("s3://odd-root")
    assert [item.key for item in odd.list_collection("default")] == ["a.md"]
    assert [item.key for item in odd.list_collection("folder")] == ["folder/b.md"]


def test_an_object_in_a_bucket_with_versions_is_seen_alike_by_a_listing_and_a_look(
    bucket: Bucket, client: Any
) -> None:
    client.create_bucket(Bucket="versions")
    client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    versions = Bucket("s3://versions")
    written = versions.write("a.md", b"one")
    assert list(versions.list()) == [written] == [versions.stat("a.md")]
    assert versions.write("a.md", b"two").fingerprint != written.fingerprint


def test_a_prefix_in_the_url_is_where_the_bucket_begins(bucket: Bucket, client: Any) -> None:
    client.put_object(Bucket="documents", Key="team/handbook/a.md", Body=b"x")
    client.put_object(Bucket="documents", Key="teams/b.md", Body=b"x")
    below = Bucket("s3://documents/team")
    assert [item.key for item in below.list()] == ["handbook/a.md"]
    below.write("handbook/c.md", b"x")
    assert client.head_object(Bucket="documents", Key="team/handbook/c.md")
    assert [item.key for item in Bucket("s3://documents/nothing").list()] == []


def test_a_folder_marker_beside_an_object_of_its_name_is_not_a_second_object(
    bucket: Bucket, client: Any
) -> None:
    bucket.write("folder", b"x")
    client.put_object(Bucket="documents", Key="folder/", Body=b"")
    assert [item.size for item in bucket.list()] == [1]
    client.delete_object(Bucket="documents", Key="folder/")


class Disturbed(Bucket):
    """Something happens to an object between a look at it and its reading."""

    def __init__(self, disturbance: Callable[[], object]) -> None:
        super().__init__("s3://documents")
        self.disturbance = disturbance

    def stat(self, key: str) -> BucketObject | None:
        found = super().stat(key)
        self.disturbance()
        return found


def test_an_object_overwritten_while_it_is_read_is_left_for_later(
    bucket: Bucket, client: Any
) -> None:
    bucket.write("a.md", b"one")
    disturbed = Disturbed(lambda: client.put_object(Bucket="documents", Key="a.md", Body=b"two"))
    with pytest.raises(DocumentChanging):
        disturbed.read_stable("a.md", max_bytes=10)
    assert bucket.read_stable("a.md", max_bytes=10)[1] == b"two"


def test_an_object_deleted_while_it_is_read_is_not_found(bucket: Bucket) -> None:
    bucket.write("a.md", b"one")
    with pytest.raises(NotFound):
        Disturbed(lambda: bucket.delete("a.md")).read_stable("a.md", max_bytes=10)


def sentence(error: pytest.ExceptionInfo[Exception]) -> str:
    said = str(error.value)
    assert "\n" not in said and "Debug" not in said and len(said) < 400, said
    return said


def test_wrong_credentials_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidding(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(403)
            self.end_headers()

        do_PUT = do_DELETE = do_HEAD = do_GET

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Forbidding)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    try:
        wrong = Bucket("s3://documents")
        with pytest.raises(BucketUnavailable) as error:
            list(wrong.list())
        assert sentence(error) == (
            "The bucket s3://documents refuses access. Check its credentials."
        )
        with pytest.raises(Conflict) as refusal:
            wrong.write("a.md", b"x")
        assert "read-only" in sentence(refusal)
    finally:
        server.shutdown()
        server.server_close()


def test_a_bucket_that_does_not_exist_is_a_sentence(bucket: Bucket) -> None:
    with pytest.raises(BucketUnavailable) as error:
        list(Bucket("s3://another").list())
    assert sentence(error) == ("There is no bucket s3://another. Create it, or correct RAG_BUCKET.")


@pytest.mark.parametrize("url", ["s3://documents", "gs://documents/folder", "az://documents"])
def test_a_store_that_is_away_is_a_sentence(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    key = base64.b64encode(b"key").decode()
    account = tmp_path / "account.json"
    account.write_text(
        json.dumps(
            {
                "gcs_base_url": away,
                "disable_oauth": True,
                "client_email": "",
                "private_key": "",
                "private_key_id": "",
            }
        )
    )
    for name, value in {
        "AWS_ENDPOINT_URL": away,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GOOGLE_SERVICE_ACCOUNT": str(account),
        "AZURE_STORAGE_ACCOUNT_NAME": "account",
        "AZURE_STORAGE_ACCOUNT_KEY": key,
        "AZURE_STORAGE_ENDPOINT": away,
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BucketUnavailable) as error:
        list(Bucket(url).list())
    assert sentence(error).startswith(f"The server of the bucket {url} does not answer.")


def test_azure_without_an_account_is_a_setting_to_correct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE")]:
        monkeypatch.delenv(name)
    with pytest.raises(SettingsError, match="Account must be specified") as error:
        Bucket("az://documents")
    sentence(error)


def test_files_at_the_root_are_listed_as_they_are_while_they_come_and_change(
    bucket: Bucket, client: Any
) -> None:
    client.create_bucket(Bucket="root")
    client.put_object(Bucket="root", Key="folder/b.md", Body=b"x")
    root = Bucket("s3://root")
    assert [item.key for item in root.list()] == ["folder/b.md"]
    for data in (b"one", b"another", b""):
        client.put_object(Bucket="root", Key="a.md", Body=data)
        client.put_object(Bucket="root", Key="folder/", Body=data)
        client.put_object(Bucket="root", Key="folder/b.md", Body=data)
        assert [(item.key, item.size) for item in root.list()] == [
            ("a.md", len(data)),
            ("folder/b.md", len(data)),
        ]
        assert [root.stat(item.key) for item in root.list()] == list(root.list())
        assert root.skipped == ({"folder/": "Its name ends with a slash."} if data else {})
    client.put_object(Bucket="root", Key="a.md/", Body=b"hidden")
    assert [(item.key, item.size) for item in root.list()] == [("a.md", 0), ("folder/b.md", 0)]
    assert root.skipped == {"a.md/": "Its name ends with a slash."}


@pytest.fixture
def google(endpoint: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Makes a bucket of these keys and opens it as one of Google's, whose interface is S3's."""
    account = tmp_path / "account.json"
    names = ("client_email", "private_key", "private_key_id")
    account.write_text(
        json.dumps({"gcs_base_url": endpoint, "disable_oauth": True} | dict.fromkeys(names, ""))
    )
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(account))
    client = botocore.session.get_session().create_client(
        "s3", endpoint_url=endpoint, region_name="us-east-1"
    )

    def opened(name: str, *keys: str) -> Bucket:
        client.create_bucket(Bucket=name, ACL="public-read")
        for key in keys:
            body = b"" if key == "handbook/" else key.encode()
            client.put_object(Bucket=name, Key=key, Body=body, ACL="public-read")
        return Bucket(f"gs://{name}")

    return opened


@pytest.mark.parametrize(
    ("key", "skipped", "nameless"),
    [
        ("handbook/", [], []),
        ("full/", ["full/"], []),
        ("root.md/", ["root.md/"], []),
        ("/root.md", ["/"], []),
        ("/handbook/a.md", ["/"], []),
        ("/handbook/leave.md", ["/"], []),
        ("/other/a.md", ["/"], []),
        ("handbook/full/", [], ["handbook/full"]),
    ],
)
def test_slashes_around_keys_that_are_not_s3s_are_skipped_or_found_by_nobody(
    google: Any, key: str, skipped: list[str], nameless: list[str]
) -> None:
    name = f"google{key.encode().hex()}"
    google(name, "handbook/leave.md", "root.md", key)
    odd = Bucket(f"gs://{name}")
    for _ in range(2):
        whole = sorted(item.key for item in odd.list())
        assert whole == sorted(["handbook/leave.md", "root.md", *nameless])
        assert list(odd.skipped) == skipped
        # What a look at everything shows is what a run of each collection finds: none is asked for
        # again and again.
        parts = [item.key for name in ("default", "handbook") for item in odd.list_collection(name)]
        assert sorted(parts) == whole
    assert [item.key for item in odd.list() if odd.stat(item.key) is None] == nameless


@pytest.mark.parametrize(
    "key", ["handbook//c.md", "handbook/../d.md", "handbook/a/b//", "handbook/tab\t.md"]
)
def test_a_key_that_is_no_path_and_not_s3s_fails_the_listing_and_is_named(
    google: Any, key: str
) -> None:
    odd = google(f"google{key.encode().hex()}", "handbook/leave.md", key)
    with pytest.raises(BucketUnavailable) as error:
        list(odd.list())
    assert f'"{key}"' in sentence(error) and sentence(error).endswith("Rename that object.")


def test_a_folder_that_comes_beside_a_key_with_a_slash_is_listed(google: Any, client: Any) -> None:
    odd = google("googlelater", "/a.md", "handbook/leave.md")
    assert [item.key for item in odd.list()] == ["handbook/leave.md"]
    for key in ("later/a.md", "root.md"):
        client.put_object(Bucket="googlelater", Key=key, Body=b"x", ACL="public-read")
    assert [item.key for item in odd.list()] == ["root.md", "handbook/leave.md", "later/a.md"]
