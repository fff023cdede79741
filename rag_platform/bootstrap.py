"""What the first start makes: the registered base model, the first generation, what serves.

Every function is harmless where its work is done already.
"""

import shutil
from pathlib import Path
from typing import Any

import structlog

from rag_platform import __version__
from rag_platform.documents.contents import reread_outdated
from rag_platform.embedding.facts import parity_metrics, parity_tags
from rag_platform.embedding.files import (
    CHECKSUMS,
    ModelFiles,
    base_model_source,
    fingerprint,
    verify_checksums,
)
from rag_platform.embedding.models import EMBEDDER
from rag_platform.errors import BucketUnavailable, ModelUnavailable
from rag_platform.index.promotion import validation_digest
from rag_platform.index.recipe import recipe_of
from rag_platform.ledger import Ledger, migrate
from rag_platform.ledger.generations import create_generation, set_generation_state
from rag_platform.ledger.promotion import propose
from rag_platform.ledger.serving import current_serving, start_serving
from rag_platform.reranker.files import source_of
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.settings import Settings
from rag_platform.wiring import Platform

_log = structlog.get_logger(__name__)
_FINGERPRINT = "files_sha256"
"""The tag by which a registered version names its files."""


def register_base_model(platform: Platform) -> str:
    """Register the base embedding model as version 1 and return the version that serves.

    Needs MLflow. The exported files are uploaded only where MLflow has no version yet; where it
    has other files under that version, those count and are fetched.
    """
    version = _serving_version(platform)
    folder = platform.models.folder / EMBEDDER / version
    registered = platform.tracking.version(EMBEDDER, version)
    if registered is None:
        _register(platform, folder, version)
    elif registered.tags.get(_FINGERPRINT, "") != fingerprint(folder):
        shutil.rmtree(folder, ignore_errors=True)
    platform.models.files(EMBEDDER, version)
    platform.tracking.point_champion(EMBEDDER, version)
    return version


def serve_first_generation(platform: Platform, version: str) -> None:
    """Let an empty generation of the base model serve, unless something serves already."""
    encoder = _encoder_spec(platform, version)
    spec = recipe_of(platform.settings, encoder).spec(encoder)
    with platform.ledger.write() as connection:
        if current_serving(connection) is None:
            generation = create_generation(connection, spec)
            set_generation_state(connection, generation.id, "verified")
            start_serving(connection, generation.id, RetrievalSettings().to_dict())


def propose_generation(platform: Platform) -> None:
    """Let a generation be built as the settings ask for, if what serves is built otherwise.

    What serves goes on until the new one is complete and verified. Nothing is parsed again.
    """
    encoder = _encoder_spec(platform, _serving_version(platform))
    recipe = recipe_of(platform.settings, encoder)
    judged_on = validation_digest(platform.objects)
    with platform.ledger.write() as connection:
        propose(connection, recipe, encoder, judged_on=judged_on)


def _encoder_spec(platform: Platform, version: str) -> dict[str, Any]:
    """The spec of the encoder in the precision that the settings ask for."""
    precision = platform.settings.embedding.precision
    return platform.models.files(EMBEDDER, version, precision).encoder_spec()


def _serving_version(platform: Platform) -> str:
    with platform.ledger.read() as connection:
        serving = current_serving(connection)
    return "1" if serving is None else str(serving.generation.spec["encoder"]["version"])


def _register(platform: Platform, folder: Path, version: str) -> None:
    verify_checksums(folder, f"{EMBEDDER} version {version}")
    facts = ModelFiles(folder, EMBEDDER, version).export_facts()
    registered = platform.tracking.register(
        EMBEDDER,
        folder,
        run_name="base model",
        parameters={"base_model": facts.get("source", "")},
        metrics=parity_metrics(facts),
        tags={
            "code_version": __version__,
            "kind": "base",
            _FINGERPRINT: fingerprint(folder),
            **parity_tags(facts),
        },
    )
    if registered != version:
        raise ModelUnavailable(
            f"MLflow has other versions of the model {EMBEDDER}, but not {version}, which serves.",
            "Restore MLflow's data, or let the platform have an MLflow of its own.",
        )


def prepare_data() -> None:
    """Check the model's weights and the stores, and migrate the ledger."""
    settings = Settings.load()
    base_model_source(settings.embedding.model)
    if settings.reranking.reranker:
        source_of(settings.reranking.reranker)
    open_stores()
    migrate_ledger()


def migrate_ledger() -> None:
    """Bring the ledger's schema to the newest version, and its documents to the newest parsers."""
    ledger = Ledger(Settings.load().ledger_url)
    migrate(ledger)
    reread_outdated(ledger)
    ledger.close()


def export_base_model() -> None:
    """Export the base model for serving, unless this home has its files already."""
    platform = Platform(Settings.load())
    with platform.ledger.read() as connection:
        serving = current_serving(connection)
    folder = platform.models.folder / EMBEDDER / "1"
    if serving is None and not (folder / CHECKSUMS).is_file():
        from rag_platform.embedding.export import export

        export(base_model_source(platform.settings.embedding.model), folder, name=EMBEDDER)
    platform.close()


def export_reranker() -> None:
    """Export the reranker for serving, unless this home has it already."""
    platform = Platform(Settings.load())
    files = platform.reranker_files
    if files is not None and not files.is_current():
        from rag_platform.reranker.export import export

        parity = export(files)
        _log.info("exported the reranker", source=files.source, parity=parity)
    platform.close()


def open_stores() -> None:
    """Look into the bucket and the object store, so that a wrong setting shows at the start.

    One source of several that does not answer is no reason not to start: it is watched for.
    """
    platform = Platform(Settings.load())
    failed: list[str] = []
    for source in platform.bucket.sources:
        try:
            next(iter(source.list()), None)
        except BucketUnavailable as error:
            failed.append(str(error))
            _log.warning("a source of the bucket cannot be listed", reason=str(error))
    if len(failed) == len(platform.bucket.sources):
        raise BucketUnavailable(" ".join(failed))
    next(iter(platform.objects.names()), None)


def prepare_serving() -> None:
    """Register the base model and let its first generation serve; propose another if needed."""
    platform = Platform(Settings.load())
    serve_first_generation(platform, register_base_model(platform))
    propose_generation(platform)
    platform.close()
