"""Export of a sentence-transformers model for serving: safetensors and ONNX, with measured parity.

The only importer of torch and sentence_transformers outside training. It takes seconds to import,
so nothing that serves or ingests does.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag_platform.embedding.encoder import Encoder, Vectors
from rag_platform.embedding.files import (
    DESCRIPTION,
    EXPORT,
    ONNX,
    PACKAGED_MODEL,
    WEIGHTS,
    ModelFiles,
    is_packaged,
    sha256_of,
    write_checksums,
)
from rag_platform.embedding.tracing import trace
from rag_platform.errors import ModelUnavailable

PARITY = 1e-5
"""The largest difference allowed between any component of the two encoders' vectors."""

_PROBES = (
    "What is the refund policy?",
    "A passage is embedded together with its title.",
    "Ein Satz mit Umlauten: Übergrößenträger.",
    "日本語の文章もあります。",
    "short",
    "one two three four five six seven eight nine ten " * 18,
)


@dataclass(frozen=True)
class Exported:
    """An exported model."""

    path: Path
    parity: float
    """The largest difference of a vector component to torch."""
    int8_cosine: float
    """The smallest cosine of an int8 vector with the exact one."""


def export(source: Path | str, target: Path, *, name: str) -> Exported:
    """Write the model of ``source`` (a folder or a hub name) to ``target``, ready for serving.

    ``target`` appears whole or not at all. Raises :class:`ModelUnavailable` where the model
    cannot be loaded, or where the exported one gives other vectors (by more than ``PARITY``).
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as temporary:
        folder = Path(temporary) / "model"
        model = _load(source)
        model.save_pretrained(str(folder), safe_serialization=True)
        weights = folder / WEIGHTS
        if is_packaged(source):
            # Written anew they would be the same numbers under another checksum than the published.
            shutil.copyfile(Path(source) / WEIGHTS, weights)
        (folder / ONNX["fp32"]).parent.mkdir()
        _to_onnx(model, folder / ONNX["fp32"])
        prefixes = _prefixes(model)
        description = {
            "dimension": int(model.get_embedding_dimension()),
            "max_tokens": int(model.max_seq_length or 512),
            "precision": "fp32",
            **prefixes,
            "weights": sha256_of(weights),
            "tokenizer": sha256_of(folder / "tokenizer.json"),
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, indent=1))
        exact = _probe(ModelFiles(folder, name, "candidate"))
        parity = float(np.abs(_original(model, prefixes) - exact).max())
        if not parity <= PARITY:
            raise ModelUnavailable(
                f"The exported model {name} gives other vectors than the original "
                f"(difference {parity:.1e}, allowed {PARITY:.0e}).",
                "Choose another embedding model.",
            )
        _quantise(folder)
        write_checksums(folder)
        fast = _probe(ModelFiles(folder, name, "candidate", "int8"))
        int8_cosine = float(np.einsum("ij,ij->i", exact, fast).min())
        facts = {
            "source": PACKAGED_MODEL if is_packaged(source) else str(source),
            "parity": parity,
            "int8_cosine": int8_cosine,
        }
        (folder / EXPORT).write_text(json.dumps(facts, indent=1))
        write_checksums(folder)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return Exported(target, parity, int8_cosine)


def _load(source: Path | str) -> Any:
    try:
        from sentence_transformers import SentenceTransformer

        kwargs = {
            # Exports to plain operators, which is what the ONNX runtime knows to fuse.
            "attn_implementation": "eager",
            # Never a pickle: it could run code.
            "use_safetensors": True,
            # What was stored in half precision is served in single: processors have no other.
            "dtype": "float32",
        }
        return SentenceTransformer(str(source), device="cpu", model_kwargs=kwargs)
    except Exception as error:  # each library that reads a part of a model has errors of its own
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ModelUnavailable(
            f"The embedding model {source} cannot be loaded: {reason}",
            "Set RAG_EMBEDDING_MODEL to a sentence-transformers model's folder or hub name.",
        ) from error


def _prefixes(model: Any) -> dict[str, str]:
    prompts: dict[str, str] = getattr(model, "prompts", None) or {}
    return {
        "query_prefix": prompts.get("query", ""),
        "document_prefix": prompts.get("document", "") or prompts.get("passage", ""),
    }


def _to_onnx(model: Any, path: Path) -> None:
    typed = "token_type_ids" in model.tokenizer.model_input_names

    def forward(features: dict[str, Any]) -> Any:
        if not typed:
            del features["token_type_ids"]
        out = model.forward(features)
        return out["sentence_embedding"], out["token_embeddings"]

    axes = {"sentence_embedding": {0: "batch"}, "token_embeddings": {0: "batch", 1: "tokens"}}
    trace(model, forward, path, axes)


def _quantise(folder: Path) -> None:
    """Write the int8 file: weights per channel, activations as they come.

    Only matrix products: quantised word vectors lose more than they save.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = folder / "prepared.onnx"
    quant_pre_process(str(folder / ONNX["fp32"]), str(prepared), skip_symbolic_shape=True)
    quantize_dynamic(
        prepared,
        folder / ONNX["int8"],
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    prepared.unlink()


def _original(model: Any, prefixes: dict[str, str]) -> Vectors:
    texts = [prefixes["document_prefix"] + text for text in _PROBES]
    return np.asarray(model.encode(texts, normalize_embeddings=True), dtype=np.float32)


def _probe(files: ModelFiles) -> Vectors:
    return Encoder(files, threads=2).encode_documents(list(_PROBES))
