"""pypdf, asked where PDFium finds nothing, fails, or is wrong."""

import io
import time

import pypdf
import pypdf.errors

from rag_platform.documents.parsing.pdf.limits import MOST_PAGES, check_page_count
from rag_platform.errors import UnreadableDocument

ENCRYPTED = "The PDF is encrypted; remove its password and drop it again."
DAMAGED = "The file is damaged: it is not a complete PDF."
_SECONDS = 15.0


class SecondOpinion:
    """pypdf on one document, opened when it is first needed; it is slow, so its time is bounded."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._reader: pypdf.PdfReader | None = None
        self._left = _SECONDS

    def texts(self) -> list[str]:
        """All pages; raises :class:`UnreadableDocument` where there is no document either."""
        try:
            count = len(self._open().pages)
            check_page_count(count)
            return [self.page(number) for number in range(min(count, MOST_PAGES))]
        except (pypdf.errors.FileNotDecryptedError, pypdf.errors.WrongPasswordError) as error:
            raise UnreadableDocument(ENCRYPTED) from error
        except (UnreadableDocument, MemoryError):
            raise
        except Exception as error:
            raise UnreadableDocument(DAMAGED) from error

    def page(self, number: int) -> str:
        """One page's text, empty where pypdf fails on it or has no time left."""
        if self._left <= 0:
            return ""
        started = time.monotonic()
        try:
            return self._open().pages[number].extract_text()
        except (pypdf.errors.FileNotDecryptedError, UnreadableDocument, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - one page must not cost the others
            return ""
        finally:
            self._left -= time.monotonic() - started

    def _open(self) -> pypdf.PdfReader:
        if self._reader is None:
            reader = pypdf.PdfReader(io.BytesIO(self._data), strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                raise UnreadableDocument(ENCRYPTED)
            self._reader = reader
        return self._reader
