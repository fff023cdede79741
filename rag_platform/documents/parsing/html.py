"""HTML: the main content as Markdown, without navigation, scripts and forms.

By selectolax, and not by an extractor of articles: manuals and intranet pages are not articles, and
what is left out of a document cannot be found in it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing import hidden_text
from rag_platform.documents.parsing.blocks import Blocks, fenced
from rag_platform.documents.parsing.html_limits import require_ordinary
from rag_platform.documents.parsing.html_lines import (
    BLOCKS,
    DEPTH,
    HEADINGS,
    is_read_by_rows,
    line_of,
    rows_of,
)
from rag_platform.documents.parsing.plain_text import decode
from rag_platform.documents.parsing.tables import markdown_table

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_LANGUAGE = re.compile(r"([A-Za-z]{2})(?:[-_]|$)")
_NOISE = (
    "script,style,template,noscript,svg,iframe,object,canvas,nav,aside,button,select,input,textarea,"
    "dialog,[role='navigation'],[role='search'],[role='banner'],"
    "[role='contentinfo'],[role='dialog'],body>header,body>footer,.navbox,.mw-editsection,"
    ".mw-jump-link,.mw-redirectedfrom,.printfooter,.noprint,.skip-link,.breadcrumb,"
    ".interlanguage-link,.vector-menu,.mw-portlet,#catlinks,#toc,.toc"
)
_MAIN = "main,[role='main'],article,#content,#main"
_MAIN_SHARE = 0.3
"""The main element has to hold this part of the page's text to be believed."""
_NESTING = re.compile(
    r"<(/?)(?!(?:p|li|t[drh]|d[td]|tbody|thead|tfoot|option|br|hr|img|input|meta|link|col|wbr|area|base|"
    r"embed|source|track)\b)[a-zA-Z][\w:-]*(?:\s[^<>]*)?>"
)
"""The tags of elements that hold each other until they are closed."""
_DEEPEST = 5_000
_COLUMNS = 200


def extract(data: bytes, charset: str = "", sheets: Sequence[str] = ()) -> ParsedDocument:
    """Read HTML; ``charset`` is what its sender says of its encoding.

    ``sheets`` are the style sheets that it links to, where they come with it.
    """
    declared = _CHARSET.search(data[:4096])
    text = decode(data, charset or (declared[1].decode() if declared else ""))
    require_ordinary(text)
    tree = LexborHTMLParser(_flattened(text))
    titles = [line_of(node) for node in tree.css("title")][:1]
    meta = _meta(tree)
    declared_language = _LANGUAGE.match(_declared_language(tree))
    hidden = hidden_text.remove_hidden(tree, sheets)
    for node in tree.css(_NOISE):
        if node.tag not in ("html", "body"):
            node.decompose()
    blocks = Blocks()
    body = tree.body
    if body is not None:
        _Reader(blocks).read(_main(tree, body))
    first = next((heading.title for heading in blocks.headings if heading.level == 1), "")
    title = meta.get("og:title") or (titles[0] if titles else "")
    if first and (not title or first in title):
        title = first  # without the name of the site
    return ParsedDocument(
        text=blocks.text,
        headings=tuple(blocks.headings),
        title=title or None,
        author=meta.get("author") or meta.get("article:author"),
        created=_date(meta.get("article:published_time") or meta.get("date")),
        modified=_date(meta.get("article:modified_time") or meta.get("last-modified")),
        language=declared_language[1].lower() if declared_language else None,
        notes=(hidden_text.NOTE,) if hidden else (),
    )


class _Reader:
    """Walks the tree and writes blocks; text between blocks becomes paragraphs."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._inline: list[str] = []

    def read(self, root: LexborNode) -> None:
        """Everything below a node."""
        self._children(root, 0)
        self._flush()

    def _children(self, node: LexborNode, depth: int) -> None:
        for child in node.iter(include_text=True, skip_empty=False):
            self._node(child, depth + 1)

    def _node(self, node: LexborNode, depth: int) -> None:
        tag = node.tag
        if tag == "-text":
            self._inline.append(re.sub(r"\s+", " ", node.text_content or ""))
        elif tag == "br":
            self._inline.append("\n")
        elif depth > DEPTH:
            self._inline.append(f" {line_of(node)} ")
        elif tag in HEADINGS:
            self._flush()
            self._blocks.heading(HEADINGS[tag], line_of(node))
        elif tag in ("ul", "ol", "menu"):
            self._list(node, tag == "ol", "", depth)
        elif tag == "table":
            self._table(node, depth)
        elif tag == "pre":
            self._flush()
            self._blocks.add(fenced(node.text(deep=True)), "code")
        elif tag == "hr" or tag in BLOCKS:
            self._flush()
            self._children(node, depth)
            self._flush()
        elif tag is not None and not tag.startswith(("-", "_")):
            self._children(node, depth)

    def _list(self, node: LexborNode, numbered: bool, indent: str, depth: int) -> None:
        self._flush()
        number = _number(node, "start", 0, 10**6) - 1
        first = not indent
        for item in node.iter(include_text=False):
            if item.tag != "li":
                self._node(item, depth + 1)
                continue
            number += 1
            mark = f"{number}." if numbered else "-"
            later: list[LexborNode] = []
            for child in item.iter(include_text=True, skip_empty=False):
                if child.tag in ("ul", "ol", "menu", "table", "pre"):
                    later.append(child)
                elif child.tag in BLOCKS or child.tag in HEADINGS:
                    self._inline.append(f"\n{line_of(child)}\n")
                else:
                    self._node(child, depth + 2)
            text = re.sub(r"\s*\n\s*", f"\n{indent}  ", self._taken())
            if text:
                self._blocks.add(f"{indent}{mark} {text}", "first item" if first else "item")
                first = False
            for child in later:
                if child.tag in ("ul", "ol", "menu") and depth < DEPTH:
                    self._list(child, child.tag == "ol", f"{indent}  "[:16], depth + 2)
                else:
                    self._node(child, depth + 2)

    def _table(self, node: LexborNode, depth: int) -> None:
        self._flush()
        if node.attributes.get("role") == "presentation" or not is_read_by_rows(node):
            # Made to place things side by side.
            self._children(node, depth)
            self._flush()
            return
        for caption in node.css("caption")[:1]:
            self._blocks.add(line_of(caption))
        rows: list[list[str]] = []
        below: dict[int, int] = {}  # column: rows that a cell above still covers
        for row in rows_of(node):
            line: list[str] = []
            for cell in row.iter(include_text=False):
                while below.get(len(line), 0) > 0 and len(line) < _COLUMNS:
                    below[len(line)] -= 1
                    line.append("")
                if len(line) >= _COLUMNS:
                    line[-1] += f" {line_of(cell)}"
                    continue
                rowspan, colspan = _number(cell, "rowspan"), _number(cell, "colspan")
                for column in range(len(line), len(line) + colspan):
                    below[column] = rowspan - 1
                line += [line_of(cell), *[""] * (colspan - 1)]
            rows.append(line)
        if max(map(len, rows), default=0) == 1:
            for row in rows:
                self._blocks.add(row[0] if row else "")
        else:
            self._blocks.add(markdown_table(rows), "table")

    def _flush(self) -> None:
        self._blocks.add(self._taken())

    def _taken(self) -> str:
        text = re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", "".join(self._inline)))
        self._inline = []
        return text.strip()


def _flattened(text: str) -> str:
    """The page without the tags that are nested absurdly deep: parsing takes the depth's square."""
    depth = deepest = 0
    for tag in _NESTING.finditer(text):
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    if deepest <= _DEEPEST:
        return text
    depth = 0

    def keep(tag: re.Match[str]) -> str:
        nonlocal depth
        if tag[1]:
            depth = max(depth - 1, 0)
            return tag[0] if depth < DEPTH else " "
        depth += 1
        return tag[0] if depth <= DEPTH else " "

    return _NESTING.sub(keep, text)


def _main(tree: LexborHTMLParser, body: LexborNode) -> LexborNode:
    """The element with the main content, or the whole body where none stands out."""
    whole = len(line_of(body))
    candidates = [(len(line_of(node)), node) for node in tree.css(_MAIN)[:50]]
    if candidates:
        length, node = max(candidates, key=lambda candidate: candidate[0])
        if length >= _MAIN_SHARE * whole:
            return node
    return body


def _declared_language(tree: LexborHTMLParser) -> str:
    root = tree.css_first("html")
    attributes = root.attributes if root is not None else {}
    return (attributes.get("lang") or attributes.get("xml:lang") or "").strip()


def _meta(tree: LexborHTMLParser) -> dict[str, str]:
    meta: dict[str, str] = {}
    for node in tree.css("meta"):
        name = node.attributes.get("name") or node.attributes.get("property")
        content = node.attributes.get("content")
        if name and content and content.strip():
            meta.setdefault(name.lower(), content.strip())
    return meta


def _number(node: LexborNode, name: str, least: int = 1, most: int = 100) -> int:
    value = (node.attributes.get(name) or "1").strip()[:9]
    return min(max(int(value), least), most) if value.isascii() and value.isdecimal() else 1


def _date(value: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
