"""One document from the bucket to every live index, for who cannot wait for a run.

The stages are those of a run, each narrowed to this document, so the cost does not grow with the
collection. Whatever is left undone, the next run does.
"""

import time
from dataclasses import dataclass, field

from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.documents.chunks import reconcile_chunks
from rag_platform.documents.contents import Parser
from rag_platform.documents.ingestion import DocumentsReport, read_document
from rag_platform.embedding.stage import EmbeddingReport, reconcile_embeddings
from rag_platform.index.admission import Admission, Change
from rag_platform.index.stage import IndexReport
from rag_platform.ledger.deltas import document_state
from rag_platform.ledger.documents import KnownDocument, known_document
from rag_platform.ledger.generations import (
    Generation,
    IndexedCollection,
    ensure_indexed_collection,
    indexed_collections,
)
from rag_platform.ledger.serving import live_generations
from rag_platform.printing import MEGABYTE
from rag_platform.wiring import Platform


@dataclass(slots=True)
class DocumentReport:
    """What was done for one document; indexes are by generation id."""

    collection: str
    key: str
    documents: DocumentsReport = field(default_factory=lambda: DocumentsReport(listed=1))
    chunks: dict[str, int] = field(default_factory=dict[str, int])
    """Chunks that were made, by chunking spec."""
    embeddings: list[EmbeddingReport] = field(default_factory=list[EmbeddingReport])
    models: list[str] = field(default_factory=list[str])
    indexes: dict[int, IndexReport] = field(default_factory=dict[int, IndexReport])
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """By stage: documents, chunks, embeddings, search_index."""


@dataclass(frozen=True, slots=True)
class _Before:
    """The state that everything is compared with, of one moment."""

    collection_id: int
    document: KnownDocument
    readers: str | None
    generations: list[Generation]
    bases: dict[int, IndexedCollection]


def reconcile_document(
    platform: Platform, parser: Parser, collection: str, key: str, *, announced: int | None = None
) -> DocumentReport | None:
    """Make a document that has a row answerable, if its bytes can be read.

    ``announced`` is the revision that the caller's own announcement of it made. Returns None where
    the ledger does not know it or it was deleted. May run beside other reconcilers.
    """
    report = DocumentReport(collection, key)
    clock = _Clock(report.seconds)
    before = _look(platform, collection, key)
    if before is None:
        return None
    own = set() if announced is None else {announced}
    read_document(
        platform.ledger,
        platform.bucket,
        platform.objects,
        parser,
        before.collection_id,
        before.document,
        report.documents,
        max_bytes=platform.settings.ingestion.max_document_megabytes * MEGABYTE,
    )
    content_id = _content(platform, before, own)
    clock.lap("documents")
    if content_id is not None:
        _prepare(platform, before, content_id, report, clock)
        content_id = _content(platform, before, own)  # one without text is set aside
    change = Change(
        before.collection_id, before.document.id, before.readers, content_id, frozenset(own)
    )
    parts = (platform.ledger, platform.objects, platform.chroma)
    admissions = [
        Admission(*parts, generation, before.bases[generation.id], change)
        for generation in before.generations
    ]
    revisions = change.revisions.union(*(admission.add() for admission in admissions))
    for generation, admission in zip(before.generations, admissions, strict=True):
        report.indexes[generation.id] = admission.settle(revisions)
    clock.lap("search_index")
    return report


def _look(platform: Platform, collection: str, key: str) -> _Before | None:
    for _ in range(2):
        with platform.ledger.read() as connection:
            found = known_document(connection, collection, key)
            if found is None or found[1].state == "deleted":
                return None
            collection_id, document = found
            generations = live_generations(connection)
            rows = indexed_collections(connection, [g.id for g in generations], [collection])
            bases = {row.generation_id: row for row in rows}
            readers = document_state(connection, document.id).indexed_content_id
        if len(bases) == len(generations):
            return _Before(collection_id, document, readers, generations, bases)
        with platform.ledger.write() as connection:
            for generation in generations:
                ensure_indexed_collection(connection, generation.id, collection_id)
    return None


def _content(platform: Platform, before: _Before, own: set[int]) -> str | None:
    """The content that the document is to be found by now; notes the revision of that change."""
    with platform.ledger.read() as connection:
        now = document_state(connection, before.document.id)
    own.add(now.revision)
    return now.content_id if now.state in ("pending", "indexed") else None


def _prepare(
    platform: Platform, before: _Before, content_id: str, report: DocumentReport, clock: "_Clock"
) -> None:
    """Chunks and vectors of the content under every live generation."""
    for generation in before.generations:
        spec = ChunkingSpec.from_dict(generation.spec["chunking"]["spec"])
        if spec.id not in report.chunks:
            report.chunks[spec.id] = reconcile_chunks(
                platform.ledger,
                platform.objects,
                platform.encoders(generation).tokenizer,
                spec,
                before.collection_id,
                content_id=content_id,
            )
    clock.lap("chunks")
    for generation in before.generations:
        report.embeddings.append(
            reconcile_embeddings(
                platform.ledger,
                platform.objects,
                platform.encoders,
                generation,
                before.collection_id,
                content_id=content_id,
            )
        )
        encoder = generation.spec["encoder"]
        report.models.append(f"{encoder['model']} {encoder['version']}")
    clock.lap("embeddings")


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self._seconds[name] = now - self._last
        self._last = now
