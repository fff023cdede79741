"""A line of a PDF's page, and the page as its lines."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Line:
    """One line. Places are in points from the page's lower left corner as it is shown."""

    text: str
    left: float = 0.0
    right: float = 0.0
    baseline: float = 0.0
    size: float = 0.0
    """Of the letters, in points; zero where it is not known, and so are the places then."""
    bold: bool = False
    cells: int = 1
    """How many stretches of text stand apart in it, as in the row of a table."""


@dataclass(slots=True)
class PageLines:
    """The lines of a page in reading order."""

    lines: list[Line] = field(default_factory=list[Line])
    bottom: float = 0.0
    top: float = 0.0
    """Of what the page shows, in points; both are zero where it is not known."""
    hidden: bool = False
    """Whether text that nobody sees was left out."""
    undecoded: float = 0.0
    """The part of the letters, from 0 to 1, that stood on lines left out as their fonts do not say
    what they draw."""
    letters: int = 0
    """How many letters the page had, where some were left out like that."""
    missing: bool = False
    """Whether the file names the page and does not hold it."""
    blank: bool = False
    """Whether nothing at all is drawn on it."""
    drawn: bool = False
    """Whether it has no letters and a picture fills most of it: a scan."""

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(line.text for line in self.lines)

    @classmethod
    def of_text(cls, text: str) -> "PageLines":
        """A page of which the text alone is known."""
        return cls([Line(line) for line in text.splitlines()])
