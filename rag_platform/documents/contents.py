"""Contents: distinct bytes, each read once by each version of its parser."""

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa

from rag_platform.documents.parsing import (
    PARSERS,
    ParsedDocument,
    media_type_of,
    outdated_reasons,
)
from rag_platform.errors import ReadingFailed, UnreadableDocument
from rag_platform.ledger import Ledger
from rag_platform.ledger.digests import digest
from rag_platform.ledger.documents import find_content
from rag_platform.ledger.statements import fetch_in, insert_ignore
from rag_platform.ledger.tables import contents, documents
from rag_platform.objects import Objects


class Parser(Protocol):
    """Bytes to text: in a child process in production, in this process where a test may."""

    def parse(self, data: bytes, key: str) -> ParsedDocument:
        """The document's text. Raises :class:`UnreadableDocument` with the reason."""
        ...


@dataclass(frozen=True, slots=True)
class Content:
    """What some bytes hold; ``row`` is what the ledger does not know of it yet."""

    id: str
    reason: str | None
    """Why the bytes cannot be read."""
    pages: int = 0
    words: int = 0
    row: dict[str, Any] | None = None


class ContentReader:
    """Reads bytes; safe to share between threads.

    The same bytes are parsed once for each version of their parser, whatever their names. Texts go
    to the object store at once, under names that depend on what they are; the ledger learns of them
    by :func:`save_contents`.
    """

    def __init__(self, ledger: Ledger, objects: Objects, parser: Parser) -> None:
        self._ledger = ledger
        self._objects = objects
        self._parser = parser
        self._reading: dict[str, Future[Content]] = {}
        self._lock = threading.Lock()

    def read(self, data: bytes, key: str) -> Content:
        """The content of these bytes.

        Raises :class:`ReadingFailed` where the attempt failed and not the document.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        media_type = media_type_of(key, data)
        known = PARSERS.get(media_type)
        name = known.id if known else "none"
        content_id = digest(sha256, media_type, name)
        mine = Future[Content]()
        with self._lock:
            first = self._reading.setdefault(content_id, mine)
        if first is not mine:  # another document with these bytes, in this run
            return first.result()
        row = {"id": content_id, "sha256": sha256, "media_type": media_type, "parser": name}
        try:
            content = self._found(content_id) or self._parsed(row, data, key)
        except BaseException as error:
            mine.set_exception(error)
            raise
        mine.set_result(content)
        return content

    def _found(self, content_id: str) -> Content | None:
        with self._ledger.read() as connection:
            row = find_content(connection, content_id)
        if row is None or row.reason in outdated_reasons():
            return None
        if row.reason is None and row.text_ref is None:  # its text was lost
            return None
        return Content(content_id, row.reason, row.pages or 0, row.words or 0)

    def _parsed(self, row: dict[str, Any], data: bytes, key: str) -> Content:
        content_id: str = row["id"]
        row |= {"parsed_at": datetime.now(UTC), "reason": None}
        try:
            parsed = self._parser.parse(data, key)
        except ReadingFailed:
            raise
        except UnreadableDocument as error:
            row["reason"] = error.message
            return Content(content_id, error.message, row=row)
        row["text_ref"] = f"text/{content_id[:2]}/{content_id}.json"
        self._objects.put(row["text_ref"], parsed.to_json())
        row |= {
            "title": parsed.title,
            "author": parsed.author,
            "created_at": parsed.created,
            "modified_at": parsed.modified,
            "pages": parsed.page_count,
            "words": len(parsed.text.split()),
            "language": parsed.language,
            "notes": list(parsed.notes),
        }
        return Content(content_id, None, row["pages"] or 0, row["words"], row)


def save_contents(connection: sa.Connection, read: Sequence[Content]) -> None:
    """Record contents; one that lost its text, or whose reason holds no longer, is corrected."""
    rows = {content.id: content.row for content in read if content.row is not None}
    if not rows:
        return
    for readable in (True, False):  # one statement each: a reason comes without a description
        if alike := [row for row in rows.values() if ("text_ref" in row) == readable]:
            connection.execute(insert_ignore(connection, contents), alike)
    lost = sa.select(contents.c.id).where(
        contents.c.text_ref.is_(None),
        contents.c.reason.is_(None) | contents.c.reason.in_(outdated_reasons()),
    )
    for found in list(fetch_in(connection, lost, contents.c.id, list(rows))):
        connection.execute(
            sa.update(contents).where(contents.c.id == found.id).values(**rows[found.id])
        )


def reread_outdated(ledger: Ledger) -> int:
    """Let the bucket's watcher see documents anew that an older version of a parser has read.

    Also those that could not be read before and now can. What is indexed of them stays until
    they were read again. Returns how many there are.
    """
    current = [contents.c.parser != parser.id for parser in PARSERS.values()]
    outdated = sa.select(contents.c.id).where(
        sa.or_(sa.and_(*current), contents.c.reason.in_(outdated_reasons())),
        contents.c.media_type.in_(list(PARSERS)),
    )
    with ledger.write() as connection:
        changed = connection.execute(
            sa.update(documents)
            .where(documents.c.content_id.in_(outdated), documents.c.fingerprint.is_not(None))
            .values(fingerprint=None)
        )
    return changed.rowcount


def forget_text(ledger: Ledger, content_id: str) -> None:
    """Let the next look at the bucket read the documents of a lost or damaged text again.

    What is indexed of them stays.
    """
    with ledger.write() as connection:
        connection.execute(
            sa.update(contents).where(contents.c.id == content_id).values(text_ref=None)
        )
        connection.execute(
            sa.update(documents)
            .where(documents.c.content_id == content_id)
            .values(fingerprint=None)
        )
