"""Whether the service lives, whether it can answer, and its counters."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from rag_platform.errors import LedgerUnavailable, Unavailable
from rag_platform.ledger.collections import count_by_state
from rag_platform.ledger.serving import current_serving
from rag_platform.service.context import CurrentMetrics, CurrentPlatform
from rag_platform.service.warmth import Warmth

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(request: Request, platform: CurrentPlatform) -> dict[str, str]:
    """Questions can be answered: the model is loaded, and the ledger and the index answer."""
    warmth: Warmth = request.app.state.warmth
    if not warmth.is_warm:
        raise Unavailable("The service is still warming up.", warmth.reason)
    with platform.ledger.read() as connection:
        current_serving(connection)
    platform.chroma.heartbeat()
    return {"status": "ready"}


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(platform: CurrentPlatform, metrics: CurrentMetrics) -> PlainTextResponse:
    """Counters for Prometheus; those of the process are there even if the ledger is not."""
    try:
        with platform.ledger.read() as connection:
            documents = count_by_state(connection)
    except LedgerUnavailable:
        documents = None
    return PlainTextResponse(
        metrics.render(documents), media_type="text/plain; version=0.0.4; charset=utf-8"
    )
