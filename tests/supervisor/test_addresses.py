import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag_platform.settings import Settings
from rag_platform.supervisor import stack
from rag_platform.supervisor.child import HttpProbe


@pytest.fixture
def listener():
    """A socket on IPv6's loopback."""
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        listener.listen()
        yield listener


def test_a_probe_of_an_ipv6_address_sends_a_host_header_that_servers_read(listener):
    port = listener.getsockname()[1]
    heard = []

    def answer():
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(1000))
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

    server = threading.Thread(target=answer)
    server.start()
    # In a thread of its own: the browser of other tests keeps an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(lambda: asyncio.run(HttpProbe(port, "/readyz", "::1")())).result()
    server.join()
    assert heard == [f"GET /readyz HTTP/1.0\r\nHost: [::1]:{port}\r\n\r\n".encode()]


@pytest.mark.parametrize(
    ("bound", "asked"), [("::1", "::1"), ("::", "::1"), ("0.0.0.0", "127.0.0.1")]
)
def test_the_chat_is_asked_where_it_can_be_reached(monkeypatch, tmp_path, bound, asked):
    monkeypatch.setenv("RAG_HOST", bound)
    chat = stack.children(Settings.load(), 1)[-1]
    assert chat.command[chat.command.index("--host") + 1] == bound
    assert chat.ready == HttpProbe(8000, "/readyz", asked)
    assert chat.address == f"http://{f'[{asked}]' if ':' in asked else asked}:8000"


def test_a_chroma_on_ipv6_is_not_started_here_since_it_cannot_listen_there(monkeypatch):
    monkeypatch.setenv("RAG_CHROMA_HOST", "::1")
    assert "chroma" not in [child.name for child in stack.children(Settings.load(), 1)]
