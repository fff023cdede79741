"""Plain text, and the decoding that the text formats share."""

import codecs

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing import seven_bits
from rag_platform.documents.parsing.encodings import encoding_of
from rag_platform.documents.parsing.underlined_headings import headings_of
from rag_platform.errors import UnreadableDocument

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is a prefix of it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
}
"""What a declared encoding stands for on the web: the one with more characters."""
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
)
_SAMPLE = 200_000
_BINARY = "The file is damaged: it is named as text but holds binary data."


def extract(data: bytes) -> ParsedDocument:
    """Read plain text; lines that are underlined are headings."""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    return ParsedDocument(text=text, headings=headings_of(text, exact=True))


def decode(data: bytes, declared: str = "") -> str:
    """The text of bytes: by byte order mark, as declared, UTF-8, UTF-16, else as it makes sense.

    Raises :class:`UnreadableDocument` for binary data.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(data[len(mark) :].decode(encoding, errors="replace"))
    text = seven_bits.decoded(data)
    if text is None:
        text = _as_said(data, declared)
    if text is not None:
        return text
    if data.count(0) * 5 > len(data):
        # Text of the western alphabets in UTF-16 has its zeros on one side of each pair.
        low = data[0::2].count(0)
        high = data[1::2].count(0)
        text = _attempt(data, "utf-16-le" if high > low else "utf-16-be")
        if text is not None and "\x00" not in text:
            return _checked(text)
    if _damage(data) * 1000 < len(data):
        # UTF-8 with a broken byte or two, such as a character cut by a size limit.
        return _checked(data.decode("utf-8", errors="replace"))
    encoding = encoding_of(data)
    if not _few_zeros(data) and not encoding.startswith("utf_16"):
        raise UnreadableDocument(_BINARY)
    return _checked(data.decode(encoding, errors="replace"))


def _as_said(data: bytes, declared: str) -> str | None:
    """The text as declared or in UTF-8, if the bytes are such a text."""
    try:
        name = codecs.lookup(declared).name if declared else ""
    except (LookupError, ValueError):
        name = ""
    name = _WIDER.get(name, name)
    if name in _NO_CHARSETS:
        name = ""
    # No text of single bytes is valid UTF-8 by chance, but many a page declares what it is not.
    single = name.startswith(("cp125", "iso8859", "koi8", "ascii"))
    for encoding in ("utf-8", name) if single else (name, "utf-8"):
        text = _attempt(data, encoding)
        if text is not None and (_few_zeros(data) or "\x00" not in text):
            # Other alphabets in UTF-16 are valid UTF-8 at times, but full of control characters.
            return text if _controls(text) <= _most_controls(text) else None
    return None


def _few_zeros(data: bytes) -> bool:
    return data.count(0) * 100 <= len(data)


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
    replaced = text[:_SAMPLE].count("\ufffd")
    if _controls(text) > _most_controls(text) or replaced * 10 > len(text[:_SAMPLE]):
        raise UnreadableDocument(_BINARY)
    return text


def _controls(text: str) -> int:
    return sum(
        character < " " and character not in "\t\n\r\f\x0b\x1b\x1a" for character in text[:_SAMPLE]
    )


def _most_controls(text: str) -> int:
    return max(3, min(len(text), _SAMPLE) // 100)
