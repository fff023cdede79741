"""HTML pages."""

import itertools
import re

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


def _attributes(count: int, prefix: str = "a") -> str:
    return " ".join(f'{prefix}{number}="v"' for number in range(count))


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (f"<p {_attributes(200_000)}>Ducks swim.</p>", "a tag with more than 1,000 attributes"),
        (f"<p {' '.join(map(str, range(2000)))}>Ducks</p>", "a tag with more than 1,000"),
        (f"<p>x<body {_attributes(100_000)}>Ducks</p>", "a tag with more than 1,000 attributes"),
        (
            "".join(f"<p {_attributes(20, f'n{n}x')}>Ducks</p>" for n in range(8_000)),
            "more than 20,000 different names of attributes",
        ),
        (
            "".join(f"<p><b {_attributes(20)} n={n}>Ducks" for n in range(2_000)),
            "leaves more than 300 formatting tags open",
        ),
    ],
    ids=["one tag", "without values", "a second body", "names", "formatting"],
)
def test_a_page_that_takes_the_square_of_its_size_is_refused_at_once(
    page: str, reason: str
) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        parse(page.encode(), "a.html")


@pytest.mark.parametrize(
    "page",
    [
        "".join(f"<p {_attributes(20)}>Ducks</p>" for _ in range(1000)),
        "<p><b>Ducks" * 1000,
        "".join(f"<p><a href=x{n}>Ducks" for n in range(1000)),
        "".join(f"<p><font color=c{n}>Ducks</font>" for n in range(1000)),
        f"<script>if (a <b {_attributes(3000)})</script><p>Ducks",
        f"<!-- <p {_attributes(3000)}> --><p>Ducks",
        "<p title=it's>Ducks</p>" * 1000,
    ],
    ids=["many tags", "open", "links", "closed", "script", "comment", "apostrophes"],
)
def test_an_untidy_page_is_read(page: str) -> None:
    assert "Ducks" in parse(page.encode(), "a.html").text


INNER = (
    b"<table><tr><th>Size</th><th>Price</th></tr><tr><td>S</td><td>1</td></tr>"
    b"<tr><td>L</td><td>2</td></tr></table>"
)


def test_a_small_table_in_a_cell_is_a_part_of_its_row() -> None:
    document = parse(
        b"<html><body><table><caption>Menu</caption><tr><th>Drink</th><th>Offers</th></tr>"
        b"<tr><td>Tea</td><td>today " + INNER + b"</td></tr><tr><td>Milk</td><td>cold</td></tr>"
        b"</table></body></html>",
        "a.html",
    )
    assert document.text == (
        "Menu\n\n| Drink | Offers |\n| --- | --- |\n"
        "| Tea | today Size: S, Price: 1; Size: L, Price: 2 |\n| Milk | cold |"
    )


@pytest.mark.parametrize(
    "outer",
    [
        b"<table><tr><td>Menu</td><td>%s</td></tr></table>",
        b"<table><tr><td><table><tr><td>Menu</td></tr><tr><td>%s</td></tr></table></td></tr></table>",
        b"<table><tr><td>Menu</td></tr><tr><td>%s</td></tr></table>",
    ],
)
def test_a_table_in_a_table_for_the_layout_is_read_by_its_own_rows(outer: bytes) -> None:
    page = outer % INNER
    assert parse(b"<html><body>" + page + b"</body></html>", "a.html").text == (
        "Menu\n\n| Size | Price |\n| --- | --- |\n| S | 1 |\n| L | 2 |"
    )


def test_a_table_inside_an_item_of_a_list_keeps_its_cells_apart() -> None:
    page = b"<html><body><ul><li>Tea<div>" + INNER + b"</div></li></ul></body></html>"
    assert parse(page, "a.html").text == "- Tea\n  Size: S, Price: 1; Size: L, Price: 2"


def test_no_cell_of_tables_in_tables_is_read_twice_or_lost() -> None:
    number = itertools.count()

    def table(rows: int, columns: int, depth: int) -> str:
        def cell(row: int, column: int) -> str:
            word = f"cell{next(number)}"
            if depth and (row + column) % 3 == 0:
                return word + table(1 + column, 1 + (row + depth) % 3, depth - 1)
            return word

        lines = [
            "".join(f"<td>{cell(row, column)}</td>" for column in range(columns))
            for row in range(rows)
        ]
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"

    pages = "".join(table(rows, columns, 3) for rows in (1, 2, 4) for columns in (1, 2, 5))
    text = parse(f"<html><body>{pages}</body></html>".encode(), "a.html").text
    found = re.findall(r"cell\d+", text)
    assert sorted(found) == sorted(f"cell{n}" for n in range(next(number)))
