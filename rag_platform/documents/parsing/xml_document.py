"""XML of any kind (DocBook, TEI, RSS, plain data) and drawings (.svg): their text in its order."""

import html.entities
import re
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.documents.parsing import html as html_page
from rag_platform.documents.parsing import open_document
from rag_platform.documents.parsing.blocks import Blocks, fenced
from rag_platform.documents.parsing.formats import SVG
from rag_platform.documents.parsing.plain_text import decode
from rag_platform.documents.parsing.svg import drawing_text
from rag_platform.documents.parsing.tables import markdown_table
from rag_platform.documents.parsing.xml_tree import (
    MAX_DEPTH,
    descendants,
    local_name,
    moment,
    value_of,
)
from rag_platform.errors import UnreadableDocument

_ENTITIES = (
    "The file is refused: it declares XML entities that stand for files, long texts or each other."
)
_DEEP = "The file is refused: its parts are nested too deeply."
_NO_WORDS = "The drawing has no text; its words may be drawn as lines."
_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,100}\sencoding=[\"']([\w.:-]{2,40})[\"'][^>]{0,100}\?>")
_MANY_BYTES = frozenset(
    (b"shift_jis", b"euc-jp", b"iso-2022-jp", b"gb2312", b"gbk", b"gb18030", b"big5", b"euc-kr")
)
_LONGEST_ENTITY = 200
_WORD_PACKAGES = frozenset(("wordDocument", "package"))
_SAVE_AS = "This is an office document saved as XML; save it as .docx and drop it again."

_TITLES = frozenset(("title", "head", "heading"))
_SECTIONS = re.compile(
    r"book|article|part|chapter|appendix|preface|section|sect\d|refsect\d|simplesect|glossary|div\d?|"
    r"topic|concept|task|reference|item|entry|channel|feed|body|text|front|back|info|bookinfo|"
    r"articleinfo|titleStmt|figure|table|example|note|lg|refentry"
)
_CODE = frozenset(("programlisting", "screen", "literallayout", "synopsis", "codeblock", "pre"))
_ROWS = frozenset(("row", "tr", "strow"))
_CELLS = frozenset(("entry", "td", "th", "cell", "stentry"))
_ITEMS = frozenset(("listitem", "li", "item", "step", "varlistentry"))
_LISTS = re.compile(r".*list|ul|ol|procedure|steps")
_PAGES = frozenset(("description", "encoded", "content", "summary"))
"""Elements of feeds that may hold a page as text."""
_SKIPPED = frozenset(("binary", "script", "style", "teiHeader", "revisionDesc"))
_NAMES = frozenset(("name", "id", "key"))
_DOCUMENTS = frozenset(
    re.findall(
        r"\w+",
        "book article chapter part set section refentry TEI TEI2 teiCorpus rss feed RDF topic "
        "concept task reference dita FictionBook doc document",
    )
)
_SHORT = 300


def extract(data: bytes, media_type: str) -> ParsedDocument:
    """Read XML. What is not well formed is read as it is written."""
    try:
        root = _root(_in_utf_8(data))
    except (expat.ExpatError, ValueError, LookupError):
        text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
        return ParsedDocument(text=fenced(text, "xml"))
    name = local_name(root)
    if name == "svg" or media_type == SVG:
        return _drawing(root)
    if name == "document" and "opendocument" in root.tag:
        return open_document.read(root, root, root)
    if name in _WORD_PACKAGES and "microsoft" in root.tag:
        raise UnreadableDocument(_SAVE_AS)
    if name == "html":
        return html_page.extract(data)
    reader = _Reader(name in _DOCUMENTS)
    reader.read(root)
    blocks = reader.blocks
    return ParsedDocument(
        text=blocks.text,
        headings=tuple(blocks.headings),
        title=_first(root, "title") if name in _DOCUMENTS else None,
        author=(_first(root, "author") or _first(root, "creator")) if name in _DOCUMENTS else None,
        created=moment(_first(root, "date") or _first(root, "published")),
        language=_language(root),
    )


def _drawing(root: Element) -> ParsedDocument:
    title, lines, hidden = drawing_text(root)
    if not lines:
        raise UnreadableDocument(_NO_WORDS)
    notes = ("Hidden text was left out.",) if hidden else ()
    return ParsedDocument(text="\n\n".join(lines), title=title or None, notes=notes)


def _in_utf_8(data: bytes) -> bytes:
    """The bytes, decoded before if they are in an encoding that the parser does not know."""
    declared = _ENCODING.match(data)
    if declared is None or declared[1].lower() not in _MANY_BYTES:
        return data
    return decode(data[declared.end() :], declared[1].decode()).encode()


def _root(data: bytes) -> Element:
    """The root element. Entities may stand for a few words, and for nothing else."""
    builder = TreeBuilder()
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableDocument(_DEEP)
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def declared(*said: object) -> None:
        value, system = said[2], said[4]
        # Entities of entities grow without end, and external ones read files and call servers.
        if system is not None or not isinstance(value, str) or len(value) > _LONGEST_ENTITY or (
            "&" in value
        ):  # fmt: skip
            raise UnreadableDocument(_ENTITIES)

    def skipped(name: str, parameter: bool) -> None:
        if not parameter:
            builder.data(html.entities.html5.get(f"{name};", " "))

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = declared
    parser.SkippedEntityHandler = skipped
    parser.Parse(data, True)
    return builder.close()


class _Reader:
    """Walks the tree and writes blocks."""

    def __init__(self, document: bool) -> None:
        self.blocks = Blocks()
        self._document = document
        """Whether its elements are the parts of a text, and not the fields of records."""
        self._tabular: set[int] = set()

    def read(self, root: Element) -> None:
        """Everything below the root."""
        self._mark(root)
        if _is_mixed(root) or len(root) == 0:
            self._leaf(root, local_name(root))
        else:
            self._children(root, 0)

    def _mark(self, element: Element) -> bool:
        """Remember which elements hold rows of a table."""
        held = local_name(element) in _ROWS
        for child in element:
            held = self._mark(child) or held
        if held:
            self._tabular.add(id(element))
        return held

    def _children(self, element: Element, level: int) -> None:
        for child in element:
            self._element(child, element, level)

    def _element(self, element: Element, parent: Element, level: int) -> None:
        name = local_name(element)
        if name in _SKIPPED:
            return
        if name in _TITLES and _SECTIONS.fullmatch(local_name(parent)):
            self.blocks.heading(max(level, 1), _inline(element))
        elif name in _CODE:
            self.blocks.add(fenced("".join(element.itertext())), "code")
        elif self._document and name in _PAGES and len(element) == 0:
            self._page(element.text or "", level)
        elif id(element) in self._tabular and not _sectioned(element):
            self._table(element)
        elif self._document and _LISTS.fullmatch(name) and len(element):
            for item in element:
                kind = "item" if local_name(item) in _ITEMS else "paragraph"
                text = _inline(item)
                self.blocks.add(f"- {text}" if text and kind == "item" else text, kind)
        elif _is_mixed(element) or len(element) == 0:
            self._leaf(element, name)
        elif not self._document and all(len(child) == 0 for child in element):
            self._record(element)
        else:
            deeper = level + 1 if _SECTIONS.fullmatch(name) else level
            if not self._document:
                self._fields(element)
            self._children(element, deeper)

    def _leaf(self, element: Element, name: str) -> None:
        text = _inline(element)
        if self._document:
            self.blocks.add(text)
        else:
            said = _said(element)
            label = next((value for key, value in said if key in _NAMES), name)
            others = "; ".join(f"{key}: {value}" for key, value in said if key not in _NAMES)
            line = f"{label}: {text}" if text else label if said else ""
            self.blocks.add("; ".join(filter(None, (line, others))), "item")

    def _record(self, element: Element) -> None:
        fields = _said(element)
        later: list[str] = []
        for child in element:
            text = _inline(child)
            own = _said(child)
            if not text:
                text = "; ".join(f"{key} {value}" for key, value in own)
            label = next((v for key, v in own if key in _NAMES and v != text), local_name(child))
            if len(text) > _SHORT:
                later.append(f"{label}: {text}")
            elif text:
                fields.append((label, text))
        self.blocks.add("; ".join(f"{key}: {value}" for key, value in fields), "item")
        for text in later:
            self.blocks.add(text)

    def _fields(self, element: Element) -> None:
        if fields := _said(element):
            said = "; ".join(f"{key}: {value}" for key, value in fields)
            self.blocks.add(f"{local_name(element)}: {said}", "item")

    def _page(self, text: str, level: int) -> None:
        if "<" not in text:
            self.blocks.add(" ".join(text.split()))
            return
        page = html_page.extract(f"<meta charset=utf-8><body>{text}".encode("utf-8", "replace"))
        start = self.blocks.length + 2
        self.blocks.add(page.text)
        self.blocks.headings += [Heading(h.level, h.title, h.start + start) for h in page.headings]

    def _table(self, element: Element) -> None:
        rows: list[list[str]] = []
        for child in element.iter():
            name = local_name(child)
            if name in _ROWS:
                rows.append([_inline(cell) for cell in child if local_name(cell) in _CELLS])
            elif name in _TITLES or name == "caption":
                self.blocks.add(_inline(child))
        if any(rows):
            self.blocks.add(markdown_table(rows), "table")
        else:
            for child in element:
                self._record(child) if len(child) else self._leaf(child, local_name(child))


def _sectioned(element: Element) -> bool:
    """Whether a table is only a part of what an element holds."""
    return len(element) > 1 and any(
        local_name(item)
        not in (_ROWS | _TITLES | {"tgroup", "thead", "tbody", "colspec", "caption"})
        for item in element
    )


def _is_mixed(element: Element) -> bool:
    """Whether words stand between the element's own children."""
    return bool((element.text or "").strip()) or any(
        (child.tail or "").strip() for child in element
    )


def _inline(element: Element) -> str:
    # Where words stand between elements, their blanks are the writer's.
    text = "".join(element.itertext()) if _is_mixed(element) else " ".join(element.itertext())
    return " ".join(text.split())


def _said(element: Element) -> list[tuple[str, str]]:
    """The attributes that say something."""
    return [
        (key.rpartition("}")[2], " ".join(value.split()))
        for key, value in element.attrib.items()
        if value.strip() and "schemaLocation" not in key and len(value) < 2_000
    ]


def _first(root: Element, name: str) -> str | None:
    found = next(descendants(root, name), None)
    return (_inline(found)[:300] or None) if found is not None else None


def _language(root: Element) -> str | None:
    found = re.match(r"[A-Za-z]{2}(?=[-_]|$)", value_of(root, "lang") or "")
    return found[0].lower() if found else None
