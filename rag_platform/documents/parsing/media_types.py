"""Telling what a file is: by its content first, by its name where the content could be anything."""

import contextlib
import io
import re
import zipfile
import zlib

from rag_platform.documents.parsing.archive import MAX_MEMBERS, member_count

MARKDOWN = "text/markdown"
TEXT = "text/plain"
HTML = "text/html"
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODP = "application/vnd.oasis.opendocument.presentation"
EPUB = "application/epub+zip"
RTF = "application/rtf"
CSV = "text/csv"
TSV = "text/tab-separated-values"
DOC = "application/msword"
XLS = "application/vnd.ms-excel"
PPT = "application/vnd.ms-powerpoint"
EMAIL = "message/rfc822"
JSON = "application/json"
JSON_LINES = "application/jsonl"
RST = "text/x-rst"
NOTEBOOK = "application/x-ipynb+json"
XML = "application/xml"
SVG = "image/svg+xml"
TEX = "application/x-tex"
ASCIIDOC = "text/asciidoc"
ORG = "text/org"
SUBTITLES = "text/vtt"
CALENDAR = "text/calendar"
MAILBOX = "application/mbox"
OUTLOOK = "application/vnd.ms-outlook"
IWORK = "application/vnd.apple.iwork"
UNKNOWN = "application/octet-stream"

_ZIP = "application/zip"
_OLE = "application/x-ole-storage"

OLD_OFFICE = {
    DOC: "This is a Word file of the old kind (.doc); save it as .docx and drop it again.",
    XLS: "This is an Excel file of the old kind (.xls); save it as .xlsx and drop it again.",
    PPT: "This is a PowerPoint file of the old kind (.ppt); save it as .pptx and drop it again.",
    XLSB: "This is a binary Excel file (.xlsb); save it as .xlsx and drop it again.",
}
"""Formats that are not read, each with what to do."""

SOURCES: dict[str, tuple[str, ...]] = {
    "text/x-python": ("py", "pyi", "pyw"),
    "text/javascript": ("js", "mjs", "cjs", "jsx"),
    "text/x-typescript": ("ts", "mts", "cts", "tsx"),
    "text/x-java": ("java",),
    "text/x-kotlin": ("kt", "kts"),
    "text/x-scala": ("scala",),
    "text/x-csharp": ("cs",),
    "text/x-go": ("go",),
    "text/x-rust": ("rs",),
    "text/x-c": ("c", "h"),
    "text/x-c++": ("cpp", "cc", "cxx", "hpp", "hh", "hxx"),
    "text/x-swift": ("swift",),
    "text/x-php": ("php",),
    "text/x-ruby": ("rb",),
    "text/x-perl": ("pl", "pm"),
    "text/x-lua": ("lua",),
    "text/x-r": ("r",),
    "application/sql": ("sql",),
    "text/x-shellscript": ("sh", "bash", "zsh"),
    "text/x-powershell": ("ps1", "psm1"),
    "application/yaml": ("yaml", "yml"),
    "application/toml": ("toml",),
    "text/x-ini": ("ini", "cfg", "conf", "properties"),
    "application/xslt+xml": ("xsl", "xslt", "xsd"),
    "text/css": ("css", "scss", "less"),
    "text/x-dockerfile": ("dockerfile",),
    "text/x-makefile": ("mk",),
}
"""Source code: media types and the endings of names."""
_WHOLE_NAMES = {"dockerfile": "text/x-dockerfile", "makefile": "text/x-makefile"}

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"PK\x03\x04", _ZIP),
    (b"PK\x05\x06", _ZIP),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLE),
    (b"{\\rtf", RTF),
    (b"%!PS", "application/postscript"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\xffWPC", "application/vnd.wordperfect"),
    (b"AT&TFORM", "image/vnd.djvu"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"fLaC", "audio/flac"),
    (b"\x7fELF", "application/x-executable"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
)

_NAMES = {
    "md": MARKDOWN,
    "markdown": MARKDOWN,
    "mdown": MARKDOWN,
    "mkd": MARKDOWN,
    "txt": TEXT,
    "text": TEXT,
    "log": TEXT,
    "rst": RST,
    "html": HTML,
    "htm": HTML,
    "xhtml": HTML,
    "pdf": PDF,
    "docx": DOCX,
    "docm": DOCX,
    "dotx": DOCX,
    "doc": DOC,
    "xls": XLS,
    "ppt": PPT,
    "xlsx": XLSX,
    "xlsm": XLSX,
    "xlsb": XLSB,
    "pptx": PPTX,
    "pptm": PPTX,
    "ppsx": PPTX,
    "odt": ODT,
    "ods": ODS,
    "odp": ODP,
    "epub": EPUB,
    "rtf": RTF,
    "csv": CSV,
    "tsv": TSV,
    "json": JSON,
    "geojson": JSON,
    "jsonl": JSON_LINES,
    "ndjson": JSON_LINES,
    "ipynb": NOTEBOOK,
    "eml": EMAIL,
    "svg": SVG,
    "xml": XML,
    "rss": XML,
    "atom": XML,
    "rdf": XML,
    "dbk": XML,
    "docbook": XML,
    "tei": XML,
    "dita": XML,
    "fb2": XML,
    "opml": XML,
    "kml": XML,
    "gpx": XML,
    "tmx": XML,
    "xlf": XML,
    "xliff": XML,
    "plist": XML,
    "fodt": XML,
    "fods": XML,
    "fodp": XML,
    "tex": TEX,
    "ltx": TEX,
    "adoc": ASCIIDOC,
    "asciidoc": ASCIIDOC,
    "org": ORG,
    "srt": SUBTITLES,
    "vtt": SUBTITLES,
    "ics": CALENDAR,
    "vcf": CALENDAR,
    "vcard": CALENDAR,
    "mbox": MAILBOX,
    "mht": EMAIL,
    "mhtml": EMAIL,
    "env": "text/x-ini",
    "xltx": XLSX,
    "potx": PPTX,
    "ott": ODT,
    "ots": ODS,
    "otp": ODP,
    "bmp": "image/bmp",
    "heic": "image/heic",
    "wav": "audio/wav",
    "m4a": "audio/mpeg",
    "mkv": "video/x-matroska",
    "mov": "video/mp4",
    "tar": "application/x-tar",
    "djvu": "image/vnd.djvu",
    "mobi": "application/x-mobipocket-ebook",
    "azw3": "application/x-mobipocket-ebook",
    "parquet": "application/vnd.apache.parquet",
    "msg": OUTLOOK,
    "pages": IWORK,
    "numbers": IWORK,
    "wpd": "application/vnd.wordperfect",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "zip": _ZIP,
}
_NAMES.update((ending, kind) for kind, endings in SOURCES.items() for ending in endings)

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
    named = _NAMES.get(name.rsplit(".", 1)[-1].lower(), "") if "." in name else ""
    # PDF readers accept the header anywhere in the first kilobyte; so do scanners' prefixes.
    if head.startswith(b"%PDF-") or (named in ("", PDF) and b"%PDF-" in head[:1024]):
        return PDF
    for signature, media_type in _SIGNATURES:
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
    if source := _WHOLE_NAMES.get(name.lower()):
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
        return _NAMES.get(_INTERPRETERS.get(script[1].decode(), ""), TEXT)
    if found := _XML_START.match(head[:4096]):
        return SVG if found[1] or found[2] else XML
    return JSON if _JSON_START.match(head[:4096]) else TEXT


def _inside(media_type: str, head: bytes, named: str) -> str:
    """What a container holds; its name decides where its content does not tell."""
    if media_type == _OLE:
        return _old(head, named)
    return _zipped(head, named) if media_type == _ZIP else media_type


def _old(head: bytes, named: str) -> str:
    """What a container of the old kind holds: its streams' names stand in it in UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in head and named in (DOCX, PPTX, XLSX):
        return named  # a new file with a password; its parser says so
    if "__substg1.0_".encode("utf-16-le") in head:
        return OUTLOOK
    for stream, kind in (("WordDocument", DOC), ("PowerPoint Document", PPT), ("Workbook", XLS)):
        if stream.encode("utf-16-le") in head:
            return kind
    return named if named.startswith("application/") and named not in (PDF, _ZIP) else _OLE


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
    return named if named in (ODT, ODS, ODP, EPUB) and usual in members else _ZIP


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
