"""E-mail: who wrote what to whom, when, and the message itself; attachments are named."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from email.utils import parseaddr, parsedate_to_datetime
from itertools import islice

from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.documents.parsing import PARSERS, html
from rag_platform.documents.parsing.media_types import media_type_of
from rag_platform.documents.parsing.plain_text import decode
from rag_platform.errors import UnreadableDocument

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_HEADER = 2_000
"""Characters of a header that are read: some have thousands of recipients."""
_MADE_OF = re.compile(r"image/|font/|text/css|(?:text|application)/javascript")
_DEPTH = 5
_PARTS = 1_000
_NAMED = 20


def extract(data: bytes) -> ParsedDocument:
    """Read an e-mail in the format of RFC 5322, with the messages that it forwards."""
    try:
        message = BytesParser(policy=_ShortHeaders()).parsebytes(data)
    except RecursionError:
        raise UnreadableDocument("The parts of this e-mail are nested too deeply.") from None
    reader = _Reader()
    reader.message(message, 0)
    name, address = parseaddr(_header(message, "From"))
    return ParsedDocument(
        text="".join(reader.pieces),
        headings=tuple(reader.headings),
        title=_header(message, "Subject") or None,
        author=name or address or None,
        created=_date(_header(message, "Date")),
        notes=tuple(reader.all_notes()),
    )


class _ShortHeaders(Compat32):
    """Cuts headers, since the standard library's parsers take quadratic time on long ones."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        """The name and the value of a header."""
        name, value = super().header_source_parse(list(sourcelines))
        return name, value[:_HEADER]


class _Reader:
    """Walks the parts and writes those that a person would read."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.headings: list[Heading] = []
        self._length = 0
        self._parts = 0
        self._sheets: list[str] = []
        """The style sheets that come with a page."""
        self._attachments: list[str] = []
        self._notes: dict[str, None] = {}

    def all_notes(self) -> list[str]:
        """What was left out."""
        notes = list(self._notes)
        if self._attachments:
            named = ", ".join(self._attachments[:_NAMED])
            more = len(self._attachments) - _NAMED
            notes.append(
                f"Attachments were not read: {named}{f' and {more} more' if more > 0 else ''}. "
                "Drop them as files of their own to find what they say."
            )
        return notes

    def message(self, message: Message, depth: int) -> None:
        """A message: its headers, then its parts."""
        subject = _header(message, "Subject")
        if depth:
            title = f"Forwarded message: {subject}" if subject else "Forwarded message"
            self._write(f"# {title}", (Heading(1, title, 0),))
        shown = [(name, _header(message, name)) for name in _SHOWN]
        self._write("\n".join(f"{name}: {value}" for name, value in shown if value))
        self._part(message, depth)

    def _part(self, part: Message, depth: int) -> None:
        self._parts += 1
        if depth > _DEPTH:
            self._notes["What it forwards was read to a depth of 5 only."] = None
            return
        if self._parts > _PARTS:
            self._notes[f"It has more than {_PARTS} parts; the others were left out."] = None
            return
        kind = part.get_content_type()
        inner = part.get_payload()
        if kind == "message/rfc822" and isinstance(inner, list):
            for message in inner:
                if isinstance(message, Message):
                    self.message(message, depth + 1)
        elif isinstance(inner, list):
            parts = [child for child in inner if isinstance(child, Message)]
            if kind == "multipart/related":
                parts = self._with_its_sheets(parts)
            for child in _best(parts) if kind == "multipart/alternative" else parts:
                self._part(child, depth)
        elif _is_attachment(part, kind):
            self._attachment(part)
        else:
            self._text(part, kind)

    def _with_its_sheets(self, parts: list[Message]) -> list[Message]:
        """Parts that belong together, without the pictures and sheets that a page is made of."""
        self._sheets = [
            _payload(part).decode("utf-8", "replace")
            for part in parts[:_PARTS]
            if part.get_content_type() == "text/css"
        ]
        return [
            part
            for number, part in enumerate(parts)
            if number == 0
            or part.get_content_disposition() == "attachment"
            or not (_MADE_OF.match(part.get_content_type()) or part.get("Content-Location"))
        ]

    def _text(self, part: Message, kind: str) -> None:
        try:
            if kind == "text/html":
                page = html.extract(_payload(part), part.get_content_charset() or "", self._sheets)
                self._write(page.text, page.headings)
                self._notes.update(dict.fromkeys(page.notes))
            else:
                text = decode(_payload(part), part.get_content_charset() or "")
                self._write(text.replace("\r\n", "\n").strip("\n"))
        except UnreadableDocument:
            self._notes["A part of it is damaged and was left out."] = None

    def _attachment(self, part: Message) -> None:
        name = " ".join(_decoded(part.get_filename() or "")[:200].split())
        if media_type_of(name, _payload(part)[:4096]) in PARSERS:
            self._attachments.append(name or "a file without a name")

    def _write(self, text: str, headings: tuple[Heading, ...] = ()) -> None:
        if not text.strip():
            return
        if self.pieces:
            self.pieces.append("\n\n")
            self._length += 2
        self.headings += [Heading(h.level, h.title, h.start + self._length) for h in headings]
        self.pieces.append(text)
        self._length += len(text)


def _best(parts: list[Message]) -> list[Message]:
    """Of alternatives that say the same, the one that is read best."""

    def rank(part: Message) -> int:
        if part.get_content_type() == "text/plain":
            return 0 if _payload(part).strip() else 3
        kinds = [inner.get_content_type() for inner in islice(part.walk(), 100)]
        return 1 if "text/html" in kinds else 2

    return sorted(parts[:_PARTS], key=rank)[:1]


def _is_attachment(part: Message, kind: str) -> bool:
    if kind not in ("text/plain", "text/html"):
        return True
    return part.get_content_disposition() == "attachment"


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _header(message: Message, name: str) -> str:
    """A header in one line of text, without its encodings; empty if there is none."""
    for found, value in message.raw_items():
        if found.lower() == name.lower():
            return " ".join(_decoded(str(value)).split())
    return ""


def _decoded(value: str) -> str:
    """A header's value: bytes as they are guessed, encoded words as they say."""
    try:
        value = decode(value.encode("utf-8", "surrogateescape"))
        parts = decode_header(value)
    except MessageError:
        return value
    except (UnreadableDocument, ValueError):
        return ""
    pieces: list[str] = []
    for piece, charset in parts:
        try:
            if isinstance(piece, str):
                pieces.append(piece)
            else:
                pieces.append(decode(piece, charset) if charset else piece.decode("latin-1"))
        except UnreadableDocument:
            continue
    return "".join(pieces)


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
