"""Telling what a file is: by its content first, by its name where the content could be anything."""

import io
import re
import zipfile

MARKDOWN = "text/markdown"
TEXT = "text/plain"
HTML = "text/html"
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EMAIL = "message/rfc822"
JSON = "application/json"
JSON_LINES = "application/jsonl"
RST = "text/x-rst"
NOTEBOOK = "application/x-ipynb+json"
UNKNOWN = "application/octet-stream"

_ZIP = "application/zip"
_OLE = "application/x-ole-storage"
_OFFICE = "application/vnd.openxmlformats-officedocument."

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
    "application/xml": ("xml", "xsd", "xsl", "xslt"),
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
    (b"{\\rtf", "application/rtf"),
    (b"%!PS", "application/postscript"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
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
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
    "pptx": f"{_OFFICE}presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "epub": "application/epub+zip",
    "rtf": "application/rtf",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": JSON,
    "geojson": JSON,
    "jsonl": JSON_LINES,
    "ndjson": JSON_LINES,
    "ipynb": NOTEBOOK,
    "eml": EMAIL,
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "zip": _ZIP,
}
_NAMES.update((ending, kind) for kind, endings in SOURCES.items() for ending in endings)

_EMAIL_START = re.compile(
    rb"(?:(?:return-path|received|delivered-to|message-id|mime-version|from|to|subject|date|"
    rb"x-[a-z-]{1,60}|dkim-signature|arc-[a-z-]{1,40}|content-type|reply-to|cc|thread-[a-z]+)"
    rb":[^\n]*\n(?:[ \t][^\n]*\n){0,200}){3}",
    re.IGNORECASE,
)
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
    if script := _SHEBANG.match(head[:200]):
        return _NAMES.get(_INTERPRETERS.get(script[1].decode(), ""), TEXT)
    return JSON if _JSON_START.match(head[:4096]) else TEXT


def _inside(media_type: str, head: bytes, named: str) -> str:
    """What a container holds; its name decides where its content does not tell."""
    if media_type == _OLE:
        # A Word file with a password is such a container too; its parser says so.
        return named if named.startswith("application/") and named != PDF else _OLE
    if media_type != _ZIP:
        return media_type
    try:
        members = zipfile.ZipFile(io.BytesIO(head)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        if named == DOCX:
            return DOCX
        # Only the beginning, or damaged: the local headers carry the names too.
        members = [name for name in ("word/", "xl/", "ppt/") if name.encode() in head]
    for folder, kind in (
        ("word/", DOCX),
        ("xl/", _NAMES["xlsx"]),
        ("ppt/", _NAMES["pptx"]),
    ):
        if any(member.startswith(folder) for member in members):
            return kind
    if b"mimetypeapplication/" in head[:100]:
        return _NAMES["epub"] if b"epub" in head[:100] else _NAMES["odt"]
    return _ZIP


def _seems_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return b"\x00" not in head and sum(byte < 9 or 13 < byte < 27 for byte in head) * 50 <= len(
        head
    )
