"""E-books (.epub): the chapters in the order of reading, each through the reader of HTML."""

import contextlib
import posixpath
import re
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from selectolax.lexbor import LexborHTMLParser

from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.documents.parsing import html
from rag_platform.documents.parsing.archive import Archive
from rag_platform.documents.parsing.xml_tree import (
    children,
    descendants,
    first,
    local_name,
    moment,
    parse_xml,
    value_of,
)
from rag_platform.errors import UnreadableDocument

_CONTAINER = "META-INF/container.xml"
_CHAPTERS = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_ENCODING = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,100}encoding=[\"']([\w.:-]{2,40})")
# A page of a book has no site around it: what these hold are a chapter's title and its footnotes.
_FRAMES = re.compile(rb"<(/?)(?:\w+:)?(?:aside|header|footer)\b", re.IGNORECASE)
# In XHTML an element may be empty; read as HTML, an empty title would swallow the chapter.
_EMPTY = re.compile(
    rb"<(title|script|style|a|span|div|p|i|b|em|strong|td|th|h[1-6]|li|ul|ol|textarea|iframe)"
    rb"(\s[^<>]*)?/>",
    re.IGNORECASE,
)
_LINK = re.compile(rb"<(?:\w+:)?link\b[^>]{1,1000}>", re.IGNORECASE)
_SHEET = re.compile(rb"href=[\"']([^\"']{1,300}\.css)[\"']", re.IGNORECASE)
_LOCKED = "The e-book is protected against copying; drop a copy without this protection."


def extract(data: bytes) -> ParsedDocument:
    """Read an e-book. A chapter without a heading has the one that the contents give it."""
    archive = Archive(data, "e-book", ".epub")
    opf_path, opf = _package(archive)
    folder = posixpath.dirname(opf_path)
    items: dict[str, tuple[str, str]] = {}
    for item in children(first(opf, "manifest"), "item"):
        path = _joined(folder, value_of(item, "href") or "")
        items[value_of(item, "id") or ""] = (path, value_of(item, "media-type") or "")
    locked = _locked(archive)
    labels = _labels(archive, [path for path, kind in items.values() if "ncx" in kind])
    pieces: list[str] = []
    headings: list[Heading] = []
    length = 0
    seen: set[str] = set()
    notes: dict[str, None] = {}
    sheets: dict[str, str] = {}
    for reference in children(first(opf, "spine"), "itemref"):
        path, kind = items.get(value_of(reference, "idref") or "", ("", ""))
        if path in seen or kind not in _CHAPTERS:
            continue
        seen.add(path)
        if path in locked:
            raise UnreadableDocument(_LOCKED)
        chapter = archive.read(path) or b""
        linked = _linked(archive, path, chapter, sheets)
        text, found, noted = _chapter(chapter, labels.get(path, ""), linked)
        notes.update(dict.fromkeys(noted))
        if text:
            headings += [Heading(h.level, h.title, h.start + length) for h in found]
            pieces.append(text)
            length += len(text) + 2
    metadata = first(opf, "metadata")
    return ParsedDocument(
        text="\n\n".join(pieces),
        headings=tuple(headings),
        title=_said(metadata, "title"),
        author=", ".join(filter(None, map(_own_text, descendants(metadata, "creator")))) or None,
        created=moment(_said(metadata, "date")),
        modified=moment(_modified(metadata)),
        notes=tuple(notes),
    )


def _package(archive: Archive) -> tuple[str, Element]:
    """The part that lists all others."""
    container = archive.read(_CONTAINER)
    root = parse_xml(container, archive.damaged) if container else None
    rootfile = next(descendants(root, "rootfile"), None)
    path = _joined("", value_of(rootfile, "full-path") or "") if rootfile is not None else ""
    content = archive.read(path)
    if content is None:
        raise UnreadableDocument(archive.damaged)
    return path, parse_xml(content, archive.damaged)


def _linked(archive: Archive, path: str, chapter: bytes, sheets: dict[str, str]) -> list[str]:
    """The style sheets that a chapter links to; ``sheets`` are those that were read already."""
    found: list[str] = []
    for link in _LINK.findall(chapter[:8192])[:10]:
        if (reference := _SHEET.search(link)) is None:
            continue
        target = _joined(posixpath.dirname(path), reference[1].decode("utf-8", "replace"))
        if target not in sheets:
            sheets[target] = (archive.read(target) or b"").decode("utf-8", "replace")
        found.append(sheets[target])
    return found


def _chapter(
    data: bytes, label: str, sheets: list[str]
) -> tuple[str, tuple[Heading, ...], tuple[str, ...]]:
    if declared := _ENCODING.match(data):
        with contextlib.suppress(LookupError):
            data = data.decode(declared[1].decode(), errors="replace").encode()
    data = _EMPTY.sub(rb"<\1\2></\1>", _FRAMES.sub(rb"<\1div", data))
    if not data.strip():
        return "", (), ()
    document = html.extract(data, sheets=sheets)
    text = document.text.strip("\n")
    moved = len(document.text) - len(document.text.lstrip("\n"))
    headings = tuple(Heading(h.level, h.title, h.start - moved) for h in document.headings)
    if text and not headings and any(map(str.isalnum, label)):
        text = f"# {label}\n\n{text}"
        headings = (Heading(1, label, 0),)
    return text, headings, document.notes


def _labels(archive: Archive, contents: list[str]) -> dict[str, str]:
    """The names that the table of contents gives to whole chapters."""
    labels: dict[str, str] = {}
    for path in contents:
        # By the reader of HTML, because this format has a document type by right.
        tree = LexborHTMLParser(archive.read(path) or b"")
        for point in tree.css("navpoint"):
            content, label = point.css_first("content"), point.css_first("navlabel")
            if content is not None and label is not None:
                target, _, part = (content.attributes.get("src") or "").partition("#")
                target = _joined(posixpath.dirname(path), target)
                if not part or target not in labels:
                    labels.setdefault(target, " ".join(label.text().split()))
    return labels


def _locked(archive: Archive) -> frozenset[str]:
    """The members that are encrypted. Fonts often are, which keeps nobody from reading."""
    content = archive.read("META-INF/encryption.xml")
    if not content:
        return frozenset()
    root = parse_xml(content, archive.damaged)
    return frozenset(
        _joined("", value_of(item, "URI") or "") for item in descendants(root, "CipherReference")
    )


def _joined(folder: str, reference: str) -> str:
    """The member that a reference leads to; one that leads out of the book leads to none."""
    path = posixpath.normpath(posixpath.join("/", folder, unquote(reference.partition("#")[0])))
    return path.lstrip("/")


def _own_text(element: Element) -> str:
    return " ".join((element.text or "").split())


def _said(metadata: Element | None, name: str) -> str | None:
    return next(filter(None, map(_own_text, descendants(metadata, name))), None)


def _modified(metadata: Element | None) -> str | None:
    for item in metadata if metadata is not None else ():
        if local_name(item) == "meta" and value_of(item, "property") == "dcterms:modified":
            return _own_text(item)
    return None
