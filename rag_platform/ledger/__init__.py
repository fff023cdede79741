"""The ledger: the record of documents, chunks, generations, answers and ratings."""

from rag_platform.ledger.database import Ledger
from rag_platform.ledger.migrations import migrate

__all__ = ["Ledger", "migrate"]
