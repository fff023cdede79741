"""All stages of ingestion in one process: while one document is embedded, the next is read."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rag_platform.documents.bucket import Bucket
from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.documents.chunks import reconcile_chunks
from rag_platform.documents.contents import Parser
from rag_platform.documents.ingestion import DocumentsReport, reconcile_documents
from rag_platform.embedding.blocks import BLOCK_ROWS
from rag_platform.embedding.models import Encoders
from rag_platform.embedding.stage import reconcile_embeddings
from rag_platform.errors import Conflict
from rag_platform.index.chroma import Chroma
from rag_platform.index.stage import reconcile_index
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.serving import live_generations
from rag_platform.objects import Objects

_INDEX_SECONDS = 60.0
"""How often what is embedded is put in the index, so that readers need not wait for the last."""


@dataclass(slots=True)
class Progress:
    """How far it is. Chunks and vectors are counted over all live generations."""

    documents: DocumentsReport = field(default_factory=DocumentsReport)
    chunks: int = 0
    embedded: int = 0
    """Chunks that have their vectors."""
    published: int = 0
    """Documents that readers see now."""
    current: bool = False
    """Whether every index was proved to hold exactly what the ledger wants."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The parts that ingestion works with. Work is committed in small batches throughout."""

    ledger: Ledger
    bucket: Bucket
    objects: Objects
    parser: Parser
    encoders: Encoders
    chroma: Chroma
    at_once: int = 1
    """How many documents are read at once."""
    max_bytes: int = 1 << 28

    def ingest(self, collection: str, report: Callable[[Progress], None] | None = None) -> Progress:
        """Make the indexes of a collection hold what the bucket holds.

        ``report`` is called after every batch, from two threads. Raises the first error of any
        stage, after the work under way is committed.
        """
        self.chroma.heartbeat()  # said before the work and not after it
        with self.ledger.write() as connection:
            collection_id = ensure_collection(connection, collection).id
            generations = live_generations(connection)
        if not generations:
            raise Conflict("Nothing serves yet.", "Start the platform once with make up.")
        progress = Progress()
        work = _Embedding(self, generations, collection_id, progress, report)
        try:
            self._read(collection_id, collection, generations, progress, work, report)
        except BaseException:
            work.stop()
            raise
        work.finish()
        progress.current = work.index()
        if report is not None:
            report(progress)
        return progress

    def _read(
        self,
        collection_id: int,
        collection: str,
        generations: list[Generation],
        progress: Progress,
        work: "_Embedding",
        report: Callable[[Progress], None] | None,
    ) -> None:
        specs: dict[str, Generation] = {}
        for generation in generations:
            specs.setdefault(generation.chunking, generation)
        tokenizers = {name: self.encoders.tokenizer(one) for name, one in specs.items()}

        def split(documents: DocumentsReport) -> None:
            progress.documents = documents
            for name, generation in specs.items():
                spec = ChunkingSpec.from_dict(generation.spec["chunking"]["spec"])
                made = reconcile_chunks(
                    self.ledger, self.objects, tokenizers[name], spec, collection_id
                )
                users = sum(other.chunking == name for other in generations)
                progress.chunks += made * users
                work.offer(made * users)
            if report is not None:
                report(progress)

        reconcile_documents(
            self.ledger,
            self.bucket,
            self.objects,
            self.parser,
            (collection_id, collection),
            limit=2**63,
            max_bytes=self.max_bytes,
            at_once=self.at_once,
            committed=split,
        )


class _Stopped(Exception):
    """Somebody else failed, or a person interrupted."""


class _Embedding:
    """The thread that embeds and indexes what was split so far."""

    def __init__(
        self,
        pipeline: Pipeline,
        generations: list[Generation],
        collection_id: int,
        progress: Progress,
        report: Callable[[Progress], None] | None,
    ) -> None:
        self._pipeline = pipeline
        self._generations = generations
        self._collection_id = collection_id
        self._progress = progress
        self._report = report
        self._waiting = 0
        self._last = False
        self._stopped = False
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="embedding")
        self._thread.start()

    def offer(self, chunks: int) -> None:
        """Say that there are more chunks. Raises what the thread failed with."""
        with self._changed:
            self._waiting += chunks
            self._changed.notify()
        self._raise()

    def finish(self) -> None:
        """Wait until everything is embedded."""
        with self._changed:
            self._last = True
            self._changed.notify()
        try:
            self._thread.join()
        except BaseException:
            self.stop()
            raise
        self._raise()

    def stop(self) -> None:
        """End after the block under way, which is committed."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def index(self) -> bool:
        """Put what is embedded in the indexes; whether they are proved to be current."""
        parts = self._pipeline
        reports = [
            reconcile_index(
                parts.ledger, parts.objects, parts.chroma, generation, self._collection_id
            )
            for generation in self._generations
        ]
        self._progress.published += sum(report.published for report in reports)
        return all(report.current for report in reports)

    def _run(self) -> None:
        try:
            indexed = time.monotonic()
            while True:
                with self._changed:
                    # Whole blocks, as long as more is to come.
                    self._changed.wait_for(
                        lambda: self._last or self._stopped or self._waiting >= BLOCK_ROWS
                    )
                    last, self._waiting = self._last, 0
                self._embed()
                if last:
                    return
                if time.monotonic() - indexed > _INDEX_SECONDS:
                    self.index()
                    indexed = time.monotonic()
        except _Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            self._failure = error

    def _embed(self) -> None:
        parts = self._pipeline
        for generation in self._generations:
            before = self._progress.embedded

            def embedded(done: int, before: int = before) -> None:
                self._progress.embedded = before + done
                if self._report is not None:
                    self._report(self._progress)
                if self._stopped:
                    raise _Stopped

            if self._stopped:
                raise _Stopped
            reconcile_embeddings(
                parts.ledger,
                parts.objects,
                parts.encoders,
                generation,
                self._collection_id,
                progress=embedded,
            )

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure
