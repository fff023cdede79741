"""The kinds of values that a setting takes, each checked where it is read, with its refusal."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from rag_platform.printing import UNPRINTABLE

_DAY = 86_400
_STORES = ("s3", "gs", "az", "memory")
_DATABASES = re.compile(r"(?:sqlite(?:\+pysqlite)?|postgres(?:ql)?(?:\+psycopg2)?):")
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)


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


def printable(value: Any) -> Any:
    """The value. Raises ValueError where it has characters that no line can show."""
    if isinstance(value, str) and UNPRINTABLE.search(value):
        raise ValueError("it has a line break, a control character or a byte that is not UTF-8")
    return value


def _folder(value: Any) -> Path:
    text = printable(_given(str(value)))
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


def storage(value: str) -> str:
    """The URL of a folder, or of a place in an object store. Raises ValueError."""
    value = _given(value)
    parts = _split(value)
    if parts.scheme == "file":
        return folder_of(parts).as_uri()
    if "://" not in value:
        return _folder(value).as_uri()
    if parts.scheme not in _STORES:
        raise ValueError("it has no known scheme: take file://, s3://, gs:// or az://")
    if not parts.netloc:
        raise ValueError("it names no bucket: write it like s3://bucket/folder")
    return value


def _optional_storage(value: str) -> str:
    return storage(value) if value else ""


def _split(value: str) -> SplitResult:
    try:
        return urlsplit(value)
    except ValueError as error:
        raise ValueError("it is no URL; write it like s3://bucket or file:///folder") from error


def folder_of(parts: SplitResult) -> Path:
    """The folder of a ``file://`` URL. Raises ValueError where it names none."""
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
    if value and not _DATABASES.match(value):
        raise ValueError(
            "give sqlite:///path/ledger.db or postgresql://user:password@host/database"
        )
    relative = re.fullmatch(r"(sqlite(?:\+\w+)?:///)(?![/:])([^?]+)", value)
    return f"{relative[1]}{_folder(unquote(relative[2]))}" if relative else value


Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=_DAY, allow_inf_nan=False)]
Host = Annotated[str, AfterValidator(_host)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
OptionalHttpUrl = Annotated[str, AfterValidator(_optional_http_url)]
Home = Annotated[Path, BeforeValidator(_home)]
OptionalStorage = Annotated[str, AfterValidator(_optional_storage)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
ModelSource = Annotated[str, AfterValidator(_model)]
