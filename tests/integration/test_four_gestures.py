"""What a person does, in a real browser on the running stack."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.stack import Stack


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Page:
    """A page that fails its test if it asks another host for anything or complains."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    host = urlsplit(stack.url).netloc
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: urlsplit(request.url).netloc == host or complaints.append(request.url),
    )
    yield page
    context.close()
    assert complaints == []


def test_a_person_uploads_asks_opens_the_passage_rates_and_deletes(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "sauna.md"
    file.write_text("# Sauna\n\nThe sauna is heated on Thursdays from five in the afternoon.\n")
    page.goto(f"{stack.url}/documents")
    page.locator("#files").set_input_files(file)
    page.locator("#into").fill("club")
    page.locator("#send").click()
    row = page.locator("#rows tr", has_text="club/sauna.md")
    expect(row.locator(".badge")).to_have_text("indexed", timeout=60_000)

    page.goto(stack.url)
    page.locator("#question").fill("When is the sauna heated?")
    page.locator("#question").press("Enter")
    turn = page.locator(".turn").last
    expect(turn.locator(".answer")).to_contain_text("Thursdays", timeout=30_000)
    expect(turn.locator(".notice")).to_contain_text("No language model is connected")
    turn.locator(".source").first.click()
    expect(page.locator("#reader-title")).to_contain_text("Sauna")
    expect(page.locator("#passage")).to_contain_text("Thursdays from five")
    with page.expect_response(re.compile("/rating$")) as said:
        turn.locator("[data-rating=up]").click()
    assert said.value.status == httpx.codes.OK
    answer = said.value.url.split("/")[-2]
    ratings = stack.http.get(f"/v1/answers/{answer}").json()["ratings"]
    assert [rating["rating"] for rating in ratings] == ["up"]

    page.goto(f"{stack.url}/documents")
    row.locator(".delete").click()
    page.locator("dialog .danger").click()
    expect(row).to_have_count(0)
    assert not (stack.bucket / "club" / "sauna.md").exists()


def test_the_dagster_page_shows_the_assets(browser: Browser, stack: Stack) -> None:
    stack.wait_for("handbook/adding-documents.md", "indexed")
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(
        f"http://127.0.0.1:{stack.dagster_port}/locations/rag_platform/asset-groups/ingestion"
    )
    for asset in ("documents", "chunks", "embeddings", "search_index"):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible(timeout=60_000)
    page.close()
