"""From a torch module to an ONNX file."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def trace(
    module: Any,
    forward: Callable[[dict[str, Any]], Any],
    path: Path,
    outputs: Mapping[str, Mapping[int, str]],
    inputs: Sequence[str] = INPUTS,
) -> None:
    """Write what ``forward`` reckons from the inputs of a transformer, or from the first of them.

    ``module`` holds the weights. ``outputs`` are the names of what is given back, each with its
    axes that may have any length, such as ``{0: "batch"}``. An input that is not used is not in
    the file.
    """
    import torch

    class Exportable(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *tensors: Any) -> Any:
            return forward(dict(zip(inputs, tensors, strict=True)))

    # The mask of the example has zeros: exporters drop the mask where they only saw ones.
    mask = torch.tensor([[1] * 8, [1] * 5 + [0] * 3])
    ids = torch.full((2, 8), 7) * mask
    axes = {name: {0: "batch", 1: "tokens"} for name in inputs}
    with warnings.catch_warnings():
        # The tracing exporter is deprecated in favour of one that takes ten times as long for
        # the same graph; the parity check guards whichever is used.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Exportable().eval(),
            (ids, mask, torch.zeros_like(ids))[: len(inputs)],
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={**axes, **{name: dict(axis) for name, axis in outputs.items()}},
            opset_version=17,
            dynamo=False,
        )
