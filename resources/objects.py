"""The object store of extracted texts and vectors."""

import dagster as dg

from rag_platform.objects import Objects
from rag_platform.settings import Settings


class ObjectsResource(dg.ConfigurableResource):
    """The folder or object store that ``RAG_OBJECT_STORE`` names."""

    def create_resource(self, context: dg.InitResourceContext) -> Objects:
        """Open it."""
        return Objects(Settings.load().object_store_url)
