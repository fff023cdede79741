"""The ledger."""

import dagster as dg

from rag_platform.ledger import Ledger
from rag_platform.settings import Settings


class LedgerResource(dg.ConfigurableResource):
    """The relational database that ``RAG_LEDGER_URL`` names; the URL may hold a password."""

    def create_resource(self, context: dg.InitResourceContext) -> Ledger:
        """Open it."""
        return Ledger(Settings.load().ledger_url)
