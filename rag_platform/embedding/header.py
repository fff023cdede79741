"""The header that a chunk has where it is embedded or matched, never where it is shown."""

from collections.abc import Sequence

HEADERS = ("none", "title-and-headings-v1")
"""The templates that a generation's spec may name."""


def header_of(
    template: str,
    title: str | None,
    heading_path: Sequence[str],
    table_columns: str | None = None,
) -> str:
    """What tells where a chunk stands: the document's title, the headings that all of the chunk
    stands under, and the columns of the table that it begins in.

    A document's subject often stands in its title and nowhere in the chunk.
    """
    if template not in HEADERS:
        raise ValueError(f"unknown header template {template!r}")
    if template == "none":
        return ""
    parts: list[str] = []
    for part in (title or "", *heading_path, table_columns or ""):
        text = " ".join(part.split())
        if text and text not in parts:
            parts.append(text)
    return " > ".join(parts)
