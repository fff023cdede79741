"""The service on a real port, over a real ledger and bucket; only servers and models are fakes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from rag_platform.documents.parsed import Heading, Page, ParsedDocument
from rag_platform.service.app import create_app
from rag_platform.service.fakes import QuotingModel, add_document, offline_platform, served
from rag_platform.settings import Settings
from rag_platform.wiring import Platform

LEAVE = """# Leave

Parental leave is 26 weeks 👶🏽. It begins on the day that you choose.

## Holidays

Holidays are 30 days a year."""


@dataclass
class Service:
    """A running service, its platform, and a client of it."""

    url: str
    platform: Platform
    client: httpx.Client
    bucket: Path

    @property
    def model(self) -> QuotingModel:
        return self.platform.language_models.model  # the fake's

    def add(self, collection: str, key: str, text: str, title: str | None = None) -> None:
        add_document(self.platform, collection, key, ParsedDocument(text, title=title))

    def ask(self, question: str = "How long is parental leave?", **members: object) -> dict:
        response = self.client.post("/v1/chat", json={"question": question, **members})
        assert response.status_code == 200, response.text
        return response.json()


def start(home: Path) -> Iterator[Service]:
    bucket = home / "bucket"
    bucket.mkdir()
    settings = Settings.load()
    settings.platform.home = home / "home"
    settings.platform.bucket = bucket.as_uri()
    settings.platform.ledger_url = settings.platform.object_store = ""
    settings.platform.host = "127.0.0.1"
    settings.chat.max_upload_megabytes = 1
    platform = offline_platform(settings)
    add_document(
        platform,
        "handbook",
        "handbook/leave.md",
        ParsedDocument(
            LEAVE,
            title="Leave",
            headings=(Heading(1, "Leave", 0), Heading(2, "Holidays", LEAVE.index("##"))),
            pages=(Page(1, 0, len(LEAVE)),),
        ),
    )
    with served(create_app(platform)) as url, httpx.Client(base_url=url, timeout=30) as client:
        while client.get("/readyz").status_code != 200:
            pass  # the warm-up thread needs a moment; the test's own timeout bounds this
        yield Service(url, platform, client, bucket)
    platform.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    yield from start(tmp_path)


@pytest.fixture(scope="module")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all tests of a module that change nothing."""
    yield from start(tmp_path_factory.mktemp("service"))
