"""A run does a bounded part of the work: what is short comes first, what is long goes on."""

import math
from datetime import timedelta
from types import SimpleNamespace

import pytest

from rag_platform.documents import chunks as splitting
from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.embedding import stage as embedding
from rag_platform.index import stage as indexing
from rag_platform.ledger.entries import stale_collections

BLOCK = 8
LEAST = 2


def long_text(word: str, sections: int = 20) -> str:
    parts = [
        f"## Part {n}\n\n" + f"Part {n} says {word} {n * 7919}. " * 30 for n in range(sections)
    ]
    return "\n\n".join(parts)


@pytest.fixture
def bounded(pipeline, monkeypatch):
    """The stages as a run calls them that has no time: each does one piece of its work."""
    monkeypatch.setattr(embedding, "BLOCK_ROWS", BLOCK)
    pipeline.until = 0.0
    return pipeline


@pytest.fixture
def states(listed):
    return lambda: {key: item.state for key, item in listed().items()}


def held(platform) -> int:
    return sum(platform.chroma.count(name) for name in platform.chroma.names())


def test_a_short_document_is_found_while_a_long_one_is_embedded(bounded, put, found, states):
    put("papers/long.md", long_text("azimuth"))
    assert not bounded.run("papers").current
    put("papers/short.md", "# Short\n\nThe code word of the short one is basalt.")
    report = bounded.run("papers")
    assert states() == {"papers/long.md": "pending", "papers/short.md": "indexed"}
    assert found("code word basalt") == ["papers/short.md"]
    assert "chunks without a vector" in report.left


def test_a_long_document_is_whole_after_some_runs_and_nothing_is_embedded_twice(
    bounded, put, found, platform
):
    put("papers/long.md", long_text("azimuth"))
    before = 0
    for _ in range(50):
        report = bounded.run("papers")
        encoded = len(bounded.encoders.encoded)
        assert 0 < encoded - before <= LEAST
        before = encoded
        if report.current:
            break
        with platform.ledger.read() as connection:
            assert stale_collections(connection, [bounded.live()[0].id]) == ["papers"]
    assert report.current and report.left == ""
    assert len(set(bounded.encoders.encoded)) == len(bounded.encoders.encoded)
    assert bounded.verify().problems == []
    assert found("azimuth") == ["papers/long.md"]


def test_a_long_document_goes_on_while_short_ones_keep_coming(bounded, put, found):
    put("papers/long.md", long_text("azimuth", 5))
    (generation,) = bounded.live()
    for run in range(10):
        for number in range(2 * LEAST):
            put(f"papers/{run}-{number}.md", f"# {run}\n\nThe number is {run * 100 + number}.")
        bounded.documents("papers")
        bounded.until = math.inf
        bounded.chunks("papers", generation)
        bounded.until = 0.0
        bounded.embeddings("papers", generation)
        bounded.search_index("papers", generation)
        if "papers/long.md" in found("azimuth"):
            return
    pytest.fail("it was never finished")


@pytest.fixture
def slow(pipeline, stages, monkeypatch):
    """The stages on a machine that embeds a chunk in a second of its own clock."""
    clock = [0.0]

    def tick(text):
        clock[0] += 1

    monkeypatch.setattr(embedding, "BLOCK_ROWS", BLOCK)
    monkeypatch.setattr(embedding, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    pipeline.encoders = stages.CountingEncoders(pipeline.platform.encoders, tick)

    def embed(seconds):
        pipeline.documents("papers")
        (generation,) = pipeline.live()
        pipeline.until = math.inf
        pipeline.chunks("papers", generation)
        clock[0] = 0.0
        pipeline.until = seconds
        return pipeline.embeddings("papers", generation)

    return embed


def test_a_long_document_has_a_third_of_the_time(slow, put):
    put("papers/long.md", long_text("azimuth", 60))
    assert slow(60) in range(20, 20 + BLOCK + 1)


def test_a_long_document_has_one_block_where_short_ones_were_finished(slow, put):
    put("papers/long.md", long_text("azimuth", 60))
    for number in range(4):
        put(f"papers/{number}.md", f"# {number}\n\nThe number is {number}.")
    assert slow(60) == LEAST + 2 * BLOCK


def test_short_documents_have_the_whole_time(slow, put):
    for number in range(70):
        put(f"papers/{number}.md", f"# {number}\n\nThe number is {number}.")
    assert slow(60) in range(60, 60 + LEAST + 1)


def test_a_document_that_can_be_finished_is_not_parted(slow, put):
    put("papers/short.md", "# Short\n\nThe code word of the short one is basalt.")
    put("papers/longer.md", long_text("azimuth", 5))
    put("papers/long.md", long_text("chalk", 60))
    assert slow(180) > 10


def test_no_vector_of_a_text_that_nobody_can_read_yet_stands_before_others(
    bounded, put, platform, found
):
    put("papers/short.md", "# Short\n\nThe code word of the short one is basalt.")
    bounded.run("papers")
    put("papers/long.md", long_text("basalt"))
    bounded.run("papers")
    assert len(bounded.encoders.encoded) > 1
    assert held(platform) == 1
    assert found("code word basalt") == ["papers/short.md"]


def test_the_old_text_is_found_until_the_new_one_is_whole(bounded, put, found, platform):
    put("papers/a.md", long_text("azimuth", 3))
    while not bounded.run("papers").current:
        pass
    old = held(platform)
    put("papers/a.md", long_text("basalt"))
    assert not bounded.run("papers").current
    assert held(platform) == old
    (passage, *_) = platform.search("azimuth").passages
    assert "azimuth" in passage.chunk.text
    while not bounded.run("papers").current:
        pass
    assert "basalt" in platform.search("azimuth").passages[0].chunk.text
    assert bounded.verify().problems == []


def test_work_that_a_run_leaves_is_no_problem_and_a_lost_vector_is(bounded, put, platform):
    put("papers/short.md", "# Short\n\nThe code word of the short one is basalt.")
    bounded.run("papers")
    put("papers/long.md", long_text("azimuth"))
    bounded.run("papers")
    verdict = bounded.verify(touched="papers", finished=False)
    assert verdict.problems == []
    assert "chunks without a vector" in verdict.left[0]
    assert bounded.verify(exhaustive=True, finished=False).problems == []
    assert "chunks without a vector" in bounded.verify().problems[0]
    (name,) = platform.chroma.names()
    platform.chroma.delete(name, list(platform.chroma.ids(name)))
    (problem, *_) = bounded.verify(touched="papers", finished=False).problems
    assert "Chroma lacks 1 vectors" in problem


def test_vectors_are_added_in_parts_and_those_of_short_documents_first(
    bounded, put, states, monkeypatch
):
    bounded.until = math.inf
    put("papers/a-long.md", long_text("azimuth"))
    put("papers/b-short.md", "# Short\n\nThe code word of the short one is basalt.")
    bounded.documents("papers")
    (generation,) = bounded.live()
    bounded.chunks("papers", generation)
    bounded.embeddings("papers", generation)
    monkeypatch.setattr(indexing, "BATCH", BLOCK)
    bounded.until = 0.0
    report = bounded.search_index("papers", generation)
    assert report.added == BLOCK and "vectors to add" in report.left
    assert states() == {"papers/a-long.md": "pending", "papers/b-short.md": "indexed"}
    assert bounded.verify(touched="papers", finished=False).problems == []
    while not bounded.search_index("papers", generation).current:
        pass
    assert bounded.verify().problems == []


def test_a_long_document_is_not_split_while_others_wait_for_it_unless_it_waited_itself(
    bounded, put, monkeypatch
):
    monkeypatch.setattr(splitting, "_LONG_WORDS", 100)
    put("papers/long.md", long_text("azimuth"))
    put("papers/short.md", "# Short\n\nThe code word of the short one is basalt.")
    bounded.documents("papers")
    (generation,) = bounded.live()
    bounded.until = 1e18
    assert bounded.chunks("papers", generation) == 1
    spec = ChunkingSpec.from_dict(generation.spec["chunking"]["spec"])
    ledger, papers = bounded.platform.ledger, bounded.id_of("papers")
    assert splitting.count_unsplit(ledger, spec, papers) == 1
    put("papers/another.md", "# Another\n\nThe code word of the other one is chalk.")
    bounded.documents("papers")
    monkeypatch.setattr(splitting, "PATIENCE", timedelta(0))
    assert bounded.chunks("papers", generation) > 2
    assert splitting.count_unsplit(ledger, spec, papers) == 0
