"""Export of a cross-encoder of sentence-transformers to ONNX, with measured parity."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rag_platform.embedding.files import DESCRIPTION, EXPORT, write_checksums
from rag_platform.embedding.tracing import trace
from rag_platform.errors import ModelUnavailable
from rag_platform.reranker.cross_encoder import CrossEncoder
from rag_platform.reranker.files import CHOOSE, FORMAT, RerankerFiles, contents_of, source_of

PARITY = 1e-4
"""The largest difference to the original's scores, as a share where they are beyond 1 and -1."""

_QUESTIONS = (
    "How long is parental leave?",
    "Übergrößen?",
    "日本語の質問ですか。",
    "one two three four five six seven " * 40,
)
_PASSAGES = (
    "Leave\n\nParental leave lasts 26 weeks and is paid in full.",
    "Trains are booked in second class.",
    "",
    "休暇は三十日です。 🙂",
    "a passage that does not fit the model and loses its end " * 90,
)
_PROBES = [(question, passage) for question in _QUESTIONS for passage in _PASSAGES]


def export(files: RerankerFiles) -> float:
    """Write the model of ``files.source`` to ``files.path``, ready to serve; gives the parity.

    The folder appears whole or not at all. Raises :class:`ModelUnavailable` where the model cannot
    be loaded or is no cross-encoder with one label, and where the exported one gives other scores
    (by more than ``PARITY``).
    """
    model = _load(files.source)
    _check(model, files.source)
    files.path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=files.path.parent, prefix=".export-") as temporary:
        made = RerankerFiles(Path(temporary) / "model", files.source)
        parity = _write(model, made)
        if not parity <= PARITY:
            raise ModelUnavailable(
                f"The exported reranker {files.source} gives other scores than the original "
                f"(difference {parity:.1e}, allowed {PARITY:.0e}).",
                "Choose another reranker, or leave RAG_RERANKER empty.",
            )
        facts = {
            "source": files.source,
            "format": FORMAT,
            "made_of": contents_of(files.source),
            "parity": parity,
        }
        (made.path / EXPORT).write_text(json.dumps(facts, indent=1))
        write_checksums(made.path)
        if files.path.exists():
            shutil.rmtree(files.path)
        made.path.rename(files.path)
    return parity


def _write(model: Any, files: RerankerFiles) -> float:
    """Write what serves and compare it with the original; gives the largest difference."""
    files.onnx.parent.mkdir(parents=True)
    description = {
        "max_tokens": int(model.max_seq_length or 512),
        "pad_id": int(model.tokenizer.pad_token_id or 0),
        "prompt": model.prompts.get(model.default_prompt_name) or "",
    }
    (files.path / DESCRIPTION).write_text(json.dumps(description, indent=1))
    model.tokenizer.backend_tokenizer.save(str(files.path / "tokenizer.json"))
    try:
        _to_onnx(model, files.onnx)
        return _parity(model, files)
    except Exception as error:  # whatever an architecture has that the exporter does not know
        raise ModelUnavailable(
            f"The reranker {files.source} cannot be exported: {_first_line(error)}",
            "Choose another reranker, or leave RAG_RERANKER empty.",
        ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _load(source: str) -> Any:
    place = source_of(source)
    try:
        from sentence_transformers import CrossEncoder as Original

        kwargs = {
            # Plain operators, and never a pickle: it could run code.
            "attn_implementation": "eager",
            "use_safetensors": True,
            # What was stored in half precision is served in single: processors have no other.
            "dtype": "float32",
        }
        return Original(str(place), device="cpu", model_kwargs=kwargs)
    except Exception as error:  # each library that reads a part of a model has errors of its own
        raise ModelUnavailable(
            f"The reranker {source} cannot be loaded: {_first_line(error)}", CHOOSE
        ) from error


def _check(model: Any, source: str) -> None:
    """Refuse what would load and be of no use."""
    labels = int(model.num_labels)
    kinds = [type(module).__name__ for module in model]
    trained = model.config.architectures or [""]
    if "LogitScore" in kinds or "message" in model[0].modality_config:
        reason = "is a language model that is asked for its opinion, not a cross-encoder"
    elif len(kinds) == 1 and not trained[0].endswith("ForSequenceClassification"):
        # It loads all the same, with random numbers where the score is reckoned.
        reason = "is no cross-encoder: it was never trained to score a question with a passage"
    elif labels != 1:
        reason = f"gives {labels} scores for a question with a passage, and a reranker gives one"
    else:
        return
    raise ModelUnavailable(f"The model {source} {reason}.", CHOOSE)


def _to_onnx(model: Any, path: Path) -> None:
    typed = "token_type_ids" in model.tokenizer.model_input_names

    def forward(features: dict[str, Any]) -> Any:
        if not typed:
            del features["token_type_ids"]
        return model.activation_fn(model(features)["scores"]).squeeze(-1)

    trace(model, forward, path, {"score": {0: "batch"}})


def _parity(model: Any, files: RerankerFiles) -> float:
    original = np.asarray(model.predict(_PROBES, show_progress_bar=False), dtype=np.float64)
    # All passages in one batch: short ones are padded to the length of long ones.
    room = len(_PASSAGES) * files.describe()["max_tokens"]
    exported = CrossEncoder(files, threads=2, batch_tokens=room)
    scores = [exported.scores(question, _PASSAGES) for question in _QUESTIONS]
    found = np.array(scores, dtype=np.float64).reshape(-1)
    return float((np.abs(found - original) / np.maximum(1, np.abs(original))).max())
