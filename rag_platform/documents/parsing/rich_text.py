"""Rich text (.rtf): paragraphs, headings, lists, tables and footnotes, as Markdown.

Control words that are not known are skipped, as the specification asks of readers.
"""

import codecs
import contextlib
import re
from dataclasses import replace
from datetime import UTC, datetime

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.documents.parsing.rich_text_colours import Colours
from rag_platform.documents.parsing.rich_text_words import (
    CHANGES,
    CHARACTERS,
    CHARSETS,
    DESTINATIONS,
    INFO,
    SKIPPED,
    TOKEN,
    Halves,
    Paragraph,
    State,
)
from rag_platform.documents.parsing.tables import markdown_table
from rag_platform.errors import UnreadableDocument

_DAMAGED = "The file is damaged: it is not a complete rich text file."
_DEPTH = 5_000
HIDDEN = "Text that the author has hidden was left out."


def extract(data: bytes) -> ParsedDocument:
    """Read rich text."""
    if not data.startswith(b"{\\rtf"):
        raise UnreadableDocument(_DAMAGED)
    reader = _Reader()
    reader.read(data)
    blocks = reader.blocks
    said = {name: " ".join("".join(text).split()) for name, text in reader.info.items()}
    return ParsedDocument(
        text=blocks.text,
        headings=tuple(blocks.headings),
        title=said.get("title") or None,
        author=said.get("author") or None,
        created=reader.dates.get("creatim"),
        modified=reader.dates.get("revtim"),
        notes=(HIDDEN,) if reader.hidden else (),
    )


class _Reader:
    """Follows the groups and control words, and writes blocks."""

    def __init__(self) -> None:
        self.blocks = Blocks()
        self.info: dict[str, list[str]] = {}
        self.dates: dict[str, datetime] = {}
        self.hidden = False
        """Whether hidden text was met, and left out."""
        self._colours = Colours()
        self._state = State()
        self._stack: list[State] = []
        self._paragraph = Paragraph()
        self._encoding = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._levels: dict[int, int] = {}
        self._style = 0
        self._bytes = bytearray()
        self._skip = 0
        self._optional = False
        self._halves = Halves()
        self._pieces: dict[str, list[str]] = {}
        self._row: list[str] = []
        self._rows: list[list[str]] = []
        self._notes: list[str] = []
        self._margins: dict[str, None] = {}
        self._date: dict[str, int] = {}

    def read(self, data: bytes) -> None:
        """Read the whole file."""
        place = 0
        while (token := TOKEN.match(data, place)) is not None:
            place = token.end()
            word, number, code, symbol, brace, plain = token.groups()
            if word is not None:
                value = None if number is None else int(number)
                if word == b"bin":
                    place += max(0, value or 0)
                else:
                    self._word(word.decode(), value)
            elif plain is not None:
                skipped, self._skip = self._skip, max(0, self._skip - len(plain))
                self._bytes += plain[skipped:]
            elif code is not None:
                if self._skip:
                    self._skip -= 1
                else:
                    self._bytes.append(int(code, 16))
            elif brace is not None:
                self._brace(brace == b"{")
            elif symbol is not None:
                self._symbol(symbol)
        self._flush()
        self._end_paragraph()
        self._end_table()
        for note in (*self._notes, *self._margins):
            self.blocks.add(note)

    def _brace(self, opens: bool) -> None:
        self._flush()
        self._skip = 0
        self._optional = False
        if opens:
            if len(self._stack) >= _DEPTH:
                raise UnreadableDocument("The file is refused: its parts are nested too deeply.")
            self._stack.append(self._state)
            self._state = replace(self._state)
            return
        ended = self._state.destination
        if self._stack:
            self._state = self._stack.pop()
        if ended == self._state.destination:
            if ended == "stylesheet":
                self._named_style()
            return
        text = " ".join("".join(self._pieces.pop(ended, ())).split())
        if ended == "footnote" and text:
            self._notes.append(f"[{len(self._notes) + 1}] {text}")
            self._text(f"[{len(self._notes)}]")
        elif ended in ("header", "footer") and any(map(str.isalpha, text)):
            self._margins[text] = None
        elif ended in ("listtext", "pntext"):
            self._paragraph.listed = True
            self._pieces["mark"] = [text if any(map(str.isalnum, text)) else "-"]
        elif ended in ("title", "author"):
            self.info[ended] = [text]
        elif ended in ("creatim", "revtim"):
            date, self._date = self._date, {}
            names = ("yr", "mo", "dy", "hr", "min")
            with contextlib.suppress(ValueError, OverflowError):
                self.dates[ended] = datetime(*(date.get(n, 0) for n in names), tzinfo=UTC)

    def _word(self, word: str, value: int | None) -> None:
        optional, self._optional = self._optional, False
        if word == "u":
            self._unicode(value or 0)
            return
        state = self._state
        if word in CHARACTERS:
            self._flush()
            self._text(CHARACTERS[word])
        elif state.destination == "skipped":
            return
        elif word == "background":
            self._colours.page_known = False
            self._enter("skipped")
        elif word in SKIPPED or (state.destination == "info" and word not in INFO):
            self._enter("skipped")
        elif word in DESTINATIONS:
            self._enter(word)
        elif optional and word not in ("shpinst", "shptxt", "pgdsctbl"):
            self._enter("skipped")
        elif word in ("yr", "mo", "dy", "hr", "min"):
            self._date[word] = value or 0
        elif word in ("par", "sect", "page"):
            self._flush()
            self._end_paragraph()
        elif word in ("cell", "nestcell", "row"):
            self._flush()
            self._end_cell(word)
        else:
            self._property(word, value)

    def _property(self, word: str, value: int | None) -> None:
        state, paragraph = self._state, self._paragraph
        on = value != 0
        if word in CHANGES:
            self._flush()
        if self._colours.word(word, value, state, paragraph):
            return
        if word == "pard":
            self._paragraph = Paragraph()
        elif word == "intbl":
            paragraph.in_table = True
        elif word == "s":
            self._style = value or 0
            paragraph.level = self._levels.get(self._style, paragraph.level)
        elif word == "outlinelevel" and value is not None and 0 <= value < 9:
            if state.destination == "stylesheet":
                self._levels.setdefault(self._style, value + 1)
            else:
                paragraph.level = value + 1
        elif word == "ls" and value:
            paragraph.listed = True
        elif word == "ilvl":
            paragraph.indent = min(max(value or 0, 0), 8)
        elif word == "v":
            state.hidden = on
        elif word == "deleted":
            state.deleted = on
        elif word == "plain":
            state.hidden = state.deleted = False
            state.encoding = ""
            state.colour, state.size, state.paper = 0, 24, state.paper and 0
        elif word == "uc":
            state.skip = min(max(value or 0, 0), 16)
        elif word == "f":
            self._font = value or 0
            state.encoding = self._fonts.get(self._font, "")
        elif word == "fcharset" and state.destination == "fonttbl":
            self._fonts[self._font] = CHARSETS.get(value or 0, "") if value else ""
        elif word in ("ansicpg", "mac", "pc", "pca"):
            name = {"mac": "mac-roman", "pc": "cp437", "pca": "cp850"}.get(word, f"cp{value}")
            with contextlib.suppress(LookupError):
                self._encoding = codecs.lookup(name).name

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._optional = True
        elif symbol in b"{}\\":
            self._bytes += symbol
        elif symbol in b"~_":
            self._bytes += b" " if symbol == b"~" else b"-"
        elif symbol in b"\r\n":
            self._flush()
            self._end_paragraph()

    def _unicode(self, code: int) -> None:
        self._flush()
        self._skip = self._state.skip
        self._text(self._halves.character(code))

    def _enter(self, destination: str) -> None:
        self._flush()
        self._state.destination = destination

    def _flush(self) -> None:
        if self._bytes:
            encoding = self._state.encoding or self._encoding
            text = self._bytes.decode(encoding, errors="replace")
            self._bytes = bytearray()
            self._text(text)

    def _text(self, text: str) -> None:
        state = self._state
        if state.destination == "colortbl":
            self._colours.define(text)
        elif state.destination in ("text", "footnote") and self._hides(text):
            self.hidden = self.hidden or bool(text.strip())
        elif not state.deleted and state.destination != "skipped":
            self._pieces.setdefault(state.destination, []).append(text)

    def _hides(self, text: str) -> bool:
        state = self._state
        # Blanks between words of two colours belong to those that are seen.
        return state.hidden or (
            bool(text.strip()) and self._colours.hides(state, self._paragraph, len(self._row))
        )

    def _named_style(self) -> None:
        name = "".join(self._pieces.pop("stylesheet", ())).strip(" ;").lower()
        found = re.fullmatch(r"heading ([1-9])", name)
        if found or name == "title":
            self._levels[self._style] = int(found[1]) if found else 1

    def _taken(self) -> str:
        text = "".join(self._pieces.pop("text", ()))
        return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()

    def _end_paragraph(self) -> None:
        if self._state.destination != "text":
            self._text(" ")
            return
        if self._paragraph.in_table:
            self._text(" ")  # a paragraph among others in a cell
            return
        self._end_table()
        text, paragraph = self._taken(), self._paragraph
        mark = "".join(self._pieces.pop("mark", ["-"]))
        if text and paragraph.level is not None:
            self.blocks.heading(paragraph.level, text)
        elif text and paragraph.listed:
            self.blocks.add(f"{'  ' * paragraph.indent}{mark} {text}", "item")
        else:
            self.blocks.add(text)
        paragraph.listed = False

    def _end_cell(self, word: str) -> None:
        if word == "nestcell" or self._state.destination != "text":
            self._text(" ")
        elif word == "cell":
            self._row.append(self._taken())
        elif self._row:
            self._rows.append(self._row)
            self._row = []

    def _end_table(self) -> None:
        if self._row:
            self._rows.append(self._row)
        self.blocks.add(markdown_table(self._rows), "table")
        self._row, self._rows = [], []
