"""Export of a sentence-transformers model for serving: safetensors and ONNX, with measured parity.

The only importer of torch and sentence_transformers outside training. It takes seconds to import,
so nothing that serves or ingests does.
"""

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rag_platform.embedding.encoder import load_tokenizer
from rag_platform.embedding.export.graph import quantise, write_graph
from rag_platform.embedding.export.original import Original
from rag_platform.embedding.export.parity import Parity, exact_parity, fast_parity
from rag_platform.embedding.files import (
    DESCRIPTION,
    EXPORT,
    ONNX,
    PACKAGED_MODEL,
    TOKENIZER,
    WEIGHTS,
    ModelFiles,
    is_packaged,
    sha256_of,
    write_checksums,
)
from rag_platform.errors import ModelUnavailable

PARITY = 1e-5
"""The largest difference allowed between any component of the two encoders' vectors."""

_SHORTEST = 12
"""Tokens of the smallest passage that can be set, and some for its header."""

LEAST_COSINE = 0.95
"""An int8 vector farther than this from the exact one is no vector of the same model."""


@dataclass(frozen=True)
class Exported:
    """An exported model."""

    path: Path
    exact: Parity
    """The served fp32 file beside sentence-transformers."""
    fast: Parity | None
    """The int8 file beside the fp32 file; None where it has none."""


def export(source: Path | str, target: Path, *, name: str) -> Exported:
    """Write the model of ``source`` (a folder or a hub name) to ``target``, ready for serving.

    ``target`` appears whole or not at all. Raises :class:`ModelUnavailable` where the model
    cannot be loaded, or where the exported one gives other vectors (by more than ``PARITY``).
    """
    original = Original.load(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as temporary:
        folder = Path(temporary) / "model"
        original.save(folder)
        weights = folder / WEIGHTS
        if is_packaged(source):
            # Written anew they would be the same numbers under another checksum than the published.
            shutil.copyfile(Path(source) / WEIGHTS, weights)
        (folder / ONNX["fp32"]).parent.mkdir()
        write_graph(original, folder / ONNX["fp32"])
        description = {
            "dimension": original.dimension,
            "max_tokens": original.max_tokens,
            "max_passage_tokens": _passage_tokens(folder, original),
            "precision": "fp32",
            "query_prefix": original.query_prefix,
            "document_prefix": original.document_prefix,
            "weights": sha256_of(weights),
            "tokenizer": sha256_of(folder / TOKENIZER),
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, indent=1))
        exact = exact_parity(original, ModelFiles(folder, name, "candidate"))
        if not exact.largest_difference <= PARITY:
            raise ModelUnavailable(
                f"The embedding model {source} cannot be served: exported it gives other vectors "
                f"than sentence-transformers (difference {exact.largest_difference:.1e}, "
                f"allowed {PARITY:.0e}).",
                "Choose another model for RAG_EMBEDDING_MODEL.",
            )
        fast, refusal = _with_fast_file(folder, name)
        facts = {
            "source": PACKAGED_MODEL if is_packaged(source) else str(source),
            "fp32": asdict(exact),
            "int8": asdict(fast) if fast else {"refused": refusal},
        }
        (folder / EXPORT).write_text(json.dumps(facts, indent=1))
        write_checksums(folder)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return Exported(target, exact, fast)


def _passage_tokens(folder: Path, original: Original) -> int:
    """The most tokens of a passage itself: the rest are special ones and the prefix."""
    around = load_tokenizer(ModelFiles(folder, "", "")).encode(original.document_prefix).ids
    if len(around) + _SHORTEST > original.max_tokens:
        raise ModelUnavailable(
            f"The embedding model {original.source} cannot be served: it reads "
            f"{original.max_tokens} tokens, which is no passage.",
            "Choose another model for RAG_EMBEDDING_MODEL.",
        )
    return original.max_tokens - len(around)


def _with_fast_file(folder: Path, name: str) -> tuple[Parity | None, str]:
    """Add the int8 file and measure it; without one, the reason."""
    path = folder / ONNX["int8"]
    try:
        quantise(folder)
        write_checksums(folder)
        fast = fast_parity(
            ModelFiles(folder, name, "candidate"), ModelFiles(folder, name, "candidate", "int8")
        )
    except Exception as error:  # noqa: BLE001 - the exact model serves without it
        path.unlink(missing_ok=True)
        return None, f"it cannot be quantised: {str(error).splitlines()[0] if str(error) else ''}"
    if not fast.smallest_cosine >= LEAST_COSINE:
        path.unlink()
        return None, (
            f"quantised it is too far from the exact one (smallest cosine "
            f"{fast.smallest_cosine:.3f}, at least {LEAST_COSINE:g} is needed)"
        )
    return fast, ""
