"""Drawing a page in shades of grey, for as long as the time for it lasts."""

import ctypes
import time
from typing import Any, cast

import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as pdfium  # pyright: ignore[reportMissingTypeStubs]

_RAW = cast(Any, pdfium)


class Drawing:
    """A page's pixels, one byte each, in rows from the top."""

    def __init__(self, width: int, height: int, grey: bytes) -> None:
        self.width, self.height, self.grey = width, height, grey

    @property
    def blank(self) -> bool:
        """Whether it is all one shade."""
        return not self.grey or self.grey.count(self.grey[:1]) == len(self.grey)


def draw(page: Any, scale: float, seconds: float) -> Drawing | None:
    """The page at ``scale`` pixels per point; ``None`` where that fails or takes too long."""
    until = time.monotonic() + seconds
    points = page.get_size()
    width, height = (max(1, round(side * scale)) for side in points)
    try:
        bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_Gray)
    except (pypdfium2.PdfiumError, ValueError, ctypes.ArgumentError):
        return None

    def late(_: Any) -> int:
        return int(time.monotonic() > until)

    # PDFium asks between two objects of the page whether it should stop.
    pause = _RAW.IFSDK_PAUSE(version=1)
    pause.NeedToPauseNow = dict(_RAW.IFSDK_PAUSE._fields_)["NeedToPauseNow"](late)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        status = _RAW.FPDF_RenderPageBitmap_Start(
            bitmap.raw, page.raw, 0, 0, width, height, 0, pdfium.FPDF_GRAYSCALE, pause
        )
        _RAW.FPDF_RenderPage_Close(page.raw)
        if status != pdfium.FPDF_RENDER_DONE:
            return None
        rows = bytes(bitmap.buffer)
        if bitmap.stride != width:
            starts = range(0, bitmap.stride * height, bitmap.stride)
            rows = b"".join(rows[start : start + width] for start in starts)
        return Drawing(width, height, rows)
    finally:
        bitmap.close()
