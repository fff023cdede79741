"""What a route gets from the application."""

from typing import Annotated

from fastapi import Depends, Request

from rag_platform.service.lane import FastLane
from rag_platform.service.metrics import Metrics
from rag_platform.service.standing import Standing
from rag_platform.wiring import Platform

# Coroutines: FastAPI calls a plain function in a thread, which costs more than it does.


async def _platform(request: Request) -> Platform:
    return request.app.state.platform


async def _lane(request: Request) -> FastLane:
    return request.app.state.lane


async def _standing(request: Request) -> Standing:
    return request.app.state.standing


async def _metrics(request: Request) -> Metrics:
    return request.app.state.metrics


CurrentPlatform = Annotated[Platform, Depends(_platform)]
CurrentLane = Annotated[FastLane, Depends(_lane)]
CurrentStanding = Annotated[Standing, Depends(_standing)]
CurrentMetrics = Annotated[Metrics, Depends(_metrics)]
