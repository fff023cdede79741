"""What production serves here: its settings of the search and its model; defaults before a start.

An evaluation works where nothing runs: without a ledger it takes what a first start would.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from rag_platform import __version__
from rag_platform.embedding.files import (
    CHECKSUMS,
    WEIGHTS,
    ModelFiles,
    base_model_source,
    sha256_of,
)
from rag_platform.embedding.models import EMBEDDER, Models
from rag_platform.errors import LedgerUnavailable
from rag_platform.evaluation.locks import locked
from rag_platform.evaluation.progress import Report
from rag_platform.ledger.digests import digest
from rag_platform.ledger.serving import Serving, current_serving
from rag_platform.reranker.files import RerankerFiles
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.settings import Settings
from rag_platform.wiring import Platform

_FIRST = "1"


@dataclass(frozen=True, slots=True)
class Production:
    """The settings of the search, and the model with the folder of models that it lies in."""

    retrieval: RetrievalSettings
    models: Path
    files: ModelFiles
    notes: tuple[str, ...] = ()


def production(settings: Settings, cache: Path, report: Report) -> Production:
    """What serves with these settings. A base model that nobody exported yet goes to ``cache``.

    Raises :class:`ModelUnavailable` where the model that serves cannot be had.
    """
    platform = Platform(settings)
    try:
        serving, notes = _serving(platform)
        retrieval = RetrievalSettings.from_dict(serving.settings) if serving else None
        version = str(serving.generation.spec["encoder"]["version"]) if serving else _FIRST
        models = platform.models.folder
        if not serving and not (models / EMBEDDER / version / CHECKSUMS).is_file():
            models = _exported(settings, cache, report)
        files = Models(models, platform.tracking).files(EMBEDDER, version)
        export_reranker(settings, models, cache, report)
    finally:
        platform.close()
    return Production(retrieval or RetrievalSettings(), models, files, notes)


def export_reranker(settings: Settings, models: Path, cache: Path, report: Report) -> None:
    """Export the reranker of the settings, if there is one, unless that was done."""
    source = settings.reranking.reranker
    if not source or (files := RerankerFiles.of(models, source)).is_current():
        return
    with locked(cache / "export.lock", lambda: report("another export is waited for", 0, None)):
        if not files.is_current():
            report("the reranker is exported, once", 0, None)
            os.environ.setdefault("TQDM_DISABLE", "1")
            from rag_platform.reranker.export import export

            export(files)


def _serving(platform: Platform) -> tuple[Serving | None, tuple[str, ...]]:
    settings = platform.settings
    if not settings.platform.ledger_url and not (settings.home / "ledger.db").exists():
        return None, ()  # never started; looking would make the file
    try:
        platform.ledger.require_schema()
        with platform.ledger.read() as connection:
            return current_serving(connection), ()
    except LedgerUnavailable as error:
        return None, (f"{error.message} The default settings of the search are evaluated.",)


def _exported(settings: Settings, cache: Path, report: Report) -> Path:
    """The folder of models with the base model of the settings, exported once."""
    source = base_model_source(settings.embedding.model)
    weights = Path(source) / WEIGHTS
    same = sha256_of(weights) if weights.is_file() else ""
    models = cache / digest(source, same, __version__)
    target = models / EMBEDDER / _FIRST
    if not (target / CHECKSUMS).is_file():
        with locked(cache / "export.lock", lambda: report("another export is waited for", 0, None)):
            if not (target / CHECKSUMS).is_file():
                report("the embedding model is exported, once", 0, None)
                os.environ.setdefault("TQDM_DISABLE", "1")  # its bars would break the one here
                from rag_platform.embedding.export import export

                export(source, target, name=EMBEDDER)
    return models
