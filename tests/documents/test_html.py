"""HTML pages."""

import pytest

from rag_platform.documents.parsing import parse


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
