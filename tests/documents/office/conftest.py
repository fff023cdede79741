"""Small files of every office format, made of as little XML as there can be."""

import io
import zipfile
from collections.abc import Callable

import pytest

Parts = dict[str, str]

_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_PREFIXES = {
    **{"office": "office", "text": "text", "table": "table", "style": "style", "draw": "drawing"},
    **{"presentation": "presentation", "meta": "meta"},
}
_ODF = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in _PREFIXES.items()
)
_DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
_CORE = (
    f'<coreProperties {_DC} xmlns="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties"><dc:title>On Ducks</dc:title><dc:creator>Ada</dc:creator>'
    "<dcterms:created>2024-02-03T04:05:06Z</dcterms:created>"
    "<dcterms:modified>2024-03-03T04:05:06Z</dcterms:modified></coreProperties>"
)


def relations(**targets: str) -> str:
    """A part of relationships: ``kind=target``, with ``kind`` as id too."""
    items = "".join(
        f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind.rstrip("0123456789")}" '
        f'Target="{target}"/>'
        for kind, target in targets.items()
    )
    return f'<Relationships xmlns="{_RELATIONS}">{items}</Relationships>'


def docx(body: str = "<w:p><w:r><w:t>Ducks swim.</w:t></w:r></w:p>", **parts: str) -> Parts:
    """A Word document; further parts by their kind, such as ``header1``."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    members = {
        "_rels/.rels": relations(officeDocument="word/document.xml"),
        "docProps/core.xml": _CORE,
        "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>',
        "word/_rels/document.xml.rels": relations(**{kind: f"{kind}.xml" for kind in parts}),
    }
    for kind, xml in parts.items():
        members[f"word/{kind}.xml"] = f'<w:root xmlns:w="{word}">{xml}</w:root>'
    return members


def xlsx(*sheets: str, styles: str = "", texts: str = "", states: str = "") -> Parts:
    """A workbook of sheets given by their rows; ``states`` holds an ``h`` for each hidden one."""
    sheets = sheets or ('<row r="1"><c r="A1" t="str"><v>Ducks swim.</v></c></row>',)
    hidden = ' state="hidden"'
    listed = "".join(
        f'<sheet name="Sheet {n}" sheetId="{n}" r:id="worksheet{n}"'
        f"{hidden if states[n - 1 : n] == 'h' else ''}/>"
        for n in range(1, len(sheets) + 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    members = {
        "_rels/.rels": relations(officeDocument="xl/workbook.xml"),
        "docProps/core.xml": _CORE,
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": relations(
            styles="styles.xml",
            sharedStrings="sharedStrings.xml",
            **{f"worksheet{n}": f"worksheets/sheet{n}.xml" for n in range(1, len(sheets) + 1)},
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{main}">{styles}</styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{texts}</sst>',
    }
    for number, rows in enumerate(sheets, 1):
        members[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return members


def pptx(*slides: str, notes: str = "") -> Parts:
    """A presentation of slides given by their shapes; ``notes`` are the first one's."""
    slides = slides or (shape("Ducks swim."),)
    present = "http://schemas.openxmlformats.org/presentationml/2006/main"
    spaces = f'xmlns:p="{present}" xmlns:a="{_DRAWING}" xmlns:r="{_OFFICE}"'
    listed = "".join(
        f'<p:sldId id="{255 + n}" r:id="slide{n}"/>' for n in range(1, len(slides) + 1)
    )
    members = {
        "_rels/.rels": relations(officeDocument="ppt/presentation.xml"),
        "docProps/core.xml": _CORE,
        "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>{listed}</p:sldIdLst>"
        "</p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            **{f"slide{n}": f"slides/slide{n}.xml" for n in range(1, len(slides) + 1)}
        ),
    }
    for number, shapes in enumerate(slides, 1):
        members[f"ppt/slides/slide{number}.xml"] = (
            f"<p:sld {spaces}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"
        )
    if notes:
        members["ppt/slides/_rels/slide1.xml.rels"] = relations(notesSlide="../notes/notes1.xml")
        members["ppt/notes/notes1.xml"] = (
            f"<p:notes {spaces}><p:cSld><p:spTree>{shape(notes, kind='body')}"
            f"{shape('7', kind='sldNum')}</p:spTree></p:cSld></p:notes>"
        )
    return members


def shape(*paragraphs: str, kind: str | None = None, level: int = 0) -> str:
    """A shape of a slide; with a ``kind``, it is a placeholder of this kind."""
    held = "" if kind is None else f'<p:ph type="{kind}"/>'
    text = "".join(
        f'<a:p><a:pPr lvl="{level}"/><a:r><a:t>{paragraph}</a:t></a:r></a:p>'
        for paragraph in paragraphs
    )
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="x"/><p:nvPr>{held}</p:nvPr></p:nvSpPr>'
        f"<p:txBody>{text}</p:txBody></p:sp>"
    )


def open_document(kind: str, body: str, styles: str = "") -> Parts:
    """An OpenDocument file of a kind: ``text``, ``spreadsheet`` or ``presentation``."""
    return {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": f"<office:document-content {_ODF}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
        "</office:body></office:document-content>",
        "meta.xml": f"<office:document-meta {_ODF} {_DC}><office:meta><dc:title>On Ducks</dc:title>"
        "<meta:initial-creator>Ada</meta:initial-creator>"
        "<meta:creation-date>2024-02-03T04:05:06</meta:creation-date>"
        "<dc:date>2024-03-03T04:05:06</dc:date></office:meta></office:document-meta>",
    }


def odt(body: str = "<text:p>Ducks swim.</text:p>", styles: str = "") -> Parts:
    """An OpenDocument text."""
    return open_document("text", body, styles)


def ods() -> Parts:
    """An OpenDocument spreadsheet of one cell."""
    cell = "<table:table-cell><text:p>Ducks swim.</text:p></table:table-cell>"
    return open_document(
        "spreadsheet",
        f'<table:table table:name="A"><table:table-row>{cell}</table:table-row></table:table>',
    )


def odp() -> Parts:
    """An OpenDocument presentation of one slide."""
    box = "<draw:text-box><text:p>Ducks swim.</text:p></draw:text-box>"
    return open_document("presentation", f"<draw:page><draw:frame>{box}</draw:frame></draw:page>")


def epub(**chapters: str) -> Parts:
    """An e-book of chapters given by their bodies; by default the chapter's file is ``a.xhtml``."""
    chapters = chapters or {"a": "<p>Ducks swim.</p>"}
    items = "".join(
        f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>'
        for name in reversed(chapters)
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OEBPS/book.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>',
        "OEBPS/book.opf": f"<package {_DC}><metadata><dc:title>On Ducks</dc:title>"
        "<dc:creator>Ada</dc:creator><dc:date>2024-02-03T04:05:06</dc:date>"
        '<meta property="dcterms:modified">2024-03-03T04:05:06Z</meta></metadata>'
        '<manifest><item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
        f"{items}</manifest><spine>{spine}</spine></package>",
        "OEBPS/toc.ncx": '<?xml version="1.0"?><!DOCTYPE ncx PUBLIC "a" "b"><ncx><navMap>'
        "<navPoint><navLabel><text>Preface</text></navLabel>"
        '<content src="a.xhtml"/></navPoint></navMap></ncx>',
    }
    for name, body in chapters.items():
        members[f"OEBPS/{name}.xhtml"] = (
            f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>'
            f"<body>{body}</body></html>"
        )
    return members


MAKERS: dict[str, Callable[..., Parts]] = {
    **{"docx": docx, "xlsx": xlsx, "pptx": pptx, "odt": odt, "ods": ods, "odp": odp, "epub": epub},
    "shape": shape,  # type: ignore[dict-item]
    "open_document": open_document,
}


def packed(parts: dict[str, str | bytes]) -> bytes:
    """The parts as a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.fixture(scope="session")
def make() -> dict[str, Callable[..., Parts]]:
    """The makers of small files by extension; each gives the members of a zip."""
    return MAKERS


@pytest.fixture(scope="session")
def pack() -> Callable[[dict[str, str | bytes]], bytes]:
    """Makes a zip of members."""
    return packed
