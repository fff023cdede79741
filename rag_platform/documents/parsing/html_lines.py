"""What stands in an element of HTML as one line, tables within it included."""

import re

from selectolax.lexbor import LexborNode

HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside audio blockquote body caption center dd details dialog div dl dt "
        "fieldset figcaption figure footer form header hgroup html legend main p section summary "
        "tbody td tfoot th thead tr video",
    )
)
DEPTH = 250
"""Deeper than this, the structure is no person's work: its text is taken as it stands."""

_APART = BLOCKS | frozenset(HEADINGS) | {"br", "li", "ul", "ol", "table", "pre"}
_LONGEST_INNER = 300
"""Characters of a table that is read as a part of another table's cell."""


def line_of(node: LexborNode) -> str:
    """All text below a node in one line."""
    pieces: list[str] = []
    _collect(node, pieces, 0)
    return " ".join("".join(pieces).split())


def rows_of(table: LexborNode) -> list[LexborNode]:
    """The rows of a table itself, without those of tables in its cells."""
    rows: list[LexborNode] = []
    for child in table.iter(include_text=False):
        if child.tag == "tr":
            rows.append(child)
        elif child.tag in ("thead", "tbody", "tfoot"):
            rows += [row for row in child.iter(include_text=False) if row.tag == "tr"]
    return rows


def is_read_by_rows(table: LexborNode) -> bool:
    """Whether a table holds data, and was not made to place things side by side.

    A table in another's cell is a part of that cell if it is small and few of the cells hold one.
    """
    if table.css_first("h1,h2,h3") is not None:
        return False
    inner = [other for other in table.css("table") if other.mem_id != table.mem_id]
    if not inner:
        return True
    # Those that hold tables themselves come first: a page of a thousand nested ones is soon told.
    if any(len(other.css("table")) > 1 or len(line_of(other)) > _LONGEST_INNER for other in inner):
        return False
    rows = [list(row.iter(include_text=False)) for row in rows_of(table)]
    cells = [cell for row in rows for cell in row]
    holding = [cell for cell in cells if cell.css_first("table") is not None]
    return (
        sum(len(row) > 1 for row in rows) > 1
        and len(holding) * 2 <= len(cells)
        and all(len(line_of(cell)) <= 2 * _LONGEST_INNER for cell in holding)
    )


def _collect(node: LexborNode, pieces: list[str], depth: int) -> None:
    if depth > DEPTH:
        pieces.append(node.text(deep=True, separator=" "))
        return
    if node.tag == "table":
        _collect_table(node, pieces, depth)
        return
    for child in node.iter(include_text=True, skip_empty=False):
        if child.tag == "-text":
            pieces.append(child.text_content or "")
            continue
        apart = child.tag in _APART
        pieces.append(" " if apart else "")
        _collect(child, pieces, depth + 1)
        pieces.append(" " if apart else "")


def _collect_table(table: LexborNode, pieces: list[str], depth: int) -> None:
    """The rows of a table one after the other, each cell with the name of its column."""
    lines: list[list[tuple[str, str]]] = []
    for row in rows_of(table):
        line: list[tuple[str, str]] = []
        for cell in row.iter(include_text=False):
            words: list[str] = []
            _collect(cell, words, depth + 3)
            line.append((cell.tag or "", " ".join("".join(words).split())))
        lines.append(line)
    for caption in table.iter(include_text=False):
        if caption.tag == "caption":
            _collect(caption, pieces, depth + 1)
            pieces.append(" ")
    first = lines[0] if lines else []
    headed = len(lines) > 1 and len(first) > 1 and all(tag == "th" for tag, _ in first)
    names = [text for _, text in first] if headed else []
    rows: list[str] = []
    for line in lines[1:] if headed else lines:
        named = [
            f"{names[n]}: {text}" if n < len(names) and names[n] else text
            for n, (_, text) in enumerate(line)
            if text
        ]
        rows.append(", ".join(named))
    pieces.append("; ".join(filter(None, rows)))
