"""Mailboxes (.mbox): every message of them, with its subject as heading."""

import re

from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.documents.parsing import email_message
from rag_platform.errors import UnreadableDocument

_FROM = re.compile(rb"(?:\A|\n)From [^\r\n]{1,500}\r?\n(?=[A-Za-z-]{1,60}:)")
_QUOTED = re.compile(rb"^>(?=>*From )", re.MULTILINE)
_MOST = 20_000


def extract(data: bytes) -> ParsedDocument:
    """Read a mailbox. Raises :class:`UnreadableDocument` if it holds no message."""
    starts = [(found.start(), found.end()) for found in _FROM.finditer(data)]
    if not starts:
        return email_message.extract(data)
    ends = [start for start, _ in starts[1:]] + [len(data)]
    pieces: list[str] = []
    headings: list[Heading] = []
    notes: dict[str, None] = {}
    length = 0
    for (_, begin), end in list(zip(starts, ends, strict=True))[:_MOST]:
        try:
            message = email_message.extract(_QUOTED.sub(b"", data[begin:end]))
        except UnreadableDocument:
            notes["A message of it is damaged and was left out."] = None
            continue
        title = message.title or "Message"
        text = f"# {title}\n\n{message.text}"
        moved = length + len(title) + 4
        headings.append(Heading(1, title, length))
        headings += [
            Heading(min(h.level + 1, 6), h.title, h.start + moved) for h in message.headings
        ]
        pieces.append(text)
        length += len(text) + 2
        if len(notes) < 20:
            notes.update(dict.fromkeys(message.notes))
    if len(starts) > _MOST:
        notes[f"It has more than {_MOST} messages; the others were left out."] = None
    return ParsedDocument(text="\n\n".join(pieces), headings=tuple(headings), notes=tuple(notes))
