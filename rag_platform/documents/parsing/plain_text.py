"""Plain text, and the decoding that the text formats share."""

import codecs

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.errors import UnreadableDocument

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is a prefix of it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = "The file is damaged: it is named as text but holds binary data."


def extract(data: bytes) -> ParsedDocument:
    """Read plain text."""
    return ParsedDocument(text=decode(data))


def decode(data: bytes, declared: str = "") -> str:
    """The text of bytes: by byte order mark, as declared, UTF-8, UTF-16, else Windows-1252.

    Raises :class:`UnreadableDocument` for binary data.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(data[len(mark) :].decode(encoding, errors="replace"))
    stray_zeros = data.count(0) * 100 <= len(data)
    for encoding in (declared, "utf-8"):
        text = _attempt(data, encoding)
        if text is not None and (stray_zeros or "\x00" not in text):
            return _checked(text)
    if data.count(0) * 5 > len(data):
        # Text of the western alphabets in UTF-16 has its zeros on one side of each pair.
        low = data[0::2].count(0)
        high = data[1::2].count(0)
        text = _attempt(data, "utf-16-le" if high > low else "utf-16-be")
        if text is not None and "\x00" not in text:
            return _checked(text)
    if not stray_zeros:
        raise UnreadableDocument(_BINARY)
    if _damage(data) * 1000 < len(data):
        # UTF-8 with a broken byte or two, such as a character cut by a size limit.
        return _checked(data.decode("utf-8", errors="replace"))
    return _checked(data.decode("cp1252", errors="replace"))


def _attempt(data: bytes, encoding: str) -> str | None:
    if not encoding:
        return None
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _damage(data: bytes) -> int:
    """How many bytes of mostly valid UTF-8 are broken; the length if there is no valid UTF-8."""
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    valid = sum(1 for character in text if character > "\x7f" and character != "\ufffd")
    return broken if valid > broken else len(data)


def _checked(text: str) -> str:
    sample = text[:200_000]
    controls = sum(
        character < " " and character not in "\t\n\r\f\x0b\x1b\x1a" for character in sample
    )
    replaced = sample.count("\ufffd")
    if controls > max(3, len(sample) // 100) or replaced * 10 > len(sample):
        raise UnreadableDocument(_BINARY)
    return text
