"""What a PDF says of itself, as far as it can be believed."""

import contextlib
import re
import statistics
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pypdfium2  # pyright: ignore[reportMissingTypeStubs]

from rag_platform.documents.parsing.pdf.lines import PageLines

_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:Z|([+-])(\d\d)'?(\d\d)?)?")
_NO_TITLE = re.compile(
    r"[\W\d_]*|untitled.*|.*powerpoint presentation|document\d*|slide \d+|title"
    r"|.*\.(?:docx?|pptx?|xlsx?|indd|qxd|tex|dvi|pdf|tmp|html?|rtf|odt|pages|txt|eps|ps)",
    re.IGNORECASE,
)
_TITLE_LINES = 4


def metadata_of(document: Any) -> dict[str, str]:
    """Title, author, subject and dates; broken ones are left out, they must not cost the text."""
    metadata: dict[str, str] = {}
    for name in ("Title", "Author", "Subject", "CreationDate", "ModDate"):
        with contextlib.suppress(pypdfium2.PdfiumError, UnicodeError):
            metadata[name] = document.get_metadata_value(name)
    return metadata


def title_of(metadata: dict[str, str], first_page: PageLines | None) -> str | None:
    """The title that is given, else what stands largest on the first page and the subject.

    Four reports of one company need both.
    """
    given = _title(metadata.get("Title"))
    if given:
        return given
    subject = metadata.get("Subject", "").strip()
    parts = [
        _title(_largest_lines(first_page) if first_page else None),
        _title(subject) if " " in subject else None,
    ]
    return ": ".join(part for part in parts if part) or None


def date_of(value: str | None) -> datetime | None:
    """A date as PDFs write it, such as ``D:20240203040506+02'00'``; UTC where no zone is given."""
    found = _DATE.match(value or "")
    if found is None:
        return None
    numbers = [int(part) for part in found.groups()[:6] if part is not None]
    numbers += [1] * (3 - len(numbers))
    zone: timezone = UTC
    try:
        if found[7]:
            offset = timedelta(hours=int(found[8]), minutes=int(found[9] or 0))
            zone = timezone(-offset if found[7] == "-" else offset)
        return datetime(*numbers, tzinfo=zone)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return None


def _largest_lines(page: PageLines) -> str | None:
    """What stands in clearly the largest letters."""
    lines = [line for line in page.lines if line.size]
    if len(lines) < 3:
        return None
    usual = statistics.median([line.size for line in lines for _ in line.text[:200]])
    largest = max(line.size for line in lines)
    if largest < 1.25 * usual:
        return None
    first = next(index for index, line in enumerate(lines) if line.size == largest)
    title: list[str] = []
    for line in lines[first : first + _TITLE_LINES]:
        if line.size < 0.95 * largest:
            break
        title.append(line.text.strip())
    return " ".join(title)


def _title(title: str | None) -> str | None:
    """A title that a person would recognise; none for what programs write there."""
    title = re.sub(r"^Microsoft (?:Office )?\w+ - ", "", title or "").strip("\x00 ")
    if _NO_TITLE.fullmatch(title) or not 3 <= len(title) <= 250:
        return None
    return title
