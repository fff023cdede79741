"""Reconciliation of documents and chunks: the ledger knows what the bucket holds."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from tokenizers import Tokenizer

from rag_platform.documents.bucket import Bucket, BucketObject, DocumentChanging, collection_of
from rag_platform.documents.chunking import ChunkingSpec, split
from rag_platform.documents.parsing import (
    PARSERS,
    ParsedDocument,
    media_type_of,
    outdated_reasons,
)
from rag_platform.errors import NotFound, ReadingFailed, UnreadableDocument
from rag_platform.ledger import Ledger
from rag_platform.ledger.digests import digest
from rag_platform.ledger.documents import (
    KnownDocument,
    announce,
    bury,
    find_content,
    known_documents,
    quarantine,
    set_content,
    touch,
    wanted_contents,
)
from rag_platform.ledger.statements import insert_ignore
from rag_platform.ledger.tables import chunked_contents, chunks, contents, documents
from rag_platform.objects import Objects

MEGABYTE = 1024 * 1024


class Parser(Protocol):
    """Bytes to text: in a child process in production, in this process where a test may."""

    def parse(self, data: bytes, key: str) -> ParsedDocument:
        """The document's text. Raises :class:`UnreadableDocument` with the reason."""
        ...


@dataclass(slots=True)
class DocumentsReport:
    """What one reconciliation of a collection's documents found and did; keys are documents."""

    listed: int = 0
    unchanged: int = 0
    read: list[str] = field(default_factory=list[str])
    """New or changed, and readable."""
    quarantined: dict[str, str] = field(default_factory=dict[str, str])
    """The reason by key."""
    deleted: list[str] = field(default_factory=list[str])
    waiting: list[str] = field(default_factory=list[str])
    """Still being written; they are read when they are complete."""
    left: int = 0
    """New or changed ones that this run had no room for."""


def list_collection(bucket: Bucket, collection: str) -> dict[str, BucketObject]:
    """The objects of a collection by key. Raises rather than returning a partial listing."""
    # Files at the root belong to the collection "default", so that one needs the whole listing.
    prefix = "" if collection == "default" else f"{collection}/"
    return {item.key: item for item in bucket.list(prefix) if collection_of(item.key) == collection}


def reconcile_documents(
    ledger: Ledger,
    bucket: Bucket,
    objects: Objects,
    parser: Parser,
    collection: tuple[int, str],
    *,
    limit: int,
    max_bytes: int,
    progress: Callable[[str], None] | None = None,
) -> DocumentsReport:
    """Make the ledger's documents of a collection what the bucket holds.

    Deletions count at once; then every listed key gets a row; then at most ``limit`` new or changed
    documents are read, each committed alone. ``collection`` is its id and name.
    """
    collection_id, name = collection
    listing = list_collection(bucket, name)
    with ledger.write() as connection:
        known = known_documents(connection, collection_id)
        gone = [d for d in known.values() if d.state != "deleted" and d.key not in listing]
        bury(connection, collection_id, [document.id for document in gone])
        fresh = {
            key: item.size
            for key, item in listing.items()
            if key not in known or known[key].state == "deleted"
        }
        announce(connection, collection_id, fresh, datetime.now(UTC))
        known = known_documents(connection, collection_id)
    report = DocumentsReport(listed=len(listing), deleted=sorted(d.key for d in gone))
    changed = [
        known[key]
        for key, item in sorted(listing.items())
        if known[key].fingerprint != item.fingerprint
    ]
    report.unchanged = len(listing) - len(changed)
    report.left = max(0, len(changed) - limit)
    for document in changed[:limit]:
        read_document(
            ledger, bucket, objects, parser, collection_id, document, report, max_bytes=max_bytes
        )
        if progress is not None:
            progress(document.key)
    return report


def read_document(
    ledger: Ledger,
    bucket: Bucket,
    objects: Objects,
    parser: Parser,
    collection_id: int,
    document: KnownDocument,
    report: DocumentsReport,
    *,
    max_bytes: int,
) -> None:
    """Read a new or changed document and record what it holds, or why it cannot be read."""
    key = document.key
    before = bucket.stat(key)
    try:
        item, data = bucket.read_stable(key, max_bytes=max_bytes)
    except DocumentChanging:
        report.waiting.append(key)
        return
    except NotFound:
        return  # deleted since the listing; the next one says so
    except UnreadableDocument as error:
        # The fingerprint from before the verdict: what took the file's place since is read again.
        fingerprint = before.fingerprint if before else None
        with ledger.write() as connection:
            quarantine(
                connection, collection_id, [document.id], error.message, fingerprint=fingerprint
            )
        report.quarantined[key] = error.message
        return
    try:
        content_id, reason = store_content(ledger, objects, parser, data, key)
    except ReadingFailed as error:
        # No verdict about these bytes: whoever writes the file again has them read again.
        with ledger.write() as connection:
            quarantine(
                connection,
                collection_id,
                [document.id],
                error.message,
                fingerprint=item.fingerprint,
                size=item.size,
            )
        report.quarantined[key] = error.message
        return
    with ledger.write() as connection:
        if reason is not None:
            quarantine(
                connection,
                collection_id,
                [document.id],
                reason,
                fingerprint=item.fingerprint,
                size=item.size,
                content_id=content_id,
            )
            report.quarantined[key] = reason
        elif touch(connection, document.id, content_id, item.fingerprint):
            report.unchanged += 1
        else:
            set_content(
                connection,
                collection_id,
                document.id,
                content_id=content_id,
                fingerprint=item.fingerprint,
                size=item.size,
            )
            report.read.append(key)


def store_content(
    ledger: Ledger, objects: Objects, parser: Parser, data: bytes, key: str
) -> tuple[str, str | None]:
    """The id of these bytes' content, and the reason if they cannot be read.

    The same bytes are parsed once for each version of their parser, whatever their names. Raises
    :class:`ReadingFailed` where the attempt failed and not the document.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    media_type = media_type_of(key, data)
    known = PARSERS.get(media_type)
    name = known.id if known else "none"
    content_id = digest(sha256, media_type, name)
    with ledger.read() as connection:
        found = find_content(connection, content_id)
    read = found is not None and (found.reason is not None or found.text_ref is not None)
    if found is not None and read and found.reason not in outdated_reasons():
        return content_id, found.reason
    row: dict[str, Any] = {
        "id": content_id,
        "sha256": sha256,
        "media_type": media_type,
        "parser": name,
        "parsed_at": datetime.now(UTC),
        "reason": None,
    }
    try:
        parsed = parser.parse(data, key)
    except ReadingFailed:
        raise
    except UnreadableDocument as error:
        row["reason"] = error.message
    else:
        row["text_ref"] = f"text/{content_id[:2]}/{content_id}.json"
        objects.put(row["text_ref"], parsed.to_json())
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
    with ledger.write() as connection:
        if found is not None:  # its text was lost, or its reason holds no longer
            connection.execute(sa.update(contents).where(contents.c.id == content_id).values(**row))
        connection.execute(insert_ignore(connection, contents), [row])
    return content_id, row["reason"]


def reconcile_chunks(
    ledger: Ledger,
    objects: Objects,
    tokenizer: Tokenizer,
    spec: ChunkingSpec,
    collection_id: int,
) -> int:
    """Split every current content of the collection under ``spec``.

    Returns how many chunks were made. Each content is committed alone. The documents of a content
    without a single chunk are quarantined; those of a lost text are read from the bucket again.
    """
    chunked = sa.select(chunked_contents.c.content_id).where(chunked_contents.c.chunking == spec.id)
    wanted = wanted_contents(collection_id).subquery()
    statement = sa.select(contents.c.id, contents.c.text_ref).where(
        contents.c.id.in_(sa.select(wanted.c[0])),
        contents.c.id.not_in(chunked),
        contents.c.text_ref.is_not(None),
    )
    with ledger.read() as connection:
        rows = connection.execute(statement).all()
    made = 0
    for row in rows:
        try:
            document = ParsedDocument.from_json(objects.get(row.text_ref))
        except (NotFound, ValueError, KeyError, TypeError):  # lost, or not what was written
            forget_text(ledger, row.id)
            continue
        passages = split(document, spec, tokenizer)
        with ledger.write() as connection:
            if passages:
                connection.execute(
                    insert_ignore(connection, chunks),
                    [
                        {
                            "id": digest(row.id, spec.id, passage.ordinal),
                            "content_id": row.id,
                            "chunking": spec.id,
                            "ordinal": passage.ordinal,
                            "text": passage.text,
                            "page": passage.page,
                            "heading_path": list(passage.heading_path),
                            "start": passage.start,
                            "end": passage.end,
                            "token_count": passage.token_count,
                        }
                        for passage in passages
                    ],
                )
            connection.execute(
                insert_ignore(connection, chunked_contents),
                [{"content_id": row.id, "chunking": spec.id, "chunks": len(passages)}],
            )
        made += len(passages)
    _quarantine_empty(ledger, spec, collection_id)
    return made


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


def _quarantine_empty(ledger: Ledger, spec: ChunkingSpec, collection_id: int) -> None:
    """Set the documents aside whose content has no chunk, also one that another path brought."""
    statement = (
        sa.select(documents.c.id, documents.c.content_id)
        .join_from(
            documents,
            chunked_contents,
            chunked_contents.c.content_id == documents.c.content_id,
        )
        .where(
            documents.c.collection_id == collection_id,
            documents.c.state.in_(("pending", "indexed")),
            chunked_contents.c.chunking == spec.id,
            chunked_contents.c.chunks == 0,
        )
    )
    with ledger.read() as connection:
        if connection.execute(statement).first() is None:
            return
    with ledger.write() as connection:
        for row in connection.execute(statement).all():
            quarantine(
                connection,
                collection_id,
                [row.id],
                "The file contains no text.",
                content_id=row.content_id,
            )


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
