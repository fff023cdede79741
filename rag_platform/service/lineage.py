"""The lineage of an answer: from its words back to the file versions and the models."""

from typing import Any

import sqlalchemy as sa

from rag_platform.ledger.answers import find_answer, ratings_of
from rag_platform.ledger.generations import find_generation
from rag_platform.ledger.serving import find_settings
from rag_platform.ledger.statements import fetch_in
from rag_platform.ledger.tables import contents
from rag_platform.service.payloads import AnswerPayload, CitationPayload, RatingPayload


def lineage_of(connection: sa.Connection, answer_id: str) -> dict[str, Any]:
    """Everything that the ledger knows of an answer. Raises :class:`NotFound`."""
    answer = find_answer(connection, answer_id)
    versions = {
        row.id: {"sha256": row.sha256, "media_type": row.media_type, "parser": row.parser}
        for row in fetch_in(
            connection,
            sa.select(contents),
            contents.c.id,
            sorted({citation.content_id for citation in answer.citations}),
        )
    }
    return {
        **AnswerPayload.of(answer).model_dump(mode="json"),
        "question": answer.question,
        "created_at": answer.created_at,
        "collections": answer.collections,
        "prompt_hash": answer.prompt_hash,
        "citations": [
            {
                **CitationPayload.of(citation).model_dump(mode="json"),
                "ranks": citation.ranks,
                "content": {"id": citation.content_id, **versions.get(citation.content_id, {})},
            }
            for citation in answer.citations
        ],
        "generation": _generation(connection, answer.generation_id),
        "settings": _settings(connection, answer.settings_version),
        "ratings": [
            RatingPayload.of(rating).model_dump(mode="json")
            for rating in ratings_of(connection, answer_id)
        ],
    }


def _generation(connection: sa.Connection, generation_id: int | None) -> dict[str, Any] | None:
    row = find_generation(connection, generation_id)
    if row is None:
        return None
    return {"id": row.id, "state": row.state, "created_at": row.created_at, "spec": row.spec}


def _settings(connection: sa.Connection, version: int | None) -> dict[str, Any] | None:
    settings = find_settings(connection, version)
    return None if settings is None else {"version": version, **settings}
