"""Reconciliation of documents: the ledger knows what the bucket holds."""

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rag_platform.documents.bucket import Bucket, DocumentChanging
from rag_platform.documents.changes import listed_only, take_in_listing
from rag_platform.documents.contents import Content, ContentReader, Parser, save_contents
from rag_platform.errors import NotFound, ReadingFailed, UnreadableDocument
from rag_platform.ledger import Ledger
from rag_platform.ledger.documents import KnownDocument
from rag_platform.ledger.transitions import quarantine, set_content, touch
from rag_platform.objects import Objects
from rag_platform.printing import MEGABYTE

BATCH = 50
"""Documents that are committed together at most."""

_BATCH_SECONDS = 1.0
"""How long a document that was read waits for others: a kill costs the reading of these."""

_LARGE_BYTES = 1 * MEGABYTE
"""A run that is limited reads a file larger than this alone, or once it waited long enough as the
last: what is read with it waits for it, up to the minute that reading one file may take."""
_PATIENCE = timedelta(seconds=30)
"""How long it lets smaller files go first."""
_HELD_BYTES = 256 * MEGABYTE
"""What is being read at once, unless a single document is larger."""

NAMELESS = (
    "The bucket lists this object but has none of this name: the name begins or ends with a slash. "
    "Rename the object."
)


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
    missing: int = 0
    """Not there, but not taken for deleted: the place is not the one that held them."""
    waiting: list[str] = field(default_factory=list[str])
    """Still being written; they are read when they are complete."""
    left: int = 0
    """New or changed ones that this run had no room for."""
    pages: int = 0
    words: int = 0
    """Of the documents that were read."""


def reconcile_documents(
    ledger: Ledger,
    bucket: Bucket,
    objects: Objects,
    parser: Parser,
    collection: tuple[int, str],
    *,
    limit: int,
    max_bytes: int,
    max_words: int | None = None,
    until: float = math.inf,
    at_once: int = 1,
    progress: Callable[[str], None] | None = None,
    committed: Callable[[DocumentsReport], None] | None = None,
) -> DocumentsReport:
    """Make the ledger's documents of a collection what the bucket holds.

    Deletions count at once; then every listed key gets a row; then new or changed documents are
    read, ``at_once`` of them together, and committed in small batches: at most ``limit``, and no
    further ones when those read hold ``max_words`` or ``until``, a time of ``time.monotonic()``,
    has come; then the smallest come first, and a large one is read alone, or with others once it
    has waited. ``collection`` is its id and name. ``progress``
    is told every key, ``committed`` the report before the first batch and after every one.
    """
    collection_id = collection[0]
    changes = take_in_listing(ledger, bucket, collection, limit=limit)
    report = DocumentsReport(listed=changes.listed, deleted=changes.gone, missing=changes.missing)
    report.unchanged = changes.listed - changes.changed
    reader = ContentReader(ledger, objects, parser)

    def read(document: KnownDocument) -> _Reading:
        return _read(bucket, reader, document, max_bytes)

    batch: list[_Reading] = []
    started = time.monotonic()

    def record() -> None:
        nonlocal batch, started
        _record(ledger, collection_id, batch, report)
        batch, started = [], time.monotonic()
        report.left = changes.changed - done
        if committed is not None:
            committed(report)

    def chosen() -> Iterator[tuple[KnownDocument, int]]:
        sized = [(document, changes.sizes[document.key]) for document in changes.to_read]
        if max_words is None:
            yield from sized
            return
        sized.sort(key=lambda item: item[1])  # small ones need not wait for large ones
        small = [item for item in sized if item[1] <= _LARGE_BYTES]
        for number, item in enumerate(small):
            if words >= max_words or (number and time.monotonic() >= until):
                break
            yield item
        # But neither for ever, where new small ones come all the time.
        patient_since = datetime.now(UTC) - _PATIENCE
        large = [
            item
            for item in sized[len(small) :]
            if not small or changes.since[item[0].key] < patient_since
        ]
        yield from sorted(large, key=lambda item: changes.since[item[0].key])[:1]

    done = words = 0
    absent: dict[str, KnownDocument] = {}
    record()
    try:
        with closing(_readings(chosen(), read, at_once)) as readings:
            for reading in readings:
                done += 1
                if reading.absent:
                    absent[reading.document.key] = reading.document
                batch.append(reading)
                words += reading.content.words if reading.content else 0
                if len(batch) >= BATCH or time.monotonic() - started >= _BATCH_SECONDS:
                    record()
                if progress is not None:
                    progress(reading.document.key)
    except BaseException:
        _record(ledger, collection_id, batch, report)  # what was read before something failed
        raise
    for item in listed_only(bucket, collection[1], absent):
        batch.append(_Reading(absent[item.key], item.fingerprint, item.size, reason=NAMELESS))
    record()
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
    """Read one new or changed document and record what it holds, or why it cannot be read."""
    reading = _read(bucket, ContentReader(ledger, objects, parser), document, max_bytes)
    _record(ledger, collection_id, [reading], report)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What reading a document gave; the ledger does not know it yet."""

    document: KnownDocument
    fingerprint: str | None = None
    size: int | None = None
    content: Content | None = None
    reason: str | None = None
    waiting: bool = False
    absent: bool = False
    """Nothing was found under its name."""


def _read(
    bucket: Bucket, reader: ContentReader, document: KnownDocument, max_bytes: int
) -> _Reading:
    key = document.key
    before = bucket.stat(key)
    try:
        item, data = bucket.read_stable(key, max_bytes=max_bytes)
    except DocumentChanging:
        return _Reading(document, waiting=True)
    except NotFound:
        return _Reading(document, absent=True)
    except UnreadableDocument as error:
        # The fingerprint from before the verdict: what took the file's place since is read again.
        fingerprint = before.fingerprint if before else None
        return _Reading(document, fingerprint, reason=error.message)
    try:
        content = reader.read(data, key)
    except ReadingFailed as error:
        # No verdict about these bytes: whoever writes the file again has them read again.
        return _Reading(document, item.fingerprint, item.size, reason=error.message)
    return _Reading(document, item.fingerprint, item.size, content, content.reason)


def _readings(
    documents: Iterable[tuple[KnownDocument, int]],
    read: Callable[[KnownDocument], _Reading],
    at_once: int,
) -> Generator[_Reading]:
    """Read documents, given with their sizes, as they become ready.

    Bounded in number and in bytes, so that memory does not depend on how many there are.
    """
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="reading")
    held: dict[Future[_Reading], int] = {}
    wait_for_threads = True

    def next_ready() -> list[_Reading]:
        ready, _ = wait(held, return_when=FIRST_COMPLETED)
        for future in ready:
            del held[future]
        return [future.result() for future in ready]

    try:
        for document, size in documents:
            # One more than can be read, so that nobody waits for the next one.
            while held and (len(held) > at_once or sum(held.values()) + size > _HELD_BYTES):
                yield from next_ready()
            held[pool.submit(read, document)] = size
        while held:
            yield from next_ready()
    except (GeneratorExit, KeyboardInterrupt, SystemExit):
        # What is being read is of no use any more, and whoever owns the parser ends it.
        wait_for_threads = False
        raise
    finally:
        pool.shutdown(wait=wait_for_threads, cancel_futures=True)


def _record(
    ledger: Ledger, collection_id: int, readings: Sequence[_Reading], report: DocumentsReport
) -> None:
    """Commit what was read, in one transaction."""
    report.waiting += [reading.document.key for reading in readings if reading.waiting]
    readings = [reading for reading in readings if reading.content or reading.reason is not None]
    if not readings:
        return
    unchanged = 0
    read: list[_Reading] = []
    quarantined: dict[str, str] = {}
    with ledger.write() as connection:
        save_contents(connection, [r.content for r in readings if r.content is not None])
        for reading in readings:
            document, content = reading.document, reading.content
            if reading.reason is not None or content is None:
                reason = quarantined[document.key] = reading.reason or ""
                quarantine(
                    connection,
                    collection_id,
                    [document.id],
                    reason,
                    fingerprint=reading.fingerprint,
                    size=reading.size,
                    content_id=content.id if content else None,
                )
                continue
            assert reading.fingerprint is not None and reading.size is not None
            if touch(connection, document.id, content.id, reading.fingerprint):
                unchanged += 1
                continue
            set_content(
                connection,
                collection_id,
                document.id,
                content_id=content.id,
                fingerprint=reading.fingerprint,
                size=reading.size,
            )
            read.append(reading)
    report.unchanged += unchanged
    report.quarantined |= quarantined
    report.read += [reading.document.key for reading in read]
    report.pages += sum(reading.content.pages for reading in read if reading.content)
    report.words += sum(reading.content.words for reading in read if reading.content)
