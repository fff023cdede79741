"""A bucket in an object store, against a server that speaks S3."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from rag_platform.documents.bucket import Bucket
from rag_platform.errors import BucketUnavailable, NotFound, UnreadableDocument

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


def test_a_key_that_cannot_be_a_path_fails_the_listing_and_is_named(
    bucket: Bucket, endpoint: str
) -> None:
    httpx.put(f"{endpoint}/odd").raise_for_status()
    for path in ("odd/a.md", "odd/b//c.md"):
        httpx.put(f"{endpoint}/{path}", content=b"x").raise_for_status()
    with pytest.raises(BucketUnavailable, match=r"b//c\.md.*Rename that object\."):
        list(Bucket("s3://odd").list())
