"""The colours of rich text: which letters are seen on what is behind them."""

from rag_platform.documents.parsing.colours import WHITE, Colour, shows
from rag_platform.documents.parsing.rich_text_words import Paragraph, State

_SMALLEST = 2
"""Half points."""
_PAPERS = frozenset(("cb", "highlight", "chcbpat"))
_CELLS = frozenset(("trowd", "clcbpat", "clcfpat", "clshdng", "cellx"))


class Colours:
    """The table of colours, and the colours of the cells of the row that is read."""

    def __init__(self) -> None:
        self.page_known = True
        """Whether the page is white, and nothing is painted over all of it."""
        self._table: list[Colour | None] = []
        self._parts: dict[str, int] = {}
        self._cells: list[int | None] = []
        self._cell: int | None = 0

    def define(self, text: str) -> None:
        """Text of the table: each semicolon ends a colour."""
        for _ in range(text.count(";")):
            parts, self._parts = self._parts, {}
            red, green, blue = (
                min(max(parts.get(name, 0), 0), 255) for name in ("red", "green", "blue")
            )
            self._table.append((red, green, blue) if parts else None)

    def word(self, word: str, value: int | None, state: State, paragraph: Paragraph) -> bool:
        """Follow a control word; whether it was one of colours or sizes."""
        number = value or 0
        if word in ("red", "green", "blue"):
            self._parts[word] = number
        elif word == "cf":
            state.colour = number
        elif word == "fs":
            state.size = number
        elif word in _PAPERS:
            state.paper = number
        elif word == "cbpat":
            paragraph.paper = number
        elif word in ("cfpat", "shading"):
            paragraph.paper = None
        elif word == "itap" and number > 1:
            paragraph.paper = None  # the cells of a nested row are described behind it
        elif word == "shptxt":
            state.paper = None
        elif word in _CELLS:
            self._cell_word(word, number)
        else:
            return False
        return True

    def hides(self, state: State, paragraph: Paragraph, cell: int) -> bool:
        """Whether letters are too small, or of the colour of what is behind them."""
        if state.size <= _SMALLEST:
            return True
        ink = self._colour(state.colour)
        if ink is None:
            return False
        papers = [state.paper, paragraph.paper]
        if paragraph.in_table:
            papers.append(self._cells[cell] if cell < len(self._cells) else 0)
        for paper in papers:
            if paper is None:
                return False
            if paper:
                below = self._colour(paper)
                return below is not None and not shows(ink, 1.0, below)
        return self.page_known and not shows(ink, 1.0, WHITE)

    def _cell_word(self, word: str, number: int) -> None:
        if word == "trowd":
            self._cells, self._cell = [], 0
        elif word == "cellx":
            self._cells.append(self._cell)
            self._cell = 0
        elif word == "clcbpat":
            self._cell = number
        else:
            self._cell = None  # a pattern of two colours

    def _colour(self, number: int) -> Colour | None:
        return self._table[number] if 0 < number < len(self._table) else None
