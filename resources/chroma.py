"""The Chroma server."""

import dagster as dg

from rag_platform.index.chroma import Chroma
from rag_platform.settings import Settings


class ChromaResource(dg.ConfigurableResource):
    """The server that ``RAG_CHROMA_HOST`` and ``RAG_CHROMA_PORT`` name."""

    def create_resource(self, context: dg.InitResourceContext) -> Chroma:
        """Prepare the connection; nothing is asked yet."""
        settings = Settings.load().chroma
        return Chroma(settings.host, settings.port, timeout=6 * settings.timeout)
