"""HTML pages."""

import pytest

from rag_platform.documents.parsing import parse
from rag_platform.errors import UnreadableDocument


def test_the_main_content_is_kept_and_the_frame_is_not() -> None:
    parsed = parse(
        b"<html><head><title>Ducks | Pond Company</title><meta name=author content=Ada>"
        b"<meta property='article:published_time' content='2024-02-03'><style>p{}</style></head>"
        b"<body><nav>Home Products</nav><header>Pond Company</header><main><h1>Ducks</h1>"
        b"<p>They <b>swim</b>,<br>and  eat.</p><h2>Food</h2><ul><li>bread<ul><li>rye</li></ul></li>"
        b"<li>H<sub>2</sub>O</li></ul><pre>a  b\n  c</pre><script>alert(1)</script></main>"
        b"<footer>Imprint</footer></body></html>",
        "a.html",
    )
    assert parsed.text == (
        "# Ducks\n\nThey swim,\nand eat.\n\n## Food\n\n- bread\n  - rye\n- H2O\n\n"
        "```\na  b\n  c\n```"
    )
    assert [(h.level, h.title, parsed.text[h.start :].split("\n")[0]) for h in parsed.headings] == [
        (1, "Ducks", "# Ducks"),
        (2, "Food", "## Food"),
    ]
    assert (parsed.title, parsed.author) == ("Ducks", "Ada")
    assert parsed.created is not None


def test_a_table_is_read_by_rows() -> None:
    parsed = parse(
        b"<!doctype html><table><tr><th>Name<th>Size<tr><td rowspan=2>Mallard<td>50"
        b"<tr><td>65<tr><td colspan=2>all</table>",
        "a.html",
    )
    assert parsed.text == (
        "| Name | Size |\n| --- | --- |\n| Mallard | 50 |\n|  | 65 |\n| all |  |"
    )


def test_a_table_for_layout_is_read_by_its_content() -> None:
    parsed = parse(b"<html><table><tr><td>left<td><table><tr><td>a<td>b</table></table>", "a.html")
    assert parsed.text == "left\n\n| a | b |\n| --- | --- |"


@pytest.mark.parametrize("meta", [b"<meta charset=iso-8859-15>", b""])
def test_the_declared_encoding_is_used(meta: bytes) -> None:
    parsed = parse(b"<html>" + meta + b"<p>caf\xe9 \xa4</p>", "a.html")
    assert parsed.text == ("café €" if meta else "café ¤")


def test_absurdly_deep_nesting_is_read_nevertheless() -> None:
    parsed = parse(b"<html>" + b"<div>" * 20_000 + b"deep" + b"</div>" * 20_000, "a.html")
    assert parsed.text == "deep"


def page(body: str, head: str = "") -> bytes:
    return f"<html><head><meta charset=utf-8>{head}</head><body>{body}</body></html>".encode()


def test_hidden_signs_are_worth_no_note() -> None:
    document = parse(page("<h2>Food <a aria-hidden=true>¶</a></h2><p>Bread."), "a.html")
    assert (document.text, document.notes) == ("## Food\n\nBread.", ())


def test_lists_that_follow_each_other_stand_apart_and_count_as_written() -> None:
    body = "<ul><li>a<li>b</ul><ol start=41><li>c<ul><li>d</ul><li>e</ol><ol start=x><li>f</ol>"
    assert parse(page(body), "a.html").text == "- a\n- b\n\n41. c\n  - d\n42. e\n\n1. f"


def test_code_keeps_its_lines_and_its_fence() -> None:
    document = parse(page("<pre><code>if x:\n    ```\n\n    y</code></pre>"), "a.html")
    assert document.text == "````\nif x:\n    ```\n\n    y\n````"


def test_a_page_without_a_title_has_none() -> None:
    assert parse(page("<p>words"), "a.html").title is None


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 100_000 + "words",
        "<b>" * 100_000 + "words",
        "<ul><li>" * 100_000 + "words",
        "<table><tr><td>" * 10_000 + "words",
        "<div style='display:none'>" * 20_000 + "hidden",
        "<p style='color:red'>words" * 5_000,
        "<div style='color:red'>" * 5_000 + "words",
        "<table>" + "<tr><td rowspan=99 colspan=99>x" * 300 + "</table>words",
        "words" + "<!--" * 100_000,
        "words" + "<" * 1_000_000,
        "words &" + "amp;" * 1_000_000,
        "<pre>words" + "`" * 1_000_000,
        "<span>word</span> " * 20_000,
    ],
)
def test_hostile_pages_are_read_or_refused_in_a_sentence(body: str) -> None:
    sheet = "<style>" + ".a{" * 10_000 + "x{display:none}" * 10_000 + "</style>"
    try:
        assert "word" in parse(page(body, sheet), "a.html").text
    except UnreadableDocument as unreadable:
        assert str(unreadable).endswith(".")
