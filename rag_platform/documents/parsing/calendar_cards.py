"""Calendars (.ics) and address cards (.vcf): every event or person, field by field."""

import codecs
import quopri
import re

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.documents.parsing.plain_text import decode

_LINE = re.compile(r"(?:[\w-]+\.)?([A-Za-z][\w-]*)((?:;[^:;\"]*(?:\"[^\"]*\"[^:;\"]*)*)*):(.*)")
_ESCAPED = re.compile(r"\\([nN\\;,:])")
_MOMENT = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d)(?::?\d\d)?(Z?))?")
_FIELDS = {
    **{"SUMMARY": "", "DTSTART": "Start", "DTEND": "End", "DUE": "Due", "LOCATION": "Place"},
    **{"DESCRIPTION": "", "ORGANIZER": "Organizer", "ATTENDEE": "Attendee", "RRULE": "Repeated"},
    **{"STATUS": "Status", "CATEGORIES": "Categories", "URL": "Link", "COMMENT": "Comment"},
    **{"FN": "", "ORG": "Organization", "TITLE": "Position", "ROLE": "Role", "TEL": "Telephone"},
    **{"EMAIL": "E-mail", "ADR": "Address", "BDAY": "Birthday", "NOTE": "Note"},
    **{"NICKNAME": "Nickname", "CONTACT": "Contact", "COMPLETED": "Completed"},
}
_BEGIN = frozenset(("VEVENT", "VTODO", "VJOURNAL", "VCARD"))


def extract(data: bytes) -> ParsedDocument:
    """Read a calendar or cards: each entry a block of lines."""
    blocks = Blocks()
    entry: list[str] = []
    inside = 0
    title = ""
    for line in _unfolded(decode(data)):
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        name, parameters, value = found[1].upper(), found[2], found[3]
        if name in ("BEGIN", "END"):
            kind = value.strip().upper()
            if kind in _BEGIN and name == "END":
                blocks.add("\n".join(entry))
                entry = []
            inside = inside + (1 if name == "BEGIN" else -1) if kind in _BEGIN or inside else 0
        elif inside == 1 and name in _FIELDS:
            text = _value(name, parameters, value)
            label = _FIELDS[name]
            if text:
                entry.append(f"{label}: {text}" if label else text)
        elif name == "X-WR-CALNAME":
            title = _value(name, parameters, value)
    blocks.add("\n".join(entry))
    return ParsedDocument(text=blocks.text, title=title or None)


def _unfolded(text: str) -> list[str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"=\n(?=[^\n]*)", "=\n ", text) if "QUOTED-PRINTABLE" in text else text
    return re.sub(r"\n[ \t]", "", text).split("\n")


def _value(name: str, parameters: str, value: str) -> str:
    if "QUOTED-PRINTABLE" in parameters.upper():
        charset = re.search(r"CHARSET=([\w-]+)", parameters, re.IGNORECASE)
        raw = quopri.decodestring(value.encode("utf-8", "replace").replace(b"==", b"="))
        try:
            value = raw.decode(codecs.lookup(charset[1]).name if charset else "utf-8", "replace")
        except LookupError:
            value = raw.decode("utf-8", "replace")
    elif "BASE64" in parameters.upper() or "ENCODING=B" in parameters.upper():
        return ""
    if moment := _MOMENT.fullmatch(value.strip()):
        year, month, day, hour, minute, zone = moment.groups()
        clock = f" {hour}:{minute}{' UTC' if zone else ''}" if hour else ""
        return f"{year}-{month}-{day}{clock}"
    if name in ("ADR", "ORG"):
        value = ", ".join(filter(None, re.split(r"(?<!\\);", value)))
    text = _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
    if name in ("ORGANIZER", "ATTENDEE"):
        common = re.search(r";CN=\"?([^\";:]+)", parameters, re.IGNORECASE)
        address = re.sub(r"^mailto:", "", text, flags=re.IGNORECASE)
        text = f"{common[1]} ({address})" if common else address
    return "\n".join(" ".join(line.split()) for line in text.strip().split("\n"))
