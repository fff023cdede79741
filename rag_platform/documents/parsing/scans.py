"""Whether scanned pages can be read here. Imports no PDF library: the ledger's side asks too."""

import shutil

SCANNED = (
    "The PDF has no text; it seems to be scanned pages. Install the tesseract program "
    "(tesseract-ocr) to have them recognised, or drop a PDF with a text layer."
)
NOTHING_RECOGNISED = (
    "The PDF has no text; it seems to be scanned pages, and no letters were recognised on them."
)
TOO_SLOW = (
    "The PDF has no text; it seems to be scanned pages, and recognising them took too long. Split "
    "it and drop the parts, or drop a PDF with a text layer."
)


def can_recognise() -> bool:
    """Whether the tesseract program is installed."""
    return shutil.which("tesseract") is not None
