"""How much of a PDF is read."""

import re
import zlib
from collections.abc import Iterator

from rag_platform.errors import UnreadableDocument

MOST_PAGES = 5000
MOST_BOOKMARKS = 5000
MOST_ANNOTATIONS = 2000
"""On one page."""
MOST_CHARACTERS = 50_000_000
"""Of one document: a thousand times a long novel is no document."""
MOST_UNPACKED = 256 << 20
"""Bytes of one stream. A page of text has ten thousand, a detailed map some ten million."""
_STREAM = re.compile(rb"stream\r?\n(?=[\x18\x28\x38\x48\x58\x68\x78])")
_HEADER = frozenset(b"\x18\x28\x38\x48\x58\x68\x78")
_PREFIX = 4096
_SUSPECT = 64
"""Times that a stream's beginning grows when it is unpacked; text grows to five times its size."""
_STEP = 1 << 20


def check_page_count(count: int) -> None:
    """Raise :class:`UnreadableDocument` for a document with more pages than are read."""
    if count > MOST_PAGES:
        raise UnreadableDocument(
            f"The PDF has {count} pages, and at most {MOST_PAGES} are read; split it and drop the "
            "parts."
        )


def check_unpacked(data: bytes) -> None:
    """Raise :class:`UnreadableDocument` for a file made to unpack to more than memory holds.

    Looks at the beginning of each packed stream, and unpacks only what grows beyond all measure.
    Pictures are left alone: a blank one packs as well, and none is unpacked to read text.
    """
    for match in _STREAM.finditer(data):
        head = data[match.end() : match.end() + _PREFIX]
        grown = sum(map(len, _unpacked(iter((head,)), len(head) * _SUSPECT)))
        if grown < len(head) * _SUSPECT or b"/Image" in data[match.start() - 400 : match.start()]:
            continue
        start, end = match.end(), len(data)
        rest = (data[place : place + _STEP] for place in range(start, end, _STEP))
        if sum(map(len, _unpacked(rest, MOST_UNPACKED + 1))) > MOST_UNPACKED:
            raise UnreadableDocument(
                f"The PDF holds data that unpacks to more than {MOST_UNPACKED >> 20} MB; print it "
                "to a new PDF and drop that one."
            )


def _unpacked(packed: Iterator[bytes], most: int, depth: int = 2) -> Iterator[bytes]:
    """The unpacked pieces, about ``most`` bytes of them; what is packed twice is unpacked twice."""
    pieces = _inflated(packed, most)
    first = next(pieces, b"")
    if depth > 1 and first[:1] and first[0] in _HEADER:
        inner = _unpacked(_with_first(first, pieces), most, depth - 1)
        piece = next(inner, b"")
        if len(piece) >= len(first):
            yield piece
            yield from inner
            return
    yield first
    yield from pieces


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _inflated(packed: Iterator[bytes], most: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    for piece in packed:
        while piece and most > 0 and not inflater.eof:
            try:
                out = inflater.decompress(piece, _STEP)
            except zlib.error:
                return
            if not out and not inflater.unconsumed_tail:
                break
            most -= len(out)
            yield out
            piece = inflater.unconsumed_tail
