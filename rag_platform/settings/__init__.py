"""Settings, read from ``RAG_…`` environment variables when asked for, never at import.

``Settings.load()`` reads all groups and makes every path absolute, so that a child process may run
in any folder.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rag_platform.errors import SettingsError
from rag_platform.settings.groups import (
    ChatSettings,
    ChromaSettings,
    ChunkingSettings,
    DagsterSettings,
    EmbeddingSettings,
    IngestionSettings,
    MlflowSettings,
    OllamaSettings,
    PlatformSettings,
    RerankingSettings,
)
from rag_platform.settings.values import in_url

__all__ = [
    "ChatSettings",
    "ChromaSettings",
    "ChunkingSettings",
    "DagsterSettings",
    "EmbeddingSettings",
    "IngestionSettings",
    "MlflowSettings",
    "OllamaSettings",
    "PlatformSettings",
    "RerankingSettings",
    "Settings",
    "in_url",
]


class Settings(BaseModel):
    """All settings of one process."""

    platform: PlatformSettings
    chat: ChatSettings
    dagster: DagsterSettings
    mlflow: MlflowSettings
    chroma: ChromaSettings
    ollama: OllamaSettings
    embedding: EmbeddingSettings
    chunking: ChunkingSettings
    ingestion: IngestionSettings
    reranking: RerankingSettings

    @classmethod
    def load(cls) -> "Settings":
        """Read the environment. Raises :class:`SettingsError` with one sentence per bad value."""
        try:
            return cls(
                platform=PlatformSettings(),
                chat=ChatSettings(),
                dagster=DagsterSettings(),
                mlflow=MlflowSettings(),
                chroma=ChromaSettings(),
                ollama=OllamaSettings(),
                embedding=EmbeddingSettings(),
                chunking=ChunkingSettings(),
                ingestion=IngestionSettings(),
                reranking=RerankingSettings(),
            )
        except ValidationError as error:
            raise SettingsError(_explain(error), "Correct the variable and start again.") from error

    @property
    def home(self) -> Path:
        """The folder that holds everything the platform writes on one machine."""
        return self.platform.home

    @property
    def bucket_url(self) -> str:
        """The sources of the bucket, separated by commas; a plain path became ``file://``."""
        return self.platform.bucket

    @property
    def object_store_url(self) -> str:
        """Where extracted texts and vectors are kept."""
        return self.platform.object_store or (self.home / "objects").as_uri()

    @property
    def ledger_url(self) -> str:
        """The ledger's database, SQLite under the home unless ``RAG_LEDGER_URL`` says otherwise."""
        return self.platform.ledger_url or f"sqlite:///{self.home / 'ledger.db'}"

    @property
    def mlflow_url(self) -> str:
        """Where MLflow's API answers."""
        return self.mlflow.url or f"http://127.0.0.1:{self.mlflow.port}"

    @property
    def dagster_url(self) -> str:
        """Where Dagster's webserver answers."""
        return self.dagster.url or f"http://127.0.0.1:{self.dagster.port}"

    @property
    def chat_host(self) -> str:
        """The address at which this machine reaches the chat service."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
        return everywhere.get(self.platform.host, self.platform.host)

    @property
    def chat_url(self) -> str:
        """Where the chat page and its interface answer."""
        return f"http://{in_url(self.chat_host)}:{self.chat.port}"

    def environment(self) -> dict[str, str]:
        """The settings that hold a path, absolute, for a child process in another folder."""
        return {
            "RAG_EMBEDDING_MODEL": self.embedding.model,
            "RAG_RERANKER": self.reranking.reranker,
            "RAG_HOME": str(self.home),
            "RAG_BUCKET": self.bucket_url,
            "RAG_LEDGER_URL": self.ledger_url,
            "RAG_OBJECT_STORE": self.object_store_url,
        }


def _explain(error: ValidationError) -> str:
    def sentence(item: Any) -> str:
        reason = item["msg"].removeprefix("Value error, ")
        if not item["loc"]:
            return f"{reason}."
        name = _PREFIXES[error.title] + "_".join(str(part) for part in item["loc"]).upper()
        # A database's URL may hold a password: it is not repeated.
        given = "" if name == "RAG_LEDGER_URL" else f"={str(item['input'])!r}"
        return f"The setting {name}{given} is not valid: {_lowered(reason)}."

    return " ".join(sentence(item) for item in error.errors())


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


_PREFIXES = {
    group.__name__: str(group.model_config.get("env_prefix"))
    for group in (
        PlatformSettings,
        ChatSettings,
        DagsterSettings,
        MlflowSettings,
        ChromaSettings,
        OllamaSettings,
        EmbeddingSettings,
        ChunkingSettings,
        IngestionSettings,
        RerankingSettings,
    )
}
