"""The model's computation as ONNX files: exact, and with int8 weights."""

import warnings
from pathlib import Path
from typing import Any

from rag_platform.embedding.export.original import Original
from rag_platform.embedding.files import ONNX
from rag_platform.errors import ModelUnavailable


def write_graph(original: Original, path: Path) -> None:
    """Write the exact file. Raises :class:`ModelUnavailable` where the model cannot be traced."""
    import torch

    model = original.model
    typed = "token_type_ids" in getattr(model.tokenizer, "model_input_names", ())
    static = original.static

    class Exportable(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            if typed:
                features["token_type_ids"] = token_type_ids
            out = self.model.forward(features)
            return out["sentence_embedding"], out["token_embeddings"]

    class Averaged(torch.nn.Module):
        """Word vectors, averaged without the padding: a static model takes bags, no batches."""

        def __init__(self, table: Any) -> None:
            super().__init__()
            self.table = torch.nn.Embedding.from_pretrained(table.embedding.weight.detach())
            self.following = torch.nn.ModuleList(list(model)[1:])

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            mask = attention_mask.unsqueeze(-1).to(torch.float32)
            tokens = self.table(input_ids) * mask
            mean = tokens.sum(1) / mask.sum(1).clamp(min=1.0)
            features = {"sentence_embedding": mean, "attention_mask": attention_mask}
            for module in self.following:
                features = module(features)
            return features["sentence_embedding"], tokens

    # The mask of the example has zeros: exporters drop the mask where they only saw ones.
    mask = torch.tensor([[1] * 8, [1] * 5 + [0] * 3])
    ids = torch.full((2, 8), 7) * mask
    names = ["input_ids", "attention_mask"]
    example: tuple[Any, ...] = (ids, mask)
    if static is None:
        names.append("token_type_ids")
        example = (*example, torch.zeros_like(ids))
    outputs = ["sentence_embedding", "token_embeddings"]
    axes: dict[str, dict[int, str]] = {n: {0: "batch", 1: "tokens"} for n in [*names, outputs[1]]}
    axes[outputs[0]] = {0: "batch"}
    exportable = Exportable() if static is None else Averaged(static)
    with warnings.catch_warnings():
        # The tracing exporter is deprecated in favour of one that takes ten times as long for
        # the same graph; the parity check guards whichever is used.
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                exportable.eval(),
                example,
                str(path),
                input_names=names,
                output_names=outputs,
                dynamic_axes=axes,
                opset_version=17,
                dynamo=False,
            )
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
