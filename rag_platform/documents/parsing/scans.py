"""Whether pages without text can be read here, and what is said where they cannot.

Imports no PDF library: the ledger's side asks too.
"""

import shutil

SCANNED = (
    "The PDF has no text; it seems to be scanned pages. Install the tesseract program "
    "(tesseract-ocr) to have them recognised, or drop a PDF with a text layer."
)
NOTHING_RECOGNISED = (
    "The PDF has no text; it seems to be scanned pages, and no letters were recognised on them."
)
UNSURE = (
    "The PDF has no text; it seems to be scanned pages, and hardly any of their letters were "
    "recognised for sure. If their language is not among those that tesseract has, install it "
    "(such as tesseract-ocr-deu) and retry."
)
TOO_SLOW = (
    "The PDF has no text; it seems to be scanned pages, and recognising them took too long. Split "
    "it and drop the parts, or drop a PDF with a text layer."
)
_GARBLED = "The PDF's text cannot be decoded: its fonts do not say rightly which letters they draw"
GARBLED = (
    f"{_GARBLED}. Install the tesseract program (tesseract-ocr) to have its pages recognised, or "
    "make a new PDF from the original."
)
GARBLED_UNSURE = (
    f"{_GARBLED}, and its pages were not recognised for sure either. Make a new PDF from the "
    "original; or, if its language is not among those that tesseract has, install it (such as "
    "tesseract-ocr-deu) and retry."
)


def can_recognise() -> bool:
    """Whether the tesseract program is installed."""
    return shutil.which("tesseract") is not None
