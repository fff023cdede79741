"""How the settings want generations to be built."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.embedding.files import passage_tokens
from rag_platform.index.analysis import ANALYSIS
from rag_platform.ledger.generations import Recipe
from rag_platform.ledger.serving import current_serving
from rag_platform.settings import Settings


def recipe_of(settings: Settings, encoder: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe of the generation that shall serve, with the model of this encoder spec.

    The size of passages that nobody set follows what the model reads; without an encoder it is
    the default. Raises :class:`SettingsError` where passages are set that the model cannot read.
    """
    most = passage_tokens(encoder) if encoder is not None else None
    chunking = ChunkingSpec.of(settings.chunking, most)
    return Recipe(
        chunking={"id": chunking.id, "spec": chunking.to_dict()},
        header="title-and-headings-v1",
        windows=[],
        analysis=ANALYSIS,
        precision=settings.embedding.precision,
    )


def wanted_recipe(connection: sa.Connection, settings: Settings) -> Recipe:
    """The recipe of the generation that shall serve, with the model that serves."""
    serving = current_serving(connection)
    return recipe_of(settings, serving.generation.spec["encoder"] if serving else None)
