"""The client of Chroma against a real server, and against servers that misbehave."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from rag_platform.errors import IndexMissing, IndexUnavailable
from rag_platform.index.chroma import Chroma


@pytest.fixture
def chroma(chroma_server) -> Iterator[Chroma]:
    client = Chroma("127.0.0.1", chroma_server.port, timeout=20)
    yield client
    client.close()


def _vectors(n: int) -> np.ndarray:
    made = np.random.default_rng(3).normal(size=(n, 16)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_many_vectors_are_added_in_batches_and_found_again(chroma):
    ids, vectors = [f"{n:032x}" for n in range(2500)], _vectors(2500)
    chroma.ensure("many")
    chroma.add("many", ids, vectors)
    assert chroma.count("many") == 2500
    assert sorted(chroma.ids("many")) == ids
    hits = chroma.query("many", vectors[[7, 1999]], 3)
    assert [found[0][0] for found in hits] == [ids[7], ids[1999]]
    assert all(abs(found[0][1]) <= 1e-5 for found in hits)
    chroma.delete("many", ids[:1500])
    assert chroma.count("many") == 1000


def test_ids_are_listed_beyond_one_page(chroma):
    ids = [f"{n:032x}" for n in range(5003)]
    chroma.ensure("many")
    chroma.add("many", ids, np.eye(1, 4, dtype=np.float32).repeat(5003, 0))
    assert sorted(chroma.ids("many")) == ids


def test_an_id_that_is_there_is_left_alone(chroma):
    vectors = _vectors(2)
    chroma.ensure("one")
    chroma.add("one", ["a"], vectors[:1])
    chroma.add("one", ["a"], vectors[1:])
    ((_, distance),) = chroma.query("one", vectors[:1], 5)[0]
    assert abs(distance) <= 1e-5


def test_unknown_ids_are_deleted_without_complaint(chroma):
    chroma.ensure("one")
    chroma.delete("one", ["nothing"])
    chroma.delete("one", [])
    assert chroma.query("one", _vectors(1), 5) == [[]]


def test_a_lost_collection_is_told_from_an_empty_one(chroma):
    chroma.ensure("one")
    assert chroma.exists("one")
    assert chroma.count("one") == 0
    chroma.drop("one")
    chroma.drop("one")
    assert not chroma.exists("one")
    for ask in (lambda: chroma.count("one"), lambda: chroma.query("one", _vectors(1), 1)):
        with pytest.raises(IndexMissing, match="one"):
            ask()


def test_a_collection_made_anew_by_somebody_else_is_found_at_the_second_try(chroma):
    other = Chroma("127.0.0.1", int(chroma.url.rsplit(":", 1)[1]), timeout=20)
    chroma.ensure("one")
    other.drop("one")
    other.ensure("one")
    with pytest.raises(IndexMissing):
        chroma.count("one")
    assert chroma.count("one") == 0
    other.close()


def test_a_server_that_is_away_is_an_error_in_a_sentence(free_port):
    chroma = Chroma("127.0.0.1", free_port(), timeout=5)
    with pytest.raises(IndexUnavailable, match="does not answer"):
        chroma.heartbeat()
    chroma.close()


def test_a_server_that_accepts_and_never_answers_is_given_up_on():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        chroma = Chroma("127.0.0.1", silent.getsockname()[1], timeout=0.2)
        with pytest.raises(IndexUnavailable, match=r"within 0\.2 s"):
            chroma.query("any", _vectors(1), 1)
        chroma.close()


@pytest.fixture
def answering(request) -> Iterator[Chroma]:
    """A client of a server that gives the same answer to everything."""
    status, body = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    client = Chroma("127.0.0.1", server.server_port, timeout=5)
    yield client
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "answering",
    [(500, b"the disk is full"), (503, b""), (200, b"<html>a proxy's page")],
    indirect=True,
)
def test_a_wrong_answer_is_unavailability(answering):
    with pytest.raises(IndexUnavailable, match="answers with"):
        answering.count("one")


@pytest.mark.parametrize("answering", [(500, b"the disk is full")], indirect=True)
def test_an_error_is_quoted(answering):
    with pytest.raises(IndexUnavailable, match=r"\(500\): the disk is full"):
        answering.heartbeat()
