"""The header that a chunk has where it is embedded or matched, never where it is shown."""

from collections.abc import Sequence

HEADERS = ("none", "title-and-headings-v1")
"""The templates that a generation's spec may name."""


def header_of(template: str, title: str | None, heading_path: Sequence[str]) -> str:
    """What tells where a chunk stands: the document's title and the headings above the chunk.

    A document's subject often stands in its title and nowhere in the chunk.
    """
    if template not in HEADERS:
        raise ValueError(f"unknown header template {template!r}")
    if template == "none":
        return ""
    parts: list[str] = []
    for part in (title or "", *heading_path):
        text = " ".join(part.split())
        if text and text not in parts:
            parts.append(text)
    return " > ".join(parts)
