"""The pages."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import jinja2
from fastapi import APIRouter, Cookie
from fastapi.responses import HTMLResponse

from rag_platform import EXAMPLE_QUESTION
from rag_platform.service.context import CurrentPlatform
from rag_platform.service.raters import introduce
from rag_platform.settings import Settings

router = APIRouter(include_in_schema=False)

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@router.get("/")
async def chat_page(
    platform: CurrentPlatform, rag_rater: Annotated[str | None, Cookie()] = None
) -> HTMLResponse:
    """Ask, read, check the passages, rate."""
    settings = platform.settings
    page = _render(
        "chat.html",
        settings,
        example=EXAMPLE_QUESTION,
        max_characters=settings.chat.max_question_characters,
    )
    introduce(page, rag_rater)
    return page


@router.get("/documents")
async def documents_page(platform: CurrentPlatform) -> HTMLResponse:
    """Upload, watch, delete."""
    settings = platform.settings
    return _render("documents.html", settings, max_megabytes=settings.chat.max_upload_megabytes)


def _render(template: str, settings: Settings, **values: Any) -> HTMLResponse:
    return HTMLResponse(
        _templates.get_template(template).render(
            dagster_url=_without_credentials(settings.dagster_url),
            mlflow_url=_without_credentials(settings.mlflow_url),
            **values,
        )
    )


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
