"""Putting a text together from blocks, for the formats that are trees."""

import re

from rag_platform.documents.parsed import Heading


class Blocks:
    """Paragraphs, headings, list items and tables in order, written as Markdown."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._last = ""
        self.headings: list[Heading] = []

    @property
    def text(self) -> str:
        """All blocks so far."""
        return "".join(self._pieces)

    @property
    def length(self) -> int:
        """How long the text is so far."""
        return self._length

    def add(self, text: str, kind: str = "paragraph") -> None:
        """Add a block; items stand on lines below their list's ``first item``, all else apart."""
        if not text.strip():
            return
        tight = kind == "item" and self._last in ("item", "first item")
        self._write(("\n" if tight else "\n\n") if self._pieces else "")
        self._write(text)
        self._last = kind

    def heading(self, level: int, title: str) -> None:
        """Add a heading."""
        title = " ".join(title.split())
        if not re.search(r"\w", title):
            self.add(title)
            return
        level = min(max(level, 1), 6)
        self.add(f"{'#' * level} {title}", "heading")
        self.headings.append(Heading(level, title, self._length - level - 1 - len(title)))

    def _write(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)


def fenced(code: str, language: str = "") -> str:
    """Code in a Markdown fence that it can't break out of; nothing for blank code."""
    code = code.strip("\n").rstrip()
    if not code:
        return ""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`{1,50}", code)), default=0))
    return f"{fence}{language}\n{code}\n{fence}"
