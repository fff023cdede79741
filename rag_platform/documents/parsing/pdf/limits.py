"""How much of a PDF is read."""

from rag_platform.errors import UnreadableDocument

MOST_PAGES = 5000
MOST_BOOKMARKS = 5000
MOST_ANNOTATIONS = 2000
"""On one page."""
MOST_CHARACTERS = 50_000_000
"""Of one document: a thousand times a long novel is no document."""


def check_page_count(count: int) -> None:
    """Raise :class:`UnreadableDocument` for a document with more pages than are read."""
    if count > MOST_PAGES:
        raise UnreadableDocument(
            f"The PDF has {count} pages, and at most {MOST_PAGES} are read; split it and drop the "
            "parts."
        )
