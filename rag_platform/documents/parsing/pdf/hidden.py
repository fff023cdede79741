"""Text of a PDF that nobody sees, and the invisible text that is a scan's own."""

import ctypes
import time
from typing import Any, cast

import pypdfium2.raw as pdfium  # pyright: ignore[reportMissingTypeStubs]

from rag_platform.documents.parsing.pdf.drawing import Drawing, draw

_RAW = cast(Any, pdfium)
_SMALLEST = 1.0
"""Points; the smallest print that a person may have meant to be read is about 3."""
_WHITE = 245
_CONTRAST = 10
"""Of 255; white letters on what differs less cannot be made out."""
_COVERED = 0.5
_RENDERING_SECONDS = 5.0
_PAGE_SECONDS = 1.0
_INVISIBLE = 3
_PIXELS = 4_000_000
_OBJECTS = 20_000

Span = tuple[int, int]
Box = tuple[float, float, float, float]


class Hidden:
    """Tells seen from hidden words, page by page; what it spends on drawing pages is bounded.

    Hidden are letters without paint, unless they lie on a picture (the text layer of a scan),
    letters smaller than a point, transparent or white on white ones, and what lies outside of the
    page.
    """

    def __init__(self) -> None:
        self._left = _RENDERING_SECONDS
        self._colour = [ctypes.c_uint() for _ in range(4)]
        self._box: Any = _RAW.FS_RECTF()

    def seen(self, page: Any, text_page: Any, words: list[Span]) -> dict[Span, Box]:
        """The words that a person sees, with the place of their first letter on the page.

        Words are given by their places among PDFium's characters.
        """
        if not words:
            return {}
        _RAW.FPDF_GetPageBoundingBox(page.raw, self._box)
        bounds = self._edges()
        hidden: set[Span] = set()
        unpainted: list[tuple[Span, Box]] = []
        white: list[tuple[Span, Box]] = []
        boxes: dict[Span, Box] = {}
        edge = self._box
        left, bottom, right, top = bounds
        place = _RAW.FPDFText_GetLooseCharBox
        for word in words:
            place(text_page, word[0], edge)
            boxes[word] = box = (edge.left, edge.bottom, edge.right, edge.top)
            painted = self._painted(text_page, word[0])
            tiny = box[2] - box[0] < _SMALLEST and box[3] - box[1] < _SMALLEST
            outside = box[2] < left or box[3] < bottom or box[0] > right or box[1] > top
            if tiny or outside or painted is None:
                hidden.add(word)
            elif painted == "no":
                unpainted.append((word, box))
            elif painted == "white":
                white.append((word, box))
        if unpainted:
            shown = len(words) - len(hidden) - len(unpainted)
            hidden |= self._not_a_scan(page, unpainted, boxes, shown)
        if white:
            hidden |= self._white_on_white(page, white)
        for word in hidden:
            del boxes[word]
        return boxes

    def covered_by_pictures(self, page: Any) -> bool:
        """Whether pictures cover most of the page."""
        _RAW.FPDF_GetPageBoundingBox(page.raw, self._box)
        left, bottom, right, top = self._edges()
        area = (right - left) * (top - bottom)
        pictures = [
            (max(box[0], left), max(box[1], bottom), min(box[2], right), min(box[3], top))
            for box in _pictures(page)
        ]
        inside = sum(max(x1 - x0, 0.0) * max(y1 - y0, 0.0) for x0, y0, x1, y1 in pictures)
        return inside > _COVERED * area

    def _painted(self, text_page: Any, index: int) -> str | None:
        """``"yes"``, ``"white"``, ``"no"`` for letters without paint, ``None`` for clear paint."""
        item = _RAW.FPDFText_GetTextObject(text_page, index)
        mode = _RAW.FPDFTextObj_GetTextRenderMode(item) if item else 0
        if mode == _INVISIBLE:
            return "no"
        red, green, blue, alpha = self._colour
        if mode or not _RAW.FPDFText_GetFillColor(text_page, index, red, green, blue, alpha):
            return "yes"
        if not alpha.value:
            return None
        return "white" if min(red.value, green.value, blue.value) >= _WHITE else "yes"

    def _edges(self) -> Box:
        box = self._box
        return (
            min(box.left, box.right),
            min(box.bottom, box.top),
            max(box.left, box.right),
            max(box.bottom, box.top),
        )

    def _not_a_scan(
        self,
        page: Any,
        unpainted: list[tuple[Span, Box]],
        boxes: dict[Span, Box],
        shown: int,
    ) -> set[Span]:
        """Invisible words that lie on no picture, or on one that bears more visible ones."""
        pictures = _pictures(page)
        layer = {word for word, box in unpainted if _on_any(box, pictures)}
        if shown > len(layer):
            invisible = {word for word, _ in unpainted}
            printed = [b for word, b in boxes.items() if word not in invisible]
            if sum(_on_any(box, pictures) for box in printed) > len(layer):
                layer = set()
        return {word for word, _ in unpainted} - layer

    def _white_on_white(self, page: Any, white: list[tuple[Span, Box]]) -> set[Span]:
        """White words that do not show when the page is drawn; drawing is what decides."""
        if self._left <= 0:
            return set()
        started = time.monotonic()
        try:
            width, height = page.get_size()
            scale = min(1.0, (_PIXELS / max(width * height, 1.0)) ** 0.5)
            drawing = draw(page, scale, min(self._left, _PAGE_SECONDS))
            if drawing is None:
                return set()
            return {word for word, box in white if not _shows(drawing, page, box)}
        finally:
            self._left -= time.monotonic() - started


def _shows(drawing: Drawing, page: Any, box: Box) -> bool:
    """Whether there is anything but one shade in the box, which is in the page's points."""
    x0, y0 = _pixel(drawing, page, box[0], box[1])
    x1, y1 = _pixel(drawing, page, box[2], box[3])
    left, right = max(min(x0, x1), 0), min(max(x0, x1) + 1, drawing.width)
    top, bottom = max(min(y0, y1), 0), min(max(y0, y1) + 1, drawing.height)
    starts = range(top * drawing.width, bottom * drawing.width, drawing.width)
    shades = b"".join(drawing.grey[start + left : start + right] for start in starts)
    return not shades or max(shades) - min(shades) > _CONTRAST


def _pixel(drawing: Drawing, page: Any, x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    _RAW.FPDF_PageToDevice(page.raw, 0, 0, drawing.width, drawing.height, 0, x, y, across, down)
    return across.value, down.value


def _pictures(page: Any) -> list[Box]:
    """Where pictures lie, also those inside of forms, for which the form's place is taken."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    places: list[Box] = []
    for index in range(min(_RAW.FPDFPage_CountObjects(page.raw), _OBJECTS)):
        item = _RAW.FPDFPage_GetObject(page.raw, index)
        if _is_picture(item) and _RAW.FPDFPageObj_GetBounds(item, left, bottom, right, top):
            places.append((left.value, bottom.value, right.value, top.value))
    return places


def _is_picture(item: Any, depth: int = 0) -> bool:
    kind = _RAW.FPDFPageObj_GetType(item)
    if kind != pdfium.FPDF_PAGEOBJ_FORM or depth > 2:
        return kind == pdfium.FPDF_PAGEOBJ_IMAGE
    count = min(_RAW.FPDFFormObj_CountObjects(item), 20)
    return any(_is_picture(_RAW.FPDFFormObj_GetObject(item, n), depth + 1) for n in range(count))


def _on_any(box: Box, pictures: list[Box]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(left <= x <= right and low <= y <= high for left, low, right, high in pictures)
