"""What is measured when a version is exported is what the registry is told."""

import pytest

from rag_platform.embedding import export as export_module
from rag_platform.embedding.export import export
from rag_platform.embedding.facts import parity_metrics, parity_tags
from rag_platform.embedding.files import ModelFiles
from rag_platform.errors import ModelUnavailable


def test_both_encoders_are_measured_at_export(model_folder):
    facts = ModelFiles(model_folder, "embedder", "1").export_facts()
    metrics = parity_metrics(facts)
    assert metrics["onnx_parity"] <= 1e-5
    assert metrics["onnx_smallest_cosine"] > 0.9999
    assert 0.95 < metrics["int8_cosine"] < metrics["int8_mean_cosine"] < 1.0
    assert metrics["int8_largest_difference"] > 1e-4
    tags = parity_tags(facts)
    assert tags["onnx_check"].startswith("parity with sentence-transformers over ")
    assert "no questions were asked" in tags["int8_check"]


@pytest.mark.filterwarnings("ignore")
def test_an_int8_encoder_too_far_from_the_exact_one_is_left_out_with_its_reason(
    tiny_model, tmp_path, monkeypatch
):
    monkeypatch.setattr(export_module, "LEAST_COSINE", 1.1)
    exported = export(tiny_model("bert"), tmp_path / "model", name="embedder")
    assert exported.fast is None
    files = ModelFiles(exported.path, "embedder", "1", "int8")
    assert "int8_cosine" not in parity_metrics(files.export_facts())
    assert "too far from the exact one" in parity_tags(files.export_facts())["int8_check"]
    with pytest.raises(ModelUnavailable, match="no int8 encoder: quantised it is too far"):
        files.describe()


def test_what_an_earlier_version_wrote_is_still_read():
    facts = {"source": "all-MiniLM-L6-v2", "parity": 2e-7, "int8_cosine": 0.985}
    assert parity_metrics(facts) == {"onnx_parity": 2e-7, "int8_cosine": 0.985}
    assert parity_tags(facts)["int8_check"].startswith("parity with fp32")
