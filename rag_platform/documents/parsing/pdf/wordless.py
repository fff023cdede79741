"""Pages of which the file tells no words: scans, unexplained fonts, blank and lost pages."""

import re
from typing import Any

from rag_platform.documents.parsing.pdf.lines import PageLines
from rag_platform.documents.parsing.pdf.recognition import Recognised, recognise
from rag_platform.documents.parsing.scans import (
    GARBLED,
    GARBLED_UNSURE,
    NOTHING_RECOGNISED,
    SCANNED,
    TOO_SLOW,
    UNSURE,
    can_recognise,
)
from rag_platform.documents.readability import looks_latin
from rag_platform.errors import UnreadableDocument

_LETTER = re.compile(r"[^\W_]")
_ALPHABETIC = re.compile(r"[^\W\d_]")
_LEAST_LETTERS = 12
_MUCH = 0.3
"""Where more of a page is not decoded, all of it is recognised."""
_BLANK = "The PDF has no text: its pages are blank."
_NO_PAGES = "The file is damaged: its list of pages leads to no page that can be opened."


def lettered(pages: list[PageLines]) -> bool:
    """Whether any page has letters or digits."""
    return any(_LETTER.search(line.text) for page in pages for line in page.lines)


def recognise_pages(document: Any, pages: list[PageLines], until: float) -> list[str]:
    """Put recognised text on the pages without words. Returns what there is to say about it.

    Raises :class:`UnreadableDocument` where no page has any, neither in the file nor recognised.
    """
    if len(document) != len(pages):
        return []
    garbled = [number for number, page in enumerate(pages) if page.undecoded > _MUCH]
    none = not lettered(pages) and not any(page.hidden or page.undecoded for page in pages)
    if none:
        _check_drawn(pages)
        scans = [number for number, page in enumerate(pages) if not page.missing]
    else:
        scans = [number for number, page in enumerate(pages) if page.drawn and not page.lines]
    if not can_recognise():
        if none:
            raise UnreadableDocument(SCANNED)
        notes = _scans_noted(scans)
    else:
        found = recognise(document, sorted({*scans, *garbled}), until)
        _check_garbled(found, garbled, pages)
        for number, text in found.texts.items():
            if text:
                pages[number] = PageLines.of_text(text)
        if none and not lettered(pages):
            raise UnreadableDocument(_why_nothing(found, scans))
        notes = [*_recognised_noted(found, scans, garbled, len(pages))]
    if not lettered(pages) and any(page.undecoded for page in pages):
        raise UnreadableDocument(GARBLED_UNSURE if can_recognise() else GARBLED)
    return [*notes, *_undecoded_noted(pages), *_missing_noted(pages)]


def _check_drawn(pages: list[PageLines]) -> None:
    """Raise :class:`UnreadableDocument` where there is nothing that could be a scan."""
    missing = sum(page.missing for page in pages)
    if pages and missing == len(pages):
        raise UnreadableDocument(_NO_PAGES)
    if not all(page.missing or page.blank for page in pages):
        return
    if missing:
        raise UnreadableDocument(
            f"The file is damaged: of the {len(pages)} pages that it claims to have, {missing} "
            "cannot be opened, and the others are blank."
        )
    if pages:
        raise UnreadableDocument(_BLANK)


def _check_garbled(found: Recognised, garbled: list[int], pages: list[PageLines]) -> None:
    """Drop what was recognised of wrongly drawn letters: without its font a page shows others.

    Or none: what is recognised is about as long as what the page holds.
    """
    for number in garbled:
        text = found.texts.get(number, "")
        letters = _ALPHABETIC.findall(text)
        ascii_letters = sum(letter.isascii() for letter in letters)
        enough = max(_LEAST_LETTERS, _MUCH * pages[number].letters)
        if len(_LETTER.findall(text)) < enough or (
            ascii_letters * 2 > len(letters) and not looks_latin("".join(letters))
        ):
            found.texts[number] = ""


def _why_nothing(found: Recognised, scans: list[int]) -> str:
    if found.unsure:
        return UNSURE
    return NOTHING_RECOGNISED if len(found.texts) == len(scans) else TOO_SLOW


def _scans_noted(scans: list[int]) -> list[str]:
    if not scans:
        return []
    seems = "has no text; it seems to be a scan"
    if len(scans) > 1:
        seems = "have no text; they seem to be scans"
    return [f"{_listed(scans).capitalize()} {seems}."]


def _recognised_noted(
    found: Recognised, scans: list[int], garbled: list[int], count: int
) -> list[str]:
    notes: list[str] = []
    for numbers, why in (
        (scans, "from scans"),
        (garbled, "by its look, since its fonts do not say rightly which letters they draw"),
    ):
        done = [number for number in numbers if found.texts.get(number)]
        if done:
            whole = "The text" if len(done) == count else f"The text of {_listed(done)}"
            notes.append(f"{whole} was recognised {why}; expect misread letters.")
    if unsure := [number for number in scans if number in found.unsure]:
        verb = "has no text and was" if len(unsure) == 1 else "have no text and were"
        notes.append(f"{_listed(unsure).capitalize()} {verb} not recognised for sure.")
    if left := [number for number in scans if number not in found.texts]:
        notes.append(f"There was no time to recognise {_listed(left)}; split the file to have it.")
    return notes


def _undecoded_noted(pages: list[PageLines]) -> list[str]:
    """What was left out; a page that was recognised has nothing left out any more."""
    notes: list[str] = []
    whole = [n for n, page in enumerate(pages) if page.undecoded and not page.lines]
    parts = [n for n, page in enumerate(pages) if page.undecoded and page.lines]
    for numbers, what in ((whole, "The text"), (parts, "Some lines")):
        if numbers:
            verb = "was" if what == "The text" else "were"
            notes.append(
                f"{what} of {_listed(numbers)} {verb} left out: fonts there do not say rightly "
                "which letters they draw."
            )
    return notes


def _missing_noted(pages: list[PageLines]) -> list[str]:
    missing = sum(page.missing for page in pages)
    if not missing:
        return []
    return [f"Of the {len(pages)} pages that the file claims to have, {missing} cannot be opened."]


def _listed(numbers: list[int]) -> str:
    """Pages counted from zero, as people count them: ``pages 1, 2, 5, ...``."""
    shown = ", ".join(str(number + 1) for number in numbers[:10])
    more = ", ..." if len(numbers) > 10 else ""
    return f"{'page' if len(numbers) == 1 else 'pages'} {shown}{more}"
