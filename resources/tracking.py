"""The MLflow server."""

import dagster as dg

from rag_platform.settings import Settings
from rag_platform.tracking import Tracking


class TrackingResource(dg.ConfigurableResource):
    """The server that ``RAG_MLFLOW_URL`` or ``RAG_MLFLOW_PORT`` names."""

    def create_resource(self, context: dg.InitResourceContext) -> Tracking:
        """Prepare the connection; nothing is asked yet."""
        settings = Settings.load()
        return Tracking(settings.mlflow_url, timeout=settings.mlflow.timeout)
