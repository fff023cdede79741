"""Another chunking is another generation: built beside the one that serves, proved, switched to."""

import threading

import pytest
from sqlalchemy import func, select

from rag_platform.bootstrap import propose_generation
from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.errors import Conflict, SettingsError
from rag_platform.index.promotion import promote_complete
from rag_platform.index.recipe import recipe_of
from rag_platform.ledger.entries import stale_collections
from rag_platform.ledger.generations import find_generation
from rag_platform.ledger.promotion import progress_of, promote, retired_chunkings, work_left
from rag_platform.ledger.serving import current_serving
from rag_platform.ledger.tables import chunks, index_entries, promotions
from rag_platform.settings import ChunkingSettings, EmbeddingSettings

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


def _text(number: int) -> str:
    lines = [f"The code word of paper {number}, line {n}, is w{number}x{n}." for n in range(12)]
    return f"# Paper {number}\n\n" + "\n\n".join(lines)


@pytest.fixture
def filled(pipeline, put):
    """Six documents in two collections, indexed; the counters count from here."""
    for number in range(6):
        put(f"{'handbook' if number % 2 else 'people'}/{number}.md", _text(number))
    pipeline()
    pipeline.parser.parsed.clear()
    pipeline.encoders.encoded.clear()
    return pipeline


@pytest.fixture
def start(platform):
    """Start again with other settings."""

    def again(max_tokens: int, overlap_tokens: int = 0, precision: str = "fp32") -> str:
        chunking = ChunkingSettings(max_tokens=max_tokens, overlap_tokens=overlap_tokens)
        embedding = EmbeddingSettings(precision=precision)
        settings = {"chunking": chunking, "embedding": embedding}
        platform.settings = platform.settings.model_copy(update=settings)
        propose_generation(platform)
        return ChunkingSpec.of(chunking).id

    return again


@pytest.fixture
def switch(platform):
    """Try to let the generation of the settings serve."""

    def attempt():
        recipe = recipe_of(platform.settings)
        return promote_complete(
            platform.ledger, platform.objects, platform.chroma, recipe, requested_by="a test"
        )

    return attempt


@pytest.fixture
def serving(platform):
    def now():
        with platform.ledger.read() as connection:
            return current_serving(connection)

    return now


def _state(platform, generation_id: int) -> str:
    with platform.ledger.read() as connection:
        return find_generation(connection, generation_id).state


def test_the_same_chunking_makes_no_generation(filled, start, switch, serving):
    start(200)
    assert [generation.id for generation in filled.live()] == [serving().generation.id]
    assert switch().candidate is None


def test_another_chunking_serves_when_it_is_complete_without_parsing_anything(
    filled, start, switch, serving, platform
):
    first = serving().generation
    chunking = start(40)
    assert switch().waiting
    assert serving().generation == first
    filled.index("handbook")
    assert "'people'" not in (waiting := switch().waiting)
    assert "people" in waiting
    assert serving().generation == first
    filled.index("people")
    assert switch().promoted
    now = serving()
    assert now.generation.chunking == chunking
    assert now.generation.state == "verified"
    assert now.previous.id == first.id
    assert filled.parser.parsed == []
    assert filled.verify().problems == []
    passage = platform.search("What is w3x7?").passages[0].chunk
    assert "w3x7" in passage.text
    with platform.ledger.read() as connection:
        (row,) = connection.execute(select(promotions)).all()
    assert (row.outcome, row.requested_by) == ("promoted", "a test")
    assert row.metrics["vectors queried"] == row.metrics["vectors"] > 6


def test_both_generations_are_kept_current_after_the_switch(filled, start, switch, put, platform):
    start(40)
    filled()
    assert switch().promoted
    put("handbook/new.md", _text(9))
    filled()
    with platform.ledger.read() as connection:
        for generation in filled.live():
            assert stale_collections(connection, [generation.id]) == []
    assert len(filled.live()) == 2
    assert filled.verify().problems == []


def test_the_old_values_let_the_kept_generation_serve_again(filled, start, switch, serving):
    first = serving().generation.id
    chunking = start(40)
    filled()
    switch()
    filled.encoders.encoded.clear()
    start(200)
    assert switch().promoted
    assert serving().generation.id == first
    assert serving().previous.chunking == chunking
    assert filled.encoders.encoded == []
    assert {generation.state for generation in filled.live()} == {"verified"}


def test_one_generation_is_kept_and_the_one_before_it_is_purged(
    filled, start, switch, serving, platform
):
    first = serving().generation
    for tokens in (40, 60):
        start(tokens)
        filled()
        assert switch().promoted
    assert _state(platform, first.id) == "retired"
    assert len(filled.live()) == 2
    assert not any(name.startswith(f"generation-{first.id}-") for name in platform.chroma.names())
    with platform.ledger.read() as connection:
        counted = connection.execute(
            select(func.count()).where(index_entries.c.generation_id == first.id)
        ).scalar_one()
        chunkings = set(connection.execute(select(chunks.c.chunking).distinct()).scalars())
        assert work_left(connection, recipe_of(platform.settings)) is None
    assert counted == 0
    assert chunkings == {generation.chunking for generation in filled.live()}
    assert filled.verify().problems == []


def test_a_chunking_that_was_purged_finds_its_stored_vectors_again(filled, start, switch):
    for tokens in (40, 60):
        start(tokens)
        filled()
        switch()
    filled.encoders.encoded.clear()
    start(200)
    filled()
    assert switch().promoted
    assert filled.encoders.encoded == filled.parser.parsed == []


def test_a_change_taken_back_before_it_was_complete_leaves_nothing(
    filled, start, switch, serving, platform
):
    first = serving().generation
    start(40)
    filled.index("handbook")
    start(200)
    assert [generation.id for generation in filled.live()] == [first.id]
    report = switch()
    assert (report.promoted, report.purged) == (False, 1)
    assert serving().generation == first
    with platform.ledger.read() as connection:
        assert retired_chunkings(connection) == []
    assert filled.verify().problems == []


def test_a_change_while_another_is_being_built_replaces_it(filled, start, switch, serving):
    start(40)
    filled.index("handbook")
    start(60)
    filled()
    assert switch().promoted
    assert len(filled.live()) == 2
    assert filled.verify().problems == []


def test_a_document_that_arrives_while_a_generation_is_verified_postpones_the_switch(
    filled, start, switch, put, platform, serving, monkeypatch
):
    start(40)
    filled()
    query = platform.chroma.query

    def arriving(*arguments):
        put("handbook/late.md", _text(8))
        filled.documents("handbook")
        return query(*arguments)

    monkeypatch.setattr(platform.chroma, "query", arriving)
    report = switch()
    assert not report.promoted
    assert "changed while it was verified" in report.waiting
    monkeypatch.setattr(platform.chroma, "query", query)
    filled()
    assert switch().promoted
    assert "w8x3" in platform.search("What is w8x3?").passages[0].chunk.text


def test_a_generation_that_lost_a_vector_is_refused_and_built_anew(
    filled, start, switch, platform, serving
):
    first = serving().generation
    start(40)
    filled()
    name = next(n for n in platform.chroma.names() if not n.startswith(f"generation-{first.id}-"))
    platform.chroma.delete(name, list(platform.chroma.ids(name))[:1])
    report = switch()
    assert not report.promoted
    assert any("Chroma lacks 1 vectors" in problem for problem in report.problems)
    assert serving().generation == first
    assert switch().promoted
    with platform.ledger.read() as connection:
        outcomes = connection.execute(select(promotions.c.outcome)).scalars().all()
    assert outcomes == ["refused", "promoted"]


def test_what_was_not_verified_cannot_be_promoted(filled, start, platform):
    start(40)
    filled()
    candidate = filled.live()[1]
    with pytest.raises(Conflict, match="not verified"), platform.ledger.write() as connection:
        promote(connection, candidate.id, requested_by="a test", reason="", metrics={})


@on_sqlite
def test_the_building_of_a_generation_shows_its_progress(filled, start, platform):
    start(40)
    candidate = filled.live()[1]
    filled.index("handbook")
    with platform.ledger.read() as connection:
        progress = progress_of(connection, candidate)
    assert progress.contents == (3, 6)
    assert progress.collections == (1, 2)
    assert progress.vectors[0] == progress.vectors[1] > 3


@on_sqlite
def test_an_unfinished_generation_is_no_loss(filled, start):
    start(40)
    filled.index("handbook")
    assert filled.verify().problems == []


@on_sqlite
def test_the_building_generation_is_split_and_embedded_in_parts(filled, start, platform):
    from rag_platform.documents.chunks import reconcile_chunks
    from rag_platform.embedding.stage import reconcile_embeddings

    start(40)
    candidate = filled.live()[1]
    spec = ChunkingSpec.from_dict(candidate.spec["chunking"]["spec"])
    collection = filled.id_of("handbook")
    tokenizer = platform.encoders.tokenizer(candidate)
    stores = (platform.ledger, platform.objects)
    made = [reconcile_chunks(*stores, tokenizer, spec, collection, until=0) for _ in range(4)]
    assert [bool(count) for count in made] == [True, True, True, False]
    report = reconcile_embeddings(*stores, filled.encoders, candidate, collection, until=0)
    assert report.embedded > 0


@on_sqlite
def test_a_passage_longer_than_the_model_reads_is_refused_in_one_sentence(start, filled):
    with pytest.raises(SettingsError, match=r"\(255\) is too large.* at most 254 tokens"):
        start(255)


def test_another_precision_is_another_generation_too(filled, start, switch, serving, platform):
    start(200, precision="int8")
    filled()
    assert filled.encoders.encoded
    assert switch().promoted
    assert serving().generation.recipe.precision == "int8"
    assert filled.parser.parsed == []
    passage = platform.search("What is w3x7?").passages[0].chunk
    assert "w3x7" in passage.text
    start(200)
    assert switch().promoted
    assert serving().generation.recipe.precision == "fp32"


def test_a_query_never_fails_and_never_sees_half_a_change(filled, start, switch, platform):
    """Somebody asks all the time, from before the change until after the way back."""
    failures: list[BaseException | str] = []
    asked: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        number = 0
        while not stop.is_set():
            number = (number + 1) % 6
            try:
                found = platform.search(f"What is w{number}x7?")
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a failed query
                failures.append(error)
                return
            asked.append(found.generation_id)
            if f"w{number}x7" not in found.passages[0].chunk.text:
                failures.append(f"w{number}x7 was not found by generation {found.generation_id}")

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for tokens in (40, 200, 60, 30):
            start(tokens)
            filled()
            assert switch().promoted
            reached = len(asked)
            while len(asked) < reached + 6 and not failures:
                stop.wait(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(set(asked)) == 4
