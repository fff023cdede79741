"""What to do with a PDF whose end is missing: an interrupted download, a damaged disk."""

import re
from collections.abc import Iterator
from itertools import islice

from rag_platform.documents.parsing.pdf.limits import MOST_PAGES

CUT_OFF = "The end of the file is missing or damaged; what is left of it was read."

_CATALOG = re.compile(rb"/Type\s*/Catalog\b")
_PAGE = re.compile(rb"/Type\s*/Page\b")
_OBJECT = re.compile(rb"(?<!\d)(\d{1,7})\s+(\d{1,5})\s+obj\b")
_ENCRYPTED = re.compile(rb"/Filter\s*/Standard\b")
_BEFORE = 4096
"""Bytes between the beginning of an object and its type; most have some dozens."""

_NEW = 4_000_000
"""Numbers of objects that no file has; PDFium takes some more."""


def mended(data: bytes) -> Iterator[bytes]:
    """The file with an end that says where the document begins, in ways to try one by one.

    Without an end PDFium finds all objects and does not know what to do with them. It is given the
    file's own catalog, or one of the pages that are left. An encrypted file needs a key that stands
    at its end, too.
    """
    if _ENCRYPTED.search(data):
        return
    if catalogs := list(_objects(data, _CATALOG)):
        yield _ended(data, catalogs[-1])
    if pages := list(islice(_objects(data, _PAGE), MOST_PAGES)):
        catalog = b"%d 0 obj << /Type /Catalog /Pages %d 0 R >> endobj\n" % (_NEW, _NEW + 1)
        tree = b"%d 0 obj << /Type /Pages /Count %d /Kids [%s] >> endobj" % (
            _NEW + 1,
            len(pages),
            b" ".join(pages),
        )
        yield _ended(data, b"%d 0 R" % _NEW, catalog + tree)


def _objects(data: bytes, kind: re.Pattern[bytes]) -> Iterator[bytes]:
    """References to the objects of a type, in the order of the file."""
    for match in islice(kind.finditer(data), 2 * MOST_PAGES):
        place = match.start()
        heads = list(_OBJECT.finditer(data, max(0, place - _BEFORE), place))
        if heads and b"endobj" not in data[heads[-1].end() : place]:
            yield b"%s %s R" % heads[-1].groups()


def _ended(data: bytes, catalog: bytes, objects: bytes = b"") -> bytes:
    return b"%s\nendstream\nendobj\n%s\ntrailer << /Root %s >>\n%%%%EOF\n" % (
        data,
        objects,
        catalog,
    )
