"""Formats that are not read, each with what the person who dropped the file can do."""

from rag_platform.documents.parsing.formats import OLD_OFFICE

_ARCHIVE = "This is an archive; unpack it and drop the files that are in it."
_PICTURE = (
    "This is a picture. Save it as a PDF and drop that: words in it are then read where Tesseract "
    "is installed."
)
_RECORDING = "This is a recording; drop what is said in it as text (.txt, .srt or .vtt)."
_EXPORT = "This is a {} file; export it as Word (.docx) or PDF and drop that."

REASONS: dict[str, str] = {
    **OLD_OFFICE,
    **dict.fromkeys(
        (
            *("application/zip", "application/gzip", "application/x-7z-compressed"),
            *("application/vnd.rar", "application/x-tar", "application/x-bzip2"),
            *("application/x-xz", "application/zstd"),
        ),
        _ARCHIVE,
    ),
    **dict.fromkeys(
        (
            *("image/png", "image/jpeg", "image/gif", "image/tiff", "image/webp", "image/bmp"),
            "image/heic",
        ),
        _PICTURE,
    ),
    **dict.fromkeys(
        ("audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "video/mp4", "video/x-matroska"),
        _RECORDING,
    ),
    "application/vnd.ms-outlook": (
        "This is an Outlook message (.msg); save it as .eml and drop it again."
    ),
    "application/x-ole-storage": (
        "This is an office file of an old kind, or one with a password. Save it as .docx, .xlsx, "
        ".pptx or PDF without a password, and drop it again."
    ),
    "application/vnd.apple.iwork": _EXPORT.format("Pages, Numbers or Keynote"),
    "application/vnd.wordperfect": _EXPORT.format("WordPerfect"),
    "application/x-mobipocket-ebook": "This is a Kindle book; drop it as .epub or PDF.",
    "image/vnd.djvu": "This is a DjVu file; save it as PDF and drop that.",
    "application/postscript": "This is a PostScript file; save it as PDF and drop that.",
    "application/vnd.sqlite3": (
        "This is a database; export the tables that matter as CSV and drop those."
    ),
    "application/vnd.apache.parquet": "This is a Parquet file; save it as CSV and drop that.",
    "application/x-executable": "This is a program and has no text to read.",
}
