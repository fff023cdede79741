"""The formats that are known: their media types, and the endings of files' names."""

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

ZIP = "application/zip"
OLE = "application/x-ole-storage"

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
WHOLE_NAMES = {"dockerfile": "text/x-dockerfile", "makefile": "text/x-makefile"}


SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
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

NAMES: dict[str, str] = {
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
    "zip": ZIP,
}
NAMES.update((ending, kind) for kind, endings in SOURCES.items() for ending in endings)
