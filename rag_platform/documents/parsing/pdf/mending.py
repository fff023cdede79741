"""What to do with a PDF whose end is missing: an interrupted download, a damaged disk."""

import re

CUT_OFF = "The end of the file is missing or damaged; what is left of it was read."

_CATALOG = re.compile(rb"/Type\s*/Catalog\b")
_OBJECT = re.compile(rb"(?<!\d)(\d{1,10})\s+(\d{1,5})\s+obj\b")
_ENCRYPTED = re.compile(rb"/Filter\s*/Standard\b")
_BEFORE = 4096
"""Bytes between the beginning of the catalog's object and its type; most have some dozens."""


def with_trailer(data: bytes) -> bytes | None:
    """The file with an end that names its catalog, ``None`` where it has none.

    The end says where a document begins. Without it PDFium finds all objects and does not know
    what to do with them. An encrypted file needs a key that stands at its end, too.
    """
    if _ENCRYPTED.search(data):
        return None
    places = [match.start() for match in _CATALOG.finditer(data)]
    if not places:
        return None
    objects = list(_OBJECT.finditer(data, max(0, places[-1] - _BEFORE), places[-1]))
    if not objects:
        return None
    number, generation = objects[-1].groups()
    return data + b"\nendstream\nendobj\ntrailer << /Root %s %s R >>\n%%%%EOF\n" % (
        number,
        generation,
    )
