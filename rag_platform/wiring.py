"""The platform's objects, made from the settings when first needed.

What the service and the command line hold. Dagster's resources make the same objects one by one.
"""

from functools import cached_property

from rag_platform.chat.answering import Answering
from rag_platform.chat.language_models import LanguageModels
from rag_platform.documents.bucket import Bucket
from rag_platform.documents.isolation import ParserPool
from rag_platform.embedding.models import Encoders, Models
from rag_platform.index.chroma import Chroma
from rag_platform.ingestion.pipeline import Pipeline
from rag_platform.ledger import Ledger
from rag_platform.objects import Objects
from rag_platform.printing import MEGABYTE
from rag_platform.reranker.files import RerankerFiles
from rag_platform.retrieval.reranking import Reranker
from rag_platform.retrieval.search import Search
from rag_platform.settings import Settings
from rag_platform.tracking import Tracking


class Platform:
    """Everything that answering a question needs, made on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def ledger(self) -> Ledger:
        """The record."""
        return Ledger(self.settings.ledger_url)

    @cached_property
    def bucket(self) -> Bucket:
        """The users' documents."""
        return Bucket(self.settings.bucket_url)

    @cached_property
    def objects(self) -> Objects:
        """Extracted texts and vectors."""
        return Objects(self.settings.object_store_url)

    @cached_property
    def chroma(self) -> Chroma:
        """The vector index."""
        chroma = self.settings.chroma
        return Chroma(chroma.host, chroma.port, timeout=chroma.timeout)

    @cached_property
    def tracking(self) -> Tracking:
        """The model registry."""
        return Tracking(self.settings.mlflow_url, timeout=self.settings.mlflow.timeout)

    @cached_property
    def models(self) -> Models:
        """The model versions on this machine."""
        return Models(self.settings.home / "models", self.tracking)

    @cached_property
    def encoders(self) -> Encoders:
        """The encoders of questions, which encode a few documents too; loaded once each."""
        return self._encoders(one_session=True)

    @cached_property
    def search(self) -> Search:
        """The search."""
        return Search(self.ledger, self.objects, self.chroma, self.encoders, self.reranker)

    @cached_property
    def reranker_files(self) -> RerankerFiles | None:
        """Where the reranker's files are, or are to be; None without one."""
        source = self.settings.reranking.reranker
        return RerankerFiles.of(self.settings.home / "models", source) if source else None

    @cached_property
    def reranker(self) -> Reranker | None:
        """What orders the first candidates anew; None without one."""
        if self.reranker_files is None:
            return None
        return Reranker(
            self.reranker_files,
            threads=self.settings.platform.threads,
            batch_tokens=self.settings.embedding.batch_tokens,
            milliseconds=self.settings.reranking.reranker_ms,
        )

    @cached_property
    def language_models(self) -> LanguageModels:
        """The language models, of which the first that answers is used."""
        return LanguageModels(self.settings.ollama)

    @cached_property
    def answering(self) -> Answering:
        """The one way to answer."""
        return Answering(self.ledger, self.search, self.language_models)

    def parser(self) -> ParserPool:
        """A pool of processes that read documents; whoever takes it closes it."""
        return ParserPool(
            processes=self.settings.platform.threads,
            timeout=self.settings.ingestion.parse_timeout,
            memory_megabytes=self.settings.ingestion.parse_memory_megabytes,
        )

    def pipeline(self, parser: ParserPool) -> Pipeline:
        """All stages of ingestion, for work in bulk."""
        chroma = self.settings.chroma
        # Whoever works in bulk asks no questions: a batch on each core is faster.
        encoders = self._encoders(one_session=False)
        return Pipeline(
            self.ledger,
            self.bucket,
            self.objects,
            parser,
            encoders,
            Chroma(chroma.host, chroma.port, timeout=6 * chroma.timeout),
            at_once=parser.processes,
            max_bytes=self.settings.ingestion.max_document_megabytes * MEGABYTE,
        )

    def _encoders(self, *, one_session: bool) -> Encoders:
        return Encoders(
            self.models,
            threads=self.settings.platform.threads,
            batch_tokens=self.settings.embedding.batch_tokens,
            one_session=one_session,
        )

    def close(self) -> None:
        """Close what was opened."""
        for name in ("ledger", "chroma"):
            if name in self.__dict__:
                self.__dict__[name].close()
