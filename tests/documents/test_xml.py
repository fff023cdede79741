"""XML of every kind, and drawings."""

import pytest

from rag_platform.documents.parsing import parse
from rag_platform.errors import UnreadableDocument


def test_a_docbook_article_keeps_its_structure() -> None:
    data = b"""<?xml version="1.0"?>
<!DOCTYPE article PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://x/docbookx.dtd">
<article lang="en"><info><title>On Ducks</title><author><personname>Ada</personname></author></info>
<section><title>Food</title><para>They eat <emphasis>bread</emphasis>,
and&nbsp;weeds.</para><itemizedlist><listitem><para>rye</para></listitem><listitem><para>oats</para>
</listitem></itemizedlist><programlisting>feed(duck)
  .wait()</programlisting><informaltable><tgroup cols="2"><thead><row><entry>Name</entry>
<entry>Size</entry></row></thead><tbody><row><entry>Teal</entry><entry>35 cm</entry></row></tbody>
</tgroup></informaltable></section></article>"""
    document = parse(data, "ducks.xml")
    assert "# Food\n\nThey eat bread, and weeds.\n\n- rye\n- oats" in document.text
    assert "```\nfeed(duck)\n  .wait()\n```" in document.text
    assert document.text.endswith("| Name | Size |\n| --- | --- |\n| Teal | 35 cm |")
    assert [heading.title for heading in document.headings] == ["On Ducks", "Food"]
    assert (document.title, document.author) == ("On Ducks", "Ada")


def test_a_feed_is_read_entry_by_entry() -> None:
    data = b"""<rss version="2.0"><channel><title>Pond news</title><item><title>Bread</title>
<description><![CDATA[<p>Ducks ate <b>bread</b>.</p><p hidden>Ignore this.</p>]]></description>
</item><item><title>Ice</title><description>The pond froze.</description></item></channel></rss>"""
    document = parse(data, "news.rss")
    assert document.text == (
        "# Pond news\n\n## Bread\n\nDucks ate bread.\n\n## Ice\n\nThe pond froze."
    )
    assert [document.text[h.start :].split("\n")[0] for h in document.headings] == [
        "# Pond news",
        "## Bread",
        "## Ice",
    ]


def test_a_tei_text_is_read_without_its_header() -> None:
    data = (
        b'<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc><titleStmt><title>Ducks'
        b"</title></titleStmt></fileDesc></teiHeader><text><body><div><head>One</head><p>A <hi>duck"
        b"</hi> swam.</p><lg><l>Quack,</l><l>quack.</l></lg></div></body></text></TEI>"
    )
    document = parse(data, "a.tei")
    assert document.text.endswith("# One\n\nA duck swam.\n\nQuack,\n\nquack.")
    assert document.title == "Ducks"


def test_records_are_lines_of_fields() -> None:
    data = (
        b'<birds><bird id="7"><name>Teal</name><size unit="cm">35</size></bird>'
        b'<bird id="8"><name>Mallard</name><size>50</size></bird>'
        b'<setting key="pond" depth="2"/></birds>'
    )
    assert parse(data, "birds.xml").text == (
        "id: 7; name: Teal; size: 35\nid: 8; name: Mallard; size: 50\npond; depth: 2"
    )


def test_a_single_element_is_read() -> None:
    assert parse(b"<note>Ducks swim.</note>", "a.xml").text == "note: Ducks swim."


def test_what_is_not_well_formed_is_read_as_it_is_written() -> None:
    assert parse(b"<a><b>Ducks swim.</a>", "a.xml").text == "```xml\n<a><b>Ducks swim.</a>\n```"


def test_xml_in_an_encoding_of_many_bytes_is_read() -> None:
    data = '<?xml version="1.0" encoding="Shift_JIS"?><a><b>アヒル</b></a>'.encode("shift_jis")
    assert parse(data, "a.xml").text == "b: アヒル"


def test_xml_is_known_by_its_content() -> None:
    assert parse(b"<?xml version='1.0'?><a><b>Ducks</b></a>", "a").text == "b: Ducks"
    svg = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><text>Ducks</text></svg>"
    assert parse(svg, "drawing").media_type == "image/svg+xml"


def test_a_drawing_gives_its_words() -> None:
    data = b"""<svg xmlns="http://www.w3.org/2000/svg"><title>The pond</title>
<desc>From above.</desc>
<style>.a{fill:red}</style><g><text x="1">Ducks <tspan>swim</tspan></text></g>
<g style="display:none"><text>Ignore this.</text></g><text fill="none">And this.</text>
<text font-size="0">And this.</text><path d="M0 0"/></svg>"""
    document = parse(data, "pond.svg")
    assert document.text == "The pond\n\nFrom above.\n\nDucks swim"
    assert document.title == "The pond"
    assert document.notes == ("Hidden text was left out.",)


def test_a_drawing_without_words_says_so() -> None:
    with pytest.raises(UnreadableDocument, match="The drawing has no text"):
        parse(b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>', "a.svg")


def test_a_flat_open_document_is_read_as_the_packed_one() -> None:
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text")
    )
    data = (
        f'<?xml version="1.0"?><office:document {spaces}><office:body><office:text>'
        '<text:h text:outline-level="1">Ducks</text:h><text:p>They swim.</text:p>'
        "</office:text></office:body></office:document>"
    )
    document = parse(data.encode(), "a.fodt")
    assert document.text == "# Ducks\n\nThey swim."


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://localhost/x.dtd"> %a;',
        '<!ENTITY b "words"><!ENTITY a "&b;&b;&b;">',
        f'<!ENTITY a "{"x" * 10_000}">',
    ],
)
@pytest.mark.parametrize("name", ["a.xml", "a.svg"])
def test_entities_that_could_do_harm_are_refused(declared: str, name: str) -> None:
    data = f"<!DOCTYPE r [{declared}]><r><text>&a;</text></r>".encode()
    with pytest.raises(UnreadableDocument, match="declares XML entities"):
        parse(data, name)


def test_an_entity_of_a_few_words_is_read() -> None:
    data = b'<!DOCTYPE r [<!ENTITY v "version 2">]><r><p>This is &v;.</p></r>'
    assert parse(data, "a.xml").text == "p: This is version 2."


@pytest.mark.parametrize("name", ["a.xml", "a.svg"])
def test_absurdly_deep_xml_is_refused(name: str) -> None:
    with pytest.raises(UnreadableDocument, match="nested too deeply"):
        parse(b"<a>" * 100_000, name)
