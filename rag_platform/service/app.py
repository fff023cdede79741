"""The application: ``uvicorn rag_platform.service.app:create_app --factory``."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

from rag_platform.service import problems
from rag_platform.service.guard import Guard
from rag_platform.service.lane import FastLane
from rag_platform.service.metrics import Metrics
from rag_platform.service.reporting import DagsterReporter, Reporting
from rag_platform.service.routes import answers, chat, documents, health, pages, search
from rag_platform.service.standing import Standing
from rag_platform.service.warmth import Warmth
from rag_platform.settings import Settings
from rag_platform.wiring import Platform


def create_app(platform: Platform | None = None) -> FastAPI:
    """The service over a platform, or over the one that the environment describes."""
    _log_to_stderr()
    owned = platform is None
    platform = platform or Platform(Settings.load())
    settings = platform.settings
    metrics = Metrics()
    warmth = Warmth(lambda: platform.search.warm_up())

    lane = FastLane(platform, Reporting(platform, DagsterReporter(settings.dagster_url)))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        warmth.start()
        lane.start()
        yield
        warmth.stop()
        lane.stop()
        if owned:
            platform.close()

    app = FastAPI(
        title="RAG platform",
        lifespan=lifespan,
        # The pages of the interactive documentation load scripts from another host.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.platform, app.state.metrics, app.state.warmth = platform, metrics, warmth
    app.state.lane, app.state.standing = lane, Standing(settings, lane)
    problems.install(app)
    for routes in (health, documents, search, chat, answers, pages):
        app.include_router(routes.router)
    app.mount("/static", _Static(directory=Path(__file__).parent / "static"), name="static")
    app.add_middleware(
        Guard,
        metrics=metrics,
        host=settings.platform.host,
        max_upload_megabytes=settings.chat.max_upload_megabytes,
    )
    return app


class _Static(StaticFiles):
    """Files that a browser asks about every time: after an update no page is half old."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _log_to_stderr() -> None:
    if structlog.is_configured():
        return

    def logger(*_: Any) -> Any:
        return structlog.WriteLogger(sys.stderr)

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            # The default shows every frame's variables: questions and texts do not belong in a log.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=logger,
        cache_logger_on_first_use=False,
    )
