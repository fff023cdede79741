"""A real browser on the real pages, over a real ledger and bucket."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from rag_platform.service.app import create_app
from rag_platform.service.fakes import offline_platform, served
from rag_platform.settings import Settings


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A running service: ``url``, ``platform``, and the folder of the ``bucket``."""
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    settings = Settings.load()
    settings.platform.home = tmp_path / "home"
    settings.platform.bucket = bucket.as_uri()
    settings.platform.ledger_url = settings.platform.object_store = ""
    settings.chat.max_upload_megabytes = 1
    platform = offline_platform(settings)
    with served(create_app(platform)) as url:
        yield SimpleNamespace(url=url, platform=platform, bucket=bucket)
    platform.close()


@pytest.fixture
def page(browser: Browser, site: SimpleNamespace) -> Iterator[Page]:
    """A page that fails its test if anything executes, leaves the host or lands in the console.

    A test that provokes an error response empties ``page.complaints`` itself.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(20_000)
    complaints: list[str] = []
    page.complaints = complaints  # type: ignore[attr-defined]
    host = urlsplit(site.url).netloc
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (complaints.append("a dialog"), dialog.dismiss()))
    page.on(
        "request",
        lambda request: urlsplit(request.url).netloc == host or complaints.append(request.url),
    )
    page.goto(site.url)
    yield page
    context.close()
    assert complaints == []
