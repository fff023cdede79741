"""OpenDocument files: texts (.odt), spreadsheets (.ods) and presentations (.odp)."""

from xml.etree.ElementTree import Element

from rag_platform.documents.parsed import Page, ParsedDocument
from rag_platform.documents.parsing.archive import Archive
from rag_platform.documents.parsing.open_document_text import TextReader
from rag_platform.documents.parsing.records import Records
from rag_platform.documents.parsing.xml_tree import (
    children,
    descendants,
    first,
    local_name,
    moment,
    parse_xml,
    value_of,
)
from rag_platform.documents.repetition import NOTE as REPEATED
from rag_platform.errors import UnreadableDocument

HIDDEN = "Text that the author has hidden was left out."


def extract(data: bytes) -> ParsedDocument:
    """Read an OpenDocument file: a text in order, slides as pages, or sheets row by row."""
    archive = Archive(data, "OpenDocument file", ".odt")

    def part(name: str) -> Element | None:
        content = archive.read(name)
        return None if content is None else parse_xml(content, archive.damaged)

    manifest = part("META-INF/manifest.xml")
    if next(descendants(manifest, "encryption-data"), None) is not None:
        raise archive.encrypted()
    content = part("content.xml")
    if content is None:
        raise UnreadableDocument(archive.damaged)
    return read(content, part("styles.xml"), part("meta.xml"))


def read(content: Element, styles: Element | None, about: Element | None) -> ParsedDocument:
    """The document in its parts, which are all the same element in a flat file (.fodt)."""
    body = first(content, "body")
    if body is None:
        raise UnreadableDocument("The file is damaged: it is not a complete OpenDocument file.")
    reader = TextReader(content, styles)
    pages: list[Page] | None = None
    notes: list[str] = []
    for kind in body:
        name = local_name(kind)
        if name == "text":
            reader.blocks_of(kind)
            reader.write_notes()
        elif name == "spreadsheet":
            notes += _sheets(kind, reader)
        elif name == "presentation":
            pages = _slides(kind, reader)
    blocks = reader.blocks
    if reader.hidden:
        notes.append(HIDDEN)
    if reader.shortened:
        notes.append(REPEATED)
    if not blocks.text and notes:
        raise UnreadableDocument(f"The file has no text. {' '.join(notes)}")
    meta = first(about, "meta")
    said = {local_name(item): " ".join((item.text or "").split()) for item in _items(meta)}
    top = next((heading.title for heading in blocks.headings if heading.level == 1), None)
    return ParsedDocument(
        text=blocks.text,
        headings=tuple(blocks.headings),
        pages=tuple(pages or ()),
        page_count=None if pages is None else len(pages),
        title=said.get("title") or (None if first(body, "spreadsheet") is not None else top),
        author=said.get("initial-creator") or said.get("creator") or None,
        created=moment(said.get("creation-date")),
        modified=moment(said.get("date")),
        notes=tuple(notes),
    )


def _sheets(spreadsheet: Element, reader: TextReader) -> list[str]:
    notes: list[str] = []
    records = Records(reader.blocks)
    for sheet in children(spreadsheet, "table"):
        name = value_of(sheet, "name") or ""
        if reader.styles.shows_nothing(value_of(sheet, "style-name")):
            notes.append(f"The hidden sheet “{name}” was left out.")
        else:
            records.write(reader.records(sheet), title=name)
    return notes


def _slides(presentation: Element, reader: TextReader) -> list[Page]:
    pages: list[Page] = []
    blocks = reader.blocks
    reader.sight.pictured = False  # it is known of each slide
    for number, slide in enumerate(children(presentation, "page"), 1):
        title = ""
        shapes: list[Element] = []
        paper = reader.sight.slide_paper(slide)
        for shape in slide:
            if value_of(shape, "class") == "title" and not title:
                with reader.sight.on(paper):
                    title = reader.title(shape)
            elif local_name(shape) != "notes":
                shapes.append(shape)
        begin = blocks.length
        blocks.heading(1, title if any(map(str.isalnum, title)) else f"Slide {number}")
        begin = blocks.headings[-1].start if blocks.headings else begin
        with reader.sight.on(paper):
            for shape in shapes:
                reader.shape(shape)
        for frame in children(first(slide, "notes"), "frame"):
            if value_of(frame, "class") == "notes" and (text := reader.plain(frame)):
                blocks.add(f"Notes: {text}")
        reader.write_notes()
        pages.append(Page(number, begin, blocks.length))
    return pages


def _items(element: Element | None) -> list[Element]:
    return [] if element is None else list(element)
