"""The reranker, where there is one."""

import dagster as dg

from rag_platform.retrieval.reranking import Reranker
from rag_platform.settings import Settings
from rag_platform.wiring import Platform


class RerankerResource(dg.ConfigurableResource):
    """The cross-encoder that ``RAG_RERANKER`` names, loaded when it is first needed."""

    def create_resource(self, context: dg.InitResourceContext) -> Reranker | None:
        """Nothing is loaded yet; None where the setting is empty."""
        return Platform(Settings.load()).reranker
