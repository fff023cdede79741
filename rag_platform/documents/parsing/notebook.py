"""Jupyter notebooks: the prose, the code in fences, and what it printed."""

import json
import re
from typing import Any, cast

from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.documents.parsing.blocks import fenced
from rag_platform.documents.parsing.markdown import headings_of, without_pictures
from rag_platform.documents.parsing.plain_text import decode
from rag_platform.errors import UnreadableDocument

_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LEVELS = frozenset("123456")
_DAMAGED = "The file is damaged: it is no Jupyter notebook."


def extract(data: bytes) -> ParsedDocument:
    """Read a notebook of format 3 or 4. Pictures and other outputs without text are left out."""
    try:
        notebook: Any = json.loads(decode(data), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise UnreadableDocument(_DAMAGED) from None
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        raise UnreadableDocument(_DAMAGED)
    cells = list(_items(_get(notebook, "cells")))
    for sheet in _items(_get(notebook, "worksheets")):
        cells += _items(_get(sheet, "cells"))
    metadata = _get(notebook, "metadata")
    language = _language(metadata)
    pieces: list[str] = []
    headings: list[Heading] = []
    length = 0
    for cell in cells:
        for kind, text in _blocks(cell, language):
            if not text.strip():
                continue
            if kind == "markdown":
                headings += [
                    Heading(heading.level, heading.title, heading.start + length)
                    for heading in headings_of(text)
                ]
            pieces.append(text)
            length += len(text) + 2
    first = next((heading.title for heading in headings if heading.level == 1), None)
    authors = [_text(_get(author, "name")) for author in _items(_get(metadata, "authors"))]
    return ParsedDocument(
        text="\n\n".join(pieces),
        headings=tuple(headings),
        title=_text(_get(metadata, "title")) or first,
        author=", ".join(filter(None, authors)) or None,
    )


def _blocks(cell: Any, language: str) -> list[tuple[str, str]]:
    """What a cell holds, as (kind, Markdown) pairs."""
    kind = _get(cell, "cell_type")
    source = _text(_get(cell, "source") or _get(cell, "input"))
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if kind == "heading":  # format 3
        level = str(_get(cell, "level"))
        return [("markdown", f"{'#' * (int(level) if level in _LEVELS else 1)} {source}")]
    if kind != "code":
        return [("markdown", without_pictures(source.strip("\n")))]
    blocks = [("code", fenced(source, _text(_get(cell, "language")) or language))]
    blocks += [("output", fenced(output)) for output in map(_output, _items(_get(cell, "outputs")))]
    return blocks


def _output(output: Any) -> str:
    """The text of an output; nothing for pictures and for what only a browser shows."""
    data = _get(output, "data")
    if _get(output, "output_type") in ("error", "pyerr"):
        return f"{_text(_get(output, 'ename'))}: {_text(_get(output, 'evalue'))}"
    for value in (_get(output, "text"), _get(data, "text/markdown"), _get(data, "text/plain")):
        if text := _text(value):
            # A progress bar overwrites its line: what it showed last is what was seen.
            lines = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
            return without_pictures(_TERMINAL.sub("", "\n".join(lines)))
    return ""


def _language(metadata: Any) -> str:
    for part, name in (("language_info", "name"), ("kernelspec", "language")):
        if re.fullmatch(r"[\w+#.-]{1,30}", language := _text(_get(_get(metadata, part), name))):
            return language.lower()
    return ""


def _get(holder: Any, name: str) -> Any:
    return cast(dict[str, Any], holder).get(name) if isinstance(holder, dict) else None


def _items(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(item for item in cast(list[Any], value) if isinstance(item, str))
    return value if isinstance(value, str) else ""
