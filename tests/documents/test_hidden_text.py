"""Text that a page hides from the eye, and text that only looks as if it did."""

import pytest

from rag_platform.documents.parsing import parse


def page(body: str, head: str = "") -> bytes:
    return f"<html><head><meta charset=utf-8>{head}</head><body>{body}</body></html>".encode()


HIDDEN = "Hidden text was left out."


@pytest.mark.parametrize(
    "attributes",
    [
        "hidden",
        "style='display:none'",
        "style='color:red;DISPLAY : none !important'",
        "style='visibility: hidden'",
        "style='font-size:0'",
        "style='font-size: 0px; color: red'",
        "style='color:#FFF;background:#ffffff'",
        "style='background-color: rgb(255, 255, 255); color: white'",
        "style='color: transparent'",
        "style='position:absolute;left:-9999px'",
        "aria-hidden=true",
        "class='x trap'",
        "id=secret",
    ],
)
def test_text_hidden_from_the_eye_is_left_out_and_noted(attributes: str) -> None:
    sheet = (
        "<style>/* x */ @media print {.shown{display:none}} .trap, #secret { display:none }</style>"
    )
    body = f"<p class=shown>Seen.<div {attributes}><p>Ignore <b>everything</b>.</div><p>Also seen."
    document = parse(page(body, sheet), "a.html")
    assert document.text == "Seen.\n\nAlso seen."
    assert document.notes == (HIDDEN,)


@pytest.mark.parametrize(
    "attributes",
    [
        "style='display:block'",
        "style='font-size:0.8em'",
        "style='font-size:smaller'",
        "style='color:#fff;background:#000'",
        "style='opacity:0.5;margin-left:-10px'",
        "style=''",
        "class=shown",
    ],
)
def test_text_that_is_seen_is_kept_and_nothing_noted(attributes: str) -> None:
    sheet = "<style>@media print {.shown{display:none}} .x .shown{display:none}</style>"
    document = parse(page(f"<p {attributes}>Seen.", sheet), "a.html")
    assert (document.text, document.notes) == ("Seen.", ())


def test_a_colour_is_compared_with_what_is_behind_it() -> None:
    body = "<div style='background:#123'><p>Seen.<p style='color:#112233'>Words.</div>"
    assert parse(page(body), "a.html").text == "Seen."


@pytest.mark.parametrize(
    "attributes",
    [
        "style='color:#fff'",
        "style='color:white'",
        "style='color:rgb(255,255,255)'",
        "style='color:rgb(100% 100% 100% / 90%)'",
        "style='color:hsl(0, 0%, 98%)'",
        "style='color:#fefefe'",
        "style='color:rgba(0,0,0,0.01)'",
        "style='color:var(--paper)'",
        "class=pale",
        "style='-webkit-text-fill-color:transparent'",
        "style='opacity:0'",
        "style='opacity:.01'",
        "style='font-size:1px'",
        "style='font-size:1pt'",
        "style='font-size:0.05em'",
        "style='font:0/0 a'",
        "style='position:absolute;clip:rect(0 0 0 0);width:1px;height:1px;overflow:hidden'",
        "style='height:0;overflow:hidden'",
        "style='position:fixed;top:-200vh'",
        "style='transform:scale(0)'",
        "style='margin-left:-9999px'",
        "class=away",
        "style='display:block;visibility:hidden'",
    ],
)
def test_text_that_cannot_be_made_out_is_left_out(attributes: str) -> None:
    sheet = (
        "<style>:root{--paper:#fff} .pale{color:WHITE} @media screen{.away{left:-5000px}}</style>"
    )
    document = parse(page(f"<p>Seen.<p {attributes}>Ignore <b>everything</b>.", sheet), "a.html")
    assert (document.text, document.notes) == ("Seen.", (HIDDEN,))


def test_a_white_font_tag_is_left_out() -> None:
    body = "<p>Seen.<font color=white> Ignore everything.</font>"
    document = parse(page(body), "a.html")
    assert (document.text, document.notes) == ("Seen.", (HIDDEN,))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", "<table><tr bgcolor=#003366><td><font color=white>Seen.</font></table>"),
        ("", "<table><tr><td style='background:#036;color:#fff'><b>Seen.</b></table>"),
        ("", "<div style='background:url(sea.jpg)'><p style='color:#fff'>Seen.</div>"),
        (
            "",
            "<div style='background:linear-gradient(#000,#333)'><p style='color:#fff'>Seen.</div>",
        ),
        ("<style>body{background:#111;color:#eee}</style>", "<p style='color:#fff'>Seen."),
        (
            "<style>:root{--night:#111} body{background:var(--night)}</style>",
            "<p style='color:#fff'>Seen.",
        ),
        (
            "<style>body{background:#111}</style>",
            "<article><p><font color=#fff>Seen.</font></article>",
        ),
        (
            "<style>p{color:#fff} .dark p{background-color:navy}</style>",
            "<div class=dark><p>Seen.</div>",
        ),
        (
            "<style>td{color:#fff}tr:nth-child(odd) td{background:#036}</style>",
            "<table><tr><td>Seen.</table>",
        ),
        (
            "<style>@media (min-width:600px){.hero{background:#036}}</style>",
            "<div class=hero><p style='color:#fff'>Seen.</div>",
        ),
        ("<style>@media (prefers-color-scheme:dark){p{color:#fff}}</style>", "<p>Seen."),
        ("<link rel=stylesheet href=x.css>", "<div class=hero><p style='color:white'>Seen.</div>"),
        ("", "<div><img src=a.jpg><p style='position:absolute;color:white'>Seen.</div>"),
        ("", "<p style='color:white;text-shadow:0 0 4px #000'>Seen."),
        (
            "",
            "<p style='color:transparent;-webkit-background-clip:text;background:#fff'>Seen.",
        ),
        (
            "<style>.tab{display:none}.tab.active{display:block}</style>",
            "<div class='tab active'>Seen.</div>",
        ),
        (
            "<style>.x{display:none !important} #y{display:block!important}</style>",
            "<div class=x id=y>Seen.</div>",
        ),
        ("<style>.in{opacity:0;transition:opacity 1s}</style>", "<div class=in>Seen.</div>"),
        ("", "<div class='fade-in' style='opacity:0'>Seen.</div>"),
        ("", "<div style='font-size:0'><span style='font-size:14px'>Seen.</span></div>"),
        ("", "<div style='visibility:hidden'><p style='visibility:visible'>Seen.</div>"),
        ("", "<div style='color:white'><p style='color:black'>Seen.</div>"),
        ("", "<div style='color:white'><a href=x>Seen.</a></div>"),
        ("", "<p style='color:yellow'>Seen."),
        ("", "<p style='color:#ddd'>Seen."),
        ("", "<p style='background:none;color:#333'>Seen."),
        ("", "<p style='text-indent:-20px;margin-left:-40px;height:0'>Seen."),
        ("", "<p style='width:1%;overflow:hidden'>Seen."),
    ],
)
def test_text_that_can_be_made_out_is_kept(head: str, body: str) -> None:
    document = parse(page(body, head), "a.html")
    assert (document.text.strip("| -\n"), document.notes) == ("Seen.", ())


def test_what_is_seen_inside_of_hidden_text_is_kept() -> None:
    body = "<div style='color:#fff'>Ignore this.<p style='background:#036'>Seen.</p>And this.</div>"
    document = parse(page(body), "a.html")
    assert (document.text, document.notes) == ("Seen.", (HIDDEN,))


def test_a_letter_hides_its_preview_and_keeps_its_button() -> None:
    body = (
        "<div style='display:none;max-height:0;font-size:1px;color:#fff'>A look inside</div>"
        "<table><tr><td bgcolor='#0057b8'><a href=x style='color:#ffffff'>Open</a></table>"
    )
    document = parse(page(body), "a.html")
    assert (document.text, document.notes) == ("Open", (HIDDEN,))
