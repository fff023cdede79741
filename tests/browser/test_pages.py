import re

import httpx
import sqlalchemy as sa
from playwright.sync_api import expect

from rag_platform.documents.parsed import Heading, Page, ParsedDocument
from rag_platform.errors import LedgerUnavailable
from rag_platform.ledger.tables import answers, ratings
from rag_platform.service.fakes import add_document

EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
PASSAGE = "Parental leave is 26 weeks 👶🏽 for every parent.\nIt begins on the day that you choose."
BEFORE = "".join(f"Line {n} of the rules 🧾 about other things.\n\n" for n in range(80))
RULES = f"# Rules 📏\n\n{BEFORE}## Leave\n\n{PASSAGE}\n\n## Rest\n\nNothing else."


def add_rules(site, text=RULES):
    middle = text.index("## Leave")
    document = ParsedDocument(
        text,
        title="Rules of the house",
        headings=(
            Heading(1, "Rules 📏", 0),
            Heading(2, "Leave", middle),
            Heading(2, "Rest", text.index("## Rest")),
        ),
        pages=(Page(1, 0, middle), Page(2, middle, len(text))),
        page_count=2,
    )
    add_document(site.platform, "handbook", "handbook/rules & more/100%.md", document)


def ask(page, question="When does parental leave begin for a parent?"):
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    turn = page.locator(".turn").last
    expect(turn.locator("footer, .error").locator("visible=true").first).to_be_visible()
    return turn


def stored(site, table):
    with site.platform.ledger.read() as connection:
        return connection.execute(sa.select(table)).all()


def test_a_question_is_answered_its_passage_opened_and_the_answer_rated(page, site):
    add_rules(site)
    turn = ask(page)
    expect(turn.locator(".answer")).to_contain_text("Parental leave is 26 weeks 👶🏽")
    expect(turn.locator(".notice")).to_contain_text("No language model is connected")
    source = turn.locator(".source").first
    expect(source).to_contain_text("Rules of the house")
    expect(source).to_contain_text("page 2 · Rules 📏 › Leave")

    turn.locator(".reference").first.click()
    expect(page.locator("#reader-title")).to_be_focused()
    passage = page.locator("#passage")
    expect(passage).to_be_in_viewport()
    assert passage.evaluate("mark => mark.textContent") == PASSAGE
    assert page.locator("#reader-text").evaluate("text => text.textContent") == RULES
    expect(page.locator("#reader-note")).to_be_hidden()

    page.keyboard.press("Escape")
    expect(page.locator("#reader")).to_be_hidden()
    expect(turn.locator(".reference").first).to_be_focused()

    up = turn.locator("[data-rating=up]")
    for _ in range(2):
        up.click()
        expect(turn.locator(".saved")).to_have_text("Saved")
    expect(up).to_have_attribute("aria-pressed", "true")
    (rating,) = stored(site, ratings)
    assert (rating.rating, rating.answer_id) == ("up", turn.get_attribute("data-answer"))


def test_a_source_names_the_page_and_the_heading_of_its_own_quote(page, site):
    quote = "Quiet dogs and their friends are welcome on Fridays."
    text = f"## Cars\n- parked behind the house\n## Dogs\n{quote}"
    dogs = text.index("## Dogs")
    document = ParsedDocument(
        text,
        title="House",
        headings=(Heading(2, "Cars", 0), Heading(2, "Dogs", dogs)),
        pages=(Page(1, 0, dogs), Page(2, dogs, len(text))),
    )
    add_document(site.platform, "handbook", "handbook/house.md", document)
    turn = ask(page, "When are dogs welcome?")
    source = turn.locator(".source").first
    expect(source.locator(".quote")).to_have_text(quote)
    expect(source.locator(".place")).to_have_text("page 2 · Dogs")
    turn.locator(".reference").first.click()
    expect(page.locator("#passage .quoted")).to_have_text(quote)


def test_a_thumb_down_asks_why_and_keeps_the_comment(page, site):
    add_rules(site)
    turn = ask(page)
    turn.locator("[data-rating=down]").click()
    turn.locator("[name=comment]").fill("It is 28 weeks now.")
    turn.locator("[name=comment]").press("Enter")
    expect(turn.locator(".saved")).to_have_text("Saved, thank you")
    (rating,) = stored(site, ratings)
    assert (rating.rating, rating.comment) == ("down", "It is 28 weeks now.")

    turn.locator("[data-rating=down]").click()
    expect(turn.locator(".saved")).to_have_text("Saved, thank you")
    assert stored(site, ratings) == [rating]


def test_the_keyboard_alone_asks_and_shift_makes_a_line(page, site):
    add_rules(site)
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type("When does parental leave")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("begin for a parent?")
    assert page.locator("#question").input_value().count("\n") == 1
    page.keyboard.press("Enter")
    expect(page.locator(".turn .answer")).to_contain_text("26 weeks")
    expect(page.locator("#announcer")).to_contain_text("The answer is complete.")


def test_an_answer_arrives_while_it_is_written_and_can_be_stopped(page, site, eventually):
    add_rules(site)
    model = site.platform.language_models.model
    model.may_go_on.clear()
    page.locator("#question").fill("When does parental leave begin for a parent?")
    page.locator("#ask").click()
    answer = page.locator(".turn .answer")
    expect(answer).to_have_text("Parental")
    page.locator("#stop").click()
    expect(page.locator(".turn .notice")).to_contain_text("Stopped")
    eventually(lambda: "rag_answers_abandoned_total 1" in httpx.get(f"{site.url}/metrics").text)
    model.may_go_on.set()
    expect(page.locator("#ask")).to_be_visible()
    eventually(lambda: stored(site, answers))
    assert stored(site, answers)[0].status == "incomplete"


def test_an_abstained_answer_says_so_without_sources(page, site):
    add_rules(site)
    turn = ask(page, "What colour is the moon?")
    expect(turn).to_have_attribute("data-status", "abstained")
    expect(turn.locator(".answer")).to_contain_text("Nothing relevant")
    expect(turn.locator(".sources")).to_be_hidden()


def test_an_error_is_shown_as_a_sentence(page, site):
    add_rules(site)
    site.platform.language_models.model.failure = ZeroDivisionError("secret")
    turn = ask(page)
    expect(turn.locator(".error")).to_contain_text("Something went wrong")
    assert "secret" not in turn.inner_text()


def test_a_question_is_asked_again_when_the_service_is_back(page, site):
    add_rules(site)
    page.context.set_offline(True)
    turn = ask(page)
    expect(turn.locator(".error")).to_have_text(
        "The service does not answer. Check that it is running, then try again."
    )
    page.context.set_offline(False)
    search, answering = site.platform.search, site.platform.answering

    def away(*_):
        raise LedgerUnavailable("The ledger does not answer.")

    answering._search = away
    turn.locator(".retry").click()
    expect(turn.locator(".error")).to_have_text("The ledger does not answer.")
    answering._search = search
    turn.locator(".retry").click()
    expect(turn.locator(".answer")).to_contain_text("26 weeks")
    expect(turn.locator(".error")).to_be_hidden()
    expect(turn.locator(".retry")).to_be_hidden()
    expect(page.locator(".turn")).to_have_count(1)
    page.complaints[:] = [
        text for text in page.complaints if "503" not in text and "DISCONNECTED" not in text
    ]


def test_a_refused_question_is_not_offered_again(page, site):
    add_rules(site)
    site.platform.settings.chat.max_question_characters = 5
    turn = ask(page)
    expect(turn.locator(".error")).to_contain_text("longer than 5 characters")
    expect(turn.locator(".retry")).to_be_hidden()
    page.complaints[:] = [text for text in page.complaints if "400" not in text]


def test_a_passage_is_found_again_in_a_document_that_has_changed(page, site):
    add_rules(site)
    turn = ask(page)
    add_rules(site, RULES.replace("# Rules 📏", "# Rules 📏\n\nA new first paragraph."))
    turn.locator(".source").first.click()
    expect(page.locator("#reader-note")).to_contain_text("has changed")
    assert page.locator("#passage").evaluate("mark => mark.textContent") == PASSAGE
    add_rules(site, RULES.replace("on the day that you choose", "at once"))
    turn.locator(".source").first.click()
    expect(page.locator("#passage")).to_have_text(
        "Parental leave is 26 weeks 👶🏽 for every parent."
    )
    add_rules(site, RULES.replace("Parental leave", "A holiday"))
    turn.locator(".source").first.click()
    expect(page.locator("#reader-note")).to_contain_text("not in it any more")
    expect(page.locator("#passage")).to_have_count(0)


def test_a_passage_of_a_deleted_document_shows_what_was_quoted(page, site):
    add_rules(site)
    turn = ask(page)
    page.goto(f"{site.url}/documents")
    page.locator(".delete").click()
    page.locator("dialog .danger").click()
    expect(page.locator("#empty")).to_be_visible()
    page.go_back()
    add_rules(site)
    turn = ask(page)
    path = "/v1/collections/handbook/documents/handbook/rules%20%26%20more/100%25.md"
    assert page.request.delete(site.url + path).status == 204
    turn.locator(".source").first.click()
    expect(page.locator("#reader-note")).to_contain_text("not there any more")
    expect(page.locator("#reader-text mark")).to_contain_text("Parental leave is 26 weeks")
    page.complaints[:] = [text for text in page.complaints if "404" not in text]


def test_a_file_is_uploaded_listed_and_deleted(page, site):
    page.goto(f"{site.url}/documents")
    expect(page.locator("#empty")).to_contain_text("No documents yet")
    page.locator("#files").set_input_files(
        [{"name": "notes ü 100%#.md", "mimeType": "text/markdown", "buffer": b"# Notes"}]
    )
    page.locator("#into").fill("Räte 2")
    page.locator("#send").click()
    row = page.locator("#rows tr")
    expect(row.locator(".key")).to_have_text("Räte 2/notes ü 100%#.md")
    expect(row.locator(".badge")).to_have_text("pending")
    assert (site.bucket / "Räte 2" / "notes ü 100%#.md").read_bytes() == b"# Notes"

    row.locator(".delete").click()
    page.locator("dialog menu button").first.click()  # keep it
    expect(row).to_be_visible()
    row.locator(".delete").click()
    page.locator("dialog .danger").click()
    expect(row).to_have_count(0)
    assert not (site.bucket / "Räte 2" / "notes ü 100%#.md").exists()


def test_the_list_follows_what_ingestion_does_without_a_reload(page, site):
    page.goto(f"{site.url}/documents")
    expect(page.locator("#empty")).to_be_visible()
    add_rules(site)
    expect(page.locator("#rows .badge")).to_have_text("indexed", timeout=20_000)
    expect(page.locator("#counts")).to_have_text("1 indexed")


def test_a_long_list_is_shown_in_pages(page, site):
    for n in range(103):
        add_document(site.platform, "many", f"many/{n:03}.md", ParsedDocument(f"Text {n}"))
    page.goto(f"{site.url}/documents")
    expect(page.locator("#rows tr")).to_have_count(100)
    page.locator("#more").click()
    expect(page.locator("#rows tr")).to_have_count(103)
    expect(page.locator("#more")).to_be_hidden()


def test_a_refused_upload_says_why(page, site):
    page.goto(f"{site.url}/documents")
    page.locator("#files").set_input_files(
        [
            {"name": "large.md", "mimeType": "text/markdown", "buffer": b"x" * 1_100_000},
            {"name": ".hidden", "mimeType": "text/plain", "buffer": b"x"},
        ]
    )
    page.locator("#send").click()
    expect(page.locator("#outcomes li").first).to_contain_text("larger than 1 MB")
    expect(page.locator("#outcomes li").last).to_contain_text("temporary or hidden")
    assert list(site.bucket.rglob("*")) == []
    page.complaints[:] = [text for text in page.complaints if "400" not in text]


def test_nothing_that_a_document_or_a_person_says_is_executed(page, site):
    text = f"{EVIL} Parental leave {EVIL} is 26 weeks."
    document = ParsedDocument(text, title=EVIL, headings=(Heading(1, EVIL, 0),))
    name = EVIL.replace("/", "")
    add_document(site.platform, f"c{name}", f"c{name}/{name}.md", document)
    page.reload()
    turn = ask(page, f"{EVIL} parental leave weeks?")
    expect(turn.locator(".question")).to_contain_text("<img src=x")
    expect(turn.locator(".answer")).to_contain_text("<script>")
    expect(turn.locator(".source .title")).to_have_text(EVIL)
    turn.locator(".source").first.click()
    expect(page.locator("#reader-title")).to_have_text(EVIL)
    assert page.locator("#passage").evaluate("mark => mark.textContent") == text
    page.goto(f"{site.url}/documents")
    expect(page.locator("#rows .title")).to_have_text(EVIL)
    page.locator(".delete").click()
    expect(page.locator("#confirm-name")).to_contain_text("<img src=x")
    page.locator("dialog .danger").click()
    expect(page.locator("#rows tr")).to_have_count(0)
    assert page.locator("img[src=x]").count() == 0


def test_the_pages_fit_small_screens(page, site):
    add_rules(site)
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        page.goto(site.url)
        turn = ask(page)
        fits = "document.documentElement.scrollWidth <= innerWidth"
        assert page.evaluate(fits)
        turn.locator(".source").first.click()
        expect(page.locator("#passage")).to_be_in_viewport()
        assert page.evaluate(fits)
        page.goto(f"{site.url}/documents")
        expect(page.locator("#rows tr")).to_be_visible()
        assert page.evaluate(fits)


def test_the_header_leads_to_the_other_interfaces(page, site):
    settings = site.platform.settings
    for name, port in (("Dagster", settings.dagster.port), ("MLflow", settings.mlflow.port)):
        link = page.get_by_role("link", name=re.compile(name))
        expect(link).to_have_attribute("href", f"http://127.0.0.1:{port}")
