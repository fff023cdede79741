"""Any sentence-transformers model gives its own vectors, or is refused in one sentence."""

import json
import shutil

import numpy as np
import pytest

from rag_platform.embedding.encoder import Encoder
from rag_platform.embedding.export import export
from rag_platform.embedding.files import ModelFiles, base_model_source, passage_tokens
from rag_platform.errors import ModelUnavailable

TEXTS = [
    "How long is Parental Leave?",
    "a",
    "Größenwahn & Übermut – 100 % Räte",
    "日本語の文章もあります。休暇は三十日です。",
    "  spaces  before\n and\tbehind \n",
    "The council decides on the budget of the coming year.",
    "title > heading\n\none two three four five",
]
TOO_LONG = "one two three four five six seven eight " * 100
E5 = {"query": "query: ", "passage": "passage: "}

MODELS = {
    "mean pooling, prompts": ("bert", {"prompts": E5}),
    "first token, no normalisation": ("bert", {"modules": ("cls",)}),
    "largest component": ("bert", {"modules": ("max",)}),
    "a dense module": ("bert", {"modules": ("mean", "Dense", "Normalize")}),
    "lower case by setting": ("bert-cased", {"lower": True}),
    "a document prompt": ("distilbert", {"prompts": {"query": "q: ", "document": "d: "}}),
    "MPNet without a limit": ("mpnet", {"max_tokens": None}),
    "RoBERTa with 512 tokens": ("roberta", {"max_tokens": 512}),
    "XLM-R": ("xlm-roberta", {"prompts": E5}),
    "T5": ("t5", {"modules": ("mean", "Dense", "Normalize")}),
    "last token, no special tokens": ("qwen3", {"modules": ("lasttoken", "Normalize")}),
    "word vectors": ("static", {"modules": ()}),
    "word vectors, dense": ("static", {"modules": ("Dense", "Normalize"), "prompts": E5}),
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.filterwarnings("ignore")  # those of the original's libraries
@pytest.mark.parametrize("name", MODELS)
def test_a_model_gives_its_own_vectors(name, tiny_model, tmp_path):
    kind, options = MODELS[name]
    source = tiny_model(kind, **options)
    exported = export(source, tmp_path / "exported", name="embedder")
    encoder = Encoder(ModelFiles(exported.path, "embedder", "1"), threads=1)
    from sentence_transformers import SentenceTransformer

    original = SentenceTransformer(str(source), device="cpu")
    prompts = options.get("prompts", {})
    document = prompts.get("document") or prompts.get("passage", "")
    expected = original.encode(TEXTS, prompt=document, normalize_embeddings=True)
    assert np.abs(encoder.encode_documents(TEXTS) - expected).max() <= 1e-5
    # One without a limit of its own breaks on what it has no positions for.
    asked = TEXTS if options.get("max_tokens", 128) is None else [*TEXTS, TOO_LONG]
    expected = original.encode_query(asked, normalize_embeddings=True)
    found = np.stack([encoder.encode_query(text) for text in asked])
    assert np.abs(found - expected).max() <= 1e-5
    assert exported.fast is not None
    assert exported.fast.smallest_cosine > 0.98


@pytest.mark.parametrize(
    ("kind", "limit", "prompts", "most"),
    [("bert", 128, E5, 126), ("mpnet", None, None, 510), ("roberta", 512, None, 510)],
)
@pytest.mark.filterwarnings("ignore")
def test_what_a_passage_may_have_follows_the_models_own_limit(
    kind, limit, prompts, most, tiny_model, tmp_path
):
    source = tiny_model(kind, max_tokens=limit, prompts=prompts)
    files = ModelFiles(export(source, tmp_path / "exported", name="m").path, "m", "1")
    encoder = Encoder(files, threads=1)
    bare, prefix = [
        len(encoder.tokenizer.encode(text, add_special_tokens=False).ids)
        for text in ("one", encoder.document_prefix)
    ]
    assert passage_tokens(files.encoder_spec()) == most - prefix
    longest = " ".join(["one"] * (most - prefix - bare + 1))
    assert encoder.count_tokens(longest) == encoder.max_tokens
    assert encoder.encode_documents([longest]).shape == (1, encoder.dimension)
    with pytest.raises(ValueError, match="exceed"):
        encoder.encode_documents([longest + " one"])


@pytest.mark.filterwarnings("ignore")
def test_a_prompt_that_is_left_out_of_the_average_is_refused(tiny_model, tmp_path):
    source = tiny_model("bert", prompts=E5, include_prompt=False)
    with pytest.raises(ModelUnavailable, match="cannot be served") as caught:
        export(source, tmp_path / "exported", name="embedder")
    assert "RAG_EMBEDDING_MODEL" in caught.value.remedy
    assert not (tmp_path / "exported").exists()


@pytest.mark.filterwarnings("ignore")
def test_one_network_for_questions_and_another_for_passages_is_refused(tiny_model, tmp_path):
    from sentence_transformers import SentenceTransformer, models

    query = SentenceTransformer(str(tiny_model("bert", modules=("mean",))), device="cpu")
    document = SentenceTransformer(str(tiny_model("bert", modules=("max",))), device="cpu")
    router = models.Router.for_query_document(list(query), list(document))
    SentenceTransformer(modules=[router], device="cpu").save(str(tmp_path / "router"))
    with pytest.raises(ModelUnavailable, match="questions and passages by different networks"):
        export(tmp_path / "router", tmp_path / "exported", name="embedder")


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_reads_next_to_nothing_is_refused(tiny_model, tmp_path):
    with pytest.raises(ModelUnavailable, match="reads 10 tokens"):
        export(tiny_model("bert", max_tokens=10), tmp_path / "exported", name="embedder")


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_the_hub_does_not_give_is_one_sentence(tmp_path, monkeypatch):
    # Its library would try again for a minute where the hub cannot be reached.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelUnavailable, match="nobody/nothing cannot be loaded") as caught:
        export(base_model_source("nobody/nothing"), tmp_path / "exported", name="embedder")
    assert "\n" not in caught.value.message
    assert "RAG_EMBEDDING_MODEL" in caught.value.remedy


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("damage", ["no tokenizer", "an unknown architecture", "no weights"])
def test_a_damaged_folder_is_one_sentence(damage, tiny_model, tmp_path):
    source = tmp_path / "damaged"
    shutil.copytree(tiny_model("bert"), source)
    if damage == "no tokenizer":
        (source / "tokenizer.json").unlink()
        (source / "tokenizer_config.json").unlink()
    elif damage == "no weights":
        (source / "model.safetensors").unlink()
    else:
        config = json.loads((source / "config.json").read_text())
        (source / "config.json").write_text(json.dumps({**config, "model_type": "nothing"}))
    with pytest.raises(ModelUnavailable) as caught:
        export(source, tmp_path / "exported", name="embedder")
    assert "\n" not in caught.value.message


@pytest.mark.filterwarnings("ignore")
def test_a_text_without_a_token_has_a_vector_that_can_be_stored(tiny_model, tmp_path):
    source = tiny_model("static", modules=())
    exported = export(source, tmp_path / "exported", name="embedder")
    encoder = Encoder(ModelFiles(exported.path, "embedder", "1"), threads=1)
    vectors = encoder.encode_documents(["", "leave"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert np.array_equal(encoder.encode_query(""), vectors[0])
