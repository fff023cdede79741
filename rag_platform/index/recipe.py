"""How the settings want generations to be built."""

from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.index.analysis import ANALYSIS
from rag_platform.ledger.generations import Recipe
from rag_platform.settings import Settings


def recipe_of(settings: Settings) -> Recipe:
    """The recipe of the generation that shall serve."""
    chunking = ChunkingSpec.of(settings.chunking)
    return Recipe(
        chunking={"id": chunking.id, "spec": chunking.to_dict()},
        header="title-and-headings-v1",
        windows=[],
        analysis=ANALYSIS,
        precision=settings.embedding.precision,
    )
