"""The whole way of documents from a bucket in an object store, on a server that speaks S3."""

import subprocess
import sys
import time

import botocore.session
import httpx
import pytest

from rag_platform.documents.bucket import Bucket
from rag_platform.documents.looking import look_at
from rag_platform.service.app import create_app
from rag_platform.service.fakes import served

pytest.importorskip("moto", reason="moto[server] is a development dependency")
pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def endpoint(free_port):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline and server.poll() is None
        yield url
        server.terminate()


@pytest.fixture
def client(endpoint, monkeypatch, platform):
    """S3 as others speak it; the platform's bucket is a folder in one with versions."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    client = botocore.session.get_session().create_client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="documents")
    client.put_bucket_versioning(Bucket="documents", VersioningConfiguration={"Status": "Enabled"})
    platform.bucket = Bucket("s3://documents/company")
    return client


def test_a_collection_in_an_object_store_goes_through_the_whole_job(
    pipeline, platform, client, found
):
    def differing() -> set[str]:
        first = look_at(platform.ledger, platform.bucket, {})
        return set(look_at(platform.ledger, platform.bucket, first.differing).reasons)

    def put(key: str, text: str) -> None:
        client.put_object(Bucket="documents", Key=f"company/{key}", Body=text.encode())

    put("handbook/leave.md", "# Leave\n\nParental leave is 26 weeks.")
    put("handbook/räte & co+%.md", "# Lift\n\nThe lift closes at nine.")
    put("handbook/broken.pdf", "no PDF")
    put("handbook//odd.md", "This one has no path.")
    put("handbook/", "")
    assert differing() == {"handbook"}
    assert pipeline()["handbook"].current
    assert found("How long is parental leave?")[0] == "handbook/leave.md"
    assert found("When does the lift close?")[0] == "handbook/räte & co+%.md"
    assert platform.bucket.skipped == {"handbook//odd.md": "A folder in its name is empty."}
    assert differing() == set()
    assert pipeline.verify().problems == []

    put("handbook/leave.md", "# Leave\n\nParental leave is 40 weeks.")
    assert differing() == {"handbook"}
    report = pipeline.documents("handbook")
    assert (report.read, report.listed) == (["handbook/leave.md"], 3)
    pipeline.index("handbook")
    assert "40 weeks" in platform.search("parental leave").passages[0].chunk.text
    assert differing() == set()
    assert pipeline.verify().problems == []

    client.delete_object(Bucket="documents", Key="company/handbook/leave.md")
    platform.bucket.write("handbook/uploaded.md", b"# Uploaded\n\nThe canteen has soup.")
    assert differing() == {"handbook"}
    pipeline()
    assert found("parental leave weeks") != ["handbook/leave.md"]
    assert found("What does the canteen have?")[0] == "handbook/uploaded.md"
    platform.bucket.delete("handbook/uploaded.md")
    pipeline()
    assert differing() == set()
    assert pipeline.verify().problems == []


@pytest.mark.parametrize(
    "key",
    [
        "handbook/folder/",
        "handbook/",
        "folder/",
        "root.md/",
        "/root.md",
        "/handbook/a.md",
        "/handbook/leave.md",
        "handbook/a/b//",
    ],
)
def test_an_object_that_is_listed_and_not_found_is_set_aside_and_not_tried_again(
    pipeline, platform, client, listed, found, key
):
    client.create_bucket(Bucket="slashes")
    for item in client.list_objects_v2(Bucket="slashes").get("Contents", ()):
        client.delete_object(Bucket="slashes", Key=item["Key"])
    platform.bucket = Bucket("s3://slashes")
    client.put_object(Bucket="slashes", Key="handbook/leave.md", Body=b"# Leave\n\n26 weeks.")
    client.put_object(Bucket="slashes", Key="root.md", Body=b"# Root\n\nA file at the root.")
    client.put_object(Bucket="slashes", Key=key, Body=b"# Hidden\n\nNobody reads this.")
    pipeline()
    platform.bucket = Bucket("s3://slashes")  # as another process sees it
    first = look_at(platform.ledger, platform.bucket, {})
    assert look_at(platform.ledger, platform.bucket, first.differing).reasons == {}
    assert found("leave weeks", "handbook") == ["handbook/leave.md"]
    assert found("file at the root", "default") == ["root.md"]
    aside = listed()
    for name in ("handbook/leave.md", "root.md"):
        assert aside.pop(name).state == "indexed"
    assert [item.state for item in aside.values()] + list(platform.bucket.skipped) in (
        ["quarantined"],
        [key],
    )
    assert all("slash" in (item.reason or "") for item in aside.values())
    assert pipeline.verify().problems == []


def test_an_object_without_a_name_is_not_deleted_but_said_to_have_none(pipeline, platform, client):
    client.create_bucket(Bucket="nameless")
    client.put_object(Bucket="nameless", Key="handbook/folder/", Body=b"Nobody reads this.")
    platform.bucket = Bucket("s3://nameless")
    platform.settings.chat.fast_lane_megabytes = 0
    pipeline()
    address = "/v1/collections/handbook/documents/handbook/folder"
    with served(create_app(platform)) as url, httpx.Client(base_url=url, timeout=60) as service:
        found = service.get(address).json()
        assert found["state"] == "quarantined" and "ends with a slash" in found["reason"]
        assert service.get(f"{address}/file").status_code == 404
        refused = service.delete(address)
        assert refused.status_code == 409
        assert "has none of this name" in refused.json()["detail"]
        assert service.get(address).json() == found
        client.delete_object(Bucket="nameless", Key="handbook/folder/")
        assert service.delete(address).status_code == 204
        assert service.get(address).status_code == 404
