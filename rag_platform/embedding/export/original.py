"""A sentence-transformers model as its authors made it, and what serving has to know of it."""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag_platform.embedding.encoder import Vectors
from rag_platform.embedding.files import TOKENIZER, WEIGHTS
from rag_platform.errors import ModelUnavailable

_REMEDY = "Set RAG_EMBEDDING_MODEL to a sentence-transformers model's folder or hub name."

_UNLIMITED_TOKENS = 2048
"""What is read of a text by a model that names no limit: attention takes the square of it."""

_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


@dataclass(frozen=True)
class Original:
    """A model, loaded on the CPU."""

    source: str
    model: Any
    dimension: int
    max_tokens: int
    query_prefix: str
    document_prefix: str

    @classmethod
    def load(cls, source: Path | str) -> "Original":
        """Load a folder or a hub name. Raises :class:`ModelUnavailable` with the reason."""
        name = str(source)
        try:
            from sentence_transformers import SentenceTransformer

            # Eager attention exports to plain operators; it is what the ONNX runtime knows to
            # fuse. Never a pickle: it could run code.
            kwargs = {"attn_implementation": "eager", "use_safetensors": True}
            model: Any = SentenceTransformer(name, device="cpu", model_kwargs=kwargs).float()
        except Exception as error:
            raise ModelUnavailable(
                f"The embedding model {name} cannot be loaded: {_first_line(error)}", _REMEDY
            ) from error
        _require_supported(name, model)
        max_tokens = _max_tokens(model)
        if type(model[0]).__name__ != "StaticEmbedding":
            # Some name more than they have positions for, and break on a text that long.
            model.max_seq_length = max_tokens
        prompts: dict[str, str] = getattr(model, "prompts", None) or {}
        documents = (prompts.get(task) for task in _DOCUMENT_PROMPTS)
        return cls(
            name,
            model.eval(),
            int(model.get_embedding_dimension()),
            max_tokens,
            prompts.get("query") or "",
            next((prompt for prompt in documents if prompt), ""),
        )

    @property
    def static(self) -> Any | None:
        """The table of word vectors where the model is one, without attention; else None."""
        first = self.model[0]
        return first if type(first).__name__ == "StaticEmbedding" else None

    def save(self, folder: Path) -> None:
        """Write the model with its tokenizer and one file of weights.

        Raises :class:`ModelUnavailable` where it has other parts than serving reads.
        """
        self.model.save_pretrained(str(folder), safe_serialization=True)
        if self.static is not None:
            self._save_static(folder)
        for file in (WEIGHTS, TOKENIZER):
            if not (folder / file).is_file():
                raise ModelUnavailable(
                    f"The embedding model {self.source} cannot be served: it has no {file}.",
                    "Choose another model for RAG_EMBEDDING_MODEL.",
                )

    def _save_static(self, folder: Path) -> None:
        """Its tokenizer adds special tokens to nothing: the file that serves must not either."""
        from tokenizers import Tokenizer
        from tokenizers.processors import TemplateProcessing

        tokenizer = Tokenizer.from_str(self.model[0].tokenizer.to_str())
        tokenizer.post_processor = TemplateProcessing(single="$A")
        tokenizer.save(str(folder / TOKENIZER))
        for part in folder.glob(f"0_*/{WEIGHTS}"):
            part.rename(folder / WEIGHTS)
            (part.parent / TOKENIZER).unlink(missing_ok=True)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of passages by sentence-transformers: shape (len(texts), dimension)."""
        return self._encode(texts, self.document_prefix, "document")

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions by sentence-transformers: shape (len(texts), dimension)."""
        return self._encode(texts, self.query_prefix, "query")

    def _encode(self, texts: Sequence[str], prompt: str, task: str) -> Vectors:
        # The prompt as a prompt, not as text: a model may leave it out of what it averages.
        vectors = self.model.encode(
            list(texts),
            prompt=prompt,
            task=task,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)


def _require_supported(name: str, model: Any) -> None:
    kinds = {type(module).__name__ for module in model.modules()}
    tokenizer = None
    with contextlib.suppress(Exception):
        tokenizer = model.tokenizer
    problem = ""
    if "Router" in kinds or "Asym" in kinds:
        problem = "it encodes questions and passages by different networks"
    elif tokenizer is None or not callable(getattr(tokenizer, "encode", None)):
        problem = "it has no tokenizer for texts"
    elif not getattr(tokenizer, "is_fast", True):
        problem = "it has no fast tokenizer (tokenizer.json)"
    elif not _fits(tokenizer, model[0]):
        problem = "its tokenizer is missing or has other tokens than its weights"
    if problem:
        raise ModelUnavailable(
            f"The embedding model {name} cannot be served: {problem}.",
            "Choose another model for RAG_EMBEDDING_MODEL.",
        )


def _fits(tokenizer: Any, transformer: Any) -> bool:
    """Whether the tokens are those of the weights: without its file a tokenizer is made up."""
    rows = transformer.embedding if hasattr(transformer, "embedding") else None
    if rows is None and hasattr(transformer, "auto_model"):
        rows = transformer.auto_model.get_input_embeddings()
    known = getattr(rows, "num_embeddings", None)
    if not isinstance(known, int):
        return True
    tokens = tokenizer.get_vocab_size() if hasattr(tokenizer, "get_vocab_size") else len(tokenizer)
    # Weights are padded to multiples of what a processor likes, by some hundred rows at most.
    return known // 2 <= tokens <= known


def _max_tokens(model: Any) -> int:
    """The most tokens that the model reads, special ones included."""
    limits = [_UNLIMITED_TOKENS]
    named = model.max_seq_length
    # A tokenizer without a limit says 10^30.
    if named is not None and math.isfinite(named) and 0 < named < 10**9:
        limits = [int(named)]
    for module in model.modules():
        table = getattr(module, "position_embeddings", None)
        size = getattr(table, "num_embeddings", None)
        if isinstance(size, int):
            # RoBERTa and its kin count positions from the one after that of the padding.
            padding = getattr(module, "padding_idx", None)
            limits.append(size - (padding + 1 if isinstance(padding, int) else 0))
    return min(limits)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
