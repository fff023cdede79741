"""The language models, one file each, and the choice between them."""

import threading
import time
from typing import Any

from rag_platform.chat.language_models.base import LanguageModel
from rag_platform.chat.language_models.extractive import Extractive
from rag_platform.chat.language_models.ollama import Ollama
from rag_platform.embedding.encoder import Encoder
from rag_platform.errors import LanguageModelUnavailable
from rag_platform.settings import OllamaSettings

__all__ = ["Extractive", "LanguageModel", "LanguageModels", "Ollama"]

_FRESH_SECONDS = 10.0
"""How long one look at the server counts: it may come and go while the service runs."""


class LanguageModels:
    """Ollama while it answers, the embedded default otherwise."""

    def __init__(self, settings: OllamaSettings) -> None:
        self._ollama = Ollama(settings)
        self._lock = threading.Lock()
        self._why: str | None = None
        self._looked_at = float("-inf")

    def choose(self, encoder: Encoder) -> LanguageModel:
        """The language model for the next answer."""
        why = self._why_not_ollama()
        return self._ollama if why is None else self.extractive(encoder, why)

    def extractive(self, encoder: Encoder, why: str) -> LanguageModel:
        """The embedded default, with the reason that its answers give."""
        return Extractive(encoder, why)

    def describe(self) -> dict[str, Any]:
        """Which model answers now, and why it is not Ollama if so."""
        why = self._why_not_ollama()
        return {"model": self._ollama.name if why is None else Extractive.name, "reason": why}

    def forget(self) -> None:
        """Look at the server again at the next question."""
        self._looked_at = float("-inf")

    def close(self) -> None:
        """Close the connections."""
        self._ollama.close()

    def _why_not_ollama(self) -> str | None:
        with self._lock:
            if time.monotonic() - self._looked_at > _FRESH_SECONDS:
                try:
                    self._ollama.check()
                    self._why = None
                except LanguageModelUnavailable as error:
                    self._why = error.message
                self._looked_at = time.monotonic()
            return self._why
