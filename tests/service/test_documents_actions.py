"""Searching the list, downloading, retrying, and what is coming in."""

import re
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import pytest
import sqlalchemy as sa

from rag_platform.documents.ingestion import reconcile_documents
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing import parse
from rag_platform.errors import ReadingFailed, UnreadableDocument
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.tables import contents
from rag_platform.ledger.transitions import announce
from rag_platform.service.downloads import disposition
from rag_platform.service.fakes import add_document


def address(key, rest="", collection="handbook"):
    return f"/v1/collections/{collection}/documents/{quote(key)}{rest}"


def keys(service, **query):
    answer = service.client.get("/v1/documents", params=query)
    assert answer.status_code == 200, answer.text
    return [item["key"] for item in answer.json()["documents"]]


class Reader:
    """Reads in this process, or fails as it is told."""

    def __init__(self):
        self.failure = None
        self.read = []

    def parse(self, data, key):
        self.read.append(key)
        if self.failure is not None:
            raise self.failure
        return parse(data, key)


@pytest.fixture
def ingest(service):
    """What a run does with the bucket's files, without an index; its reader."""
    reader = Reader()

    def reconcile():
        platform = service.platform
        with platform.ledger.write() as connection:
            collection_id = ensure_collection(connection, "handbook").id
        reader.read.clear()
        reconcile_documents(
            platform.ledger,
            platform.bucket,
            platform.objects,
            reader,
            (collection_id, "handbook"),
            limit=10,
            max_bytes=10_000,
        )
        return reader.read

    reconcile.reader = reader
    return reconcile


def state_of(service, key):
    listed = service.client.get("/v1/collections/handbook/documents").json()["documents"]
    return next((i["state"], i["reason"]) for i in listed if i["key"] == key)


def put(service, key, data=b"# Words\n\nSome words."):
    path = service.bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_the_list_is_searched_by_name_and_title_in_any_case(service):
    service.add("reports", "reports/Bäder/SAUNA 100%.md", "Hot.", title="Opening hours")
    assert keys(service, query="sauna") == ["reports/Bäder/SAUNA 100%.md"]
    assert keys(service, query="BÄDER hours") == ["reports/Bäder/SAUNA 100%.md"]
    assert keys(service, query="100%") == ["reports/Bäder/SAUNA 100%.md"]
    assert keys(service, query="leave") == ["handbook/leave.md"]
    assert keys(service, query="sauna leave") == []
    assert keys(service, query="_") == []
    assert keys(service, query="  ") == keys(service)


def test_a_search_is_paged_like_the_list(service):
    for n in range(5):
        service.add("many", f"many/note {n}.md", f"Text {n}")
    first = service.client.get("/v1/documents", params={"query": "note", "limit": 3}).json()
    query = {"query": "note", "limit": 3, "cursor": first["next_cursor"]}
    second = service.client.get("/v1/documents", params=query).json()
    found = [item["key"] for page in (first, second) for item in page["documents"]]
    assert found == [f"many/note {n}.md" for n in range(5)]
    assert second["next_cursor"] is None


def test_a_search_that_no_database_can_hold_is_refused(service):
    assert service.client.get("/v1/documents?query=%00").status_code == 422
    assert service.client.get("/v1/documents?query=" + "x" * 201).status_code == 422


def test_the_list_says_the_language_the_words_and_the_notes(service):
    document = ParsedDocument(
        "Die Sauna ist heiß.", language="de", notes=("Page 2 has no text.", "It was cut.")
    )
    add_document(service.platform, "handbook", "handbook/sauna.md", document)
    listed = service.client.get("/v1/documents", params={"query": "sauna"}).json()["documents"]
    assert (listed[0]["language"], listed[0]["words"]) == ("de", 4)
    assert listed[0]["notes"] == ["Page 2 has no text.", "It was cut."]


def test_the_original_is_downloaded_whole_and_never_shown_in_place(service):
    data = bytes(range(256)) * 4000  # several pieces
    put(service, "handbook/page.html", data)
    answer = service.client.get(address("handbook/page.html", "/file"))
    assert answer.content == data
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith('attachment; filename="page.html"')


@pytest.mark.parametrize(
    "name", ["a.md", "a b.md", "räte 日本.pdf", '"q"; x=y.md', "50%.md", "line\r\nbreak", "it's.md"]
)
def test_a_download_keeps_its_name_by_rfc_5987(name):
    header = disposition(name)
    assert header.isascii() and header.isprintable()
    plain, exact = re.fullmatch(
        r"attachment; filename=\"([^\"\\]*)\"; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*)",
        header,
    ).groups()
    assert unquote(exact) == name
    assert len(plain) == len(name)


def test_a_file_of_another_collection_or_of_none_is_not_downloaded(service):
    put(service, "handbook/a.md")
    (service.bucket.parent / "outside.md").write_text("mine")
    for path in (
        address("handbook/a.md", "/file", "reports"),
        address("handbook/none.md", "/file"),
        address("handbook", "/file"),
        address("handbook/%2E%2E/%2E%2E/outside.md", "/file").replace("%25", "%"),
    ):
        assert service.client.get(path).status_code == 404


def test_a_document_that_took_too_long_is_read_again(service, ingest):
    put(service, "handbook/slow.md")
    ingest.reader.failure = ReadingFailed("It took longer than 60 s to read.")
    ingest()
    ingest.reader.failure = None
    assert ingest() == []
    assert service.client.post(address("handbook/slow.md", "/retry")).status_code == 202
    assert state_of(service, "handbook/slow.md") == ("pending", None)
    assert ingest() == ["handbook/slow.md"]
    assert state_of(service, "handbook/slow.md") == ("pending", None)  # read, and not indexed yet


def test_a_verdict_on_bytes_is_forgotten_for_all_that_hold_them(service, ingest):
    put(service, "handbook/scan.md", b"the same")
    put(service, "handbook/twin.md", b"the same")
    ingest.reader.failure = UnreadableDocument("It is a scan, and no OCR is installed.")
    ingest()
    ingest.reader.failure = None
    answer = service.client.post(address("handbook/scan.md", "/retry"))
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    assert ingest() == ["handbook/scan.md"]  # the twin shares what was read
    for key in ("handbook/scan.md", "handbook/twin.md"):
        assert state_of(service, key) == ("pending", None)
    with service.platform.ledger.read() as connection:
        reasons = connection.execute(sa.select(contents.c.reason)).scalars().all()
    assert set(reasons) == {None}


def test_a_retry_that_fails_again_says_why_again(service, ingest):
    put(service, "handbook/scan.md", b"scan")
    ingest.reader.failure = UnreadableDocument("It is a scan.")
    ingest()
    service.client.post(address("handbook/scan.md", "/retry"))
    assert ingest() == ["handbook/scan.md"]
    assert state_of(service, "handbook/scan.md") == ("quarantined", "It is a scan.")


def test_a_readable_document_stays_readable_while_it_is_retried(service):
    put(service, "handbook/leave.md", b"other bytes")
    assert service.client.post(address("handbook/leave.md", "/retry")).json()["state"] == "indexed"
    assert service.ask()["status"] == "complete"


def test_a_document_that_is_not_there_cannot_be_retried(service):
    assert service.client.post(address("handbook/none.md", "/retry")).status_code == 404
    put(service, "handbook/leave.md")
    service.client.delete(address("handbook/leave.md"))
    assert service.client.post(address("handbook/leave.md", "/retry")).status_code == 404


def test_the_progress_counts_what_waits_and_what_is_indexed(service, ingest):
    assert service.client.get("/v1/progress").json() == {
        "waiting": 0,
        "indexing": 0,
        "passages": 0,
        "embedded": 0,
        "in_work": [],
    }
    put(service, "handbook/leave.md", b"# Leave\n\nIt is 26 weeks.")
    ingest()
    with service.platform.ledger.write() as connection:
        collection = ensure_collection(connection, "handbook")
        announce(connection, collection.id, {"handbook/later.md": 1}, datetime.now(UTC))
    assert service.client.get("/v1/progress").json() == {
        "waiting": 1,
        "indexing": 1,
        "passages": 0,  # it is not split yet
        "embedded": 0,
        "in_work": [{"collection": "handbook", "key": "handbook/leave.md"}],
    }
