"""The child processes that read documents."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from rag_platform.documents.isolation import ParserPool
from rag_platform.settings import Settings


class ParserResource(dg.ConfigurableResource):
    """A pool per run, with the deadline and the memory that ``RAG_INGESTION_…`` allow."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[ParserPool]:
        """Processes start as documents need them and end with the run."""
        settings = Settings.load()
        with ParserPool(
            processes=settings.platform.threads,
            timeout=settings.ingestion.parse_timeout,
            memory_megabytes=settings.ingestion.parse_memory_megabytes,
        ) as parser:
            yield parser
