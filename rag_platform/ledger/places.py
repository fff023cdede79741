"""Where the words of a chunk stand: their page and the headings above them."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """What the words of a chunk from ``start``, an offset in the document's text, stand under."""

    start: int
    page: int | None
    heading_path: tuple[str, ...]


def packed(places: Sequence[Place], shared: Sequence[str]) -> list[list[Any]] | None:
    """The places of a chunk as JSON can hold them; None for a single one, which its row tells.

    Of each heading path only what the one before lacks is kept, the first against the path that
    is ``shared`` by all: what is above many small sections would be stored for each of them.
    """
    if len(places) < 2:
        return None
    rows: list[list[Any]] = []
    before = tuple(shared)
    for place in places:
        kept = len(shared_path(before, place.heading_path))
        rows.append([place.start, place.page, kept, list(place.heading_path[kept:])])
        before = place.heading_path
    return rows


def unpacked(rows: Sequence[Sequence[Any]], shared: Sequence[str]) -> Iterator[Place]:
    """The places that :func:`packed` wrote."""
    path = tuple(shared)
    for start, page, kept, names in rows:
        path = (*path[:kept], *names)
        yield Place(start, page, path)


def at(places: Sequence[Place], offset: int) -> Place:
    """The place of the words at an offset of the document's text."""
    return next((place for place in reversed(places) if place.start <= offset), places[0])


def most_of(places: Sequence[Place], end: int) -> tuple[str, ...]:
    """The heading path of most of the text up to ``end``; the first of equals."""
    sizes: dict[tuple[str, ...], int] = {}
    ends = [*(after.start for _, after in pairwise(places)), end]
    for place, stop in zip(places, ends, strict=True):
        sizes[place.heading_path] = sizes.get(place.heading_path, 0) + stop - place.start
    return max(sizes, key=lambda path: sizes[path])


def common_path(places: Sequence[Place]) -> tuple[str, ...]:
    """The headings that all of a chunk stands under."""
    return functools.reduce(shared_path, [place.heading_path for place in places])


def shared_path(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """The headings from the top that two paths have in common."""
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return tuple(one[:length])
