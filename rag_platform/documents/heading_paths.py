"""Which headings a passage stands under, and which page each part of it stands on."""

from bisect import bisect_right

from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.ledger.places import Place

_LONGEST_NAME = 300
"""Characters of a heading in a path: each chunk below carries them all."""


def paths_of(headings: tuple[Heading, ...]) -> list[tuple[str, ...]]:
    """For each heading, the titles from the top down to itself."""
    paths: list[tuple[str, ...]] = []
    open_headings: list[Heading] = []
    for heading in headings:
        while open_headings and open_headings[-1].level >= heading.level:
            open_headings.pop()
        open_headings.append(heading)
        paths.append(tuple(_name(open_heading.title) for open_heading in open_headings))
    return paths


class Places:
    """The pages and headings of a document, asked for by the offsets of its passages."""

    def __init__(self, document: ParsedDocument) -> None:
        self._text = document.text
        self.starts = [heading.start for heading in document.headings]
        self.paths = paths_of(document.headings)
        """The path of each heading."""
        self._pages = document.pages
        self._page_starts = [page.start for page in document.pages]

    def between(self, start: int, end: int) -> tuple[Place, ...]:
        """The places of the passage ``text[start:end]``, in order, the first from its start."""
        sections = self._sections(start, end)
        first, last = bisect_right(self._page_starts, start), bisect_right(self._page_starts, end)
        turns = [(place, None) for place in self._page_starts[first:last] if place < end]
        found: dict[int, Place] = {}
        path = sections[0][1]
        for place, section in sorted([*sections, *turns], key=lambda item: item[0]):
            path = path if section is None else section
            found[place] = Place(place, self._page(place), path)
        return tuple(found.values())

    def _sections(self, start: int, end: int) -> list[tuple[int, tuple[str, ...]]]:
        """Where each heading's own text begins in a passage, with the heading's path.

        A heading directly followed by one below it has no text of its own and does not count.
        """
        text, starts, paths = self._text, self.starts, self.paths
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
        if first == last:
            return [(start, paths[first] if first >= 0 else ())]
        found: list[tuple[int, tuple[str, ...]]] = []
        for index in range(first, last + 1):
            path = paths[index] if index >= 0 else ()
            begin = max(start, starts[index]) if index >= 0 else start
            line_end = text.find("\n", begin)
            stop = starts[index + 1] if index < last else end
            only_heading = (
                index >= 0
                and begin == starts[index]
                and not (0 <= line_end < stop and text[line_end:stop].strip())
            )
            if only_heading and index < last and paths[index + 1][: len(path)] == path:
                continue
            found.append((begin if found else start, path))
        return found

    def _page(self, offset: int) -> int | None:
        page = bisect_right(self._page_starts, offset) - 1
        return self._pages[page].number if page >= 0 else None


def _name(title: str) -> str:
    return title if len(title) <= _LONGEST_NAME else f"{title[: _LONGEST_NAME - 1].rstrip()}…"
