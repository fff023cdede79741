"""Another model than the packaged one serves: documents are cut, embedded and found with it."""

from pathlib import Path

import pytest

from rag_platform import status
from rag_platform.bootstrap import propose_generation
from rag_platform.embedding.export import export
from rag_platform.errors import SettingsError
from rag_platform.index.recipe import wanted_recipe
from rag_platform.ledger.serving import current_serving, live_generations
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.settings import ChunkingSettings

MODELS = {
    "XLM-R": ("xlm-roberta", {"prompts": {"query": "query: ", "passage": "passage: "}}),
    "word vectors": ("static", {"modules": ("Dense", "Normalize")}),
}


@pytest.fixture(params=["sqlite"])
def ledger_url(tmp_path: Path) -> str:
    """Nothing here depends on the database."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(params=MODELS)
def model_folder(request, tiny_model, tmp_path) -> Path:
    """One of them as registered."""
    kind, options = MODELS[request.param]
    return export(tiny_model(kind, **options), tmp_path / "model", name="embedder").path


def _chunking(platform) -> dict[str, int]:
    with platform.ledger.read() as connection:
        serving = current_serving(connection)
    assert serving is not None
    return serving.generation.spec["chunking"]["spec"]


@pytest.mark.filterwarnings("ignore")
def test_documents_are_found_by_its_vectors(platform, bucket_folder):
    (bucket_folder / "handbook").mkdir()
    sentences = [f"Rule {n} says that paper {n} is kept for {n} years." for n in range(80)]
    (bucket_folder / "handbook" / "rules.md").write_text("# Rules\n\n" + " ".join(sentences))
    with platform.parser() as parser:
        pipeline = platform.pipeline(parser)
        assert pipeline.ingest("handbook").current
        pipeline.chroma.close()
    dense = RetrievalSettings(dense_weight=1.0, neighbour_weight=0.0)
    found = platform.search(sentences[40], settings=dense)
    assert found.passages
    assert found.timings_ms["dense"] > 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_folder", ["XLM-R"], indirect=True)
def test_passages_that_nobody_sized_fit_the_model_with_a_header(platform):
    # 128 tokens less two special ones and the prefix, of which a fifth is left for a header.
    assert 90 <= _chunking(platform)["max_tokens"] <= 100
    propose_generation(platform)
    with platform.ledger.read() as connection:
        assert len(live_generations(connection)) == 1
        serving = current_serving(connection)
        assert serving.generation.recipe == wanted_recipe(connection, platform.settings)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_folder", ["XLM-R"], indirect=True)
def test_passages_that_were_sized_too_large_for_it_are_one_sentence(platform):
    platform.settings = platform.settings.model_copy(
        update={"chunking": ChunkingSettings(max_tokens=200)}
    )
    with pytest.raises(SettingsError, match=r"\(200\) is too large: .* at most 1\d\d tokens"):
        propose_generation(platform)
    platform.settings = platform.settings.model_copy(
        update={"chunking": ChunkingSettings(overlap_tokens=80)}
    )
    with pytest.raises(SettingsError, match=r"OVERLAP_TOKENS \(80\) may be at most half"):
        propose_generation(platform)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_folder", ["word vectors"], indirect=True)
def test_a_base_model_that_was_set_later_is_said_to_have_no_effect(platform):
    # The settings name none, which is the packaged one, and word vectors serve.
    (line,) = [line for line in status._lines(platform) if "RAG_EMBEDDING_MODEL" in line]
    assert "asks for all-MiniLM-L6-v2" in line
    assert "another needs another RAG_HOME" in line
