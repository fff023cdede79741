import httpx
import pytest
from starlette.responses import PlainTextResponse

from rag_platform.service.fakes import served
from rag_platform.service.guard import Guard
from rag_platform.service.metrics import Metrics


def send(service, headers, method="POST"):
    path = "/v1/search" if method == "POST" else "/v1/collections"
    body = {"json": {"query": "leave"}} if method == "POST" else {}
    return service.client.request(method, path, headers=headers, **body)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this machine
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "none", "Origin": "http://evil.example"},
    ],
)
def test_a_page_of_another_origin_may_not_change_anything(shared_service, headers):
    response = send(shared_service, headers)
    assert response.status_code == 403
    assert response.json()["type"] == "urn:rag:problem:cross-origin"


def test_the_own_pages_and_programs_may(shared_service):
    for headers in (
        {},
        {"Origin": shared_service.url},
        {"Origin": shared_service.url, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ):
        assert send(shared_service, headers).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "",
        "[",
        "127.0.0.1.evil",
        "[::2]:8000",
        "::2",
        "10.0.0.1",
    ],
)
def test_an_unknown_host_name_is_refused(shared_service, host):
    for method in ("GET", "POST"):
        response = send(shared_service, {"Host": host}, method)
        assert response.status_code == 400
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "127.0.0.1",
        "127.0.0.2:8000",
        "[::1]:8000",
        "[::1]",
        "::1",
        "[0:0:0:0:0:0:0:1]:8000",
        "[::ffff:127.0.0.1]:8000",
    ],
)
def test_names_of_this_machine_are_known(shared_service, host):
    assert send(shared_service, {"Host": host}, "GET").status_code == 200


@pytest.mark.parametrize(
    ("bound", "host", "status"),
    [
        ("::1", "[::1]:8000", 200),
        ("::1", "127.0.0.1:8000", 200),
        ("[::1]", "[::1]:8000", 200),
        ("2001:DB8:0::7", "[2001:db8::7]:8000", 200),
        ("2001:db8::7", "[2001:db8::8]:8000", 400),
        ("Box.local", "box.local:8000", 200),
        ("Box.local", "10.0.0.1:8000", 400),
        ("::", "[2001:db8::8]:8000", 200),
        ("0.0.0.0", "10.0.0.1:8000", 200),
        ("0.0.0.0", "evil.example", 400),
    ],
)
def test_the_address_that_the_service_is_bound_to_is_known(bound, host, status):
    async def alive(scope, receive, send):
        await PlainTextResponse("alive")(scope, receive, send)

    guard = Guard(alive, metrics=Metrics(), host=bound, max_upload_megabytes=1)
    with served(guard) as url:
        assert httpx.get(url, headers={"Host": host}).status_code == status


@pytest.mark.parametrize("path", ["/", "/documents", "/static/chat.js", "/nothing", "/healthz"])
def test_every_response_carries_the_security_headers(shared_service, path):
    headers = shared_service.client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
