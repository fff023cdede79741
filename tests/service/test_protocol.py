"""What is no HTTP: the server cannot even ask the application about it."""

import json
import socket
from urllib.parse import urlsplit

import pytest

HOST = b"Host: localhost\r\n"
NO_HTTP = [
    b"\x00\x01\x02\r\n\r\n",
    b"hello\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),  # TLS
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    b"FETCH / HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET http://[ HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    b"POST /v1/chat HTTP/1.1\r\n" + HOST + b"Content-Length: many\r\n\r\n",
    b"POST /v1/chat HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST /v1/chat HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
]


def send(url: str, *requests: bytes) -> bytes:
    """What comes back until the service hangs up."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        answer = b""
        for request in requests:
            connection.sendall(request)
        while piece := connection.recv(65536):
            answer += piece
    return answer


def check(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-content-type-options"] == "nosniff"
    assert int(headers["content-length"]) == len(body)
    problem = json.loads(body)
    assert problem["type"] == "urn:rag:problem:invalid-request"
    assert (problem["status"], problem["detail"]) == (400, "The request is not valid HTTP.")


@pytest.mark.parametrize("request_", NO_HTTP, ids=repr)
def test_what_is_no_http_is_refused_with_a_problem_document(shared_service, request_):
    check(send(shared_service.url, request_))
    assert shared_service.client.get("/healthz").status_code == 200


def test_nonsense_after_an_answered_request_is_refused_too(shared_service):
    parts = urlsplit(shared_service.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"\x00")
        check(connection.recv(65536))


def test_an_offer_to_speak_another_protocol_is_answered_in_http(shared_service):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    response = shared_service.client.get("/v1/collections", headers=upgrade)
    assert response.status_code == 200
