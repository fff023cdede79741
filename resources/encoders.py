"""The encoders of the registered embedding models."""

import dagster as dg

from rag_platform.embedding.models import Encoders, Models
from rag_platform.settings import Settings
from rag_platform.tracking import Tracking


class EncodersResource(dg.ConfigurableResource):
    """Loads a generation's model when it is first needed."""

    def create_resource(self, context: dg.InitResourceContext) -> Encoders:
        """Nothing is loaded yet."""
        settings = Settings.load()
        tracking = Tracking(settings.mlflow_url, timeout=settings.mlflow.timeout)
        return Encoders(
            Models(settings.home / "models", tracking),
            threads=settings.platform.threads,
            batch_tokens=settings.embedding.batch_tokens,
        )
