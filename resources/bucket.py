"""The watched bucket."""

import dagster as dg

from rag_platform.documents.bucket import Bucket
from rag_platform.settings import Settings


class BucketResource(dg.ConfigurableResource):
    """The folder or object store that ``RAG_BUCKET`` names."""

    def create_resource(self, context: dg.InitResourceContext) -> Bucket:
        """Open it."""
        return Bucket(Settings.load().bucket_url)
