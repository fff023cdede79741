"""Which headings a passage stands under."""

from bisect import bisect_right

from rag_platform.documents.parsed import Heading


def paths_of(headings: tuple[Heading, ...]) -> list[tuple[str, ...]]:
    """For each heading, the titles from the top down to itself."""
    paths: list[tuple[str, ...]] = []
    open_headings: list[Heading] = []
    for heading in headings:
        while open_headings and open_headings[-1].level >= heading.level:
            open_headings.pop()
        open_headings.append(heading)
        paths.append(tuple(open_heading.title for open_heading in open_headings))
    return paths


def common_path(
    text: str, start: int, end: int, starts: list[int], paths: list[tuple[str, ...]]
) -> tuple[str, ...]:
    """The headings that all of a passage stands under.

    A heading directly followed by one below it has no text of its own and does not count.
    """
    first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
    if first == last:
        return paths[first] if first >= 0 else ()
    common: tuple[str, ...] | None = None
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
        common = path if common is None else _shared(common, path)
    return common or ()


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return one[:length]
