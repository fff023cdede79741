"""An upload that is answerable at once: the real parser, model, Chroma and ledger."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import httpx
import pytest

from rag_platform.service import reporting
from rag_platform.service.app import create_app
from rag_platform.service.fakes import served

SAUNA = b"# Sauna\n\nThe sauna is heated on Thursdays."

pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@pytest.fixture
def dagster() -> Iterator[SimpleNamespace]:
    """What Dagster's webserver was told: a server that notes requests and answers ``status``."""
    told = SimpleNamespace(requests=[], status=200, gate=threading.Event())
    told.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.requests.append((self.path, body))
            told.gate.wait()
            self.send_response(told.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    told.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def lane_service(platform, dagster, request) -> Iterator[SimpleNamespace]:
    """The service over real parts, its fast lane open unless the test says otherwise."""
    platform.settings.dagster.url = dagster.url
    platform.settings.ollama.url = "http://127.0.0.1:9"
    platform.settings.chat.fast_lane_megabytes = getattr(request, "param", 1)
    app = create_app(platform)
    with served(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        while client.get("/readyz").status_code != 200:
            pass
        yield SimpleNamespace(client=client, platform=platform, lane=app.state.lane)


def upload(service, name="sauna.md", data=SAUNA, collection="club"):
    answer = service.client.post(
        f"/v1/collections/{collection}/documents", files={"file": (name, data)}
    )
    assert answer.status_code == 202, answer.text
    return answer.json()


def document(service, key="club/sauna.md"):
    listed = service.client.get("/v1/documents").json()["documents"]
    return next(item for item in listed if item["key"] == key)


def test_a_small_upload_is_answerable_without_a_run(lane_service, eventually):
    assert upload(lane_service).keys() == {"collection", "key", "sha256"}
    eventually(lambda: document(lane_service)["state"] == "indexed")
    answer = lane_service.client.post("/v1/chat", json={"question": "When is the sauna heated?"})
    assert "Thursdays" in answer.json()["answer"]
    assert answer.json()["citations"][0]["document"]["key"] == "club/sauna.md"


def test_dagster_is_told_of_the_four_assets_and_of_the_check(lane_service, dagster, eventually):
    upload(lane_service)
    eventually(lambda: len(dagster.requests) == 6)
    (path, partition), *events, (checked, verdict) = dagster.requests
    assert path == "/graphql" and partition["variables"]["key"] == "club"
    assert [path for path, _ in events] == [
        f"/report_asset_materialization/{asset}"
        for asset in ("documents", "chunks", "embeddings", "search_index")
    ]
    assert {body["partition"] for _, body in events} == {"club"}
    metadata = {path.rpartition("/")[2]: body["metadata"] for path, body in events}
    assert metadata["documents"]["read"] == 1
    assert metadata["chunks"]["chunks made"] == 1
    assert metadata["embeddings"]["embedded"] == 1
    assert metadata["search_index"]["vectors"] == 1
    assert checked == "/report_asset_check/search_index"
    assert (verdict["check_name"], verdict["passed"]) == ("index_matches_bucket", True)


def test_a_dagster_that_fails_costs_nothing_but_its_events(lane_service, dagster, eventually):
    dagster.status = 500
    for name in ("one.md", "two.md"):
        upload(lane_service, name, b"# " + name.encode() + b"\n\nSome words.")
        eventually(lambda name=name: document(lane_service, f"club/{name}")["state"] == "indexed")
    eventually(lambda: dagster.requests)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports wait for Dagster as long as it takes."""
    monkeypatch.setattr(reporting, "_SECONDS", 120.0)


def test_a_dagster_that_is_slow_delays_no_further_upload(
    patient, lane_service, dagster, eventually
):
    dagster.gate.clear()
    upload(lane_service)
    eventually(lambda: dagster.requests)
    upload(lane_service, "other.md", b"# Other\n\nOther words.")
    eventually(lambda: document(lane_service, "club/other.md")["state"] == "indexed")
    assert len(dagster.requests) == 1
    dagster.gate.set()
    eventually(lambda: len(dagster.requests) == 10)


def test_a_large_upload_is_left_to_the_sensor(lane_service):
    upload(lane_service, "large.md", b"word " * 300_000)
    upload(lane_service)
    assert not lane_service.lane.offer("club", "club/large.md", 2_000_000, None)
    assert document(lane_service, "club/large.md")["state"] == "pending"


@pytest.mark.parametrize("lane_service", [0], indirect=True)
def test_the_lane_can_be_switched_off(lane_service):
    upload(lane_service)
    assert not lane_service.lane.is_open
    assert not lane_service.lane.offer("club", "club/sauna.md", 1, None)
    assert lane_service.lane._parser.pid is None


def test_a_lane_that_is_full_refuses_and_what_it_took_is_done(lane_service, eventually):
    for number in range(40):
        upload(lane_service, f"{number}.md", f"# Paper {number}\n\nIts word is w{number}.".encode())
    eventually(lambda: document(lane_service, "club/0.md")["state"] == "indexed")
    taken = [lane_service.lane.offer("club", "club/39.md", 10, None) for _ in range(80)]
    assert not all(taken)


def test_an_upload_that_cannot_be_read_says_why_at_once(lane_service, eventually):
    upload(lane_service, "broken.pdf", b"%PDF-1.4 broken")
    eventually(lambda: document(lane_service, "club/broken.pdf")["state"] == "quarantined")
    assert document(lane_service, "club/broken.pdf")["reason"]


def test_an_upload_while_chroma_is_away_is_left_to_the_sensor_and_the_lane_goes_on(
    lane_service, chroma_server, eventually
):
    chroma_server.kill()
    upload(lane_service)
    upload(lane_service, "other.md", b"# Other\n\nOther words.")
    eventually(lambda: lane_service.lane.in_work is None and lane_service.lane._jobs.empty())
    assert document(lane_service)["state"] == "pending"
    chroma_server.start()
    upload(lane_service, "third.md", b"# Third\n\nThird words.")
    eventually(lambda: document(lane_service, "club/third.md")["state"] == "indexed")
