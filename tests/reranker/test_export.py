"""A reranker is exported once, gives the original's scores, or is refused in one sentence."""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from rag_platform.embedding.files import verified_package
from rag_platform.errors import ModelUnavailable
from rag_platform.reranker.cross_encoder import CrossEncoder
from rag_platform.reranker.export import export
from rag_platform.reranker.files import source_of

QUESTION = "How long is parental leave?"
PASSAGES = [
    "Leave > Parents\n\nParental leave lasts 26 weeks.",
    "",
    "Größenwahn & Übermut – 100 % Räte",
    "日本語の文章もあります。休暇は三十日です。",
    "🙂👶🏽 emoji, e\u0301 combining",
    "word " * 700,
    *(f"Sentence {n} about parental leave." for n in range(10)),
]


def _original(folder: Path, question: str = QUESTION) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        from sentence_transformers import CrossEncoder as Original

        model = Original(str(folder), device="cpu", model_kwargs={"dtype": "float32"})
        pairs = [(question, passage) for passage in PASSAGES]
        return model.predict(pairs, show_progress_bar=False)


# RoBERTa's positions begin behind its padding: it needs more of them than it reads tokens.
@pytest.mark.parametrize(
    ("kind", "positions"), [("Bert", 512), ("Roberta", 514), ("ModernBert", 512)]
)
def test_scores_are_those_of_sentence_transformers(kind, positions, random_cross_encoder, files_of):
    folder = random_cross_encoder(kind, max_position_embeddings=positions)
    files = files_of(folder)
    assert export(files) <= 1e-4
    model = CrossEncoder(files.verified(), threads=2)
    for question in (QUESTION, "leave " * 1000):
        scores = model.scores(question, PASSAGES)
        assert np.abs(np.array(scores) - _original(folder, question)).max() <= 1e-4
    assert len({round(score, 4) for score in scores}) > 5


def test_what_is_stored_in_half_precision_is_served_in_single(random_cross_encoder, files_of):
    from transformers import AutoModelForSequenceClassification

    folder = random_cross_encoder()
    AutoModelForSequenceClassification.from_pretrained(folder).half().save_pretrained(folder)
    files = files_of(folder)
    export(files)
    scores = CrossEncoder(files.verified(), threads=1).scores(QUESTION, PASSAGES)
    assert np.abs(np.array(scores) - _original(folder)).max() <= 1e-4


def test_the_prompt_of_a_model_stands_before_the_question(random_cross_encoder, files_of):
    folder = random_cross_encoder()
    prompt = {"prompts": {"query": "search: "}, "default_prompt_name": "query"}
    kind = {"model_type": "CrossEncoder", "__version__": {"sentence_transformers": "6.0.0"}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps({**kind, **prompt}))
    files = files_of(folder)
    export(files)
    scores = CrossEncoder(files.verified(), threads=1).scores(QUESTION, PASSAGES)
    assert np.abs(np.array(scores) - _original(folder)).max() <= 1e-4
    assert files.describe()["prompt"] in ("search: ", "")


def test_an_embedding_model_is_refused_though_it_loads(files_of):
    with pytest.raises(ModelUnavailable, match="is no cross-encoder") as caught:
        export(files_of(verified_package()))
    assert "RAG_RERANKER" in caught.value.remedy


def test_a_model_with_several_labels_is_refused(random_cross_encoder, files_of):
    with pytest.raises(ModelUnavailable, match="gives 3 scores"):
        export(files_of(random_cross_encoder(labels=3)))


def test_a_language_model_as_reranker_is_refused(tmp_path, files_of):
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(verified_package()))
    config = transformers.Qwen2Config(
        vocab_size=tokenizer.vocab_size,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=4,
        intermediate_size=64,
    )
    folder = tmp_path / "language-model"
    transformers.Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelUnavailable, match="is a language model"):
        export(files_of(folder))


def test_a_model_that_reads_fewer_tokens_than_it_says_is_refused(random_cross_encoder, files_of):
    with pytest.raises(ModelUnavailable, match="cannot be exported"):
        export(files_of(random_cross_encoder("Roberta", max_position_embeddings=512)))


def test_a_folder_without_a_model_is_refused(tmp_path, files_of):
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        export(files_of(tmp_path))


def test_damaged_weights_are_refused(random_cross_encoder, files_of):
    folder = random_cross_encoder()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    files = files_of(folder)
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        export(files)
    assert not files.path.exists()


def test_weights_in_a_pickle_are_refused(random_cross_encoder, files_of):
    import torch
    from safetensors.torch import load_file

    folder = random_cross_encoder()
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        export(files_of(folder))


def test_a_model_that_gives_other_scores_when_exported_is_refused(
    random_cross_encoder, files_of, monkeypatch
):
    monkeypatch.setattr("rag_platform.reranker.export.PARITY", -1.0)
    files = files_of(random_cross_encoder())
    with pytest.raises(ModelUnavailable, match="gives other scores than the original"):
        export(files)
    assert not files.path.exists()


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ModelUnavailable, match="does not exist"):
        source_of(str(tmp_path / "nothing"))
    assert source_of(str(tmp_path)) == tmp_path
    assert source_of("cross-encoder/ms-marco-MiniLM-L6-v2").endswith("L6-v2")


def test_an_export_is_made_anew_only_for_other_files(random_cross_encoder, files_of):
    folder = random_cross_encoder()
    files = files_of(folder)
    assert not files.is_current()
    export(files)
    before = files.id
    (folder / "README.md").write_text("words")
    assert files.is_current()
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"gelu"', '"relu"'))
    assert not files.is_current()
    export(files)
    assert files.is_current()
    assert files.id != before


@pytest.mark.parametrize("facts", ["", "[]", "{}", '{"format": 1}'])
def test_an_export_of_unknown_origin_is_made_anew(facts, exported, files_of):
    files = files_of(exported.source)
    shutil.copytree(exported.path, files.path)
    assert files.is_current()
    (files.path / "export.json").write_text(facts)
    assert not files.is_current()


def test_a_reranker_that_was_never_exported_says_what_to_do(files_of):
    with pytest.raises(ModelUnavailable, match="has not been exported") as caught:
        files_of("some/model").verified()
    assert "rag up" in caught.value.remedy


def test_a_tampered_file_is_named_with_what_to_do(exported, files_of):
    files = files_of(exported.source)
    shutil.copytree(exported.path, files.path)
    files.verified()
    files.onnx.write_bytes(files.onnx.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelUnavailable, match=r"onnx/model\.onnx") as caught:
        files.verified()
    assert "exported again" in caught.value.remedy
