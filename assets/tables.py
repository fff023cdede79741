"""Rows as Markdown, for the metadata of assets."""


def table(header: tuple[str, ...], rows: list[tuple[object, ...]], limit: int = 100) -> str:
    """At most ``limit`` rows, and how many more there are."""
    if not rows:
        return "nothing"
    shown = [" | ".join(_cell(value) for value in row) for row in rows[:limit]]
    more = [f"… and {len(rows) - limit} more"] if len(rows) > limit else []
    return "\n".join([" | ".join(header), "|".join("---" for _ in header), *shown, *more])


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
