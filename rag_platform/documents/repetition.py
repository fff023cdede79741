"""What repeats itself without end: a small file can become thousands of passages that say nothing.

Only exact and unbroken repetition counts. A log, or a table of which most cells are alike, says
something new in each line, and is kept whole however long it is.
"""

import dataclasses
import re
from bisect import bisect_right
from collections.abc import Iterator

from rag_platform.documents.draft import Draft
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.errors import UnreadableDocument

NOTE = "What repeats itself more than 100 times in a row was kept once."
MOST_TIMES = 100
MOST_CHARACTERS = 20_000
"""Both must be exceeded: a rule of dashes is short, and so are some hundred equal cells."""

_LONGEST = 16_000
"""Characters of what is repeated: a long row of a table."""
_STEP = MOST_CHARACTERS // 4
_PROBE = 48
_ATTEMPTS = 64
_WORD = re.compile(r"[^\W\d_]+")
_SHOWN = 60


def repeats_too_often(times: int, characters: int) -> bool:
    """Whether ``times`` equal parts of together so many characters are kept once."""
    return times > MOST_TIMES and characters > MOST_CHARACTERS


def without_repetition(document: ParsedDocument) -> ParsedDocument:
    """The document with each endless repetition kept once, and a note that says so.

    Raises :class:`UnreadableDocument` where a single word is all that is repeated and left.
    """
    runs = list(_runs(document.text))
    if not runs:
        return document
    marks = {offset for page in document.pages for offset in (page.start, page.end)}
    marks |= {heading.start for heading in document.headings}
    draft = Draft(document.text, sorted(marks))
    draft.apply((start + period, end, "") for start, end, period in runs)
    draft.trim()
    if len({word.lower() for word in _WORD.findall(draft.text)}) < 2:
        start, end, period = max(runs, key=lambda run: run[1] - run[0])
        raise UnreadableDocument(
            f"The file holds nothing but “{_shown(document.text[start : start + period])}”, "
            f"repeated {(end - start) // period:,} times."
        )
    starts = [start for start, _, _ in runs]

    def gone(offset: int) -> bool:
        run = bisect_right(starts, offset) - 1
        return run >= 0 and runs[run][0] + runs[run][2] <= offset < runs[run][1]

    moved = draft.moved()
    return dataclasses.replace(
        document,
        text=draft.text,
        notes=tuple(dict.fromkeys((*document.notes, NOTE))),
        pages=tuple(
            dataclasses.replace(page, start=moved[page.start], end=moved[page.end])
            for page in document.pages
        ),
        headings=tuple(
            dataclasses.replace(heading, start=moved[heading.start])
            for heading in document.headings
            if not gone(heading.start)
        ),
    )


def _runs(text: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and period of the stretches that are too long, in order."""
    place = done = 0
    while place + _STEP < len(text):
        if run := _run(text, place, done):
            yield run
            place = done = run[1]
        else:
            place += _STEP


def _run(text: str, place: int, done: int) -> tuple[int, int, int] | None:
    """The repetition that a place lies in."""
    probe = text[place : place + _PROBE]
    other = place
    for _ in range(_ATTEMPTS):
        other = text.find(probe, other + 1, place + _LONGEST + _PROBE)
        if other < 0:
            break
        period = other - place
        end = other + _alike(text, place, other)
        if repeats_too_often((end - place) // period + 1, end - place + _STEP):
            start = place
            while start > done and text[start - 1] == text[start - 1 + period]:
                start -= 1
            if repeats_too_often((end - start) // period, end - start):
                end -= (end - start) % period
                return start, end, period
        # Where a short period ends, a longer one that holds it cannot have begun before.
        other = max(other, end - period - _PROBE)
    return None


def _alike(text: str, one: int, other: int) -> int:
    """How many characters are the same from two places on."""
    length, step = 0, _PROBE
    while step:
        count = min(step, len(text) - other - length)
        if (
            count > 0
            and text[one + length : one + length + count]
            == text[other + length : other + length + count]
        ):
            length += count
            step *= 2
        else:
            step //= 2
    return length


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
