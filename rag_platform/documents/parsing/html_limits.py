"""Pages that no person or program makes, on which an HTML parser takes the square of their size."""

import re
from collections import Counter
from collections.abc import Iterator

from rag_platform.errors import UnreadableDocument

_ATTRIBUTES = 1_000
"""In one tag: each is compared with all before it. 20,000 took 0.6 s, 200,000 a minute."""
_NAMES = 20_000
"""Different names of attributes on a page: 160,000 took 11 s, and 80,000 two."""
_FORMATTING = 300
"""Different formatting tags open at once: every paragraph begins with all of them once more, as the
standard wants. 2,000 on half a megabyte are 2 million elements."""

_TAG = re.compile(r"<(?:!--|(/?)([a-zA-Z][^\s<>/\"']*+)((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+))")
"""Matches without going back, whatever follows, so that it takes as long as the page is long."""
_RAW = {
    name: re.compile(f"</{name}", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title")
}
_COMMENT = re.compile("--!?>")
_VALUE = re.compile(r"=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s<>]*+)")
_NAME = re.compile(r"[^\s=/\"'<>]++")
_ONE_AT_A_TIME = ("a", "nobr")
_FORMATS = frozenset(re.findall(r"\w+", "a b big code em font i nobr s small strike strong tt u"))


def require_ordinary(text: str) -> None:
    """Raise :class:`UnreadableDocument` for a page whose tags would take minutes to read."""
    names: set[str] = set()
    open_tags: dict[str, list[str]] = {name: [] for name in _FORMATS}
    alike: Counter[str] = Counter()
    open_at_once = 0
    for tag in _tags(text):
        name, inside = tag[2].lower(), tag[3]
        if inside and not inside.isspace() and not tag[1]:
            own = _NAME.findall(_VALUE.sub(" ", inside))
            if len(own) > _ATTRIBUTES:
                raise UnreadableDocument(
                    f"The page has a tag with more than {_ATTRIBUTES:,} attributes."
                )
            names.update(own)
            if len(names) > _NAMES:
                raise UnreadableDocument(
                    f"The page has more than {_NAMES:,} different names of attributes."
                )
        if name not in _FORMATS:
            continue
        stack = open_tags[name]
        if (tag[1] or name in _ONE_AT_A_TIME) and stack:
            closed = stack.pop()
            alike[closed] -= 1
            open_at_once -= alike[closed] < 3
        if not tag[1]:
            opened = name + inside
            stack.append(opened)
            open_at_once += alike[opened] < 3  # the standard repeats three that are alike
            alike[opened] += 1
            if open_at_once > _FORMATTING:
                raise UnreadableDocument(
                    f"The page leaves more than {_FORMATTING} formatting tags open."
                )


def _tags(text: str) -> Iterator[re.Match[str]]:
    """The tags, without what looks like one in scripts and comments."""
    position = 0
    while tag := _TAG.search(text, position):
        position = tag.end()
        if tag[2] is not None:
            yield tag
        end = _COMMENT if tag[2] is None else _RAW.get(tag[2].lower())
        if end is not None and not tag[1]:
            closed = end.search(text, position)
            position = closed.start() if closed else len(text)
