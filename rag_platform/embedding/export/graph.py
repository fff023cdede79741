"""The model's computation as ONNX files: exact, and with int8 weights."""

from pathlib import Path
from typing import Any

from rag_platform.embedding.export.original import Original
from rag_platform.embedding.files import ONNX
from rag_platform.embedding.tracing import INPUTS, trace
from rag_platform.errors import ModelUnavailable


def write_graph(original: Original, path: Path) -> None:
    """Write the exact file. Raises :class:`ModelUnavailable` where the model cannot be traced."""
    import torch

    model, static = original.model, original.static
    typed = "token_type_ids" in getattr(model.tokenizer, "model_input_names", ())

    def encoded(features: dict[str, Any]) -> Any:
        if not typed:
            del features["token_type_ids"]
        out = model.forward(features)
        return out["sentence_embedding"], out["token_embeddings"]

    def averaged(features: dict[str, Any]) -> Any:
        """Word vectors, averaged without the padding: a static model takes bags, no batches."""
        mask = features["attention_mask"].unsqueeze(-1).to(torch.float32)
        tokens = table(features["input_ids"]) * mask
        mean = tokens.sum(1) / mask.sum(1).clamp(min=1.0)
        out = {"sentence_embedding": mean, "attention_mask": features["attention_mask"]}
        for module in following:
            out = module(out)
        return out["sentence_embedding"], tokens

    outputs = {"sentence_embedding": {0: "batch"}, "token_embeddings": {0: "batch", 1: "tokens"}}
    try:
        if static is None:
            trace(model, encoded, path, outputs)
        else:
            table = torch.nn.Embedding.from_pretrained(static.embedding.weight.detach())
            following = torch.nn.ModuleList(list(model)[1:])
            whole = torch.nn.ModuleList([table, following])
            trace(whole, averaged, path, outputs, inputs=INPUTS[:2])
    except Exception as error:
        kind = type(error).__name__
        raise ModelUnavailable(
            f"The embedding model {original.source} cannot be exported for serving ({kind}).",
            "Choose another model for RAG_EMBEDDING_MODEL.",
        ) from error


def quantise(folder: Path) -> None:
    """Write the int8 file: weights per channel, activations as they come.

    Only matrix products: quantised word vectors lose more than they save.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = folder / "prepared.onnx"
    try:
        quant_pre_process(str(folder / ONNX["fp32"]), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(
            prepared,
            folder / ONNX["int8"],
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
    finally:
        prepared.unlink(missing_ok=True)
