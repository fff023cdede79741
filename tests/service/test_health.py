import threading

from rag_platform.errors import IndexUnavailable, LedgerUnavailable, ModelUnavailable
from rag_platform.service.paging import decode_cursor, encode_cursor
from rag_platform.service.warmth import Warmth


def test_the_service_is_ready_while_its_parts_answer(service):
    assert service.client.get("/readyz").json() == {"status": "ready"}

    def away():
        raise IndexUnavailable("Chroma does not answer.")

    service.platform.chroma.heartbeat = away
    response = service.client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["type"] == "urn:rag:problem:index-unavailable"
    assert service.client.get("/healthz").json() == {"status": "alive"}


def test_warming_up_goes_on_until_it_works_and_says_why_not():
    tried, may_work = [], threading.Event()

    def warm_up():
        tried.append(1)
        if not may_work.is_set():
            raise ModelUnavailable("No weights.", "Run rag up.")

    warmth = Warmth(warm_up)
    warmth.start()
    while not warmth.reason:
        pass
    assert not warmth.is_warm
    assert warmth.reason == "No weights. Run rag up."
    may_work.set()
    while not warmth.is_warm:
        pass
    assert len(tried) > 1


def test_the_counters_are_in_the_format_of_prometheus(service):
    service.ask()
    service.client.get("/nothing")
    text = service.client.get("/metrics").text
    assert 'rag_http_requests_total{method="POST",route="/v1/chat",status="200"} 1' in text
    assert 'rag_http_requests_total{method="GET",route="unmatched",status="404"} 1' in text
    assert 'rag_answers_total{status="complete"} 1' in text
    assert 'rag_documents{collection="handbook",state="indexed"} 1' in text
    assert "rag_ledger_up 1" in text


def test_the_counters_are_there_without_the_ledger(service):
    def away():
        raise LedgerUnavailable("Away.")

    service.platform.ledger.read = away
    text = service.client.get("/metrics").text
    assert "rag_ledger_up 0" in text and "rag_http_requests_total" in text


def test_the_contract_is_served_as_openapi(shared_service):
    paths = shared_service.client.get("/openapi.json").json()["paths"]
    assert "/v1/chat" in paths and "/v1/collections/{collection}/documents" in paths


def test_a_cursor_gives_back_its_position():
    for position in (("a", "b"), ("Räte", "Räte/日本 👶🏽\n.md"), ("", "")):
        assert decode_cursor(encode_cursor(*position), 2) == position
