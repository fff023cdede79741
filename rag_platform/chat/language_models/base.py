"""What a language model is to the platform."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from rag_platform.retrieval.passages import Passage


class LanguageModel(Protocol):
    """Writes an answer from passages, citing them as ``[n]``, n from 1."""

    @property
    def name(self) -> str:
        """The name that an answer records, such as ``ollama/llama3.2``."""
        ...

    @property
    def notice(self) -> str | None:
        """What a reader has to know of every answer of this model, or None."""
        ...

    def stream(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        """The answer in pieces. Raises :class:`LanguageModelUnavailable` at any point."""
        ...
