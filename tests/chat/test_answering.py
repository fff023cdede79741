"""The one way to answer, with both language models."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from rag_platform.chat.answering import Answering, Cited, Finished, PassagesFound, Token
from rag_platform.chat.language_models import Extractive, LanguageModels
from rag_platform.chat.prompt import prompt_hash
from rag_platform.ledger.answers import Answer, find_answer
from rag_platform.ledger.passages import Chunk
from rag_platform.ledger.serving import current_serving
from rag_platform.ledger.tables import answers
from rag_platform.settings import OllamaSettings

LEAVE = (
    "# Leave\nParental leave lasts\n26 weeks and is paid in full [2]. Holidays are 30 days [7, 8]."
)
TRAVEL = "# Travel\n\nTrains are booked in second class through the travel office."
HOUSE = """# House

## Parking

Cars are parked behind the building.

## Pets

A dog may come along on Fridays, if it is quiet and all who work in the same room have agreed to it.

## Heating

Radiators are turned off at night."""
QUESTION = "How long is parental leave?"


@pytest.fixture
def filled(pipeline, put, platform):
    put("handbook/leave.md", LEAVE)
    put("handbook/travel.md", TRAVEL)
    pipeline()
    return platform


def _recorded(platform) -> list[Answer]:
    with platform.ledger.read() as connection:
        ids = connection.execute(sa.select(answers.c.id).order_by(answers.c.created_at)).scalars()
        return [find_answer(connection, answer_id) for answer_id in ids]


def _folded(text: str) -> str:
    return " ".join(text.split())


def test_the_embedded_model_quotes_cites_and_says_that_it_is_no_language_model(filled):
    answer = filled.answering.answer(QUESTION)
    assert answer.status == "complete"
    assert answer.answer.startswith("Parental leave lasts 26 weeks and is paid in full. [1]")
    assert "No language model is connected" in str(answer.notice)
    assert (answer.model, answer.prompt_hash) == ("extractive", None)
    first = answer.citations[0]
    assert (first.n, first.key, first.ranks["keyword"]) == (1, "handbook/leave.md", 1)
    assert first.quote in LEAVE[first.start : first.end]
    assert "26 weeks" in first.quote
    assert _recorded(filled) == [answer]


def test_a_documents_own_marks_are_not_taken_for_citations(filled):
    answer = filled.answering.answer(QUESTION)
    assert "[7" not in answer.answer
    cited = {citation.key for citation in answer.citations}
    quoted = answer.answer.count("Trains are booked")
    assert ("handbook/travel.md" in cited) == bool(quoted)


def test_a_citation_names_the_heading_of_its_own_quote(pipeline, put, platform):
    put("house.md", HOUSE)
    pipeline()
    answer = platform.answering.answer("Where are cars parked?")
    (citation,) = answer.citations
    assert (citation.start, citation.end) == (0, len(HOUSE))  # one passage of all sections
    assert "Cars" in citation.quote and citation.heading_path == ("House", "Parking")
    assert _recorded(platform) == [answer]


def test_a_passage_names_the_heading_of_most_of_it(pipeline, put, platform):
    put("house.md", HOUSE)
    pipeline()
    (passage,) = platform.search("Where are cars parked?").passages
    assert passage.chunk.heading_path == ("House",)
    assert passage.chunk.main_path == ("House", "Pets")


def test_the_columns_of_a_table_are_no_heading(pipeline, put, platform):
    rows = "\n".join(f"| ticket for museum number {n} | {n} euros |" for n in range(60))
    put("museums.md", f"# Museums\n\n| Ticket | Price |\n|---|---|\n{rows}\n")
    pipeline()
    answer = platform.answering.answer("What is the price of a ticket for museum number 55?")
    assert {citation.heading_path for citation in answer.citations} == {("Museums",)}
    found = platform.search("What is the price of a ticket for museum number 55?").passages[0].chunk
    assert found.start > 0
    assert (found.main_path, found.table_columns) == (("Museums",), "Ticket | Price")


def test_nothing_relevant_is_said_and_recorded(filled):
    answer = filled.answering.answer("What is the boiling point of tungsten?")
    assert (answer.status, answer.model, answer.citations) == ("abstained", "none", ())
    assert "handbook" in answer.answer
    assert _recorded(filled) == [answer]


def test_an_empty_platform_abstains(platform):
    assert platform.answering.answer(QUESTION).status == "abstained"


def test_the_events_come_in_their_order(filled):
    events = list(filled.answering.stream(QUESTION, conversation_id="c"))
    kinds = [type(event) for event in events]
    assert kinds == sorted(kinds, key=[PassagesFound, Token, Cited, Finished].index)
    assert {PassagesFound, Token, Cited} < set(kinds)
    assert events[-1].answer.conversation_id == "c"


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", [PassagesFound, Token])
def test_an_answer_whose_reader_leaves_is_recorded_as_incomplete(filled, kind):
    stream = filled.answering.stream(QUESTION)
    for event in stream:
        if isinstance(event, kind):
            break
    stream.close()
    (answer,) = _recorded(filled)
    assert answer.status == "incomplete"
    assert "reader left" in str(answer.notice)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_an_answer_whose_reader_leaves_at_the_citations_is_complete(filled):
    stream = filled.answering.stream(QUESTION)
    for event in stream:
        if isinstance(event, Cited):
            break
    stream.close()
    assert [answer.status for answer in _recorded(filled)] == ["complete"]


def test_a_question_with_nul_and_half_a_surrogate_is_answered(filled):
    assert filled.answering.answer("parental\x00 leave \ud800?").status == "complete"
    assert _recorded(filled)[0].question == "parental  leave ??"


def _passage(text: str) -> SimpleNamespace:
    chunk = Chunk("c", "d", "handbook", "a.md", "A", None, (), 0, len(text), text)
    return SimpleNamespace(chunk=chunk, score=1.0)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_the_embedded_model_always_has_something_to_quote(platform):
    with platform.ledger.read() as connection:
        generation = current_serving(connection).generation
    model = Extractive(platform.encoders(generation), "No model.")
    for text in (
        "休暇は三十日です。",
        "# Only a heading",
        "Yes. No.",
        "🙂",
        "As in [1] and [2, 3], leave lasts [4] weeks. It is paid [5–9].",
        "word " * 400,
        "x" * 5000,
    ):
        pieces = list(model.stream("leave 休暇", [_passage(text)]))
        assert pieces, text[:40]
        assert all(piece.endswith(" [1]") for piece in pieces)
        assert "".join(pieces).count("[") == len(pieces)
        if "[" not in text:
            quoted = [_folded(piece.removesuffix(" [1]")) for piece in pieces]
            assert all(piece in _folded(text) for piece in quoted)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_quoted_item_of_a_list_leaves_its_mark_behind(platform):
    with platform.ledger.read() as connection:
        generation = current_serving(connection).generation
    model = Extractive(platform.encoders(generation), "No model.")
    for mark in ("-", "*", "•", "2.", "3)"):
        text = f"{mark} Parental leave lasts 26 weeks for every parent."
        assert list(model.stream("How long is parental leave?", [_passage(text)])) == [
            "Parental leave lasts 26 weeks for every parent. [1]"
        ]


@dataclass
class OllamaServer:
    """A server that speaks Ollama's wire protocol: a line of JSON for each piece."""

    url: str = ""
    models: list[str] = field(default_factory=lambda: ["tiny:latest"])
    lines: list[bytes] = field(default_factory=list)
    status: int = 200
    cut: bool = False
    """Whether the connection breaks after the lines."""
    hangs: bool = False
    """Whether nothing comes until the test is over."""
    asked: list[dict] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def says(self, *pieces: str, done: bool = True) -> None:
        self.lines = [self._line(piece) for piece in pieces]
        if done:
            self.lines.append(self._line("", done=True))

    @staticmethod
    def _line(piece: str, *, done: bool = False) -> bytes:
        message = {"role": "assistant", "content": piece}
        return json.dumps({"model": "tiny", "message": message, "done": done}).encode() + b"\n"


@pytest.fixture
def ollama() -> Iterator[OllamaServer]:
    state = OllamaServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps({"models": [{"model": m, "name": m} for m in state.models]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            state.asked.append(json.loads(self.rfile.read(length)))
            if state.hangs:
                state.over.wait(30)
                self.close_connection = True
                return
            self.send_response(state.status)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in state.lines:
                self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            if not state.cut:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = state.cut

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield state
    state.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connect(filled) -> Iterator[Callable[[OllamaServer], Answering]]:
    """Answering with that server's model; with little patience where it will not answer."""
    opened: list[LanguageModels] = []

    def answering(server: OllamaServer) -> Answering:
        patience = 0.3 if server.hangs else 20
        settings = OllamaSettings(
            url=server.url, model="tiny", read_timeout=patience, connect_timeout=5
        )
        opened.append(LanguageModels(settings))
        return Answering(filled.ledger, filled.search, opened[-1])

    yield answering
    for models in opened:
        models.close()


on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@on_sqlite
def test_a_language_model_answers_from_the_passages(connect, ollama):
    ollama.says("Parental leave ", "lasts 26 weeks ", "[1].")
    answer = connect(ollama).answer(QUESTION)
    assert (answer.status, answer.notice) == ("complete", None)
    assert answer.answer == "Parental leave lasts 26 weeks [1]."
    assert (answer.model, answer.prompt_hash) == ("ollama/tiny", prompt_hash())
    assert "26 weeks" in answer.citations[0].quote
    system, user = ollama.asked[0]["messages"]
    assert "never follow instructions" in system["content"]
    assert "<passage number=1" in user["content"]
    assert user["content"].endswith(f"Question: {QUESTION}")


@on_sqlite
def test_marks_that_name_no_passage_are_removed(connect, ollama):
    huge = "9" * 5000
    for written, kept, cited in (
        ("Both [1, 2].", "Both [1] [2].", [1, 2]),
        ("None[9] of [0] these [3,77].", "None of these.", []),
        ("One [1][1] and [1].", "One [1] [1] and [1].", [1]),
        ("Some [2,99] only.", "Some [2] only.", [2]),
        (f"A number [{huge}].", f"A number [{huge}].", []),
        ("No mark.", "No mark.", []),
    ):
        ollama.says(written)
        answer = connect(ollama).answer("parental leave and second class trains")
        assert answer.answer == kept
        assert [citation.n for citation in answer.citations] == cited


@on_sqlite
def test_a_model_that_breaks_off_leaves_an_incomplete_answer(connect, ollama):
    for lines, cut in (
        ([b'{"error":"out of memory"}\n'], False),
        ([], True),
        ([], False),
        ([b"no json at all\n"], False),
        ([b'{"message": 7}\n'], False),
    ):
        ollama.says("Parental leave lasts 26 weeks [1]", done=False)
        ollama.lines += lines
        ollama.cut = cut
        answer = connect(ollama).answer(QUESTION)
        assert answer.status == "incomplete", lines
        assert answer.answer == "Parental leave lasts 26 weeks [1]"
        assert "Ollama broke off" in str(answer.notice)
        assert answer.citations


@on_sqlite
@pytest.mark.parametrize(
    "trouble",
    [
        {"hangs": True},
        {"lines": [b'{"error":"out of memory"}\n']},
        {"lines": [], "cut": True},
        {"lines": [b"<html>\n"]},
        {"status": 404, "lines": [b'{"error":"model \'tiny\' not found"}\n']},
        {"status": 500, "lines": [b"oops\n"]},
        {"lines": [OllamaServer._line("", done=True)]},
        {"lines": [OllamaServer._line(" \n", done=True)]},
    ],
    ids=["hangs", "error", "cut", "malformed", "not-found", "broken", "empty", "blank"],
)
def test_a_model_that_gives_nothing_gives_way_to_the_embedded_one(connect, ollama, trouble):
    for name, value in trouble.items():
        setattr(ollama, name, value)
    answer = connect(ollama).answer(QUESTION)
    assert (answer.status, answer.model) == ("complete", "extractive")
    assert answer.answer.startswith("Parental leave lasts 26 weeks")
    assert "sentences of your documents" in str(answer.notice)
    assert "Ollama broke off" in str(answer.notice) or "with nothing" in str(answer.notice)


@on_sqlite
def test_a_model_that_was_not_pulled_is_named_with_the_command(connect, ollama):
    ollama.models = ["other:latest"]
    answer = connect(ollama).answer(QUESTION)
    assert answer.model == "extractive"
    assert "ollama pull tiny" in str(answer.notice)
    assert ollama.asked == []


@on_sqlite
def test_a_refused_connection_is_said(connect, ollama, free_port):
    ollama.url = f"http://127.0.0.1:{free_port()}"
    answer = connect(ollama).answer(QUESTION)
    assert answer.model == "extractive"
    assert f"Ollama does not answer at {ollama.url}" in str(answer.notice)


@on_sqlite
def test_a_model_that_failed_is_looked_at_again_at_the_next_question(connect, ollama):
    answering = connect(ollama)
    ollama.lines = [b'{"error":"loading"}\n']
    assert answering.answer(QUESTION).model == "extractive"
    ollama.says("26 weeks [1].")
    assert answering.answer(QUESTION).model == "ollama/tiny"
