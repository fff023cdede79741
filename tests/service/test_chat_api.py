import json
import time

import pytest

from rag_platform.errors import LanguageModelUnavailable


def stream(service, question="How long is parental leave?"):
    """The events of a streamed answer, as (name, data) pairs."""
    body = {"question": question, "stream": True}
    with service.client.stream("POST", "/v1/chat", json=body) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield from events(response.iter_lines())


def events(lines):
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_an_answer_cites_the_exact_passage(service):
    answer = service.ask()
    assert answer["status"] == "complete"
    assert answer["answer"].startswith("Parental leave is 26 weeks 👶🏽.")
    assert answer["model"] == "quoting" and "No language model" in answer["notice"]
    citation = answer["citations"][0]
    assert citation["n"] == 1
    assert citation["document"] == {
        "collection": "handbook",
        "key": "handbook/leave.md",
        "title": "Leave",
    }
    assert citation["page"] == 1 and citation["heading_path"] == ["Leave"]
    assert set(answer) == {
        "answer_id",
        "conversation_id",
        "answer",
        "status",
        "notice",
        "citations",
        "model",
        "generation",
        "timings_ms",
    }


def test_a_question_about_nothing_in_the_documents_is_abstained_from(service):
    answer = service.ask("What colour is the moon?")
    assert answer["status"] == "abstained"
    assert answer["citations"] == []


def test_an_abstained_answer_names_three_collections_at_most(service):
    assert service.ask("Moon?")["answer"].endswith("was found in handbook.")
    for name in "abcd":
        service.add(name, f"{name}/a.md", "Words.")
    assert service.ask("Moon?")["answer"].endswith("was found in a, b, c and 2 more.")
    assert service.ask("Moon?", collections=["d"])["answer"].endswith("was found in d.")


def test_an_abstained_answer_says_plainly_that_there_are_no_documents(service):
    assert service.client.delete("/v1/collections/handbook/documents/handbook/leave.md").is_success
    for asked in ({}, {"collections": ["handbook"]}):
        answer = service.ask("Moon?", **asked)
        assert (answer["status"], answer["answer"]) == (
            "abstained",
            "Nothing was found: there are no documents here yet.",
        )


def test_a_collections_name_cannot_break_the_line_of_an_abstained_answer(service):
    name = "a\x1b[2J\nb\u202ec Räte 日本"
    service.add(name, f"{name}/a.md", "Words.")
    answer = service.ask("Moon?", collections=[name])["answer"]
    assert answer.endswith("was found in a\ufffd[2J\ufffdb\ufffdc Räte 日本.")


def test_a_conversation_keeps_its_id(service):
    assert service.ask(conversation_id="abc-1")["conversation_id"] == "abc-1"
    assert service.ask()["conversation_id"] != service.ask()["conversation_id"]


def test_a_stream_gives_passages_tokens_citations_and_the_whole_answer(service):
    found = list(stream(service))
    names = [name for name, _ in found]
    order = [name for i, name in enumerate(names) if name != names[i - 1]]
    assert order == ["passages", "token", "citation", "done"]
    passages = found[0][1]["passages"]
    assert passages[0]["document"]["key"] == "handbook/leave.md"
    words = "".join(data["text"] for name, data in found if name == "token").strip()
    done = found[-1][1]
    assert done["answer"] == words
    assert done["citations"] == [data for name, data in found if name == "citation"]
    lineage = service.client.get(f"/v1/answers/{done['answer_id']}").json()
    assert lineage["answer"] == words


def test_an_abstained_stream_ends_with_the_answer_too(service):
    assert [name for name, _ in stream(service, "Moon?")] == ["passages", "token", "done"]


def test_tokens_arrive_while_the_model_is_still_writing(service):
    service.model.may_go_on.clear()
    found = stream(service)
    assert [next(found)[0], next(found)[0]] == ["passages", "token"]
    # Other requests are answered meanwhile.
    assert service.client.get("/healthz").status_code == 200
    assert service.client.get("/v1/collections").status_code == 200
    service.model.may_go_on.set()
    assert list(found)[-1][0] == "done"


def test_an_answer_whose_reader_leaves_is_recorded_as_incomplete(service):
    service.model.may_go_on.clear()
    body = {"question": "How long is parental leave?", "stream": True, "conversation_id": "left"}
    with service.client.stream("POST", "/v1/chat", json=body) as response:
        found = events(response.iter_lines())
        assert [next(found)[0], next(found)[0]] == ["passages", "token"]
    service.model.may_go_on.set()
    deadline = time.monotonic() + 20
    while not (statuses := recorded(service, "left")):
        assert time.monotonic() < deadline
    assert statuses == ["incomplete"]


def recorded(service, conversation):
    with service.platform.ledger.read() as connection:
        return list(
            connection.exec_driver_sql(
                "SELECT status FROM answers WHERE conversation_id = ?", (conversation,)
            ).scalars()
        )


def test_a_model_that_breaks_off_leaves_an_incomplete_answer_that_says_so(service):
    service.model.failure = LanguageModelUnavailable("The model broke off.")
    answer = service.ask()
    assert answer["status"] == "incomplete"
    assert answer["notice"] == "The model broke off."


def test_an_unexpected_error_midway_is_an_event_that_leaks_nothing(service, capfd):
    service.model.failure = ZeroDivisionError("secret")
    name, problem = list(stream(service))[-1]
    assert name == "error"
    assert problem["type"] == "urn:rag:problem:internal"
    assert "secret" not in json.dumps(problem)
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_what_fails_before_the_first_event_is_an_ordinary_problem(service):
    body = {"question": "Anything?", "collections": ["nowhere"], "stream": True}
    response = service.client.post("/v1/chat", json=body)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "nowhere" in response.json()["detail"]


def test_a_search_gives_passages_with_their_places(service):
    response = service.client.post(
        "/v1/search",
        json={"query": "holidays", "collections": ["handbook"], "top_k": 1, "filters": {}},
    )
    found = response.json()
    (passage,) = found["passages"]
    assert passage["text"] == "## Holidays"
    assert passage["ranks"] == {"dense": None, "keyword": 1}
    assert set(found) == {"passages", "generation", "timings_ms"}
    assert set(passage) == {
        "chunk_id",
        "document",
        "page",
        "heading_path",
        "table_columns",
        "start",
        "end",
        "text",
        "score",
        "ranks",
    }


@pytest.mark.parametrize(
    "filters",
    [
        {"author": "me"},
        {"authors": "me"},
        {"since": "yesterday"},
        {"since": "2020-02-30"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "2021-01-01", "until": "2020-01-01"},
        {"key_prefix": "a\x00"},
        [],
        "x",
        0,
        False,
    ],
)
def test_filters_that_the_contract_does_not_know_are_refused(service, filters):
    response = service.client.post("/v1/search", json={"query": "x", "filters": filters})
    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"


def test_a_filter_leaves_out_what_does_not_pass(service):
    def keys(**filters) -> set[str]:
        body = {"query": "parental leave", "filters": filters}
        passages = service.client.post("/v1/search", json=body).json()["passages"]
        return {passage["document"]["key"] for passage in passages}

    assert "handbook/leave.md" in keys(key_prefix="handbook/l", since="2000-01-01")
    assert keys(key_prefix="handbook/x") == keys(since="2100-01-01") == set()


def test_a_question_over_the_limit_is_refused_with_the_limit(service):
    for path, field in (("/v1/chat", "question"), ("/v1/search", "query")):
        response = service.client.post(path, json={field: "a" * 8001})
        assert response.status_code == 400
        assert "8000" in response.json()["detail"]
