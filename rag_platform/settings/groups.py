"""The groups of settings: one small class and one prefix each."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag_platform.settings.sources import Sources, folder, sources_of
from rag_platform.settings.values import (
    DatabaseUrl,
    Home,
    Host,
    HttpUrl,
    ModelSource,
    OptionalHttpUrl,
    OptionalStorage,
    Port,
    Seconds,
    in_url,
    printable,
)

_OWN_FOLDERS = ("chroma", "dagster", "evaluation", "logs", "mlflow", "models", "objects")


class _Group(BaseSettings):
    @field_validator("*", mode="before")
    @classmethod
    def _on_one_line(cls, value: Any) -> Any:
        return printable(value)


class PlatformSettings(_Group):
    """Where things are: ``RAG_HOME``, ``RAG_BUCKET``, ``RAG_LEDGER_URL``, ``RAG_OBJECT_STORE``."""

    model_config = SettingsConfigDict(env_prefix="RAG_", extra="ignore", validate_default=True)

    home: Home = Path(".rag")
    bucket: Sources = "bucket"
    ledger_url: DatabaseUrl = ""
    object_store: OptionalStorage = ""
    host: Host = "127.0.0.1"
    threads: Annotated[int, Field(ge=1, le=256)] = 2

    @model_validator(mode="after")
    def _apart(self) -> "PlatformSettings":
        """What the platform writes must not come back to it as documents."""
        for source in sources_of(self.bucket):
            self._apart_from(source.url)
        return self

    def _apart_from(self, url: str) -> None:
        if not url.startswith("file:"):
            if url.rstrip("/") == self.object_store.rstrip("/"):
                raise ValueError("RAG_OBJECT_STORE and RAG_BUCKET must be different places")
            return
        bucket = folder(url)
        if any(bucket.is_relative_to(self.home / name) for name in _OWN_FOLDERS):
            raise ValueError(f"RAG_BUCKET ({bucket}) may not lie in a folder that RAG_HOME needs")
        written = {"RAG_HOME": self.home}
        if self.object_store.startswith("file:"):
            written["RAG_OBJECT_STORE"] = folder(self.object_store)
        if self.ledger_url.startswith("sqlite") and ":///" in self.ledger_url:
            written["RAG_LEDGER_URL"] = Path(self.ledger_url.partition(":///")[2])
        if "RAG_OBJECT_STORE" in written and bucket.is_relative_to(written["RAG_OBJECT_STORE"]):
            raise ValueError(
                f"RAG_BUCKET ({bucket}) lies in RAG_OBJECT_STORE ({written['RAG_OBJECT_STORE']}), "
                "where the platform keeps its own files; choose another place"
            )
        for name, place in written.items():
            if _listed(place, bucket):
                raise ValueError(
                    f"{name} ({place}) lies in RAG_BUCKET ({bucket}), where its files would be "
                    "read as documents; choose another place or a hidden folder such as .rag"
                )


def _listed(place: Path, bucket: Path) -> bool:
    """Whether a listing of the bucket goes into the folder."""
    if not place.is_relative_to(bucket):
        return False
    return not any(part.startswith(".") for part in place.relative_to(bucket).parts)


class ChatSettings(_Group):
    """The chat service: ``RAG_CHAT_PORT`` and its limits."""

    model_config = SettingsConfigDict(env_prefix="RAG_CHAT_", extra="ignore")

    port: Port = 8000
    max_upload_megabytes: Annotated[int, Field(ge=1, le=4096)] = 50
    fast_lane_megabytes: Annotated[int, Field(ge=0, le=4096)] = 2
    """The largest upload that the service makes answerable itself; 0 leaves all to Dagster."""
    max_question_characters: Annotated[int, Field(ge=1, le=100_000)] = 8_000


class DagsterSettings(_Group):
    """Dagster: ``RAG_DAGSTER_PORT``, or ``RAG_DAGSTER_URL`` for a webserver that runs elsewhere."""

    model_config = SettingsConfigDict(env_prefix="RAG_DAGSTER_", extra="ignore")

    port: Port = 3000
    url: OptionalHttpUrl = ""
    keep_runs_days: Annotated[int, Field(ge=1, le=36_500)] = 14
    """How long the history of finished runs is kept."""


class MlflowSettings(_Group):
    """MLflow: ``RAG_MLFLOW_PORT``, or ``RAG_MLFLOW_URL`` for one that runs elsewhere."""

    model_config = SettingsConfigDict(env_prefix="RAG_MLFLOW_", extra="ignore")

    port: Port = 5000
    url: OptionalHttpUrl = ""
    timeout: Seconds = 20.0


class ChromaSettings(_Group):
    """Chroma: ``RAG_CHROMA_HOST``, ``RAG_CHROMA_PORT``, ``RAG_CHROMA_TIMEOUT`` (seconds)."""

    model_config = SettingsConfigDict(env_prefix="RAG_CHROMA_", extra="ignore")

    host: Host = "127.0.0.1"
    port: Port = 8001
    timeout: Seconds = 5.0

    @property
    def url(self) -> str:
        """Where Chroma's interface answers."""
        return f"http://{in_url(self.host)}:{self.port}"


class OllamaSettings(_Group):
    """The Ollama language model: ``RAG_OLLAMA_URL``, ``RAG_OLLAMA_MODEL`` and deadlines."""

    model_config = SettingsConfigDict(env_prefix="RAG_OLLAMA_", extra="ignore")

    url: HttpUrl = "http://127.0.0.1:11434"
    model: Annotated[str, Field(min_length=1)] = "llama3.2"
    connect_timeout: Seconds = 2.0
    read_timeout: Seconds = 120.0
    """Longest silence between two pieces of an answer; loading a model counts as one."""


class EmbeddingSettings(_Group):
    """The base embedding model: ``RAG_EMBEDDING_MODEL`` is a local path or a hub name.

    Empty means the packaged ``all-MiniLM-L6-v2``. ``RAG_EMBEDDING_PRECISION`` is ``fp32``, which
    gives the model's own vectors, or ``int8``, which is faster and a little less exact.
    """

    model_config = SettingsConfigDict(env_prefix="RAG_EMBEDDING_", extra="ignore")

    model: ModelSource = ""
    precision: Literal["fp32", "int8"] = "fp32"
    batch_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = 384
    """How many tokens, padding included, are encoded at once."""


class RerankingSettings(_Group):
    """The reranker: ``RAG_RERANKER`` is the folder or hub name of a cross-encoder; empty is none.

    ``RAG_RERANKER_MS`` is how many milliseconds it has for a question.
    """

    model_config = SettingsConfigDict(env_prefix="RAG_", extra="ignore")

    reranker: ModelSource = ""
    reranker_ms: Annotated[int, Field(ge=1, le=600_000)] = 500
    """What is not scored within them keeps its place behind what is."""


class ChunkingSettings(_Group):
    """How documents are cut: ``RAG_CHUNKING_MAX_TOKENS``, ``RAG_CHUNKING_OVERLAP_TOKENS``.

    Both count tokens of the embedding model. Another value makes another index beside the one
    that serves, which takes its place when it is complete.
    """

    model_config = SettingsConfigDict(env_prefix="RAG_CHUNKING_", extra="ignore")

    max_tokens: Annotated[int, Field(ge=8, le=100_000)] = 200
    overlap_tokens: Annotated[int, Field(ge=0, le=50_000)] = 0

    @model_validator(mode="after")
    def _advances(self) -> "ChunkingSettings":
        """A passage that repeats more than it adds makes an index of repetitions."""
        if self.overlap_tokens > self.max_tokens // 2:
            raise ValueError(
                f"RAG_CHUNKING_OVERLAP_TOKENS ({self.overlap_tokens}) may be at most half of "
                f"RAG_CHUNKING_MAX_TOKENS ({self.max_tokens})"
            )
        return self


class IngestionSettings(_Group):
    """Ingestion: how much one run does and how long one document may take."""

    model_config = SettingsConfigDict(env_prefix="RAG_INGESTION_", extra="ignore")

    documents_per_run: Annotated[int, Field(ge=1, le=100_000)] = 2000
    words_per_run: Annotated[int, Field(ge=1, le=1_000_000_000)] = 300_000
    """A run reads no further document when those it read hold so many: about a minute's work."""
    seconds_per_run: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = 30.0
    """A run begins no further piece of work after so long, and goes on with a long document for a
    third of it; the rest is left to the next run."""
    parse_timeout: Seconds = 60.0
    parse_memory_megabytes: Annotated[int, Field(ge=128, le=1_000_000)] = 2048
    max_document_megabytes: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    settle_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5
    """A file whose size and mtime have not changed for so long counts as completely written."""
    watch_seconds: Annotated[float, Field(ge=1, le=50, allow_inf_nan=False)] = 20.0
    """How long a sensor tick watches the bucket before it says that nothing changed."""

    @model_validator(mode="after")
    def _settles_while_watched(self) -> "IngestionSettings":
        """A sensor that never sees a file twice never takes it."""
        if self.settle_seconds >= self.watch_seconds:
            raise ValueError(
                f"RAG_INGESTION_SETTLE_SECONDS ({self.settle_seconds:g}) must be less than "
                f"RAG_INGESTION_WATCH_SECONDS ({self.watch_seconds:g})"
            )
        return self
