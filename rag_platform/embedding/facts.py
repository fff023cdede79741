"""What was measured of a model version when it was exported, as the registry shows it."""

from collections.abc import Mapping
from typing import Any


def parity_metrics(facts: Mapping[str, Any]) -> dict[str, float]:
    """The served fp32 file beside sentence-transformers, and the int8 file beside the fp32 one."""
    exact, fast = _measured(facts)
    found = {
        "onnx_parity": exact.get("largest_difference"),
        "onnx_smallest_cosine": exact.get("smallest_cosine"),
        "onnx_mean_cosine": exact.get("mean_cosine"),
        "int8_cosine": fast.get("smallest_cosine"),
        "int8_mean_cosine": fast.get("mean_cosine"),
        "int8_largest_difference": fast.get("largest_difference"),
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def parity_tags(facts: Mapping[str, Any]) -> dict[str, str]:
    """What the figures were measured on, and what they do not say."""
    exact, fast = _measured(facts)
    texts = exact.get("texts", "the probe")
    said = "no questions were asked; with a validation set the loss is measured before a switch"
    if "refused" in fast:
        checked = f"no int8 encoder: {fast['refused']}"
    else:
        checked = f"parity with fp32 over {fast.get('texts', 'the probe')} texts; {said}"
    return {
        "onnx_check": f"parity with sentence-transformers over {texts} texts",
        "int8_check": checked,
    }


def _measured(facts: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    if "parity" in facts:  # exported by an earlier version, not registered since
        return (
            {"largest_difference": facts["parity"]},
            {"smallest_cosine": facts.get("int8_cosine")},
        )
    return facts.get("fp32", {}), facts.get("int8", {})
