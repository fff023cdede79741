"""Settings, read from ``RAG_…`` environment variables when asked for, never at import.

Each group is one small class and one prefix. ``Settings.load()`` reads them all and makes every
path absolute, so that a child process may run in any folder.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag_platform.errors import SettingsError
from rag_platform.printing import UNPRINTABLE

_DAY = 86_400
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_OWN_FOLDERS = ("chroma", "dagster", "logs", "mlflow", "models", "objects")


def in_url(host: str) -> str:
    """A host as it stands in a URL or a Host header: IPv6 addresses need brackets there."""
    return f"[{host}]" if ":" in host else host


def _host(value: str) -> str:
    host = value.removeprefix("[").removesuffix("]") if value.startswith("[") else value
    try:
        if "%" not in host and ipaddress.ip_address(host):
            return host
    except ValueError:
        # A name that ends in a number would be taken for an address.
        if _HOST_NAME.fullmatch(host) and not host.rstrip(".").rpartition(".")[2].isdigit():
            return host
    raise ValueError("it should be a host name or an IP address such as 127.0.0.1 or ::1")


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _host(parts.hostname or "")
        usable = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s?#]", value):
        raise ValueError("it should be a URL such as http://127.0.0.1:11434")
    return value.rstrip("/")


def _optional_http_url(value: str) -> str:
    return _http_url(value) if value else ""


def _given(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty; give a value or unset it")
    return value


def _printable(value: Any) -> Any:
    if isinstance(value, str) and UNPRINTABLE.search(value):
        raise ValueError("it has a line break, a control character or a byte that is not UTF-8")
    return value


def _folder(value: Any) -> Path:
    text = _printable(_given(str(value)))
    try:
        return Path(text).expanduser().resolve()
    except RuntimeError as error:
        raise ValueError("~ names no user of this machine, or its links form a circle") from error
    except OSError as error:
        raise ValueError(f"it cannot be looked up ({error.strerror})") from error


def _home(value: Any) -> Path:
    home = _folder(value)
    # SQLAlchemy, Dagster and MLflow each write the path of a SQLite file in a URL, unquoted.
    if found := re.search(r"[?#%]", str(home)):
        raise ValueError(f"its path may not contain {found[0]}, which means something in a URL")
    return home


def _storage(value: str) -> str:
    """The URL of a folder, or of a place in an object store."""
    value = _given(value)
    parts = _split(value)
    if parts.scheme == "file":
        return _folder_of(parts).as_uri()
    if "://" not in value:
        return _folder(value).as_uri()
    if not parts.netloc:
        raise ValueError("it names no bucket: write it like s3://bucket/folder")
    return value


def _optional_storage(value: str) -> str:
    return _storage(value) if value else ""


def _split(value: str) -> SplitResult:
    try:
        return urlsplit(value)
    except ValueError as error:
        raise ValueError("it is no URL; write it like s3://bucket or file:///folder") from error


def _folder_of(parts: SplitResult) -> Path:
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not path.startswith("/"):
        raise ValueError("a folder's URL has three slashes and an absolute path: file:///folder")
    if parts.query or parts.fragment:
        raise ValueError("write ? as %3F and # as %23 in a file:// URL, or give a plain path")
    return _folder(path)


def _model(value: str) -> str:
    """A folder as an absolute path; the name of a model on the hub as it is."""
    if not value:
        return value
    folder = _folder(value)
    return str(folder) if value.startswith(("~", ".")) or folder.is_dir() else value


def _database_url(value: str) -> str:
    """A relative path of SQLite's made absolute: every process runs in another folder."""
    relative = re.fullmatch(r"(sqlite(?:\+\w+)?:///)(?![/:])([^?]+)", value)
    return f"{relative[1]}{_folder(unquote(relative[2]))}" if relative else value


Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=_DAY, allow_inf_nan=False)]
Host = Annotated[str, AfterValidator(_host)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]


class _Group(BaseSettings):
    @field_validator("*", mode="before")
    @classmethod
    def _on_one_line(cls, value: Any) -> Any:
        return _printable(value)


class PlatformSettings(_Group):
    """Where things are: ``RAG_HOME``, ``RAG_BUCKET``, ``RAG_LEDGER_URL``, ``RAG_OBJECT_STORE``."""

    model_config = SettingsConfigDict(env_prefix="RAG_", extra="ignore", validate_default=True)

    home: Annotated[Path, BeforeValidator(_home)] = Path(".rag")
    bucket: Annotated[str, AfterValidator(_storage)] = "bucket"
    ledger_url: Annotated[str, AfterValidator(_database_url)] = ""
    object_store: Annotated[str, AfterValidator(_optional_storage)] = ""
    host: Host = "127.0.0.1"
    threads: Annotated[int, Field(ge=1, le=256)] = 2

    @model_validator(mode="after")
    def _apart(self) -> "PlatformSettings":
        """What the platform writes must not come back to it as documents."""
        if not self.bucket.startswith("file:"):
            if self.bucket.rstrip("/") == self.object_store.rstrip("/"):
                raise ValueError("RAG_OBJECT_STORE and RAG_BUCKET must be different places")
            return self
        bucket = _folder_of(urlsplit(self.bucket))
        if any(bucket.is_relative_to(self.home / name) for name in _OWN_FOLDERS):
            raise ValueError(f"RAG_BUCKET ({bucket}) may not lie in a folder that RAG_HOME needs")
        written = {"RAG_HOME": self.home}
        if self.object_store.startswith("file:"):
            written["RAG_OBJECT_STORE"] = _folder_of(urlsplit(self.object_store))
        for name, folder in written.items():
            if _listed(folder, bucket):
                raise ValueError(
                    f"{name} ({folder}) lies in RAG_BUCKET ({bucket}), where its files would be "
                    "read as documents; choose another place or a hidden folder such as .rag"
                )
        return self


def _listed(folder: Path, bucket: Path) -> bool:
    """Whether a listing of the bucket goes into the folder."""
    if not folder.is_relative_to(bucket):
        return False
    return not any(part.startswith(".") for part in folder.relative_to(bucket).parts)


class ChatSettings(_Group):
    """The chat service: ``RAG_CHAT_PORT`` and its limits."""

    model_config = SettingsConfigDict(env_prefix="RAG_CHAT_", extra="ignore")

    port: Port = 8000
    max_upload_megabytes: Annotated[int, Field(ge=1, le=4096)] = 50
    max_question_characters: Annotated[int, Field(ge=1, le=100_000)] = 8_000


class DagsterSettings(_Group):
    """Dagster: ``RAG_DAGSTER_PORT`` and how long it keeps the history of runs."""

    model_config = SettingsConfigDict(env_prefix="RAG_DAGSTER_", extra="ignore")

    port: Port = 3000
    keep_runs_days: Annotated[int, Field(ge=1, le=36_500)] = 14
    """How long the history of finished runs is kept."""


class MlflowSettings(_Group):
    """MLflow: ``RAG_MLFLOW_PORT``, or ``RAG_MLFLOW_URL`` for one that runs elsewhere."""

    model_config = SettingsConfigDict(env_prefix="RAG_MLFLOW_", extra="ignore")

    port: Port = 5000
    url: Annotated[str, AfterValidator(_optional_http_url)] = ""
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
    model: str = "llama3.2"
    connect_timeout: Seconds = 2.0
    read_timeout: Seconds = 120.0
    """Longest silence between two pieces of an answer; loading a model counts as one."""


class EmbeddingSettings(_Group):
    """The base embedding model: ``RAG_EMBEDDING_MODEL`` is a local path or a hub name.

    Empty means the packaged ``all-MiniLM-L6-v2``.
    """

    model_config = SettingsConfigDict(env_prefix="RAG_EMBEDDING_", extra="ignore")

    model: Annotated[str, AfterValidator(_model)] = ""
    batch_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = 384
    """How many tokens, padding included, are encoded at once."""


class IngestionSettings(_Group):
    """Ingestion: how much one run does and how long one document may take."""

    model_config = SettingsConfigDict(env_prefix="RAG_INGESTION_", extra="ignore")

    documents_per_run: Annotated[int, Field(ge=1, le=100_000)] = 200
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


class Settings(BaseModel):
    """All settings of one process."""

    platform: PlatformSettings
    chat: ChatSettings
    dagster: DagsterSettings
    mlflow: MlflowSettings
    chroma: ChromaSettings
    ollama: OllamaSettings
    embedding: EmbeddingSettings
    ingestion: IngestionSettings

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
                ingestion=IngestionSettings(),
            )
        except ValidationError as error:
            raise SettingsError(_explain(error), "Correct the variable and start again.") from error

    @property
    def home(self) -> Path:
        """The folder that holds everything the platform writes on one machine."""
        return self.platform.home

    @property
    def bucket_url(self) -> str:
        """The watched bucket as a URL; a plain path became ``file://``."""
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
        return f"The setting {name}={str(item['input'])!r} is not valid: {_lowered(reason)}."

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
        IngestionSettings,
    )
}
