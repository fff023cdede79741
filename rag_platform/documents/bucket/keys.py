"""The rules of keys: which collection they belong to, which are ignored, which may be uploaded."""

import re
import unicodedata

from rag_platform.errors import InvalidRequest

DEFAULT_COLLECTION = "default"
UPLOAD_PREFIX = ".rag-upload-"
"""Names of unfinished uploads begin so; as every hidden name they are ignored."""

_SEGMENT_BYTES = 255
"""What the usual file systems allow for one name, and what every object store can hold."""

_IGNORED_NAMES = frozenset({"thumbs.db", "desktop.ini", "$recycle.bin", "__macosx", "lost+found"})
_IGNORED_ENDS = (
    "~",
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".swp",
    ".swo",
    ".swx",
    ".filepart",
)
_IGNORED_STARTS = (".", "~$")
_BAD_CHARACTER = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def collection_of(key: str) -> str:
    """The collection of a key: its top folder, ``default`` for files at the root."""
    folder, slash, _ = key.partition("/")
    return folder if slash else DEFAULT_COLLECTION


def is_ignored(key: str) -> bool:
    """Whether a key is temporary or hidden: it, or a folder above it, is nobody's document."""
    return any(_ignored_segment(segment) for segment in key.split("/"))


def checked_key(collection: str, name: str) -> str:
    """The key of an upload from an untrusted collection and file name; never changes either.

    Raises :class:`InvalidRequest` with one sentence for people. The name is one segment: whoever
    uploads a path says so by its collection only.
    """
    for what, segment in (("collection", collection), ("file name", name)):
        _check_segment(what, segment)
    return f"{collection}/{name}"


def _ignored_segment(segment: str) -> bool:
    lowered = segment.lower()
    return (
        lowered.startswith(_IGNORED_STARTS)
        or lowered.endswith(_IGNORED_ENDS)
        or lowered in _IGNORED_NAMES
    )


def _check_segment(what: str, segment: str) -> None:
    if not segment or not segment.strip() or not _visible(segment):
        raise InvalidRequest(f"The {what} is empty.")
    if segment in (".", ".."):
        raise InvalidRequest(f"The {what} may not be {segment!r}.")
    if bad := _BAD_CHARACTER.search(segment):
        raise InvalidRequest(f"The {what} contains the character {bad[0]!a}.")
    if slash := re.search(r"[/\\]", segment):
        raise InvalidRequest(f"The {what} may not contain {slash[0]!r}.")
    if len(segment.encode()) > _SEGMENT_BYTES:
        raise InvalidRequest(f"The {what} is longer than {_SEGMENT_BYTES} bytes.")
    if is_ignored(segment):
        raise InvalidRequest(f"The {what} {segment!r} looks temporary or hidden, so it is ignored.")


def _visible(segment: str) -> bool:
    return any(unicodedata.category(character)[0] not in "CZ" for character in segment)
