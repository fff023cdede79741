"""Which documents a search may find, beside those that readers see at all."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa

from rag_platform.ledger.documents import readable
from rag_platform.ledger.tables import contents, documents


@dataclass(frozen=True, slots=True)
class Filters:
    """What a document has to be; what is None or empty does not matter."""

    key_prefix: str = ""
    media_types: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    """As the ledger spells them; :func:`as_spelled` makes it so."""
    languages: tuple[str, ...] = ()
    """ISO 639-1. Documents whose language is not known pass too."""
    since: date | None = None
    until: date | None = None
    """The last day that counts (UTC). A document's date is when it was modified, by its own
    account; else when it was created; else when it came."""

    def __bool__(self) -> bool:
        return self != Filters()

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What has to hold in a query that joins ``documents`` and ``contents``."""
        found: list[sa.ColumnElement[bool]] = []
        if self.key_prefix:
            found.append(documents.c.key.startswith(self.key_prefix, autoescape=True))
        for column, values in (
            (contents.c.media_type, self.media_types),
            (contents.c.author, self.authors),
        ):
            if values:
                found.append(column.in_(values))
        if self.languages:
            # A text too short to tell its language may be in any of them.
            unknown = contents.c.language.is_(None)
            found.append(contents.c.language.in_(self.languages) | unknown)
        dated = sa.func.coalesce(
            contents.c.modified_at, contents.c.created_at, documents.c.uploaded_at
        )
        if self.since is not None:
            found.append(dated >= _midnight(self.since))
        if self.until is not None:
            found.append(dated < _midnight(self.until + timedelta(days=1)))
        return found


EVERYTHING = Filters()


def filtered_contents(
    connection: sa.Connection, collection_ids: Sequence[int], filters: Filters
) -> dict[int, set[str]]:
    """The contents of the documents that readers see and that pass, by collection."""
    rows = connection.execute(
        sa.select(documents.c.collection_id, documents.c.indexed_content_id)
        .join_from(documents, contents, contents.c.id == documents.c.indexed_content_id)
        .where(
            readable(), documents.c.collection_id.in_(list(collection_ids)), *filters.conditions()
        )
    )
    found: dict[int, set[str]] = {collection_id: set() for collection_id in collection_ids}
    for collection_id, content_id in rows:
        found[collection_id].add(content_id)
    return found


def as_spelled(connection: sa.Connection, filters: Filters) -> Filters:
    """The filters with their authors in every spelling that the ledger has, whatever the case.

    Compared here and not by the database: each of them knows the case of other letters.
    """
    if not filters.authors:
        return filters
    wanted = {_folded(author) for author in filters.authors}
    known = connection.execute(
        sa.select(contents.c.author).distinct().where(contents.c.author.is_not(None))
    ).scalars()
    found = sorted(author for author in known if _folded(author) in wanted)
    # Without any, those that were asked for stay: they find nothing, as none would find all.
    return replace(filters, authors=tuple(found) or filters.authors)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
