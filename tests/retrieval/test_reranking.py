"""The search with a reranker: its order within its time, and the base search where it has none."""

from pathlib import Path

import pytest

from rag_platform.errors import ModelUnavailable
from rag_platform.reranker.export import export
from rag_platform.reranker.files import RerankerFiles
from rag_platform.retrieval.reranking import Reranker
from rag_platform.retrieval.search import Search
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.service.payloads import SearchPayload

pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)

QUESTION = "How long is parental leave?"
TEXTS = {
    "leave.md": "# Leave\n\nParental leave lasts 26 weeks and is paid in full.",
    "zebra.md": "# Zebra\n\nThe zebra took leave; zebra zebra zebra.",
    "one.md": "# Other\n\nA zebra is a parental animal, and its leave is short and sweet.",
    "travel.md": "# Travel\n\nTrains are booked in second class through the travel office.",
}


@pytest.fixture(scope="module")
def files(likes_a_word, tmp_path_factory) -> RerankerFiles:
    """A model that likes zebras best."""
    made = RerankerFiles.of(tmp_path_factory.mktemp("models"), str(likes_a_word("zebra")))
    export(made)
    return made


@pytest.fixture
def filled(pipeline, put):
    for name, text in TEXTS.items():
        put(f"handbook/{name}", text)
    pipeline()
    return pipeline


@pytest.fixture
def searching(platform):
    def make(files: RerankerFiles, milliseconds: int = 60_000) -> Search:
        reranker = Reranker(files, threads=2, batch_tokens=384, milliseconds=milliseconds)
        return Search(
            platform.ledger, platform.objects, platform.chroma, platform.encoders, reranker
        )

    return make


def _keys(result) -> list[str]:
    return [passage.chunk.key.rpartition("/")[2] for passage in result.passages]


def test_candidates_are_in_the_rerankers_order_and_say_so(filled, platform, searching, files):
    base = platform.search(QUESTION)
    assert _keys(base)[0] == "leave.md"
    assert (base.reranking, base.passages[0].rerank_rank) == (None, None)
    result = searching(files)(QUESTION)
    assert _keys(result)[:2] == ["zebra.md", "one.md"]
    assert [passage.rerank_rank for passage in result.passages] == [1, 2, 3, 4]
    assert result.timings_ms["rerank"] > 0
    done = result.reranking
    assert (done.candidates, done.scored, done.is_cut) == (4, 4, False)
    assert files.source in done.model
    # Of equal scores the better candidate is first.
    assert _keys(result)[2:] == [key for key in _keys(base) if key in ("leave.md", "travel.md")]


def test_clients_are_told_what_the_reranker_did_where_there_is_one(
    filled, platform, searching, files
):
    told = SearchPayload.of(searching(files)(QUESTION)).model_dump(mode="json")
    assert told["reranking"]["scored"] == told["reranking"]["candidates"] == 4
    assert told["reranking"]["cut"] is False
    assert [passage["ranks"]["rerank"] for passage in told["passages"]] == [1, 2, 3, 4]
    told = SearchPayload.of(platform.search(QUESTION)).model_dump(mode="json")
    assert "reranking" not in told
    assert told["passages"][0]["ranks"].keys() == {"dense", "keyword"}


def test_whether_anything_is_relevant_is_decided_without_the_reranker(
    filled, platform, searching, files
):
    search = searching(files)
    for question in (QUESTION, "What is the boiling point of tungsten?"):
        base, result = platform.search(question), search(question)
        assert (base.relevance, base.is_relevant) == (result.relevance, result.is_relevant)


def test_only_the_first_candidates_are_reranked(filled, platform, searching, files):
    base = platform.search(QUESTION)
    result = searching(files)(QUESTION, settings=RetrievalSettings(reranked=2))
    assert _keys(result)[2:] == _keys(base)[2:]
    assert [passage.rerank_rank for passage in result.passages] == [1, 2, None, None]
    assert result.reranking.candidates == 2


def test_what_is_asked_for_may_be_fewer_than_what_is_reranked(filled, searching, files):
    assert _keys(searching(files)(QUESTION, top_k=1)) == ["zebra.md"]


def test_settings_that_rerank_nothing_search_without_the_model(filled, platform, searching):
    missing = RerankerFiles(Path("/nowhere"), "some/model")
    result = searching(missing)(QUESTION, settings=RetrievalSettings(reranked=0))
    assert _keys(result) == _keys(platform.search(QUESTION))
    assert result.reranking is None
    assert "rerank" not in result.timings_ms


def test_without_time_candidates_keep_their_order_and_the_result_says_so(
    filled, platform, searching, files
):
    result = searching(files, milliseconds=0)(QUESTION)
    assert _keys(result) == _keys(platform.search(QUESTION))
    assert (result.reranking.scored, result.reranking.is_cut) == (0, True)
    assert {passage.rerank_rank for passage in result.passages} == {None}


def test_a_result_that_was_cut_is_not_kept_for_the_next_who_asks(filled, searching, files):
    search = searching(files, milliseconds=0)
    assert search(QUESTION).reranking.is_cut
    search.reranker._seconds = 60.0
    assert _keys(search(QUESTION))[0] == "zebra.md"
    again = search(QUESTION)
    assert "rerank" not in again.timings_ms  # this one is kept
    assert _keys(again)[0] == "zebra.md"


def test_the_title_is_read_with_the_text(pipeline, put, searching, files):
    put("handbook/plain.md", "# Horses\n\nThe leave of animals is long and paid in full.")
    put("handbook/titled.md", "# Zebra zebra\n\nThe leave of animals is short and not paid.")
    pipeline()
    result = searching(files)("How long is the leave of animals?")
    assert _keys(result)[0] == "titled.md"


def test_nothing_found_is_nothing_reranked(platform, searching, files):
    result = searching(files)(QUESTION)
    assert (result.passages, result.reranking.candidates) == ((), 0)
    assert not result.reranking.is_cut


def test_a_reranker_that_is_missing_is_an_error_before_the_first_question(filled, searching):
    search = searching(RerankerFiles(Path("/nowhere"), "some/model"))
    for ask in (search.warm_up, lambda: search(QUESTION)):
        with pytest.raises(ModelUnavailable, match="some/model has not been exported"):
            ask()


def test_results_of_two_rerankers_are_not_mistaken_for_each_other(
    filled, searching, files, likes_a_word, tmp_path
):
    other = RerankerFiles.of(tmp_path / "models", str(likes_a_word("travel")))
    export(other)
    search = searching(files)
    assert _keys(search(QUESTION))[0] == "zebra.md"
    search.reranker = Reranker(other, threads=1, batch_tokens=384, milliseconds=60_000)
    assert _keys(search(QUESTION))[0] == "travel.md"
    search.reranker = None
    assert _keys(search(QUESTION))[0] == "leave.md"


def test_the_setting_makes_the_platform_rerank(filled, platform, likes_a_word, monkeypatch):
    from rag_platform.bootstrap import export_reranker
    from rag_platform.settings import Settings
    from rag_platform.wiring import Platform

    settings = platform.settings
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAG_CHROMA_PORT", str(settings.chroma.port))
    monkeypatch.setenv("RAG_RERANKER", str(likes_a_word("zebra")))
    monkeypatch.setenv("RAG_RERANKER_MS", "60000")
    export_reranker()
    made = Platform(Settings.load())
    exported = made.reranker_files
    before = exported.onnx.stat().st_mtime_ns
    export_reranker()  # done once
    assert exported.onnx.stat().st_mtime_ns == before
    made.search.warm_up()
    assert _keys(made.search(QUESTION))[0] == "zebra.md"
    made.close()


def test_the_columns_of_a_table_are_read_with_its_rows(searching, files, table_row):
    rows = [
        table_row("plain", "| Ada | 3 |", None),
        table_row("table", "| Ada | 4 |", "Keeper, zebra"),
    ]
    ordered, _ = searching(files).reranker("zebra", rows, 2, "title-and-headings-v1")
    assert [passage.chunk.key for passage in ordered] == ["table", "plain"]
