"""Text that office files hide from the eye, and text that is white on something dark."""

from collections.abc import Callable

import pytest

from rag_platform.documents.parsing import parse

Makers = dict[str, Callable[..., dict[str, str]]]
Pack = Callable[[dict[str, str | bytes]], bytes]

HIDDEN = "Text that the author has hidden was left out."


def test_a_book_hides_what_its_style_sheet_hides(make: Makers, pack: Pack) -> None:
    parts = make["epub"](a="<p>Seen.</p><p class='pale'>Ignore everything.</p>")
    link = '<link rel="stylesheet" href="css/book.css" type="text/css"/></head>'
    chapter = parts["OEBPS/a.xhtml"].replace("</head>", link)
    parts |= {"OEBPS/a.xhtml": chapter, "OEBPS/css/book.css": ".pale{color:#fff}"}
    document = parse(pack({**parts}), "a.epub")
    assert document.text == "# Preface\n\nSeen."
    assert document.notes == ("Hidden text was left out.",)
    parts["OEBPS/css/book.css"] = "body{background:#111}.pale{color:#fff}"
    assert "Ignore everything." in parse(pack({**parts}), "a.epub").text


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(inner: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def cell(inner: str, shading: str = "") -> str:
    return f"<w:tc><w:tcPr>{shading}</w:tcPr>{paragraph(inner)}</w:tc>"


def shade(fill: str, pattern: str = "clear") -> str:
    return f'<w:shd w:val="{pattern}" w:color="auto" w:fill="{fill}"/>'


WHITE = '<w:color w:val="FFFFFF" w:themeColor="background1"/>'
W14 = 'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'


@pytest.mark.parametrize(
    "hidden",
    [
        paragraph(run("Ignore this.", WHITE)),
        paragraph(run("Ignore this.", '<w:color w:val="FDFDFD"/>')),
        paragraph(run("Ignore this.", '<w:sz w:val="2"/><w:szCs w:val="2"/>')),
        paragraph(run("Ignore this.", '<w:rStyle w:val="Pale"/>')),
        paragraph(run("Ignore this."), '<w:pStyle w:val="PaleToo"/>'),
        paragraph(run("Ignore this.", WHITE), shade("auto")),
        paragraph(run("Ignore this.", WHITE + shade("FFFFFF")), shade("1F3864")),
        paragraph(run("Ignore this.", '<w:color w:val="000000"/><w:highlight w:val="black"/>')),
        paragraph(run("Ignore this.", f"<w14:textFill {W14}><w14:noFill/></w14:textFill>")),
        "<w:tbl><w:tr><w:trPr><w:hidden/></w:trPr>"
        f"{cell(run('Ignore'))}{cell(run('this'))}</w:tr></w:tbl>",
    ],
)
def test_text_that_a_word_file_hides_is_left_out(make: Makers, pack: Pack, hidden: str) -> None:
    styles = (
        f'<w:style w:type="character" w:styleId="Pale"><w:rPr>{WHITE}</w:rPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="PaleToo"><w:basedOn w:val="Base"/></w:style>'
        f'<w:style w:type="paragraph" w:styleId="Base"><w:rPr>{WHITE}</w:rPr></w:style>'
    )
    data = pack(make["docx"](paragraph(run("Seen.")) + hidden, styles=styles))
    document = parse(data, "a.docx")
    assert (document.text, document.notes) == ("Seen.", (HIDDEN,))


def table(first_cell: str, properties: str = "") -> str:
    second = cell(run("and this"))
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr><w:tr>{first_cell}{second}</w:tr></w:tbl>"


BOX = (
    '<w:r><w:drawing xmlns:wps="x" xmlns:a="y"><wps:wsp><wps:spPr>{}</wps:spPr>'
    "<wps:txbx><w:txbxContent>{}</w:txbxContent></wps:txbx></wps:wsp></w:drawing></w:r>"
)
BANNER = (
    '<w:r><w:drawing xmlns:wp="x" xmlns:a="y"><wp:anchor behindDoc="1"><wp:extent cx="7560000" '
    'cy="1800000"/><wp:wrapNone/><a:blip/></wp:anchor></w:drawing></w:r>'
)


@pytest.mark.parametrize(
    "seen",
    [
        paragraph(run("Seen.", WHITE), shade("1F3864")),
        paragraph(run("Seen.", WHITE + shade("1F3864"))),
        paragraph(run("Seen.", WHITE + shade("auto", "pct50"))),
        paragraph(run("Seen.", WHITE + '<w:highlight w:val="black"/>')),
        paragraph(run("Seen.", WHITE), '<w:pStyle w:val="Banner"/>'),
        table(cell(run("Seen.", WHITE), shade("4472C4"))),
        table(cell(run("Seen.", WHITE)), '<w:tblStyle w:val="Dark"/>'),
        paragraph(BOX.format('<a:solidFill><a:srgbClr val="1F3864"/></a:solidFill>',
                             paragraph(run("Seen.", WHITE)))),
        paragraph(BOX.format("<a:gradFill/>", paragraph(run("Seen.", WHITE)))),
        paragraph(BANNER) + paragraph(run("Seen.", WHITE)),
        paragraph(run("Seen.", '<w:color w:val="auto"/>')),
        paragraph(run("Seen.", '<w:color w:val="D9D9D9"/><w:sz w:val="8"/>')),
        paragraph(run("Seen.", '<w:color w:val="FFFF00"/>')),
        paragraph(run("Seen.", '<w:rStyle w:val="Pale"/><w:color w:val="333333"/>')),
        paragraph(run("Seen.", f"{WHITE}<w14:textFill {W14}><w14:gradFill/></w14:textFill>")),
    ],
)  # fmt: skip
def test_text_that_a_word_file_shows_is_kept(make: Makers, pack: Pack, seen: str) -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="Banner"><w:pPr>' + shade("1F3864") + "</w:pPr>"
        f'</w:style><w:style w:type="character" w:styleId="Pale"><w:rPr>{WHITE}</w:rPr></w:style>'
        '<w:style w:type="table" w:styleId="Dark"><w:tblStylePr w:type="firstRow"><w:tcPr>'
        + shade("4472C4")
        + "</w:tcPr></w:tblStylePr></w:style>"
    )
    document = parse(pack(make["docx"](seen, styles=styles)), "a.docx")
    assert "Seen." in document.text
    assert document.notes == ()


@pytest.mark.parametrize(
    "hidden",
    [
        table(cell(run("Ignore this.", WHITE)), '<w:tblStyle w:val="Grid"/>'),
        paragraph(BOX.format("<a:noFill/>", paragraph(run("Ignore this.", WHITE)))),
        paragraph(BANNER) + paragraph('<w:r><w:br w:type="page"/></w:r>')
        + paragraph(run("Ignore this.", WHITE)),
    ],
)  # fmt: skip
def test_white_text_is_hidden_where_nothing_dark_is_behind_it(
    make: Makers, pack: Pack, hidden: str
) -> None:
    document = parse(pack(make["docx"](paragraph(run("Seen.")) + hidden)), "a.docx")
    assert "Ignore" not in document.text
    assert document.notes == (HIDDEN,)


def test_a_page_of_a_dark_colour_shows_white_text(make: Makers, pack: Pack) -> None:
    parts = make["docx"](paragraph(run("Seen.", WHITE)), settings="<w:displayBackgroundShape/>")
    whole = parts["word/document.xml"]
    dark = whole.replace("<w:body>", '<w:background w:color="1F3864"/><w:body>')
    assert parse(pack({**parts, "word/document.xml": dark}), "a.docx").text == "Seen."


RTF = (
    r"{{\rtf1\ansi{{\colortbl;\red0\green0\blue0;\red255\green255\blue255;\red31\green56\blue100;"
    r"\red254\green254\blue254;}}\pard\plain\fs24 Seen.\par {}\par}}"
)


@pytest.mark.parametrize(
    "hidden",
    [
        r"\pard\plain\cf2 Ignore this.",
        r"\pard\plain{\cf4 Ignore this.}",
        r"\pard\plain\fs2 Ignore this.",
        r"\pard\cbpat3{\cf2\chcbpat2 Ignore this.}",
        r"\pard\plain\cf1\highlight1 Ignore this.",
        r"\pard\cbpat3 \pard\plain\cf2 Ignore this.",
        r"\trowd\clcbpat3\cellx100\cellx200\pard\intbl\cell\pard\intbl\cf2 Ignore this.\cell\row",
    ],
)
def test_text_that_rich_text_hides_is_left_out(hidden: str) -> None:
    document = parse(RTF.format(hidden).encode(), "a.rtf")
    assert (document.text, document.notes) == ("Seen.", (HIDDEN,))


@pytest.mark.parametrize(
    "seen",
    [
        r"\pard\plain\cf1 Also seen.",
        r"\pard\plain\cf0\fs16 Also seen.",
        r"\pard\cbpat3\cf2 Also seen.",
        r"\pard\plain{\cf2\chcbpat3 Also seen.}",
        r"\pard\plain{\cf2\highlight3 Also seen.}",
        r"\pard\plain{\cf2}Also seen.",
        r"\pard\shading5000\cf2 Also seen.",
        r"\trowd\clcbpat3\cellx100\clcbpat3\cellx200\pard\intbl\cf2 Also\cell seen.\cell\row",
        r"{\shp{\*\shpinst{\shptxt\pard\cf2 Also seen.\par}}}",
    ],
)
def test_text_that_rich_text_shows_is_kept(seen: str) -> None:
    document = parse(RTF.format(seen).encode(), "a.rtf")
    assert "seen." in document.text
    assert document.notes == ()


def sheet_styles(font: str, fill: str = "", code: str = "General") -> str:
    return (
        f'<numFmts><numFmt numFmtId="170" formatCode="{code}"/></numFmts>'
        f"<fonts><font/><font>{font}</font></fonts>"
        '<fills><fill><patternFill patternType="none"/></fill><fill><patternFill '
        f'patternType="gray125"/></fill><fill>{fill}</fill></fills>'
        '<cellXfs><xf numFmtId="0" fontId="0" fillId="0"/>'
        f'<xf numFmtId="170" fontId="1" fillId="{2 if fill else 0}"/></cellXfs>'
    )


SHEET = (
    '<row r="1"><c r="A1" t="str"><v>Seen.</v></c></row>'
    '<row r="3"><c r="B3" s="1" t="str"><v>Ignore this.</v></c></row>'
)


def solid(colour: str) -> str:
    return f'<patternFill patternType="solid"><fgColor {colour}/></patternFill>'


@pytest.mark.parametrize(
    "styles",
    [
        sheet_styles('<color rgb="FFFFFFFF"/>'),
        sheet_styles('<color theme="0"/>'),
        sheet_styles('<color indexed="9"/>'),
        sheet_styles('<sz val="1"/>'),
        sheet_styles('<color rgb="FF1F3864"/>', solid('rgb="FF1F3864"')),
        sheet_styles('<color theme="0"/>', solid('theme="0"')),
        sheet_styles("", code=";;;"),
    ],
)
def test_cells_that_nobody_sees_are_left_out(make: Makers, pack: Pack, styles: str) -> None:
    document = parse(pack(make["xlsx"](SHEET, styles=styles)), "a.xlsx")
    assert document.text == "# Sheet 1\n\nSeen."
    assert document.notes == (HIDDEN,)


@pytest.mark.parametrize(
    "styles",
    [
        sheet_styles('<color theme="0"/>', solid('theme="4"')),
        sheet_styles('<color rgb="FFFFFFFF"/>', solid('rgb="FF1F3864"')),
        sheet_styles('<color theme="0" tint="-0.35"/>'),
        sheet_styles('<color theme="0"/>', "<gradientFill/>"),
        sheet_styles('<color rgb="FFFFFFFF"/>', '<patternFill patternType="darkUp"/>'),
        sheet_styles('<color theme="1"/><sz val="6"/>'),
        sheet_styles('<color auto="1"/>'),
    ],
)
def test_cells_that_are_seen_are_kept(make: Makers, pack: Pack, styles: str) -> None:
    document = parse(pack(make["xlsx"](SHEET, styles=styles)), "a.xlsx")
    assert "Ignore this." in document.text
    assert document.notes == ()


@pytest.mark.parametrize("place", ["A1:B9", "B3", "B:B", "2:4"])
def test_a_cell_that_a_condition_paints_is_kept(make: Makers, pack: Pack, place: str) -> None:
    parts = make["xlsx"](SHEET, styles=sheet_styles('<color theme="0"/>'))
    name = "xl/worksheets/sheet1.xml"
    painted = f'</sheetData><conditionalFormatting sqref="D1 {place}"/>'
    parts[name] = parts[name].replace("</sheetData>", painted)
    assert "Ignore this." in parse(pack({**parts}), "a.xlsx").text


def test_the_header_of_a_styled_table_is_kept(make: Makers, pack: Pack) -> None:
    parts = make["xlsx"](SHEET, styles=sheet_styles('<color theme="0"/>'))
    parts["xl/worksheets/_rels/sheet1.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(
        "worksheet1", "table1").replace("/worksheet", "/table").replace(
        "worksheets/sheet1.xml", "../tables/table1.xml")  # fmt: skip
    parts["xl/tables/table1.xml"] = '<table ref="B3:C9"><tableStyleInfo name="x"/></table>'
    assert "Ignore this." in parse(pack({**parts}), "a.xlsx").text


FO = 'xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'
ODF_STYLES = "".join(
    f'<style:style {FO} style:name="{name}"><style:{kind}-properties {said}/></style:style>'
    for name, kind, said in (
        ("White", "text", 'fo:color="#ffffff" loext:opacity="100%" xmlns:loext="x"'),
        ("Tiny", "text", 'fo:font-size="1pt"'),
        ("Automatic", "text", 'style:use-window-font-color="true" fo:color="#ffffff"'),
        ("Marked", "text", 'fo:color="#ffffff" fo:background-color="#1f3864"'),
        ("Black", "text", 'fo:color="#000000"'),
        ("Dark", "paragraph", 'fo:background-color="#1f3864"'),
        ("DarkCell", "table-cell", 'fo:background-color="#1f3864"'),
        ("DarkRow", "table-row", 'fo:background-color="#1f3864"'),
        ("DarkBox", "graphic", 'draw:fill="solid" draw:fill-color="#1f3864"'),
        ("Clear", "graphic", 'draw:fill="none"'),
        ("Gradient", "graphic", 'draw:fill="gradient"'),
        ("DarkSlide", "drawing-page", 'draw:fill="solid" draw:fill-color="#1f3864"'),
        ("Secret", "text", 'text:display="none"'),
    )
)


def span(style: str, text: str = "Ignore this.") -> str:
    return f'<text:span text:style-name="{style}">{text}</text:span>'


def open_table(cell: str, row: str = "", text: str = "") -> str:
    inner = text or span("White")
    return (
        f'<table:table><table:table-row table:style-name="{row}"><table:table-cell '
        f'table:style-name="{cell}"><text:p>{inner}</text:p></table:table-cell>'
        "<table:table-cell><text:p>x</text:p></table:table-cell></table:table-row></table:table>"
    )


def frame(style: str, text: str = "") -> str:
    inner = f"<draw:text-box><text:p>{text or span('White')}</text:p></draw:text-box>"
    return f'<draw:frame draw:style-name="{style}">{inner}</draw:frame>'


@pytest.mark.parametrize(
    "hidden",
    [
        f"<text:p>{span('White')}</text:p>",
        '<text:p text:style-name="White">Ignore this.</text:p>',
        f"<text:p>{span('Tiny')}</text:p>",
        open_table("", text=span("White")),
        open_table("", text=span("Secret")),
        f"<text:p>{frame('Clear')}</text:p>",
        f"<text:list><text:list-item><text:p>{span('White')}</text:p></text:list-item></text:list>",
    ],
)
def test_text_that_an_open_text_hides_is_left_out(make: Makers, pack: Pack, hidden: str) -> None:
    body = f"<text:p>Seen.</text:p>{hidden}"
    document = parse(pack(make["odt"](body, ODF_STYLES)), "a.odt")
    assert "Ignore" not in document.text
    assert document.notes == (HIDDEN,)


@pytest.mark.parametrize(
    "seen",
    [
        f'<text:p text:style-name="Dark">{span("White", "Seen.")}</text:p>',
        f"<text:p>{span('Marked', 'Seen.')}</text:p>",
        f"<text:p>{span('Automatic', 'Seen.')}</text:p>",
        f'<text:p text:style-name="White">{span("Black", "Seen.")}</text:p>',
        open_table("DarkCell", text=span("White", "Seen.")),
        open_table("", "DarkRow", text=span("White", "Seen.")),
        f"<text:p>{frame('DarkBox', span('White', 'Seen.'))}</text:p>",
        f"<text:p>{frame('Gradient', span('White', 'Seen.'))}</text:p>",
        f"<text:p>{frame('Clear', span('White', 'Seen.'))}<draw:frame><draw:image/></draw:frame>"
        "</text:p>",
    ],
)
def test_text_that_an_open_text_shows_is_kept(make: Makers, pack: Pack, seen: str) -> None:
    document = parse(pack(make["odt"](seen, ODF_STYLES)), "a.odt")
    assert "Seen." in document.text
    assert document.notes == ()


@pytest.mark.parametrize(("cell", "kept"), [("White", False), ("DarkCell", True)])
def test_cells_of_an_open_sheet(make: Makers, pack: Pack, cell: str, kept: bool) -> None:
    styles = ODF_STYLES.replace(
        'style:name="DarkCell">',
        'style:name="DarkCell"><style:text-properties fo:color="#ffffff"/>',
    )
    sheet = (
        f'<table:table table:name="A"><table:table-column table:default-cell-style-name="{cell}"/>'
        "<table:table-row><table:table-cell><text:p>Ducks</text:p></table:table-cell>"
        '<table:table-cell table:style-name="Black"><text:p>swim.</text:p></table:table-cell>'
        "</table:table-row></table:table>"
    )
    document = parse(pack(make["open_document"]("spreadsheet", sheet, styles)), "a.ods")
    assert ("Ducks" in document.text) is kept
    assert "swim." in document.text
    assert document.notes == (() if kept else (HIDDEN,))


@pytest.mark.parametrize(
    ("page", "shapes", "kept"),
    [
        ("", frame("Clear"), False),
        ("DarkSlide", frame("Clear"), True),
        ("", frame("DarkBox"), True),
        ("", frame("Clear") + "<draw:frame><draw:image/></draw:frame>", True),
        ("", frame("Clear") + '<draw:custom-shape draw:style-name="DarkBox"/>', True),
    ],
)
def test_white_words_on_an_open_slide(
    make: Makers, pack: Pack, page: str, shapes: str, kept: bool
) -> None:
    title = frame("Clear", span("Black", "Ducks")).replace(
        "<draw:frame", '<draw:frame presentation:class="title"'
    )
    slide = f'<draw:page draw:style-name="{page}">{title}{shapes}</draw:page>'
    document = parse(pack(make["open_document"]("presentation", slide, ODF_STYLES)), "a.odp")
    assert document.text == "# Ducks" + ("\n\nIgnore this." if kept else "")
    assert document.notes == (() if kept else (HIDDEN,))


def words(text: str, properties: str = "", fill: str = "", place: str = "") -> str:
    """A shape of a slide with a run of these properties, at a place (left, top) in EMU."""
    box = f'<a:xfrm>{place}<a:ext cx="3000000" cy="900000"/></a:xfrm>' if place else ""
    return (
        '<p:sp><p:nvSpPr><p:cNvPr id="1" name="x"/><p:nvPr/></p:nvSpPr>'
        f"<p:spPr>{box}{fill}</p:spPr><p:txBody><a:p><a:r>{properties}<a:t>{text}</a:t></a:r></a:p>"
        "</p:txBody></p:sp>"
    )


def filled(colour: str) -> str:
    return f'<a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'


PALE = f'<a:rPr lang="en">{filled("FFFFFF")}</a:rPr>'
SCHEME = '<a:rPr><a:solidFill><a:schemeClr val="bg1"/></a:solidFill></a:rPr>'
HERE = '<a:off x="0" y="0"/>'
THERE = '<a:off x="6000000" y="4000000"/>'


def slide_table(style: str, fill: str = "") -> str:
    one = f"<a:tc><a:txBody><a:p><a:r>{PALE}<a:t>Words.</a:t></a:r></a:p></a:txBody>"
    other = "<a:tc><a:txBody><a:p><a:r><a:t>x</a:t></a:r></a:p></a:txBody></a:tc>"
    return (
        f"<p:graphicFrame><a:tbl><a:tblPr><a:tableStyleId>{style}</a:tableStyleId></a:tblPr><a:tr>"
        f"{one}<a:tcPr>{fill}</a:tcPr></a:tc>{other}</a:tr></a:tbl></p:graphicFrame>"
    )


@pytest.mark.parametrize(
    "hidden",
    [
        words("Words.", PALE),
        words("Words.", SCHEME),
        words("Words.", '<a:rPr sz="100"/>'),
        words("Words.", "<a:rPr><a:noFill/></a:rPr>"),
        words("Words.", PALE, "<a:noFill/>"),
        words("Words.", f"<a:rPr>{filled('1F3864')}</a:rPr>", filled("1F3864")),
        words("", "", filled("1F3864"), HERE) + words("Words.", PALE, "", THERE),
        words("Words.", "", "", '<a:off x="-9000000" y="0"/>'),
        slide_table("{5940675A-B579-460E-94D1-54222C63F5DA}"),
    ],
)
def test_words_that_a_slide_hides_are_left_out(make: Makers, pack: Pack, hidden: str) -> None:
    parts = make["pptx"](words("Seen.") + hidden)
    main = "ppt/presentation.xml"
    parts[main] = parts[main].replace("</p:pres", '<p:sldSz cx="9144000" cy="6858000"/></p:pres')
    document = parse(pack({**parts}), "a.pptx")
    assert "Seen." in document.text
    assert "Words." not in document.text
    assert document.notes == (HIDDEN,)


@pytest.mark.parametrize(
    "seen",
    [
        words("Words.", PALE, filled("1F3864")),
        words("Words.", PALE, "<a:gradFill/>"),
        words("Words.", PALE, '<a:solidFill><a:schemeClr val="accent1"/></a:solidFill>'),
        words("", "", filled("1F3864"), HERE) + words("Words.", PALE, "<a:noFill/>", HERE),
        f"<p:pic><p:spPr><a:xfrm>{HERE}<a:ext cx='9' cy='9'/></a:xfrm></p:spPr></p:pic>"
        + words("Words.", PALE, "", HERE),
        words("Words.", f"<a:rPr>{filled('FFFFFF')}<a:highlight><a:srgbClr val='000000'/>"
              "</a:highlight></a:rPr>"),
        words("Words.", f"<a:rPr>{filled('DDDDDD')}</a:rPr>"),
        words("Words.", "<a:rPr><a:gradFill/></a:rPr>"),
        slide_table("{5C22544A-7EE6-4342-B048-85BDC9FD1C3A}"),
        slide_table("", filled("1F3864")),
    ],
)  # fmt: skip
def test_words_that_a_slide_shows_are_kept(make: Makers, pack: Pack, seen: str) -> None:
    document = parse(pack(make["pptx"](seen)), "a.pptx")
    assert "Words." in document.text
    assert document.notes == ()


@pytest.mark.parametrize(
    ("background", "kept"),
    [
        (filled("1F3864"), True),
        ('<a:blipFill r:embed="x"/>', True),
        (filled("FFFFFF"), False),
        ('<a:solidFill><a:schemeClr val="bg1"/></a:solidFill>', False),
        ('<a:solidFill><a:schemeClr val="tx1"/></a:solidFill>', True),
    ],
)
def test_the_background_of_a_slide_or_its_master_counts(
    make: Makers, pack: Pack, background: str, kept: bool
) -> None:
    parts = make["pptx"](words("Seen.") + words("Words.", PALE))
    relations = parts["ppt/_rels/presentation.xml.rels"]
    space = 'xmlns:p="p" xmlns:a="a" xmlns:r="r"'
    drawn = f"<p:cSld><p:bg><p:bgPr>{background}</p:bgPr></p:bg></p:cSld>"
    above = {
        "ppt/slides/_rels/slide1.xml.rels": relations.replace("/slide", "/slideLayout", 1).replace(
            "slides/slide1.xml", "../layout1.xml"
        ),
        "ppt/layout1.xml": f"<p:sldLayout {space}/>",
        "ppt/_rels/layout1.xml.rels": relations.replace("/slide", "/slideMaster", 1).replace(
            "slides/slide1.xml", "master1.xml"
        ),
        "ppt/master1.xml": f"<p:sldMaster {space}>{drawn}</p:sldMaster>",
    }
    document = parse(pack({**parts, **above}), "a.pptx")
    assert ("Words." in document.text) is kept
    name = "ppt/slides/slide1.xml"
    parts[name] = parts[name].replace("<p:cSld>", drawn.removesuffix("</p:cSld>"))
    document = parse(pack({**parts}), "a.pptx")
    assert ("Words." in document.text) is kept
