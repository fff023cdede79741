"""Errors as RFC 9457 problem documents: a table from each failure to its type and status."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from rag_platform.errors import (
    BucketUnavailable,
    Conflict,
    IndexMissing,
    IndexUnavailable,
    InvalidRequest,
    LanguageModelUnavailable,
    LedgerUnavailable,
    ModelUnavailable,
    NotFound,
    RagError,
    TrackingUnavailable,
    Unavailable,
    UnreadableDocument,
)

RETRY_SECONDS = 5
"""When to try again where a part does not answer: the supervisor restarts a dead one in seconds."""

_log = structlog.get_logger(__name__)

# type, status, title; the nearest class of an error's ancestry decides.
_OF_ERRORS: dict[type[Exception], tuple[str, int, str]] = {
    NotFound: ("not-found", 404, "Not found"),
    Conflict: ("conflict", 409, "Not possible now"),
    InvalidRequest: ("invalid-request", 400, "Invalid request"),
    UnreadableDocument: ("unreadable-document", 422, "Unreadable document"),
    Unavailable: ("unavailable", 503, "A part of the platform does not answer"),
    BucketUnavailable: ("bucket-unavailable", 503, "The bucket does not answer"),
    LedgerUnavailable: ("ledger-unavailable", 503, "The ledger does not answer"),
    IndexUnavailable: ("index-unavailable", 503, "The index does not answer"),
    IndexMissing: ("index-missing", 503, "The index is being rebuilt"),
    ModelUnavailable: ("model-unavailable", 503, "The embedding model is not available"),
    TrackingUnavailable: ("tracking-unavailable", 503, "The model registry does not answer"),
    LanguageModelUnavailable: (
        "language-model-unavailable",
        503,
        "The language model does not answer",
    ),
}
_OF_STATUSES: dict[int, tuple[str, str]] = {
    400: ("invalid-request", "Invalid request"),
    403: ("cross-origin", "Refused"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    413: ("too-large", "Too large"),
    415: ("unsupported-media-type", "Unsupported media type"),
    422: ("validation-failed", "The request does not fit the contract"),
}


class ProblemResponse(Response):
    """A problem document."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        """As JSON in ASCII: what a client sent can be quoted even if it is no valid Unicode."""
        return json.dumps(content, allow_nan=False).encode()


def problem(
    kind: str,
    status: int,
    title: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> ProblemResponse:
    """A problem document as a response; ``members`` extend it."""
    return ProblemResponse(
        document(kind, status, title, detail, **members), status, headers=dict(headers or {})
    )


def document(kind: str, status: int, title: str, detail: str, **members: Any) -> dict[str, Any]:
    """A problem document's members."""
    return {
        "type": f"urn:rag:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        **members,
    }


def refusal(status: int, detail: str, headers: Mapping[str, str] | None = None) -> ProblemResponse:
    """The problem of a request that HTTP itself has a status for."""
    kind, title = _OF_STATUSES.get(status, (f"http-{status}", HTTPStatus(status).phrase))
    return problem(kind, status, title, detail, headers=headers)


def of_error(error: BaseException) -> dict[str, Any]:
    """The problem document of any exception; an unexpected one is logged and not shown."""
    for ancestor in type(error).__mro__:
        if ancestor in _OF_ERRORS:
            kind, status, title = _OF_ERRORS[ancestor]
            return document(kind, status, title, str(error))
    _log.error("unexpected error", exc_info=error)
    return document(
        "internal",
        500,
        "Unexpected error",
        "Something went wrong that should not have. The service's log says more.",
    )


def respond(error: BaseException) -> ProblemResponse:
    """The response to any exception."""
    members = of_error(error)
    headers = {"Retry-After": str(RETRY_SECONDS)} if members["status"] == 503 else {}
    return ProblemResponse(members, members["status"], headers=headers)


def install(app: FastAPI) -> None:
    """Let every error of the application leave as a problem document."""

    async def rag_error(_: Request, error: Exception) -> Response:
        return respond(error)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = error.detail
        if detail == HTTPStatus(error.status_code).phrase:  # the framework's own: no sentence
            detail = _sentence(error.status_code, request)
        elif not detail.endswith("."):
            detail += "."
        return refusal(error.status_code, detail, error.headers)

    async def validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _validation_problem(request, error.errors())

    async def gone(_: Request, error: Exception) -> Response:
        assert isinstance(error, ClientDisconnect)
        return refusal(400, "The connection ended before the request did.")

    app.add_exception_handler(RagError, rag_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(ClientDisconnect, gone)


def _sentence(status: int, request: Request) -> str:
    if status == 404:
        return f"There is nothing at {request.url.path}."
    if status == 405:
        return f"{request.method} is not possible at {request.url.path}."
    return f"{HTTPStatus(status).phrase}."


def _validation_problem(request: Request, errors: Sequence[Any]) -> Response:
    if any(item["loc"][:1] == ("body",) for item in errors) and not _says_json(request):
        return refusal(415, "Send the request's body as JSON, with Content-Type: application/json.")
    if errors and errors[0]["type"] == "json_invalid":
        return refusal(400, f"The request's body is not JSON ({errors[0]['ctx']['error']}).")
    faults = [
        {"field": ".".join(map(str, item["loc"])), "message": str(item["msg"])}
        for item in errors[:20]
    ]
    first = faults[0] if faults else {"field": "request", "message": "invalid"}
    kind, title = _OF_STATUSES[422]
    return problem(kind, 422, title, f"{first['field']}: {first['message']}.", errors=faults)


def _says_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
