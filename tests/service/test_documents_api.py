import hashlib
import os
from urllib.parse import quote

import pytest

from rag_platform.documents.bucket import Bucket
from rag_platform.documents.ingestion import reconcile_documents
from rag_platform.documents.parsing import parse
from rag_platform.documents.watching import compare
from rag_platform.ledger.collections import ensure_collection, find_collection
from rag_platform.ledger.documents import find_content, known_documents
from rag_platform.ledger.listing import readable_content
from rag_platform.ledger.transitions import publish

ODD_KEYS = [
    "handbook/a b.md",
    "handbook/100%.md",
    "handbook/%2F.md",
    "handbook/#1?.md",
    "handbook/Räte/überfällig.md",
    "handbook/日本/👶🏽.md",
    "handbook/a+b&c=d.md",
    "handbook/content",
    "handbook/file",
    "handbook/retry",
    "handbook/x/file/retry",
    "handbook/x/retry/file",
    "handbook/pages/1.png",
    "handbook/x/documents/y/content",
    "handbook/line\nbreak.md",
    "handbook/ends with a line break\n",
    'handbook/"quoted" <b>.md',
]

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n'


def address(key, collection="handbook", rest=""):
    return f"/v1/collections/{quote(collection, safe='')}/documents/{quote(key)}{rest}"


def upload(service, name, data=b"# Hello\n\nSome words.", collection="handbook"):
    path = f"/v1/collections/{quote(collection, safe='')}/documents"
    return service.client.post(path, files={"file": (name, data)})


def listed(service, **query):
    response = service.client.get("/v1/collections/handbook/documents", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def test_an_upload_lands_in_the_bucket_and_is_listed_as_pending_at_once(service):
    data = "Zwölf Boxkämpfer".encode()
    response = upload(service, "räte & co.txt", data)
    assert response.status_code == 202
    assert response.json() == {
        "collection": "handbook",
        "key": "handbook/räte & co.txt",
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    assert (service.bucket / "handbook" / "räte & co.txt").read_bytes() == data
    found = {item["key"]: item for item in listed(service)["documents"]}
    assert found["handbook/räte & co.txt"]["state"] == "pending"
    assert found["handbook/räte & co.txt"]["size_bytes"] == len(data)


def test_an_upload_makes_a_new_collection(service):
    assert upload(service, "a.md", collection="Räte 2").status_code == 202
    found = service.client.get("/v1/collections").json()["collections"]
    assert found == [
        {"name": "Räte 2", "documents": {"pending": 1}},
        {"name": "handbook", "documents": {"indexed": 1}},
    ]


def test_an_empty_file_is_taken_and_left_to_ingestion_to_explain(service):
    assert upload(service, "empty.md", b"").status_code == 202
    assert (service.bucket / "handbook" / "empty.md").read_bytes() == b""


@pytest.mark.parametrize(
    "name", ["../up.md", "a/b.md", "..", ".hidden", "a\x01b.md", "a\x00b.md", "x.tmp", "x" * 300]
)
def test_a_file_name_is_never_a_path(service, name):
    response = service.client.post(  # by hand, since a client would escape or refuse some of them
        "/v1/collections/handbook/documents",
        content=HEAD % name.encode() + b"x\r\n--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert list(service.bucket.rglob("*")) == []


@pytest.mark.parametrize("collection", ["..", ".git", " "])
def test_a_collection_that_cannot_be_a_folder_is_refused(service, collection):
    path = f"/v1/collections/{quote(collection, safe='').replace('.', '%2E')}/documents"
    response = service.client.post(path, files={"file": ("a.md", b"x")})
    assert response.status_code in (400, 404, 405)
    assert list(service.bucket.rglob("*")) == []


def test_a_file_over_the_limit_is_refused_and_leaves_nothing(service):
    for size in (1024 * 1024 + 1, 3 * 1024 * 1024):
        response = upload(service, "large.md", b"x" * size)
        assert response.status_code == 413
        assert response.json()["type"] == "urn:rag:problem:too-large"
        assert "1 MB" in response.json()["detail"]
    assert upload(service, "fits.md", b"x" * 1024 * 1024).status_code == 202
    assert [path.name for path in service.bucket.rglob("*.md")] == ["fits.md"]


def test_an_upload_of_unknown_length_is_counted_while_it_is_sent(service):
    head = HEAD % b"long.md"
    response = service.client.post(
        "/v1/collections/handbook/documents",
        content=(piece for piece in [head, *[b"x" * 64 * 1024] * 64]),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert response.status_code == 413
    assert list(service.bucket.rglob("*.md")) == []


def test_the_list_is_paged_in_order_without_repeats_or_holes(service):
    for n in range(7):
        service.add("handbook", f"handbook/{n}.md", f"Text {n}")
    keys, cursor, pages = [], None, 0
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = listed(service, **query)
        keys += [item["key"] for item in page["documents"]]
        pages += 1
        if (cursor := page["next_cursor"]) is None:
            break
    assert keys == [f"handbook/{n}.md" for n in range(7)] + ["handbook/leave.md"]
    assert pages == 3


def test_the_list_can_show_one_state(service):
    upload(service, "new.md")
    assert [d["key"] for d in listed(service, state="pending")["documents"]] == ["handbook/new.md"]
    assert [d["key"] for d in listed(service, state="indexed")["documents"]] == [
        "handbook/leave.md"
    ]


def test_the_list_of_all_collections_says_which_is_whose(service):
    service.add("reports", "reports/a.md", "A report")
    found = service.client.get("/v1/documents").json()["documents"]
    assert [(d["collection"], d["key"]) for d in found] == [
        ("handbook", "handbook/leave.md"),
        ("reports", "reports/a.md"),
    ]


def test_an_indexed_document_is_listed_with_what_is_known_of_it(service):
    (document,) = listed(service)["documents"]
    assert document["title"] == "Leave"
    assert document["chunks"] == 4
    assert document["state"] == "indexed" and document["indexed_at"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_can_be_read_and_deleted(service, key):
    path = service.bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("Words.")
    service.add("handbook", key, "Words.", title="Odd")
    content = service.client.get(address(key, rest="/content"))
    assert content.status_code == 200, content.text
    assert content.json()["key"] == key
    file = service.client.get(address(key, rest="/file"))
    assert (file.status_code, file.content) == (200, b"Words.")
    again = service.client.post(address(key, rest="/retry"))
    assert (again.status_code, again.json()["key"]) == (202, key)
    assert service.client.delete(address(key)).status_code == 204
    assert not path.exists()
    assert [d["key"] for d in listed(service)["documents"]] == ["handbook/leave.md"]


def test_the_content_gives_offsets_in_code_points(service):
    content = service.client.get(address("handbook/leave.md", rest="/content")).json()
    text = content["text"]
    citation = service.ask()["citations"][0]
    assert text[citation["start"] : citation["end"]].startswith("Parental leave is 26 weeks 👶🏽.")
    assert citation["quote"] in text[citation["start"] : citation["end"]]
    assert content["headings"][1] == {
        "level": 2,
        "title": "Holidays",
        "start": text.index("## Holidays"),
    }
    assert content["pages"] == [{"number": 1, "start": 0, "end": len(text)}]


class ReadHere:
    """Parses in this process."""

    def parse(self, data, key):
        return parse(data, key)


def ingest(service):
    """What a run does of it, without an index: read what differs, and let readers see it."""
    platform = service.platform
    with platform.ledger.write() as connection:
        collection_id = ensure_collection(connection, "handbook").id
    report = reconcile_documents(
        platform.ledger,
        platform.bucket,
        platform.objects,
        ReadHere(),
        (collection_id, "handbook"),
        limit=10,
        max_bytes=10_000,
    )
    with platform.ledger.write() as connection:
        known = known_documents(connection, collection_id).values()
        publish(connection, collection_id, [item.content_id for item in known if item.content_id])
    return report


def differing(service):
    """The collections that the bucket's sensor asks runs of."""
    platform = service.platform
    listing = list(platform.bucket.list())
    with platform.ledger.read() as connection:
        known = known_documents(connection, find_collection(connection, "handbook").id).values()
    fingerprints = {item.key: item.fingerprint for item in known if item.state != "deleted"}
    settled = {item.key: item.fingerprint for item in listing}
    return set(compare(listing, settled, fingerprints).reasons)


@pytest.mark.parametrize("damage", ["missing", "truncated", "of zeros", "of something else"])
def test_a_lost_text_is_said_to_be_lost_and_comes_back_from_the_bucket(service, damage):
    (service.bucket / "handbook").mkdir()
    (service.bucket / "handbook" / "leave.md").write_text("# Leave\n\nIt is 26 weeks.")
    ingest(service)
    path = address("handbook/leave.md", rest="/content")
    intact = service.client.get(path).json()
    assert "26 weeks" in intact["text"]
    with service.platform.ledger.read() as connection:
        content = readable_content(connection, "handbook", "handbook/leave.md")
    stored = service.platform.settings.platform.home / "objects" / content.text_ref
    whole = stored.read_bytes()
    if damage == "missing":
        stored.unlink()
    else:
        stored.write_bytes(
            {
                "truncated": whole[: len(whole) // 2],
                "of zeros": bytes(len(whole)),
                "of something else": b"[1]",
            }[damage]
        )
    assert differing(service) == set()
    for _ in range(2):
        response = service.client.get(path)
        assert response.status_code == 503 and response.headers["retry-after"]
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["detail"] == (
            "The text of this document was lost; it is read again from the bucket."
        )
    assert differing(service) == {"handbook"}
    ingest(service)
    assert service.client.get(path).json() == intact
    assert stored.read_bytes() == whole
    assert differing(service) == set()


def test_a_store_that_does_not_answer_is_not_taken_for_a_lost_text(service):
    with service.platform.ledger.read() as connection:
        content = readable_content(connection, "handbook", "handbook/leave.md")
    stored = service.platform.settings.platform.home / "objects" / content.text_ref
    stored.unlink()
    stored.symlink_to(stored)  # it cannot be read, and is not missing either
    response = service.client.get(address("handbook/leave.md", rest="/content"))
    assert response.status_code == 503
    assert "object store" in response.json()["detail"]
    with service.platform.ledger.read() as connection:
        assert find_content(connection, content.id).text_ref == content.text_ref


def test_a_collection_whose_documents_were_all_deleted_is_listed_only_when_asked(service):
    service.add("reports", "reports/a.md", "A report")
    service.add("zoo", "zoo/a.md", "A lion")
    assert service.client.delete(address("handbook/leave.md")).status_code == 204

    def names(**query):
        found = service.client.get("/v1/collections", params=query).json()
        return [item["name"] for item in found["collections"]], found["next_cursor"]

    assert names() == (["reports", "zoo"], None)
    (first,), cursor = names(limit=1)
    assert first == "reports"
    assert names(limit=1, cursor=cursor) == (["zoo"], None)
    assert names(empty=True) == (["handbook", "reports", "zoo"], None)


def test_a_pending_document_has_no_content_yet(service):
    upload(service, "new.md")
    response = service.client.get(address("handbook/new.md", rest="/content"))
    assert response.status_code == 409
    assert "not indexed yet" in response.json()["detail"]


def test_a_deleted_document_is_neither_found_nor_cited_nor_in_the_bucket(service):
    (service.bucket / "handbook").mkdir()
    (service.bucket / "handbook" / "leave.md").write_text("x")
    assert service.ask()["status"] == "complete"
    assert service.client.delete(address("handbook/leave.md")).status_code == 204
    assert not (service.bucket / "handbook" / "leave.md").exists()
    assert service.ask()["status"] == "abstained"
    found = service.client.post("/v1/search", json={"query": "parental leave"}).json()
    assert found["passages"] == []
    assert service.client.get(address("handbook/leave.md", rest="/content")).status_code == 404


def test_deleting_twice_is_no_error_and_an_unknown_document_is(service):
    for _ in range(2):
        assert service.client.delete(address("handbook/leave.md")).status_code == 204
    response = service.client.delete(address("handbook/never.md"))
    assert response.status_code == 404
    assert response.json()["type"] == "urn:rag:problem:not-found"


def test_a_file_that_the_ledger_has_not_seen_yet_can_be_deleted(service):
    (service.bucket / "handbook").mkdir()
    (service.bucket / "handbook" / "fresh.md").write_text("x")
    assert service.client.delete(address("handbook/fresh.md")).status_code == 204
    assert not (service.bucket / "handbook" / "fresh.md").exists()


@pytest.mark.parametrize(
    "key", ["handbook/../../outside.md", "../outside.md", "handbook/..%2f..%2foutside.md"]
)
def test_no_address_reaches_outside_the_bucket(service, key):
    outside = service.bucket.parent / "outside.md"
    outside.write_text("mine")
    response = service.client.delete(
        "/v1/collections/handbook/documents/" + key.replace(".", "%2E").replace("/", "%2F")
    )
    assert response.status_code in (400, 404)
    assert outside.read_text() == "mine"


def test_a_document_of_another_collection_is_not_deleted(service):
    assert service.client.delete(address("handbook/leave.md", "reports")).status_code == 404
    assert len(listed(service)["documents"]) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_bucket_refuses_an_upload_with_a_conflict(service):
    service.bucket.chmod(0o555)
    try:
        response = upload(service, "a.md")
    finally:
        service.bucket.chmod(0o755)
    assert response.status_code == 409


def test_a_source_that_is_read_only_refuses_upload_and_deletion_with_a_conflict(service):
    (service.bucket / "handbook").mkdir()
    (service.bucket / "handbook" / "leave.md").write_text("x")
    service.platform.bucket = Bucket(f"{service.bucket.as_uri()}:ro")
    for response in (upload(service, "a.md"), service.client.delete(address("handbook/leave.md"))):
        assert response.status_code == 409
        assert "is read-only" in response.json()["detail"]
    assert [path.name for path in service.bucket.rglob("*.md")] == ["leave.md"]
    assert len(listed(service)["documents"]) == 1


def test_a_collection_of_no_source_refuses_an_upload_with_a_conflict(service):
    service.platform.bucket = Bucket(f"wiki={service.bucket}")
    response = upload(service, "a.md")
    assert response.status_code == 409
    assert "Take one of: wiki." in response.text


def test_pictures_of_pages_are_not_there_yet(service):
    response = service.client.get(address("handbook/leave.md", rest="/pages/1.png"))
    assert response.status_code == 404
    assert response.json()["type"] == "urn:rag:problem:not-found"
