"""Whether the settings make sense on this machine, as far as that is known before anything starts.

What is found out later costs the start of half a platform first.
"""

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.embedding.files import base_model_source
from rag_platform.embedding.length import packaged_folder, passage_room, require_model
from rag_platform.embedding.models import EMBEDDER
from rag_platform.errors import StartError
from rag_platform.ledger.database import Ledger
from rag_platform.settings import Settings
from rag_platform.settings.sources import folder, sources_of
from rag_platform.supervisor import preflight, stack

_SECONDS = 3.0


def check_settings(settings: Settings) -> None:
    """Raise a :class:`RagError` for the first setting that cannot work."""
    check_model(settings)
    check_bucket(settings)
    check_stores(settings)
    check_servers(settings)


def check_model(settings: Settings) -> None:
    """The base model is one, and reads passages as long as they may become."""
    given = settings.embedding.model
    source = base_model_source(given) if given else packaged_folder()
    if given and isinstance(source, Path):
        require_model(source)
    # Once it is registered, its own files count.
    registered = settings.home / "models" / EMBEDDER / "1"
    for place in (registered, source):
        room = passage_room(place) if isinstance(place, Path) else None
        if room is not None:
            ChunkingSpec.of(settings.chunking, room)  # refuses what does not fit
            return


def check_bucket(settings: Settings) -> None:
    """The folders of the bucket are folders; one that is missing may be mounted later."""
    for source in sources_of(settings.bucket_url):
        if not source.url.startswith("file:"):
            continue
        place = folder(source.url)
        if place.exists() and not place.is_dir():
            raise StartError(f"The bucket {place} is no folder.", "Correct RAG_BUCKET.")
        if place.is_dir() and not os.access(place, os.R_OK | os.X_OK):
            raise StartError(
                f"The bucket {place} cannot be read: permission denied.", "Correct RAG_BUCKET."
            )


def check_stores(settings: Settings) -> None:
    """The ledger's database answers, and a folder of the object store can be written."""
    if settings.platform.ledger_url.startswith("sqlite"):
        file = Path(settings.ledger_url.partition(":///")[2].partition("?")[0])
        if file.is_dir():
            raise StartError(f"The ledger {file} is a folder.", "Give RAG_LEDGER_URL a file.")
        with preflight.explained(file.parent, "RAG_LEDGER_URL"):
            _writable(file.parent)
    elif settings.platform.ledger_url:
        ledger = Ledger(settings.ledger_url)
        try:
            with ledger.read():
                pass
        finally:
            ledger.close()
    if settings.object_store_url.startswith("file:"):
        place = folder(settings.object_store_url)
        with preflight.explained(place, "RAG_OBJECT_STORE"):
            _writable(place)


def check_servers(settings: Settings) -> None:
    """The servers that run elsewhere take connections, where nothing starts without them."""
    if settings.mlflow.url:
        _answers("MLflow", settings.mlflow.url, "RAG_MLFLOW_URL")
    if not stack.is_local(settings.chroma.host):
        _answers("Chroma", settings.chroma.url, "RAG_CHROMA_HOST and RAG_CHROMA_PORT")


def _writable(place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    trial = place / ".writable"
    trial.touch()
    trial.unlink()


def _answers(name: str, url: str, setting: str) -> None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _SECONDS).close()
    except OSError as error:
        shown = f"{parts.hostname}:{port}"  # the URL may hold a password
        raise StartError(
            f"{name} at {shown} takes no connections ({error.strerror or error}).",
            f"Start it, or correct {setting}.",
        ) from error
