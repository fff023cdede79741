"""Running headers and footers of a PDF: what stands at the same place of page after page."""

import re
from collections import Counter, defaultdict
from dataclasses import replace

from rag_platform.documents.parsing.pdf.lines import Line, PageLines

_FEWEST_PAGES = 4
_REPEATS = 3
_NEAR = 3
"""A header that changes with the chapter is told by pages that follow one another this closely."""
_MARGIN = 0.15
"""The part of a page's height in which headers stand, and that in which footers stand."""
_OUTERMOST = 4
_SAME_PLACE = 4.0
"""Points."""
_NUMBER = re.compile(r"\d{1,9}")
_ALONE = re.compile(r"[\W_]{0,4}\d{1,5}[\W_]{0,4}")
_LETTER = re.compile(r"[^\W\d_]")
_ROMAN = re.compile(r"[ivxlc]{1,7}", re.IGNORECASE)
_AGREE = 0.8
_MOST = 0.3
"""Of all characters; headers and footers are less."""

_Key = tuple[str, str, int]
_Place = tuple[int, int]
"""A page and a line of it, both counted from zero."""


def without_running_lines(pages: list[PageLines]) -> list[PageLines]:
    """The pages without running headers, footers and page numbers.

    Only lines at the top and the bottom that stand at the same height of three pages or more with
    the same words, and whose numbers stay or count with the pages; or such that count with the
    pages and are the outermost, in the same column: where pages end early, so do their footers.
    A document of few pages is left as it is: there a repetition says nothing.
    """
    if len(pages) < _FEWEST_PAGES:
        return pages
    places: dict[_Key, list[_Place]] = defaultdict(list)
    for number, page in enumerate(pages):
        for index, zone, step in _outer_lines(page):
            masked = _masked(page.lines[index].text, number)
            # A line between two steps is looked for under both.
            for rounded in {round(step - 0.25), round(step + 0.25)}:
                places[zone, masked, rounded].append((number, index))
    running: dict[int, set[int]] = defaultdict(set)
    for (zone, masked, _), found in places.items():
        for number, index in _repeated(masked, found, pages, zone.startswith("outermost")):
            running[number].add(index)
    removed = sum(len(pages[n].lines[i].text) for n, lines in running.items() for i in lines)
    if removed > _MOST * sum(len(line.text) for page in pages for line in page.lines):
        return pages  # a form that is the same on every page, or slides of a few words
    return [
        replace(page, lines=[line for i, line in enumerate(page.lines) if i not in running[n]])
        for n, page in enumerate(pages)
    ]


def _outer_lines(page: PageLines) -> list[tuple[int, str, float]]:
    """The lines nearest to the upper and the lower edge: index, zone, and the place in steps."""
    margin = _MARGIN * (page.top - page.bottom)
    placed = [(line.baseline, index) for index, line in enumerate(page.lines) if line.size]
    if margin <= 0 or not placed:
        return []
    placed.sort(reverse=True)
    found: list[tuple[int, str, float]] = []
    for height, index in placed[:_OUTERMOST]:
        if height > page.top - margin:
            found.append((index, "head", (page.top - height) / _SAME_PLACE))
    for height, index in placed[-_OUTERMOST:]:
        if height < page.bottom + margin:
            found.append((index, "foot", (height - page.bottom) / _SAME_PLACE))
    for (_, index), zone in ((placed[0], "outermost above"), (placed[-1], "outermost below")):
        line = page.lines[index]
        found.append((index, zone, (line.left + line.right) / 2 / _SAME_PLACE))
    return found


def _masked(text: str, number: int) -> str:
    """The text without its numbers; a number alone says how far it is ahead of the page's."""
    text = " ".join(text.split())
    if _ALONE.fullmatch(text):
        return f"# {int(_NUMBER.findall(text)[0]) - number}"
    return "#r" if _ROMAN.fullmatch(text) else _NUMBER.sub("#", text)


def _repeated(
    masked: str, found: list[_Place], pages: list[PageLines], must_count: bool = False
) -> list[_Place]:
    """Those places of lines with the same words that repeat one another."""
    numbers = sorted({number for number, _ in found})
    if len(numbers) < _REPEATS:
        return []
    counts = _counts(masked, found, pages)
    if counts is None and not must_count:
        return _literally(found, pages)
    if must_count and not counts:
        return []
    often = len(numbers) * 3 >= len(pages)
    near = _in_runs(numbers)
    return [
        (number, index)
        for number, index in found
        if (often and not must_count)
        or (
            number in near
            and _apart(pages[number], index)
            and (counts or not pages[number].lines[index].bold)
        )
    ]


def _literally(found: list[_Place], pages: list[PageLines]) -> list[_Place]:
    """Where the numbers mean something else, only the very same text repeats itself."""
    same: dict[str, list[_Place]] = defaultdict(list)
    for number, index in found:
        same[pages[number].lines[index].text.strip()].append((number, index))
    if len(same) == 1:
        return []
    return [
        place
        for text, places in same.items()
        if _LETTER.search(text)
        for place in _repeated(text, places, pages)
    ]


def _counts(masked: str, found: list[_Place], pages: list[PageLines]) -> bool | None:
    """Whether a number counts with the pages; ``None`` where one does neither that nor stay."""
    if masked.startswith("#"):
        return True
    texts = [(number, pages[number].lines[index].text) for number, index in found]
    rows = [[int(value) for value in _NUMBER.findall(text)[:9]] for _, text in texts]
    counts = False
    for column in zip(*rows, strict=False):
        stays = Counter(column).most_common(1)[0][1]
        offsets = Counter(value - number for value, (number, _) in zip(column, texts, strict=True))
        moves = offsets.most_common(1)[0][1]
        if max(stays, moves) < _AGREE * len(texts):
            return None
        counts = counts or moves > stays
    return counts if counts or _LETTER.search(masked) else None


def _in_runs(numbers: list[int]) -> set[int]:
    """The pages that are among three or more, each near the one before."""
    runs: list[list[int]] = [[]]
    for number in numbers:
        if runs[-1] and number - runs[-1][-1] > _NEAR:
            runs.append([])
        runs[-1].append(number)
    return {number for run in runs if len(run) >= _REPEATS for number in run}


def _apart(page: PageLines, index: int) -> bool:
    """Whether blank space parts the line from the page's text."""
    line = page.lines[index]
    above = [o.baseline - line.baseline for o in page.lines if _higher(o, line)]
    below = [line.baseline - o.baseline for o in page.lines if _higher(line, o)]
    inward = below if line.baseline > (page.top + page.bottom) / 2 else above
    return not inward or min(inward) > 1.5 * line.size


def _higher(one: Line, other: Line) -> bool:
    return one.size > 0 and one.baseline - other.baseline > 1.0
