"""The stages of ingestion one after the other, as Dagster's assets call them, and counters."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from rag_platform.bootstrap import serve_first_generation
from rag_platform.documents import parsing
from rag_platform.documents.bucket import collection_of
from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.documents.chunks import reconcile_chunks
from rag_platform.documents.ingestion import DocumentsReport, reconcile_documents
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.embedding.models import EMBEDDER
from rag_platform.embedding.stage import reconcile_embeddings
from rag_platform.index.stage import IndexReport, reconcile_index
from rag_platform.index.verification import Verification, verify
from rag_platform.ledger import migrate
from rag_platform.ledger.collections import ensure_collection, list_collections
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.serving import live_generations
from rag_platform.settings import ChromaSettings, PlatformSettings, Settings
from rag_platform.wiring import Platform


class InProcessParser:
    """The parsers without their child process, counting what they read."""

    processes = 1

    def __init__(self) -> None:
        self.parsed: list[str] = []

    def parse(self, data: bytes, key: str) -> ParsedDocument:
        self.parsed.append(key)
        return parsing.parse(data, key)


class CountingEncoder:
    """The real encoder, counting the strings that it encodes."""

    def __init__(self, encoder: Any, encoded: list[str], note: Callable[[str], None]) -> None:
        self._encoder = encoder
        self._encoded = encoded
        self._note = note

    def encode_documents(self, texts: Sequence[str]) -> Any:
        self._encoded += texts
        for text in texts:
            self._note(text)
        return self._encoder.encode_documents(texts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)


class CountingEncoders:
    """The platform's encoders; ``encoded`` are the strings of documents that were encoded."""

    def __init__(self, encoders: Any, note: Callable[[str], None] = lambda text: None) -> None:
        self._encoders = encoders
        self._note = note
        self.encoded: list[str] = []

    def __call__(self, generation: Generation) -> CountingEncoder:
        return CountingEncoder(self._encoders(generation), self.encoded, self._note)

    def tokenizer(self, generation: Generation) -> Any:
        return self._encoders.tokenizer(generation)


class Pipeline:
    """Ingestion of a platform's bucket, collection by collection."""

    def __init__(
        self,
        platform: Platform,
        parser: Any = None,
        encoders: Any = None,
        *,
        limit: int = 1000,
        max_bytes: int = 1_000_000,
    ) -> None:
        self.until = math.inf
        """When no stage but the first begins another piece of work."""
        self.platform = platform
        self.parser = parser or InProcessParser()
        self.encoders = encoders or CountingEncoders(platform.encoders)
        self.limit = limit
        self.max_bytes = max_bytes

    def __call__(self, *names: str) -> dict[str, IndexReport]:
        """Reconcile the named collections, or every one; returns what the last stage reports."""
        return {name: self.run(name) for name in names or self.collections()}

    def run(self, name: str) -> IndexReport:
        """All stages of one collection; the report of the generation that serves."""
        self.documents(name)
        return self.index(name)

    def documents(self, name: str) -> DocumentsReport:
        """The first stage."""
        return reconcile_documents(
            self.platform.ledger,
            self.platform.bucket,
            self.platform.objects,
            self.parser,
            (self.id_of(name), name),
            limit=self.limit,
            max_bytes=self.max_bytes,
        )

    def index(self, name: str) -> IndexReport:
        """The other stages."""
        for generation in self.live():
            self.chunks(name, generation)
            self.embeddings(name, generation)
        reports = [self.search_index(name, generation) for generation in self.live()]
        return reports[0]

    def chunks(self, name: str, generation: Generation) -> int:
        return reconcile_chunks(
            self.platform.ledger,
            self.platform.objects,
            self.encoders.tokenizer(generation),
            ChunkingSpec.from_dict(generation.spec["chunking"]["spec"]),
            self.id_of(name),
            until=self.until,
        )

    def embeddings(self, name: str, generation: Generation) -> int:
        return reconcile_embeddings(
            self.platform.ledger,
            self.platform.objects,
            self.encoders,
            generation,
            self.id_of(name),
            until=self.until,
        ).embedded

    def search_index(self, name: str, generation: Generation) -> IndexReport:
        return reconcile_index(
            self.platform.ledger,
            self.platform.objects,
            self.platform.chroma,
            generation,
            self.id_of(name),
            until=self.until,
        )

    def verify(self, **how: Any) -> Verification:
        """The nothing-lost invariant, exhaustively unless told otherwise."""
        platform = self.platform
        return verify(
            platform.ledger,
            platform.bucket,
            platform.objects,
            platform.chroma,
            **(how or {"exhaustive": True}),
        )

    def collections(self) -> Iterable[str]:
        with self.platform.ledger.read() as connection:
            known = {item.name for item in list_collections(connection)}
        return sorted(known | {collection_of(item.key) for item in self.platform.bucket.list()})

    def id_of(self, name: str) -> int:
        with self.platform.ledger.write() as connection:
            return ensure_collection(connection, name).id

    def live(self) -> list[Generation]:
        with self.platform.ledger.read() as connection:
            return live_generations(connection)


def settings_for(home: Path, bucket: Path, ledger_url: str, chroma_port: int) -> Settings:
    """The defaults with these places."""
    return Settings.load().model_copy(
        update={
            "platform": PlatformSettings(home=home, bucket=str(bucket), ledger_url=ledger_url),
            "chroma": ChromaSettings(port=chroma_port, timeout=30),
        }
    )


class Platforms:
    """Makes platforms that share what is slow: the hashed model files and the loaded encoder."""

    def __init__(self, model_folder: Path) -> None:
        self._model_folder = model_folder
        self._stamp = ""
        self._encoders: Any = None

    def make(self, home: Path, bucket: Path, ledger_url: str, chroma_port: int) -> Platform:
        """A migrated platform in which the first generation serves."""
        models = home / "models" / EMBEDDER
        models.mkdir(parents=True)
        (models / "1").symlink_to(self._model_folder)
        stamp = models / ".verified-1.json"
        if self._stamp:
            stamp.write_text(self._stamp)
        settings = settings_for(home, bucket, ledger_url, chroma_port)
        platform = Platform(settings)
        migrate(platform.ledger)
        serve_first_generation(platform, "1")
        self._stamp = stamp.read_text()
        self._encoders = platform.encoders = self._encoders or platform.encoders
        return platform
