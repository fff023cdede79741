"""A platform of an evaluation's own: its bucket holds a dataset's documents, and nothing else runs.

It lies under ``RAG_HOME/evaluation`` and is kept, so that the next evaluation of the same documents
with the same recipe starts at once. It is an ordinary home: what a kill left half done, the next
evaluation completes.
"""

import contextlib
import json
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path

from rag_platform.bootstrap import serve_first_generation
from rag_platform.documents.contents import reread_outdated
from rag_platform.documents.parsing import PARSERS
from rag_platform.embedding.files import fingerprint
from rag_platform.errors import InvalidRequest, SettingsError, Unavailable
from rag_platform.evaluation.datasets import Dataset, Document
from rag_platform.evaluation.locks import locked
from rag_platform.evaluation.production import Production, production
from rag_platform.evaluation.progress import Report
from rag_platform.evaluation.server import chroma_server
from rag_platform.index.recipe import recipe_of
from rag_platform.ingestion.pipeline import Progress
from rag_platform.ledger import migrate
from rag_platform.ledger.digests import digest, spec_digest
from rag_platform.ledger.generations import indexed_collections
from rag_platform.ledger.serving import current_serving
from rag_platform.settings import ChromaSettings, PlatformSettings, Settings
from rag_platform.wiring import Platform

COLLECTION = "evaluation"
"""Where the documents of a dataset lie."""

_FOLDER = "evaluation"
_COMPLETE = "complete.json"
_CHROMA_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Scratch:
    """A platform that has ingested a dataset, and what it was made like."""

    platform: Platform
    production: Production
    recipe: str
    """The digest of everything that decides what the index of given documents holds."""


@contextlib.contextmanager
def scratch_platform(settings: Settings, dataset: Dataset, report: Report) -> Generator[Scratch]:
    """Ingest a dataset as production would, or find it ingested.

    Chunking, model, precision and threads are those of the settings and of what serves with them.
    An evaluation of the same documents that is under way is waited for.
    """
    root = _root(settings)
    serves = production(settings, root / "models", report)
    precision = settings.embedding.precision
    encoder = replace(serves.files, precision=precision).encoder_spec()
    spec = recipe_of(settings, encoder).spec(encoder)
    recipe = spec_digest({**spec, "files": fingerprint(serves.files.path)})
    folder = _made(root / digest(dataset.corpus_digest, recipe))
    with (
        locked(
            root / f"{folder.name}.lock",
            lambda: report("another evaluation of these documents is waited for", 0, None),
        ) as lock,
        chroma_server(folder / "chroma", folder / "chroma.log", keep_open=lock) as port,
        _opened(folder, settings, port, serves) as platform,
    ):
        _fill(platform, folder, dataset, report)
        yield Scratch(platform, serves, recipe)


def _root(settings: Settings) -> Path:
    root = settings.home / _FOLDER
    try:
        _made(root)
        with tempfile.TemporaryFile(dir=root):
            return root
    except OSError as error:
        raise SettingsError(
            f"The evaluation cannot write to {root}: {error.strerror}.",
            "Make room there, or set RAG_HOME to another folder.",
        ) from error


@contextlib.contextmanager
def _opened(folder: Path, settings: Settings, port: int, serves: Production) -> Generator[Platform]:
    home, bucket = _made(folder / "home"), _made(folder / "bucket")
    link = home / "models"
    if not link.is_symlink() or link.readlink() != serves.models:
        link.unlink(missing_ok=True)
        link.symlink_to(serves.models)
    platform = Platform(
        settings.model_copy(
            update={
                # What is not named would be read from the environment: production's own stores.
                "platform": PlatformSettings(
                    home=home,
                    bucket=bucket.as_uri(),
                    ledger_url="",
                    object_store="",
                    host=settings.platform.host,
                    threads=settings.platform.threads,
                ),
                "chroma": ChromaSettings(host="127.0.0.1", port=port, timeout=_CHROMA_SECONDS),
            }
        )
    )
    try:
        migrate(platform.ledger)
        reread_outdated(platform.ledger)
        serve_first_generation(platform, serves.files.version)
        yield platform
    finally:
        platform.close()


def _fill(platform: Platform, folder: Path, dataset: Dataset, report: Report) -> None:
    """Put the documents in the bucket and ingest them, unless that was done."""
    marker = folder / _COMPLETE
    wanted = {"parsers": sorted(parser.id for parser in PARSERS.values())}
    with contextlib.suppress(OSError, ValueError):
        if json.loads(marker.read_text()) == wanted and _is_whole(platform):
            return
    marker.unlink(missing_ok=True)
    bucket = _made(folder / "bucket" / COLLECTION)
    for number, document in enumerate(dataset.documents(), start=1):
        _put(bucket, document)
        report("documents copied", number, dataset.document_count)
    with platform.parser() as parser:
        pipeline = platform.pipeline(parser)
        with contextlib.closing(pipeline.chroma):
            progress = pipeline.ingest(COLLECTION, _shown(report))
    if progress.current:
        marker.write_text(json.dumps(wanted))


def _shown(report: Report) -> Callable[[Progress], None]:
    def show(progress: Progress) -> None:
        documents = progress.documents
        done = len(documents.read) + len(documents.quarantined)
        total = done + documents.left
        report("documents read", done, total)
        # What is not read yet will have as many chunks as what was.
        expected = progress.chunks * total // done if done else progress.chunks
        report("chunks embedded", progress.embedded, max(expected, progress.embedded))

    return show


def _is_whole(platform: Platform) -> bool:
    """Whether Chroma holds as many vectors as the ledger says."""
    with platform.ledger.read() as connection:
        serving = current_serving(connection)
        indexes = indexed_collections(connection, [serving.generation.id]) if serving else []
    try:
        return bool(indexes) and all(
            index.is_current and platform.chroma.count(index.chroma_name) == index.vectors
            for index in indexes
        )
    except Unavailable:
        return False


def _put(bucket: Path, document: Document) -> None:
    """Write a file as a whole or not at all; one of the same size is there already."""
    path = bucket / document.name
    try:
        if path.exists() and path.stat().st_size == len(document.data):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = bucket / ".unfinished"
        temporary.write_bytes(document.data)
        temporary.replace(path)
    except OSError as error:
        raise InvalidRequest(
            f"The document {document.name} cannot be copied to {bucket}: {error.strerror}.",
            "Make room there or give it a shorter name.",
        ) from error


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
