"""Telling what a file is: by its content first, by its name where the content could be anything."""

import contextlib
import io
import re
import zipfile
import zlib

from rag_platform.documents.parsing.archive import MAX_MEMBERS, member_count
from rag_platform.documents.parsing.formats import (
    CALENDAR,
    DOC,
    DOCX,
    EMAIL,
    EPUB,
    HTML,
    IWORK,
    JSON,
    MAILBOX,
    NAMES,
    ODP,
    ODS,
    ODT,
    OLE,
    OUTLOOK,
    PDF,
    PPT,
    PPTX,
    SIGNATURES,
    SUBTITLES,
    SVG,
    TEXT,
    UNKNOWN,
    WHOLE_NAMES,
    XLS,
    XLSB,
    XLSX,
    XML,
    ZIP,
)

_FOLDERS = (("word/", DOCX), ("xl/", XLSX), ("ppt/", PPTX))
_MAIN_PARTS = (
    (b"wordprocessingml.document.main+xml", DOCX),
    (b"wordprocessingml.template.main+xml", DOCX),
    (b"ms-word.document.macroenabled.main+xml", DOCX),
    (b"spreadsheetml.sheet.main+xml", XLSX),
    (b"spreadsheetml.template.main+xml", XLSX),
    (b"ms-excel.sheet.macroenabled.main+xml", XLSX),
    (b"ms-excel.sheet.binary.macroenabled.main", XLSB),
    (b"presentationml.presentation.main+xml", PPTX),
    (b"presentationml.slideshow.main+xml", PPTX),
    (b"presentationml.template.main+xml", PPTX),
    (b"ms-powerpoint.presentation.macroenabled.main+xml", PPTX),
)
"""What the list of contents of an Office file calls its main part."""

_EMAIL_START = re.compile(
    rb"(?:(?:return-path|received|delivered-to|message-id|mime-version|from|to|subject|date|"
    rb"x-[a-z-]{1,60}|dkim-signature|arc-[a-z-]{1,40}|content-type|reply-to|cc|thread-[a-z]+)"
    rb":[^\n]*\n(?:[ \t][^\n]*\n){0,200}){3}",
    re.IGNORECASE,
)
_MAILBOX_START = re.compile(rb"From \S+ [^\r\n]{10,200}\r?\n[A-Za-z-]{1,60}:")
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*(?:\"[^\"\n]*\"\s*:|\})|\[\s*[\[{\"\d\]-])")
_SHEBANG = re.compile(rb"#!\s*\S*/(?:env\s+(?:-S\s+)?)?([a-z]+)")
_INTERPRETERS = {
    "python": "py",
    "sh": "sh",
    "bash": "sh",
    "zsh": "sh",
    "dash": "sh",
    "node": "js",
    "ruby": "rb",
    "perl": "pl",
}
_XML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\s[^>]{0,300}\?>\s*(?:<!--.{0,2000}?-->\s*)*(<svg\b)?|(<svg\s))",
    re.IGNORECASE | re.DOTALL,
)
_HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,300}\?>\s*)?(?:<!--.{0,2000}?-->\s*)*"
    rb"<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)


def media_type_of(key: str, head: bytes) -> str:
    """The media type of a file from its first bytes (the more the better) and its name."""
    name = key.rsplit("/", 1)[-1]
    named = NAMES.get(name.rsplit(".", 1)[-1].lower(), "") if "." in name else ""
    # PDF readers accept the header anywhere in the first kilobyte; so do scanners' prefixes.
    if head.startswith(b"%PDF-") or (named in ("", PDF) and b"%PDF-" in head[:1024]):
        return PDF
    for signature, media_type in SIGNATURES:
        if head.startswith(signature):
            return _inside(media_type, head, named)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if _HTML_START.match(head[:4096]):
        return HTML
    return named or _unnamed(head, name)


def _unnamed(head: bytes, name: str) -> str:
    """The type of a file whose name says nothing."""
    if source := WHOLE_NAMES.get(name.lower()):
        return source
    if not _seems_text(head[:4096]):
        return UNKNOWN
    if _EMAIL_START.match(head[:65536]):
        return EMAIL
    if _MAILBOX_START.match(head[:65536]):
        return MAILBOX
    if head.startswith((b"BEGIN:VCALENDAR", b"BEGIN:VCARD")):
        return CALENDAR
    if head.lstrip(b"\xef\xbb\xbf").startswith(b"WEBVTT"):
        return SUBTITLES
    if script := _SHEBANG.match(head[:200]):
        return NAMES.get(_INTERPRETERS.get(script[1].decode(), ""), TEXT)
    if found := _XML_START.match(head[:4096]):
        return SVG if found[1] or found[2] else XML
    return JSON if _JSON_START.match(head[:4096]) else TEXT


def _inside(media_type: str, head: bytes, named: str) -> str:
    """What a container holds; its name decides where its content does not tell."""
    if media_type == OLE:
        return _old(head, named)
    return _zipped(head, named) if media_type == ZIP else media_type


def _old(head: bytes, named: str) -> str:
    """What a container of the old kind holds: its streams' names stand in it in UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in head and named in (DOCX, PPTX, XLSX):
        return named  # a new file with a password; its parser says so
    if "__substg1.0_".encode("utf-16-le") in head:
        return OUTLOOK
    for stream, kind in (("WordDocument", DOC), ("PowerPoint Document", PPT), ("Workbook", XLS)):
        if stream.encode("utf-16-le") in head:
            return kind
    return named if named.startswith("application/") and named not in (PDF, ZIP) else OLE


def _zipped(head: bytes, named: str) -> str:
    """What a zip holds, by what it says inside; a name alone makes no document of it."""
    archive: zipfile.ZipFile | None = None
    if member_count(head) <= MAX_MEMBERS:
        with contextlib.suppress(zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            archive = zipfile.ZipFile(io.BytesIO(head))
    if archive is None:
        # Only the beginning, damaged, or refused later for its size: local headers have names too.
        members = [name for name, _ in _FOLDERS if name.encode() in head]
        said = head[30:200] if b"mimetypeapplication/" in head[:100] else b""
        if not members and not said and named in (DOCX, XLSX, PPTX, ODT, ODS, ODP, EPUB):
            return named  # its parser says that it is damaged
    else:
        members = archive.namelist()
        said = _beginning(archive, "mimetype") or _beginning(archive, "META-INF/container.xml")
        types = _beginning(archive, "[Content_Types].xml").lower()
        for mark, kind in _MAIN_PARTS:
            if mark in types:
                return kind
    for mark, kind in ((b"opendocument.text", ODT), (b"opendocument.spreadsheet", ODS),
                       (b"opendocument.presentation", ODP), (b"epub+zip", EPUB),
                       (b"oebps-package+xml", EPUB)):  # fmt: skip
        if mark in said:
            return kind
    if any(member.endswith(".iwa") or member.endswith("Index.zip") for member in members):
        return IWORK
    for folder, kind in _FOLDERS:
        if any(member.startswith(folder) for member in members):
            return kind
    # Its parser says what is missing or locked.
    usual = "META-INF/container.xml" if named == EPUB else "content.xml"
    return named if named in (ODT, ODS, ODP, EPUB) and usual in members else ZIP


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as stream:
            return stream.read(1 << 16)
    except (KeyError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError,
            NotImplementedError):  # fmt: skip
        return b""


def _seems_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return b"\x00" not in head and sum(byte < 9 or 13 < byte < 27 for byte in head) * 50 <= len(
        head
    )
