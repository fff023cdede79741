"""Every gesture of the documents page beside upload and deletion."""

import hashlib
from datetime import UTC, datetime

import sqlalchemy as sa
from playwright.sync_api import expect

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.documents import known_document
from rag_platform.ledger.tables import contents
from rag_platform.ledger.transitions import announce, publish, quarantine, set_content
from rag_platform.service.fakes import add_document


def add(site, key, text="Some words.", **members):
    collection = key.split("/")[0]
    add_document(site.platform, collection, key, ParsedDocument(text, **members))
    path = site.bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def set_aside(site, key, reason):
    with site.platform.ledger.write() as connection:
        collection_id, document = known_document(connection, key.split("/")[0], key)
        quarantine(connection, collection_id, [document.id], reason)


def test_a_document_is_found_by_its_name_or_title(page, site):
    add(site, "club/sauna.md", title="Hours of the sauna")
    add(site, "club/rules.md", title="Rules")
    page.goto(f"{site.url}/documents")
    expect(page.locator("#rows tr")).to_have_count(2)
    page.get_by_label("Search").press_sequentially("SAUNA hou")
    expect(page.locator("#rows .title")).to_have_text(["Hours of the sauna"])
    page.get_by_label("Search").fill("nothing like it")
    expect(page.locator("#empty")).to_have_text("No document fits this choice.")
    page.get_by_label("Search").fill("")
    expect(page.locator("#rows tr")).to_have_count(2)


def test_a_document_that_could_not_be_read_says_why_and_is_tried_again_by_keyboard(page, site):
    add(site, "club/slow.md")
    add(site, "club/rules.md")
    set_aside(site, "club/slow.md", "It took longer than 60 s to read.")
    page.goto(f"{site.url}/documents")
    page.get_by_label("State").select_option("quarantined")
    row = page.locator("#rows tr")
    expect(row).to_have_count(1)
    expect(row.locator(".reason")).to_have_text("It took longer than 60 s to read.")
    page.get_by_label("State").select_option("")
    again = page.get_by_role("button", name="Read slow.md again")
    again.focus()
    page.keyboard.press("Enter")
    expect(again).to_be_hidden()
    expect(page.locator("[data-key='club/slow.md'] .badge")).to_have_text("pending")
    expect(page.locator("[data-key='club/rules.md'] .retry")).to_be_hidden()


def test_a_retry_that_is_refused_says_so_until_the_next_action(page, site):
    add(site, "club/slow.md")
    set_aside(site, "club/slow.md", "It took too long.")
    page.goto(f"{site.url}/documents")
    again = page.get_by_role("button", name="Read slow.md again")
    expect(again).to_be_visible()
    refused = "**/retry"
    page.route(refused, lambda route: route.fulfill(status=409, json={"detail": "Not now."}))
    again.click()
    expect(page.locator("#error")).to_have_text("Not now.")
    page.get_by_label("State").select_option("quarantined")
    expect(page.locator("#error")).to_have_text("Not now.")
    page.unroute(refused)
    again.click()
    expect(page.locator("#error")).to_be_hidden()
    page.complaints[:] = [text for text in page.complaints if "409" not in text]


def test_the_original_is_downloaded_under_its_own_name(page, site):
    add(site, "club/Räte & <b>50%.html", "<script>alert(1)</script>")
    page.goto(f"{site.url}/documents")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    saved = downloading.value.path().read_text()
    assert saved == "<script>alert(1)</script>"
    assert downloading.value.suggested_filename in (
        "Räte & <b>50%.html",
        "Räte & _b_50%.html",  # Chromium never writes angle brackets to a disk
    )


def test_notes_language_and_words_are_shown_as_text(page, site):
    note = "Page 2 is a picture <b>without</b> text."
    add(site, "club/plan.md", "Die Sauna ist heiß.", language="de", notes=(note, "It was cut."))
    page.goto(f"{site.url}/documents")
    row = page.locator("#rows tr")
    expect(row.locator(".about")).to_have_text("German · 4 words")
    expect(row.locator(".notes li").first).to_be_hidden()
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(row.locator(".notes li")).to_have_text([note, "It was cut."])
    expect(row.locator(".notes li").first).to_be_visible()


def test_what_comes_in_is_counted_while_it_does(page, site):
    add(site, "club/rules.md")
    page.goto(f"{site.url}/documents")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#progress")).to_be_hidden()
    with site.platform.ledger.write() as connection:
        club = ensure_collection(connection, "club").id
        announce(connection, club, {f"club/{n}.md": 1 for n in range(3)}, datetime.now(UTC))
        content = known_document(connection, "club", "club/rules.md")[1].content_id
        first = known_document(connection, "club", "club/0.md")[1].id
        set_content(connection, club, first, content_id=content, fingerprint="1", size=1)
    sentence = page.locator("#progress-sentence")
    expect(sentence).to_have_text(
        "3 documents are coming in: 2 to be read, 1 being indexed (0 of 1 passages done)",
        timeout=20_000,
    )
    expect(page.locator("#progress-names")).to_have_text("0.md")
    with site.platform.ledger.write() as connection:
        publish(connection, club, [content])
    expect(sentence).to_have_text("2 documents are coming in: 2 to be read")
    assert page.locator("#progress-bar").evaluate("bar => [bar.value, bar.max]") == [1, 3]
    for n in (1, 2):
        set_aside(site, f"club/{n}.md", "It is empty.")
    expect(page.locator("#progress")).to_be_hidden()


def upload(page, name, data):
    page.locator("#files").set_input_files(
        [{"name": name, "mimeType": "text/markdown", "buffer": data}]
    )
    page.locator("#into").fill("club")
    page.locator("#send").click()


def read_here(site, key, **members):
    """What a run makes of an uploaded file: its text, or the reason that ``quarantine`` takes."""
    data = (site.bucket / key).read_bytes()
    add(site, key, data.decode(), **members)
    with site.platform.ledger.write() as connection:
        _, document = known_document(connection, "club", key)
        connection.execute(
            sa.update(contents)
            .where(contents.c.id == document.content_id)
            .values(sha256=hashlib.sha256(data).hexdigest())
        )


def test_an_upload_is_followed_until_it_is_indexed(page, site):
    page.goto(f"{site.url}/documents")
    upload(page, "sauna.md", b"The sauna is hot.")
    outcome = page.locator("#outcomes li")
    expect(outcome).to_have_text("sauna.md is uploaded and will be indexed in seconds.")
    read_here(site, "club/sauna.md")
    expect(outcome).to_have_text("sauna.md is indexed.")
    # Another text under the same name: what was said of the one before it does not count.
    upload(page, "sauna.md", b"The sauna is cold.")
    expect(outcome).to_have_text("sauna.md is uploaded and will be indexed in seconds.")
    expect(page.locator("#rows .badge")).to_have_text("indexed")
    page.wait_for_load_state("networkidle")
    expect(outcome).to_have_text("sauna.md is uploaded and will be indexed in seconds.")
    read_here(site, "club/sauna.md")
    expect(outcome).to_have_text("sauna.md is indexed.")


def test_an_upload_that_cannot_be_read_says_why_where_it_was_uploaded(page, site):
    page.goto(f"{site.url}/documents")
    upload(page, "<b>.md", b"x")
    outcome = page.locator("#outcomes li")
    expect(outcome).to_contain_text("will be indexed")
    set_aside(site, "club/<b>.md", "The file has no text.")
    expect(outcome).to_have_text("<b>.md: cannot be indexed. The file has no text.")
    expect(outcome).to_have_class("failed")


def test_what_a_document_says_of_itself_is_shown(page, site):
    add(
        site,
        "club/plan.md",
        "Die Sauna ist heiß.",
        author="Åsa <b>Räty",
        language="de",
        created=datetime(2019, 5, 3, 12, tzinfo=UTC),
        modified=datetime(2024, 6, 4, 12, tzinfo=UTC),
    )
    page.goto(f"{site.url}/documents")
    expect(page.locator("#rows .about")).to_have_text(
        "Åsa <b>Räty · German · 4 words · dated Jun 4, 2024"
    )


def test_sizes_are_shown_in_the_unit_of_the_limits(page, site):
    page.goto(f"{site.url}/documents")
    sizes = [0, 1023, 1024, 1536, 10 * 1024, 1024**2 - 1, 1024**2, 200 * 1024**2]
    shown = page.evaluate(
        "async sizes => { const m = await import('/static/formats.js'); return sizes.map(m.size) }",
        sizes,
    )
    assert shown == ["0 B", "1023 B", "1.0 kB", "1.5 kB", "10 kB", "1.0 MB", "1.0 MB", "200 MB"]


def test_names_that_do_not_change_give_way_to_what_the_documents_wait_for(page, site, free_port):
    site.platform.settings.dagster.url = f"http://127.0.0.1:{free_port()}"
    add(site, "club/rules.md")
    with site.platform.ledger.write() as connection:
        club = ensure_collection(connection, "club").id
        announce(connection, club, {f"club/{n}.md": 1 for n in range(3)}, datetime.now(UTC))
        content = known_document(connection, "club", "club/rules.md")[1].content_id
        first = known_document(connection, "club", "club/0.md")[1].id
        set_content(connection, club, first, content_id=content, fingerprint="1", size=1)
    page.goto(f"{site.url}/documents")
    expect(page.locator("#progress-names")).to_have_text("0.md")
    expect(page.locator("#progress-why")).to_be_hidden()
    expect(page.locator("#progress-why")).to_contain_text("Dagster, whose runs", timeout=30_000)
    expect(page.locator("#progress-names")).to_be_hidden()
    expect(page.locator("#progress-sentence")).to_be_visible()


def test_a_page_that_nobody_sees_asks_nothing(page, site):
    add(site, "club/rules.md")
    page.goto(f"{site.url}/documents")
    expect(page.locator("#rows tr")).to_have_count(1)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    hide = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s});"
    page.evaluate(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_load_state("networkidle")
    asked.clear()
    page.wait_for_timeout(6000)  # longer than the page ever waits: nothing is to happen
    assert asked == []
    page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert asked


def test_the_page_fits_a_telephone(page, site):
    add(site, "club/" + "a very long name of a document " * 4 + ".md", notes=("A note.",))
    set_aside_key = "club/" + "unbroken" * 12 + ".md"
    add(site, set_aside_key)
    set_aside(site, set_aside_key, "It took longer than 60 s to read.")
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{site.url}/documents")
    expect(page.locator("#rows tr")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_names_of_any_length_and_script_stay_on_the_page_and_look_like_themselves(page, site):
    with site.platform.ledger.write() as connection:
        club = ensure_collection(connection, "club").id
    names = {
        "club/" + "n" * 247 + "1.md": "n1.md",
        "club/safe\u202efdp.exe.md": "safe�fdp.exe.md",
        "club/line\nbreak\x01.md": "line�break�.md",
        "club/תקנון הבית.md": "תקנון הבית.md",
    }
    for key in names:
        add(site, key)
        with site.platform.ledger.write() as connection:
            content = known_document(connection, "club", key)[1].content_id
            coming = f"{key}.txt"
            announce(connection, club, {coming: 1}, datetime.now(UTC))
            set_content(
                connection,
                club,
                known_document(connection, "club", coming)[1].id,
                content_id=content,
                fingerprint="1",
                size=1,
            )
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{site.url}/documents")
        expect(page.locator("#rows tr")).to_have_count(8)
        expect(page.locator("#progress-names bdi")).to_have_count(4)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    for shown in names.values():
        row = page.locator("#rows tr").filter(has=page.locator(f".key:text('{shown}')")).first
        expect(row.locator(".key")).to_contain_text(shown)
    long = page.locator("#rows .title").filter(has_text="nnn").first
    expect(long).to_contain_text("…")
    expect(long).to_have_attribute("title", "n" * 247 + "1.md")
