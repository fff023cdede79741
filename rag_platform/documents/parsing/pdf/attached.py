"""What a PDF carries beside its pages' own text: form fields, comments, attached files."""

import ctypes
from typing import Any, cast

import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as pdfium  # pyright: ignore[reportMissingTypeStubs]

from rag_platform.documents.parsing.pdf.limits import MOST_ANNOTATIONS
from rag_platform.documents.parsing.pdf.lines import Line

_RAW = cast(Any, pdfium)
_COMMENTS = {
    pdfium.FPDF_ANNOT_TEXT,
    pdfium.FPDF_ANNOT_FREETEXT,
    pdfium.FPDF_ANNOT_HIGHLIGHT,
    pdfium.FPDF_ANNOT_UNDERLINE,
    pdfium.FPDF_ANNOT_SQUIGGLY,
    pdfium.FPDF_ANNOT_STRIKEOUT,
    pdfium.FPDF_ANNOT_STAMP,
    pdfium.FPDF_ANNOT_CARET,
}
_UNSEEN = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
_LONGEST = 1 << 20
_NAMED = 5


def is_xfa(document: Any) -> bool:
    """Whether the form is XFA, whose fields and often all of its text are in XML, not on pages."""
    return _RAW.FPDF_GetFormType(document.raw) in (
        pdfium.FORMTYPE_XFA_FULL,
        pdfium.FORMTYPE_XFA_FOREGROUND,
    )


def annotation_lines(page: Any) -> list[Line]:
    """Filled form fields as ``name: value``, and the words of comments."""
    lines: list[Line] = []
    for index in range(min(_RAW.FPDFPage_GetAnnotCount(page.raw), MOST_ANNOTATIONS)):
        annotation = _RAW.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            text = _text(annotation)
        finally:
            _RAW.FPDFPage_CloseAnnot(annotation)
        lines += [Line(line) for line in text.splitlines() if line.strip()]
    return lines


def _text(annotation: Any) -> str:
    kind = _RAW.FPDFAnnot_GetSubtype(annotation)
    if kind != pdfium.FPDF_ANNOT_WIDGET and kind not in _COMMENTS:
        return ""
    if _RAW.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
        return ""
    if kind != pdfium.FPDF_ANNOT_WIDGET:
        return _string(annotation, b"Contents")
    value = _string(annotation, b"V").strip()
    if not value or value == "Off":
        return ""
    name = (_string(annotation, b"TU") or _string(annotation, b"T")).strip()
    return f"{name}: {value}" if name else value


def _string(annotation: Any, key: bytes) -> str:
    size = _RAW.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    if not 2 < size <= _LONGEST:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pointer = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
    _RAW.FPDFAnnot_GetStringValue(annotation, key, pointer, size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def attachment_note(document: Any) -> str | None:
    """A sentence about attached files, which are not read."""
    count = _RAW.FPDFDoc_GetAttachmentCount(document.raw)
    if count <= 0:
        return None
    names: list[str] = []
    for index in range(min(count, _NAMED)):
        try:
            names.append(" ".join(document.get_attachment(index).get_name().split())[:100])
        except (pypdfium2.PdfiumError, UnicodeError):
            continue
    files = "1 attached file was" if count == 1 else f"{count} attached files were"
    more = ", ..." if count > len(names) else ""
    listed = f": {', '.join(filter(None, names))}{more}" if any(names) else ""
    return f"{files} not read{listed}."
