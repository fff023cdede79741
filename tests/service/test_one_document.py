"""One document by its address, and what a pending one waits for."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.ingestion import lease
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.transitions import announce
from rag_platform.service import standing
from rag_platform.service.fakes import add_document

CREATED, MODIFIED = datetime(2019, 5, 3, 8, tzinfo=UTC), datetime(2024, 6, 4, 9, 30, tzinfo=UTC)


def address(key, rest=""):
    return f"/v1/collections/handbook/documents/{quote(key)}{rest}"


def add(service, key="handbook/räte & co.md"):
    document = ParsedDocument(
        "Vier kurze deutsche Wörter.",
        title="Räte",
        author="Åsa Räty",
        created=CREATED,
        modified=MODIFIED,
        language="de",
        page_count=3,
        notes=("Page 2 is a picture.",),
    )
    add_document(service.platform, "handbook", key, document)


def announced(service, key="handbook/new.md"):
    with service.platform.ledger.write() as connection:
        handbook = ensure_collection(connection, "handbook").id
        announce(connection, handbook, {key: 5}, datetime.now(UTC))


def test_a_document_is_shown_with_all_that_it_says_of_itself(service):
    add(service)
    found = service.client.get(address("handbook/räte & co.md"))
    assert found.status_code == 200, found.text
    document = found.json()
    assert document.pop("waits_for") is None
    assert datetime.fromisoformat(document["created"]) == CREATED
    assert datetime.fromisoformat(document["modified"]) == MODIFIED
    expected = {
        "author": "Åsa Räty",
        "language": "de",
        "pages": 3,
        "words": 4,
        "chunks": 1,
        "notes": ["Page 2 is a picture."],
    }
    assert {name: document[name] for name in expected} == expected
    listed = service.client.get("/v1/documents", params={"query": "räte"}).json()["documents"]
    assert listed == [document]


def test_what_a_document_does_not_say_is_null(service):
    document = service.client.get(address("handbook/leave.md")).json()
    assert document["state"] == "indexed"
    for name in ("created", "modified", "author", "language", "reason", "waits_for"):
        assert document[name] is None


@pytest.mark.parametrize(
    "key", ["handbook/content", "handbook/x/file", "handbook/pages/1.png", "handbook/a\nb\n"]
)
def test_a_document_of_any_name_is_found_by_the_last_part_of_the_address(service, key):
    add(service, key)
    assert service.client.get(address(key, "/metadata")).json()["key"] == key


@pytest.mark.parametrize("rest", ["", "/metadata"])
def test_a_document_that_is_not_there_is_a_problem(service, rest):
    assert service.client.delete(address("handbook/leave.md")).status_code == 204
    for key in ("handbook/leave.md", "handbook/never.md"):
        response = service.client.get(address(key, rest))
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"] == "urn:rag:problem:not-found"
        assert repr(key) in response.json()["detail"]


@pytest.fixture
def dagster(service, monkeypatch) -> Iterator[SimpleNamespace]:
    """A Dagster whose answer the test writes: ``runs``, ``beat`` in seconds ago, ``sensor``."""
    told = SimpleNamespace(
        runs=[],
        beat=1.0,
        sensor={"status": "RUNNING", "ticks": []},
        asked=[],
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            told.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            beat = time.time() - told.beat if told.beat is not None else None
            daemons = [
                {"daemonType": name, "required": True, "lastHeartbeatTime": beat}
                for name in ("SENSOR", "QUEUED_RUN_COORDINATOR")
            ]
            data = {
                "runsOrError": {"results": told.runs},
                "instance": {"daemonHealth": {"allDaemonStatuses": daemons}},
                "sensorOrError": {"sensorState": told.sensor},
            }
            body = json.dumps({"data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    monkeypatch.setattr(standing, "_FRESH", 0.0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    service.platform.settings.dagster.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def waits_for(service, key="handbook/new.md"):
    return service.client.get(address(key)).json()["waits_for"]


def test_a_pending_document_says_which_run_has_it(service, dagster):
    announced(service)
    dagster.runs = [{"runId": "12345678-90ab", "status": "STARTED"}]
    assert waits_for(service) == "The run 12345678 works on its collection."
    dagster.runs[0]["status"] = "QUEUED"
    assert waits_for(service) == "The run 12345678 will read it; it waits for others to end."
    (tag,) = dagster.asked[0]["variables"]["runs"]["tags"]
    assert tag == {"key": "dagster/partition", "value": "handbook"}


@pytest.mark.parametrize("beat", [None, 300.0])
def test_a_pending_document_says_that_the_daemon_does_not_run(service, dagster, beat):
    announced(service)
    dagster.beat = beat
    assert "daemon, which starts the runs that read documents, does not run" in waits_for(service)


def test_a_pending_document_says_what_the_sensor_said(service, dagster):
    announced(service)
    assert waits_for(service).startswith("The next look at the bucket")
    dagster.sensor["ticks"] = [{"status": "SKIPPED", "skipReason": "2 runs failed", "error": None}]
    assert waits_for(service) == "Dagster's sensor bucket_changed said last: 2 runs failed"
    error = {"message": "Traceback\n  LedgerUnavailable: it is locked.\n"}
    dagster.sensor["ticks"] = [{"status": "FAILURE", "skipReason": None, "error": error}]
    assert waits_for(service).endswith("failed: LedgerUnavailable: it is locked.")
    dagster.sensor["status"] = "STOPPED"
    assert "is switched off" in waits_for(service)


def test_a_pending_document_says_that_dagster_does_not_answer(service, free_port):
    announced(service)
    service.platform.settings.dagster.url = f"http://127.0.0.1:{free_port()}"
    assert "does not answer" in waits_for(service)


def test_a_pending_document_says_that_rag_ingest_has_it(service):
    announced(service)
    with lease.held(service.platform.settings.home, "handbook"):
        assert waits_for(service) == "rag ingest works on the collection 'handbook'."


def test_dagster_is_asked_once_for_many_documents(service, dagster, monkeypatch):
    monkeypatch.setattr(standing, "_FRESH", 60.0)
    for n in range(5):
        announced(service, f"handbook/{n}.md")
    assert len({waits_for(service, f"handbook/{n}.md") for n in range(5)}) == 1
    assert len(dagster.asked) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_dagster_knows_all_that_it_is_asked():
    from dagster_graphql.schema import create_schema
    from graphql import parse, validate

    assert validate(create_schema().graphql_schema, parse(standing._QUERY)) == []
