"""Whatever the contract does not allow is a 4xx problem document."""

import json
from urllib.parse import urlsplit

import httpx
import pytest

from rag_platform.errors import (
    IndexUnavailable,
    LanguageModelUnavailable,
    LedgerUnavailable,
    ModelUnavailable,
    RagError,
)

JSON = {"Content-Type": "application/json"}
BAD_BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe",
    b'{"question": "a"',
    b"{}",
    b'{"question": 5}',
    b'{"question": ""}',
    b'{"question": " \\n "}',
    b'{"question": "a\\u0000b"}',
    b'{"question": "a\\ud800b"}',
    b'{"question": "a", "\\ud800": 1}',
    b'{"question": "a", "other": 1}',
    b'{"question": "a", "stream": "yes"}',
    b'{"question": "a", "stream": NaN}',
    b'{"question": "a", "collections": "handbook"}',
    b'{"question": "a", "collections": []}',
    b'{"question": "a", "collections": [1]}',
    b'{"question": "a", "collections": ["a\\u0000"]}',
    b'{"question": "a", "conversation_id": "a b"}',
    b'{"question": "a", "conversation_id": "a\\n"}',
    b'{"question": "a", "conversation_id": ""}',
    b'{"question": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"question": ' + b"9" * 5000 + b"}",
    json.dumps({"question": "a", "collections": ["a"] * 101}).encode(),
    json.dumps({"question": "a" * 100_001}).encode(),
    b'{"question": "' + b"a" * 3 * 1024 * 1024 + b'"}',
]
BAD_REQUESTS = [
    ("GET", "/nothing"),
    ("GET", "/v1"),
    ("GET", "/v1/chat"),
    ("PUT", "/v1/search"),
    ("POST", "/"),
    ("DELETE", "/documents"),
    ("TRACE", "/"),
    ("GET", "/static/nothing.js"),
    ("GET", "/static/../app.py"),
    ("GET", "/static/..%2fapp.py"),
    ("GET", "/static/%00"),
    ("GET", "/static/" + "x" * 5000),
    ("POST", "/static/style.css"),
    ("GET", "/v1/answers/unknown"),
    ("GET", "/v1/answers/%ff"),
    ("GET", "/v1/answers/a%00b"),
    ("GET", "/v1/answers/" + "x" * 5000),
    ("GET", "/v1/documents?limit=0"),
    ("GET", "/v1/documents?limit=501"),
    ("GET", "/v1/documents?limit=-1"),
    ("GET", "/v1/documents?limit=1.5"),
    ("GET", "/v1/documents?limit=" + "9" * 30),
    ("GET", "/v1/documents?limit=" + "9" * 5000),
    ("GET", "/v1/documents?limit=%F0%9F%98%80"),
    ("GET", "/v1/documents?state=deleted"),
    ("GET", "/v1/documents?state=lost"),
    ("GET", "/v1/documents?cursor="),
    ("GET", "/v1/documents?cursor=x"),
    ("GET", "/v1/documents?cursor=%00"),
    ("GET", "/v1/documents?cursor=%F0%9F%98%80"),
    ("GET", "/v1/documents?cursor=W10"),  # []
    ("GET", "/v1/documents?cursor=WyJhIl0"),  # ["a"]
    ("GET", "/v1/documents?cursor=WzEsMl0"),  # [1,2]
    ("GET", "/v1/documents?cursor=WyJhIiwiXHUwMDAwIl0"),  # ["a","\u0000"]
    ("GET", "/v1/documents?cursor=WyJcdWQ4MDAiLCJhIl0"),  # ["\ud800","a"]
    ("GET", "/v1/documents?cursor=" + "W" * 8000),
    ("GET", "/v1/documents?page=2"),
    ("GET", "/v1/collections?cursor=x"),
    ("GET", "/v1/collections/nowhere/documents"),
    ("GET", "/v1/collections/%00/documents"),
    ("GET", "/v1/collections/handbook/documents/"),
    ("GET", "/v1/collections/handbook/documents/a.md"),
    ("GET", "/v1/collections/handbook/documents/a.md/content"),
    ("GET", "/v1/collections/handbook/documents/%ED%A0%80/content"),
    ("DELETE", "/v1/collections/handbook/documents/a.md"),
    ("DELETE", "/v1/collections/handbook/documents/handbook/" + "x" * 5000),
    ("DELETE", "/v1/collections/handbook/documents/handbook/.hidden"),
    ("DELETE", "/v1/collections/handbook/documents/handbook/leave.md%0A"),
    ("DELETE", "/v1/collections/handbook/documents/handbook//leave.md"),
    ("DELETE", "/v1/collections/handbook/documents/handbook/leave.md/"),
]
BAD_UPLOADS = [
    ({}, b"x"),
    ({"Content-Type": "application/json"}, b"{}"),
    ({"Content-Type": "text/plain"}, b"x"),
    ({"Content-Type": "application/x-www-form-urlencoded"}, b"file=x"),
    ({"Content-Type": "multipart/form-data"}, b"x"),
    ({"Content-Type": "multipart/form-data; boundary=b"}, b""),
    ({"Content-Type": "multipart/form-data; boundary=b"}, b"garbage"),
    ({"Content-Type": "multipart/form-data; boundary=b"}, b"--b--\r\n"),
    ({"Content-Type": "multipart/form-data; boundary=b"}, b"--b\r\n\r\nx\r\n--b--\r\n"),
    *(
        (
            {"Content-Type": f"multipart/form-data; boundary=b{parameter}"},
            b"--b\r\nContent-Disposition: form-data; " + field + b"\r\n\r\nx\r\n--b--\r\n",
        )
        for parameter, field in [
            ("", b'name="file"'),
            ("", b'name="other"; filename="a.md"'),
            ("", b'name="file"; filename=""'),
            ("", b'filename="a.md"'),
            ("", b'name="file"; filename="\xff/.."'),
            ("; charset=idna", b'name="file"; filename="\xff' + b"a" * 70 + b'/b"'),
            ("; charset=undefined", b'name="file"; filename="a.md"'),
            ("; charset=hex", b'name="file"; filename="a/b.md"'),
        ]
    ),
    (
        {"Content-Type": "multipart/form-data; boundary=b"},
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\nx\r\n' * 2
        + b"--b--\r\n",
    ),
]


def check(response: httpx.Response) -> dict:
    assert 400 <= response.status_code < 500, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"].startswith("urn:rag:problem:")
    assert problem["status"] == response.status_code
    assert problem["title"] and problem["detail"].endswith((".", "!", "?"))
    assert "Traceback" not in response.text
    return problem


def raw(url: str, method: str, target: str) -> httpx.Response:
    """A request whose target nobody tidies up."""
    parts = urlsplit(url)
    with httpx.Client(timeout=30) as client:
        request = httpx.Request(method, url)
        request.url = httpx.URL(url, raw_path=target.encode())
        request.headers["Host"] = parts.netloc
        return client.send(request)


@pytest.mark.parametrize(("method", "target"), BAD_REQUESTS, ids=lambda value: value[:70])
def test_a_bad_address_or_method_is_refused(shared_service, method, target):
    check(raw(shared_service.url, method, target))


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:50]))
@pytest.mark.parametrize("stream", [False, True])
def test_a_bad_body_is_refused(shared_service, body, stream):
    if stream:
        body = body.replace(b"{", b'{"stream": true, ', 1)
    check(shared_service.client.post("/v1/chat", content=body, headers=JSON))


@pytest.mark.parametrize(("headers", "body"), BAD_UPLOADS)
def test_a_bad_upload_is_refused_and_leaves_nothing(shared_service, headers, body):
    path = "/v1/collections/handbook/documents"
    check(shared_service.client.post(path, content=body, headers=headers))
    assert list(shared_service.bucket.rglob("*")) == []


@pytest.mark.parametrize("body", [{"rating": "sideways"}, {"rating": "up", "reasons": "x"}, {}])
def test_a_bad_rating_is_refused(shared_service, body):
    answer_id = shared_service.ask()["answer_id"]
    check(shared_service.client.post(f"/v1/answers/{answer_id}/rating", json=body))


@pytest.mark.parametrize("body", [{"query": "a", "top_k": k} for k in (0, 101, 1.5, "5", 10**30)])
def test_a_bad_search_is_refused(shared_service, body):
    check(shared_service.client.post("/v1/search", json=body))


def test_a_body_that_is_not_json_is_an_unsupported_media_type(shared_service):
    response = shared_service.client.post("/v1/chat", content=b'{"question": "a"}')
    assert check(response)["status"] == 415
    response = shared_service.client.post("/v1/chat", data={"question": "a"})
    assert check(response)["status"] == 415


def test_a_validation_problem_names_the_field(shared_service):
    problem = check(shared_service.client.post("/v1/chat", json={"question": 5}))
    assert problem["type"] == "urn:rag:problem:validation-failed"
    assert problem["errors"][0]["field"] == "body.question"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LedgerUnavailable("The ledger is away.", "Start it."), "ledger-unavailable"),
        (IndexUnavailable("Chroma is away."), "index-unavailable"),
        (ModelUnavailable("No weights."), "model-unavailable"),
        (LanguageModelUnavailable("No model."), "language-model-unavailable"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_part_that_is_away_is_a_503_that_says_when_to_try_again(service, error, kind, stream):
    break_search(service, error)
    response = service.client.post("/v1/chat", json={"question": "a", "stream": stream})
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert response.json()["type"] == f"urn:rag:problem:{kind}"
    assert response.json()["detail"] == str(error)


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), RagError("Never mapped.")])
def test_an_unexpected_error_is_a_500_that_leaks_nothing_and_is_logged(service, error, capfd):
    break_search(service, error)
    for path, field in (("/v1/search", "query"), ("/v1/chat", "question")):
        response = service.client.post(path, json={field: "a"})
        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"] == "urn:rag:problem:internal"
        assert "secret" not in response.text
    assert type(error).__name__ in capfd.readouterr().err


def test_the_log_of_an_unexpected_error_shows_no_variables(service, capfd):
    break_search(service, ZeroDivisionError("unexpected"))
    service.client.post("/v1/search", json={"query": "my private question"})
    log = capfd.readouterr().err
    assert "Traceback (most recent call last)" in log and "in broken" in log
    assert "my private question" not in log
    assert len(log.splitlines()) < 100


def break_search(service, error):
    def broken(*_, **__):
        raise error

    service.platform.search = broken
    service.platform.answering._search = broken
