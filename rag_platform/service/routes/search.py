"""Searching for passages."""

from fastapi import APIRouter

from rag_platform.errors import InvalidRequest
from rag_platform.ledger.filters import EVERYTHING
from rag_platform.service.context import CurrentPlatform
from rag_platform.service.payloads import SearchPayload
from rag_platform.service.schemas import SearchBody
from rag_platform.settings import Settings

router = APIRouter(tags=["search"])


@router.post("/v1/search")
def search(body: SearchBody, platform: CurrentPlatform) -> SearchPayload:
    """The passages that fit a query best."""
    check_length(body.query, platform.settings)
    filters = body.filters.filters() if body.filters else EVERYTHING
    return SearchPayload.of(
        platform.search(body.query, body.collections, body.top_k, filters=filters)
    )


def check_length(question: str, settings: Settings) -> None:
    """Refuse a question over the limit of the settings."""
    limit = settings.chat.max_question_characters
    if len(question) > limit:
        raise InvalidRequest(
            f"The question is longer than {limit} characters.",
            "Shorten it, or raise RAG_CHAT_MAX_QUESTION_CHARACTERS.",
        )
