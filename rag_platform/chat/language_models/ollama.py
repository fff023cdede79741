"""Answers by a model that an Ollama server runs."""

from collections.abc import Iterator, Sequence

import httpx
import ollama

from rag_platform.chat.prompt import instructions, question_with_passages
from rag_platform.errors import LanguageModelUnavailable
from rag_platform.retrieval.passages import Passage
from rag_platform.settings import OllamaSettings


class Ollama:
    """The configured model of the configured server, with a deadline for every wait."""

    notice: str | None = None

    def __init__(self, settings: OllamaSettings) -> None:
        self._settings = settings
        # The package's own client waits for ever.
        self._client = ollama.Client(
            host=settings.url,
            timeout=httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout),
        )
        self._probe = ollama.Client(host=settings.url, timeout=settings.connect_timeout)
        self.name = f"ollama/{settings.model}"

    def check(self) -> None:
        """Raise :class:`LanguageModelUnavailable` unless the server answers and has the model."""
        try:
            names = {model.model for model in self._probe.list().models}
        except (ollama.ResponseError, httpx.HTTPError, ConnectionError, ValueError) as error:
            raise LanguageModelUnavailable(
                f"No language model is connected: Ollama does not answer at {self._settings.url}."
            ) from error
        wanted = self._settings.model
        if wanted not in names and f"{wanted}:latest" not in names:
            raise LanguageModelUnavailable(
                f"No language model is connected: Ollama answers but has no model {wanted!r} "
                f"(ollama pull {wanted})."
            )

    def stream(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        """The answer in pieces, as the model writes it."""
        messages = [
            {"role": "system", "content": instructions()},
            {"role": "user", "content": question_with_passages(question, passages)},
        ]
        try:
            for part in self._client.chat(self._settings.model, messages=messages, stream=True):
                yield part.message.content or ""
                if part.done:
                    return
        except (ollama.ResponseError, httpx.HTTPError, ConnectionError, ValueError) as error:
            raise LanguageModelUnavailable(f"Ollama broke off: {_first_line(error)}.") from error
        raise LanguageModelUnavailable("Ollama broke off: the answer has no end.")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._probe.close()


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__
