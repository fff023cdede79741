"""Asking questions."""

from typing import Any, cast

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from rag_platform.service.context import CurrentMetrics, CurrentPlatform
from rag_platform.service.payloads import AnswerPayload
from rag_platform.service.routes.search import check_length
from rag_platform.service.schemas import ChatBody
from rag_platform.service.streaming import AnswerEvents, AnswerStream

router = APIRouter(tags=["chat"])

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, or with `stream` its events: "
        "`passages`, `token`, `citation`, `done` (the whole answer) or `error` (a problem).",
        "content": {"text/event-stream": {}},
    }
}


@router.post("/v1/chat", response_model=AnswerPayload, responses=_EVENTS)
async def chat(
    body: ChatBody, platform: CurrentPlatform, metrics: CurrentMetrics
) -> AnswerPayload | Response:
    """Answer a question from the documents, citing them."""
    check_length(body.question, platform.settings)
    asked = (body.question, body.collections, body.conversation_id)
    if not body.stream:
        answer = await run_in_threadpool(lambda: platform.answering.answer(*asked))
        metrics.count_answer(answer.status)
        return AnswerPayload.of(answer)
    events = await run_in_threadpool(lambda: cast(AnswerEvents, platform.answering.stream(*asked)))
    # Whatever fails before the first event is an ordinary problem with its status.
    first = await run_in_threadpool(next, events)
    return AnswerStream(first, events, metrics)
