"""An answer as server-sent events, while it is written."""

import json
from collections.abc import AsyncIterator, Generator
from typing import Any

import anyio
from pydantic import BaseModel
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from rag_platform.chat.answering import Cited, Event, Finished, PassagesFound, Token
from rag_platform.service import problems
from rag_platform.service.metrics import Metrics
from rag_platform.service.payloads import AnswerPayload, CitationPayload, PassagesPayload

AnswerEvents = Generator[Event]


class AnswerStream(StreamingResponse):
    """Sends the events of an answer; when the client leaves, the answer is closed at once."""

    media_type = "text/event-stream"

    def __init__(self, first: Event, events: AnswerEvents, metrics: Metrics) -> None:
        super().__init__(
            self._frames(first),
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._events = events
        self._metrics = metrics
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, or until the client is gone."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Not left to the garbage collector: closing is what records an answer as incomplete.
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._events.close)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Return when the client is gone, and count that before the model's next word."""
        await super().listen_for_disconnect(receive)
        if not self._ended:
            self._metrics.count_abandoned()

    async def _frames(self, first: Event) -> AsyncIterator[bytes]:
        try:
            yield _frame(first)
            async for event in iterate_in_threadpool(self._events):
                if isinstance(event, Finished):
                    self._ended = True
                    self._metrics.count_answer(event.answer.status)
                yield _frame(event)
        except Exception as error:  # noqa: BLE001 - the status is sent: the error is an event
            if not self._ended:
                self._ended = True
                self._metrics.count_answer("failed")
            yield _encoded("error", problems.of_error(error))


def _frame(event: Event) -> bytes:
    match event:
        case PassagesFound():
            return _encoded("passages", PassagesPayload.of(event))
        case Token(text):
            return _encoded("token", {"text": text})
        case Cited(citation):
            return _encoded("citation", CitationPayload.of(citation))
        case Finished(answer):
            return _encoded("done", AnswerPayload.of(answer))


def _encoded(name: str, data: BaseModel | dict[str, Any]) -> bytes:
    members = data.model_dump(mode="json") if isinstance(data, BaseModel) else data
    # JSON has no raw line breaks, so one data line holds it.
    line = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {line}\n\n".encode("utf-8", "replace")
