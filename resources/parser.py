"""The child process that reads documents."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from rag_platform.documents.isolation import ParserProcess
from rag_platform.settings import Settings


class ParserResource(dg.ConfigurableResource):
    """One process per run, with the deadline and the memory that ``RAG_INGESTION_…`` allow."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[ParserProcess]:
        """The process starts with the first document and ends with the run."""
        settings = Settings.load().ingestion
        with ParserProcess(
            timeout=settings.parse_timeout, memory_megabytes=settings.parse_memory_megabytes
        ) as parser:
            yield parser
