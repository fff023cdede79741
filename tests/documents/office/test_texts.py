"""Texts with structure: Word, OpenDocument, rich text and e-books."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rag_platform.documents.parsing import parse
from rag_platform.errors import UnreadableDocument

Makers = dict[str, Callable[..., dict[str, str]]]
Pack = Callable[[dict[str, str | bytes]], bytes]

_RUN = "<w:r>{}<w:t>{}</w:t></w:r>"
_HIDDEN = "Text that the author has hidden was left out."


def paragraph(text: str, properties: str = "", run: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{_RUN.format(run, text)}</w:p>"


def test_hidden_text_is_left_out_and_noted(make: Makers, pack: Pack) -> None:
    styles = (
        '<w:style w:type="character" w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="P"><w:rPr><w:vanish/></w:rPr></w:style>'
    )
    body = (
        paragraph("seen ")
        + paragraph("one", run="<w:rPr><w:vanish/></w:rPr>")
        + paragraph("two", run='<w:rPr><w:rStyle w:val="H"/></w:rPr>')
        + paragraph("three", '<w:pStyle w:val="P"/>')
        + paragraph("again", '<w:pStyle w:val="P"/>', '<w:rPr><w:vanish w:val="0"/></w:rPr>')
    )
    document = parse(pack(make["docx"](body, styles=styles)), "a.docx")
    assert document.text == "seen\n\nagain"
    assert document.notes == (_HIDDEN,)
    assert parse(pack(make["docx"]()), "a.docx").notes == ()


def test_headers_and_footers_are_read_once_and_page_numbers_never(make: Makers, pack: Pack) -> None:
    parts = {
        "header1": paragraph("Ducks Ltd, internal"),
        "header2": paragraph("Ducks Ltd, internal"),
        "footer1": paragraph("Page 3 of 7"),
        "footer2": paragraph("Version 2"),
        "footnotes": '<w:footnote w:id="1">' + paragraph("a note") + "</w:footnote>",
        "endnotes": '<w:endnote w:id="1">' + paragraph("at the end") + "</w:endnote>",
    }
    document = parse(pack(make["docx"](**parts)), "a.docx")
    assert document.text == (
        "Ducks swim.\n\n[1] a note\n[1] at the end\n\nDucks Ltd, internal\n\nVersion 2"
    )


def test_an_equation_keeps_its_powers_and_fractions(make: Makers, pack: Pack) -> None:
    def r(text: str) -> str:
        return f"<w:r><w:t>{text}</w:t></w:r>"

    power = f"<w:sSup><w:e>{r('r')}</w:e><w:sup>{r('2')}</w:sup></w:sSup>"
    fraction = f"<w:f><w:num>{r('a+b')}</w:num><w:den>{r('c')}</w:den></w:f>"
    root = f"<w:rad><w:deg/><w:e>{r('x')}</w:e></w:rad>"
    body = f"<w:p><w:oMath>{r('A=π')}{power}+{fraction}{root}</w:oMath></w:p>"
    assert parse(pack(make["docx"](body)), "a.docx").text == "A=πr^2(a+b)/c√(x)"


def test_a_row_that_starts_late_keeps_its_columns(make: Makers, pack: Pack) -> None:
    def cell(text: str) -> str:
        return f"<w:tc>{paragraph(text)}</w:tc>"

    late = '<w:trPr><w:gridBefore w:val="1"/></w:trPr>'
    body = f"<w:tbl><w:tr>{cell('a')}{cell('b')}</w:tr><w:tr>{late}{cell('under b')}</w:tr></w:tbl>"
    assert parse(pack(make["docx"](body)), "a.docx").text.endswith("|  | under b |")


def test_an_open_text_keeps_its_structure(make: Makers, pack: Pack) -> None:
    styles = (
        '<style:style style:name="T" style:parent-style-name="Title"/><style:style style:name="H">'
        '<style:text-properties text:display="none"/></style:style><text:list-style '
        'style:name="L"><text:list-level-style-number text:level="1" style:num-format="1"/>'
        "</text:list-style>"
    )
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    body = (
        "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:p text:style-name="T">All about ducks</text:p>'
        '<text:h text:outline-level="1">Food</text:h>'
        "<text:p>They<text:s/>eat<text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>A note.</text:p></text:note-body></text:note>"
        '<text:span text:style-name="H"> secret</text:span> a lot:</text:p>'
        '<text:list text:style-name="L"><text:list-item><text:p>bread</text:p><text:list>'
        "<text:list-item><text:p>white</text:p></text:list-item></text:list></text:list-item>"
        "<text:list-item><text:p>weeds</text:p></text:list-item></text:list>"
        f"<table:table><table:table-row>{cell.format('Name')}{cell.format('Size')}"
        f"</table:table-row><table:table-row>{cell.format('Teal')}"
        '<table:table-cell table:number-columns-repeated="1000000"/></table:table-row>'
        "</table:table><text:p><draw:frame><draw:text-box><text:p>boxed</text:p>"
        "</draw:text-box></draw:frame>around</text:p>"
    )
    document = parse(pack(make["odt"](body, styles)), "a.odt")
    assert document.text == (
        "# All about ducks\n\n## Food\n\nThey eat[1] a lot:\n\n1. bread\n  - white\n2. weeds\n\n"
        "| Name | Size |\n| --- | --- |\n| Teal |  |\n\naround\n\nboxed\n\n[1] A note."
    )
    assert document.notes == (_HIDDEN,)


def test_rich_text_keeps_its_structure() -> None:
    data = rb"""{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}{\f1\fcharset204 Times;}}
{\stylesheet{\s0 Normal;}{\s1 heading 1;}}{\info{\title All about ducks}{\author Ada}
{\creatim\yr2024\mo2\dy3\hr4\min5}{\company X}}{\header Ducks Ltd \chpgn}
\pard\s1 Food\par\pard They e\'e4t {\b bread}\u8364? and \'93x\'94{\v  secret}
{\footnote \chftn A note.}.{\deleted gone}\par {\listtext 1.\tab}\pard\ls1 first\par
{\pntext\'b7\tab}\pard\ls1 second\par\pard\trowd\intbl Name\cell Size\cell\row\intbl Mallard
\cell 50\cell\row\pard {\f1\'cf\'f0\'e8} {\*\unknown gone}{\field{\*\fldinst HYPERLINK "x"}
{\fldrslt link}}{\pict 0102}\par}"""
    document = parse(data, "a.rtf")
    assert document.text == (
        "# Food\n\nThey eät bread€ and “x”[1].\n\n1. first\n- second\n\n"
        "| Name | Size |\n| --- | --- |\n| Mallard | 50 |\n\nПри link\n\n[1] A note.\n\nDucks Ltd"
    )
    assert (document.title, document.author) == ("All about ducks", "Ada")
    assert document.created == datetime(2024, 2, 3, 4, 5, tzinfo=UTC)
    assert document.notes == (_HIDDEN,)


@pytest.mark.parametrize(
    "data",
    [
        b"{\\rtf1 " + b"{" * 1_000_000,
        b"{\\rtf1 " + b"{\\b x" * 4000 + b"}" * 4000 + b"}",
        b"{\\rtf1 " + b"\\'e4" * 500_000 + b"}",
        b"{\\rtf1 " + b"\\u228?" * 300_000 + b"}",
        b"{\\rtf1 \\bin99999999 x}",
        b"{\\rtf1{\\info{\\creatim\\yr2024\\mo2147483648\\dy3}}x}",
        b"{\\rtf1 " + b"\\cell" * 300_000 + b"}",
    ],
)
def test_large_or_odd_rich_text_takes_no_time(data: bytes) -> None:
    begin = time.process_time()
    try:
        parse(data, "a.rtf")
    except UnreadableDocument as unreadable:
        assert str(unreadable).endswith(".")
    assert time.process_time() - begin < 10


def test_rich_text_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    data = b"{\\rtf1 first\\par second \\'e"
    assert parse(data, "a.rtf").text.startswith("first\n\nsecond")


def test_chapters_come_in_the_order_of_reading(make: Makers, pack: Pack) -> None:
    chapters = {
        "b": "<header><h1>One</h1></header><p>Text <a id='x'/>of one.</p><aside>Note.</aside>",
        "a": "<p>No heading.</p>",
    }
    document = parse(pack(make["epub"](**chapters)), "a.epub")
    assert document.text == "# One\n\nText of one.\n\nNote.\n\n# Preface\n\nNo heading."
    assert [document.text[h.start :].split("\n")[0] for h in document.headings] == [
        "# One",
        "# Preface",
    ]


def test_obfuscated_fonts_do_not_lock_a_book(make: Makers, pack: Pack) -> None:
    parts = make["epub"]()
    parts["META-INF/encryption.xml"] = '<e><CipherReference URI="OEBPS/font.otf"/></e>'
    assert "Ducks swim." in parse(pack({**parts}), "a.epub").text


def test_a_chapter_outside_of_the_book_is_not_there(make: Makers, pack: Pack) -> None:
    parts = make["epub"]()
    parts["OEBPS/book.opf"] = parts["OEBPS/book.opf"].replace(
        "a.xhtml", "../../../../../etc/passwd"
    )
    with pytest.raises(UnreadableDocument, match="The file has no text"):
        parse(pack({**parts}), "a.epub")
