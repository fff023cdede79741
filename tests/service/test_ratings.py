from datetime import UTC, datetime

import httpx
import pytest

from rag_platform.ledger.answers import Answer, ratings_of, save_answer, save_rating


def stored(service, answer_id):
    with service.platform.ledger.read() as connection:
        return ratings_of(connection, answer_id)


def rate(service, answer_id, rating="up", headers=None, **members):
    return service.client.post(
        f"/v1/answers/{answer_id}/rating", json={"rating": rating, **members}, headers=headers
    )


def test_rating_twice_is_one_rating_and_the_newest_wins(service):
    answer_id = service.ask()["answer_id"]
    for rating in ("up", "up", "down"):
        response = rate(service, answer_id, rating, {"X-Rater": "me"})
        assert response.status_code == 200
        assert response.json()["rating"] == rating
    (only,) = stored(service, answer_id)
    assert (only.rater, only.rating) == ("me", "down")


def test_raters_do_not_touch_each_other(service):
    answer_id = service.ask()["answer_id"]
    rate(service, answer_id, "up", {"X-Rater": "a"})
    rate(service, answer_id, "down", {"X-Rater": "b"})
    assert [(r.rater, r.rating) for r in stored(service, answer_id)] == [("a", "up"), ("b", "down")]


def test_a_program_that_does_not_say_who_it_is_counts_once(service):
    answer_id = service.ask()["answer_id"]
    rate(service, answer_id)
    rate(service, answer_id)
    assert [r.rater for r in stored(service, answer_id)] == ["anonymous"]


def test_the_page_gives_a_rater_in_a_cookie_that_no_script_reads(service):
    with httpx.Client(base_url=service.url) as browser:
        cookie = browser.get("/").headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie
        assert "set-cookie" not in browser.get("/").headers
        answer_id = service.ask()["answer_id"]
        for _ in range(2):
            response = browser.post(f"/v1/answers/{answer_id}/rating", json={"rating": "up"})
    (only,) = stored(service, answer_id)
    assert only.rater == response.json()["rater"]
    secret = cookie.split("=", 1)[1].split(";")[0]
    assert secret not in service.client.get(f"/v1/answers/{answer_id}").text


def test_a_rating_keeps_reasons_comment_and_the_right_passage(service):
    answer = service.ask()
    passage = answer["citations"][0]["chunk_id"]
    said = {"reasons": ["wrong passage"], "comment": "Es fehlt „Elternzeit“ 👶", "passage": passage}
    response = rate(service, answer["answer_id"], "down", **said)
    assert {name: response.json()[name] for name in said} == said


ANSWER = "a" * 32


@pytest.fixture
def said(ledger):
    """A ledger with an answer that anna gave a thumb down, with her reasons and a comment."""
    answer = Answer(
        id=ANSWER,
        conversation_id="c",
        question="How long?",
        answer="26 weeks.",
        status="complete",
        notice=None,
        model="none",
        prompt_hash=None,
        collections=("handbook",),
        generation_id=None,
        settings_version=None,
        timings_ms={},
        created_at=datetime.now(UTC),
    )
    with ledger.write() as connection:
        save_answer(connection, answer)
    say(ledger, "down", reasons=["outdated"], comment="It is 28.")
    return ledger


def say(ledger, rating, **members):
    with ledger.write() as connection:
        returned = save_rating(connection, ANSWER, rater="anna", rating=rating, **members)
    with ledger.read() as connection:
        (stored,) = ratings_of(connection, ANSWER)
    assert stored == returned
    return stored


def test_what_is_not_said_again_stays_while_the_rating_is_the_same(said):
    again = say(said, "down")
    assert (again.reasons, again.comment) == (("outdated",), "It is 28.")
    again = say(said, "down", comment="It is 29.")
    assert (again.reasons, again.comment) == (("outdated",), "It is 29.")


def test_what_is_said_to_be_empty_is_cleared(said):
    assert say(said, "down", comment="").comment == ""
    assert say(said, "down", reasons=[]).reasons == ()


def test_a_changed_rating_takes_along_nothing_that_explained_the_old_one(said):
    changed = say(said, "up")
    assert (changed.reasons, changed.comment) == ((), "")
    assert say(said, "down", comment="After all.").comment == "After all."


def test_saying_exactly_the_same_again_leaves_the_time_of_the_verdict(said):
    first = say(said, "down")
    assert say(said, "down", reasons=["outdated"], comment="It is 28.") == first
    later = say(said, "down", comment="It is 29.")
    assert later.updated_at > first.updated_at
    assert later.created_at == first.created_at


def test_a_request_without_a_comment_keeps_it_and_an_empty_one_clears_it(service):
    answer = service.ask()
    passage = answer["citations"][0]["chunk_id"]
    rate(service, answer["answer_id"], "down", comment="Wrong.", reasons=["r"], passage=passage)
    kept = rate(service, answer["answer_id"], "down", comment=None).json()
    assert (kept["comment"], kept["reasons"], kept["passage"]) == ("Wrong.", ["r"], passage)
    cleared = rate(service, answer["answer_id"], "down", comment="", reasons=[], passage="").json()
    assert (cleared["comment"], cleared["reasons"], cleared["passage"]) == ("", [], None)


def test_a_passage_that_never_was_is_refused(service):
    response = rate(service, service.ask()["answer_id"], passage="0" * 32)
    assert response.status_code == 400


@pytest.mark.parametrize("rater", ["", "x" * 129, "with space"])
def test_a_rater_that_is_no_name_is_refused(service, rater):
    assert rate(service, service.ask()["answer_id"], headers={"X-Rater": rater}).status_code == 400


def test_rating_an_unknown_answer_is_not_found(service):
    assert rate(service, "nothing").status_code == 404


def test_the_lineage_names_everything_that_made_the_answer(service):
    answer = service.ask()
    rate(service, answer["answer_id"])
    lineage = service.client.get(f"/v1/answers/{answer['answer_id']}").json()
    assert lineage["question"] == "How long is parental leave?"
    assert lineage["model"] == "quoting"
    assert lineage["generation"]["id"] == answer["generation"]
    assert lineage["generation"]["spec"]["encoder"] == {"model": "none", "version": 0}
    assert lineage["settings"]["version"] == 1 and lineage["settings"]["top_k"] == 5
    assert lineage["collections"] == ["handbook"]
    content = lineage["citations"][0]["content"]
    assert content["parser"] == "markdown@1" and len(content["sha256"]) == 64
    assert [rating["rating"] for rating in lineage["ratings"]] == ["up"]
