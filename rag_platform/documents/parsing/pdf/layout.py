"""What the lines of a PDF's pages make up: paragraphs, and headings where the type shows them."""

import math
import re
import statistics
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from rag_platform.documents.parsed import Heading, Page
from rag_platform.documents.parsing.pdf.lines import Line, PageLines

_LARGER = 1.15
_PARAGRAPH_GAP = 1.3
"""Against the usual distance of lines."""
_LONGEST_HEADING = 120
_HEADING_LINES = 3
_LEVELS = 4
_MOST_HEADINGS = 0.2
"""Of all lines; where more look like headings, the type says something else."""
_SEARCHED = 20_000
"""Characters of a page in which a bookmark's words are looked for."""
_LETTER = re.compile(r"[^\W\d_]")
_NOT_A_HEADING = re.compile(r".*[.,;:…|\-\u2010\ufffe]|[(\[].*|[a-z].*|.*\.{4}.*", re.DOTALL)
_NUMBERED = re.compile(
    r"(?:(?:part|chapter|section|item|appendix|article|kapitel|abschnitt|teil)\s+[\dIVXA-Z]+\b"
    r"|\d{1,2}(?:\.\d{1,2}){1,3}\.?\s|(?:\d{1,2}|[IVX]{1,4}|[A-Z])[.)]\s)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Composed:
    """The text of all pages, and where its pages and headings are."""

    text: str
    pages: tuple[Page, ...]
    headings: tuple[Heading, ...]


def compose(pages: list[PageLines]) -> Composed:
    """Put the lines together: a line break after each, a blank line between paragraphs."""
    titles = _titles(pages)
    pieces: list[str] = []
    places: list[Page] = []
    headings: list[Heading] = []
    length = 0
    for number, page in enumerate(pages, 1):
        begin = length
        usual = _usual_distance(page.lines)
        before: Line | None = None
        for index, line in enumerate(page.lines):
            found = titles.get((number - 1, index))
            if before is not None:
                apart = found is not None or _apart(before, line, usual)
                pieces.append("\n\n" if apart else "\n")
                length += len(pieces[-1])
            if found is not None:
                headings.append(Heading(found[0], found[1], length))
            pieces.append(line.text)
            length += len(line.text)
            before = line
        places.append(Page(number, begin, length))
        pieces.append("\n\n")
        length += 2
    return Composed("".join(pieces[:-1]), tuple(places), tuple(headings))


def _usual_distance(lines: list[Line]) -> float:
    """From one baseline to the next within a paragraph, in letter sizes."""
    distances = [
        (one.baseline - other.baseline) / one.size
        for one, other in pairwise(lines)
        if one.size and 0.5 * one.size < one.baseline - other.baseline < 3 * one.size
    ]
    return statistics.median_low(distances) if distances else 1.2


def _apart(before: Line, line: Line, usual: float) -> bool:
    """Whether the line begins a paragraph. A line further up begins a column, and may go on."""
    if not before.size or not line.size or before.text.endswith("\ufffe"):
        return False
    if before.cells > 1 and line.cells > 1:
        return False  # rows of a table stay together
    distance = before.baseline - line.baseline
    return distance > _PARAGRAPH_GAP * usual * max(before.size, line.size)


def _titles(pages: list[PageLines]) -> dict[tuple[int, int], tuple[int, str]]:
    """Level and words of the headings that the type shows, by page and line."""
    weights = [_weights(page) for page in pages]
    body = _usual_size(weights)
    lines = sum(len(page.lines) for page in pages)
    if not body or lines < 5:
        return {}
    bold = sum(len(line.text) for page in pages for line in page.lines if line.bold)
    bold_tells = bold * 4 < sum(len(line.text) for page in pages for line in page.lines)
    found: dict[tuple[int, int], tuple[float, str]] = {}
    for number, page in enumerate(pages):
        here = _usual_size(weights[max(number - 2, 0) : number + 3]) or body
        _find_titles(page, number, (max(body, here), here if bold_tells else math.inf), found)
    if len(found) > _MOST_HEADINGS * lines:
        return {}
    sizes = sorted({size for size, _ in found.values() if size > body}, reverse=True)
    steps: list[float] = []
    for size in sizes:
        if not steps or size < 0.95 * steps[-1]:
            steps.append(size)
    titles: dict[tuple[int, int], tuple[int, str]] = {}
    for place, (size, words) in found.items():
        level = 1 + sum(step > size * 1.05 for step in steps)
        titles[place] = min(level, _LEVELS), words
    return titles


def _weights(page: PageLines) -> Counter[float]:
    """How many characters are set in each size."""
    weights: Counter[float] = Counter()
    for line in page.lines:
        if line.size:
            weights[line.size] += len(line.text)
    return weights


def _usual_size(weights: list[Counter[float]]) -> float:
    total = sum(weights, Counter[float]())
    return total.most_common(1)[0][0] if total else 0.0


def _find_titles(
    page: PageLines,
    number: int,
    body: tuple[float, float],
    found: dict[tuple[int, int], tuple[float, str]],
) -> None:
    """``body`` are the sizes above which letters are larger, and from which bold ones tell."""
    margins = Counter(round(line.left) for line in page.lines if line.size)
    distance = _usual_distance(page.lines)
    index = 0
    while index < len(page.lines):
        line = page.lines[index]
        end = index + 1
        larger = line.size >= _LARGER * body[0]
        if larger or (line.bold and line.size >= 0.95 * body[1]):
            while end < len(page.lines) and _goes_on(page.lines[end - 1], page.lines[end]):
                end += 1
            words = " ".join(one.text.strip() for one in page.lines[index:end])
            if _is_title(page, index, end, words) and (
                larger or _stands_alone(page, index, end, words, distance, margins)
            ):
                found[number, index] = (line.size, " ".join(words.split()))
        index = end


def _goes_on(line: Line, following: Line) -> bool:
    """Whether the next line is set like this one and stands right under it."""
    return (
        abs(line.size - following.size) < 0.3
        and line.bold == following.bold
        and 0 < line.baseline - following.baseline < 1.6 * line.size
    )


def _is_title(page: PageLines, index: int, end: int, words: str) -> bool:
    lines = page.lines[index:end]
    if len(lines) > _HEADING_LINES or not 3 <= len(words) <= _LONGEST_HEADING:
        return False
    if _NOT_A_HEADING.fullmatch(words) or any(line.cells > 1 for line in lines):
        return False
    letters = len(_LETTER.findall(words))
    fewest = 2 if words > "\u2e80" else 3
    if letters < fewest or letters * 2 < len(words.replace(" ", "")):
        return False
    # What a row of a table follows is the head of that table.
    return end == len(page.lines) or page.lines[end].cells <= 2


def _stands_alone(
    page: PageLines, index: int, end: int, words: str, distance: float, margins: Counter[int]
) -> bool:
    """Whether bold letters of the text's size are on lines of their own at the margin."""
    line = page.lines[index]
    before = page.lines[index - 1] if index else None
    if before is not None and before.size:
        gap = before.baseline - line.baseline
        if 0 <= gap < 1.05 * distance * line.size:
            return False
    if end == len(page.lines) or not page.lines[end].size:
        return False
    return margins[round(line.left)] >= 3 or _NUMBERED.match(words) is not None


def bookmarked(bookmarks: list[tuple[int, str, int]], composed: Composed) -> tuple[Heading, ...]:
    """Bookmarks (level, title, page from zero) whose words are found on the page they point to."""
    headings: dict[int, Heading] = {}
    for level, title, number in bookmarks:
        words = title.split()[:50]
        if not words or not 0 <= number < len(composed.pages):
            continue
        page = composed.pages[number]
        text = composed.text[page.start : min(page.end, page.start + _SEARCHED)]
        pattern = r"\s+".join(map(re.escape, words))
        found = re.search(rf"^[ \t]*(?:[\dA-Z.]+\s+)?{pattern}", text, re.I | re.M)
        found = found or re.search(pattern, text, re.IGNORECASE)
        if found:
            start = page.start + found.start()
            headings.setdefault(start, Heading(level, " ".join(words), start))
    return tuple(headings[start] for start in sorted(headings))
