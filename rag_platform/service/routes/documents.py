"""Collections and their documents: listing, upload, deletion, text."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from rag_platform.documents.bucket import checked_key, collection_of
from rag_platform.documents.changes import listed_only
from rag_platform.documents.contents import forget_text
from rag_platform.documents.ingestion import NAMELESS
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.errors import Conflict, NotFound, Unavailable
from rag_platform.ledger.collections import (
    count_by_state,
    ensure_collection,
    find_collection,
    list_collections,
)
from rag_platform.ledger.documents import known_document
from rag_platform.ledger.listing import (
    find_document,
    list_documents,
    progress_of,
    readable_content,
)
from rag_platform.ledger.passages import title_of
from rag_platform.ledger.serving import current_serving
from rag_platform.ledger.transitions import announce, bury, have_read_again
from rag_platform.service import keys as keys  # registers the path parameter's kind
from rag_platform.service.context import CurrentLane, CurrentPlatform, CurrentStanding
from rag_platform.service.document_payloads import (
    CollectionPayload,
    CollectionsPayload,
    ContentPayload,
    DocumentDetailPayload,
    DocumentPayload,
    DocumentPlace,
    DocumentsPayload,
    HeadingPayload,
    PagePayload,
    ProgressPayload,
    UploadPayload,
)
from rag_platform.service.downloads import attachment
from rag_platform.service.paging import decode_cursor, encode_cursor
from rag_platform.service.schemas import CollectionsQuery, DocumentsQuery
from rag_platform.service.uploads import read_upload
from rag_platform.wiring import Platform

router = APIRouter(tags=["documents"])

_DOCUMENTS = "/v1/collections/{collection}/documents"


@router.get("/v1/collections")
def get_collections(
    platform: CurrentPlatform, query: Annotated[CollectionsQuery, Query()]
) -> CollectionsPayload:
    """The collections by name, with their documents counted by state.

    Those whose documents were all deleted are left out, unless ``empty`` asks for them.
    """
    after = decode_cursor(query.cursor, 1)[0] if query.cursor is not None else ""
    with platform.ledger.read() as connection:
        names = [item.name for item in list_collections(connection) if item.name > after]
        counts = count_by_state(connection)
    if not query.empty:
        names = [name for name in names if name in counts]
    shown = names[: query.limit]
    return CollectionsPayload.model_validate(
        {
            "collections": [
                CollectionPayload.model_validate({"name": name, "documents": counts.get(name, {})})
                for name in shown
            ],
            "next_cursor": encode_cursor(shown[-1]) if len(names) > len(shown) else None,
        }
    )


@router.get("/v1/documents")
def get_all_documents(
    platform: CurrentPlatform, query: Annotated[DocumentsQuery, Query()]
) -> DocumentsPayload:
    """The documents of all collections, by collection and key."""
    return _page(platform, None, query)


@router.get(_DOCUMENTS)
def get_documents(
    collection: str, platform: CurrentPlatform, query: Annotated[DocumentsQuery, Query()]
) -> DocumentsPayload:
    """The documents of a collection by key, without deleted ones."""
    return _page(platform, collection, query)


@router.post(_DOCUMENTS, status_code=202)
async def upload(
    collection: str, request: Request, platform: CurrentPlatform, lane: CurrentLane
) -> UploadPayload:
    """Put a file in the bucket; it is listed at once, and a small one is indexed at once too."""
    checked_key(collection, "name")  # a bad collection is refused before the file is read
    limit = platform.settings.chat.max_upload_megabytes
    name, data = await read_upload(request, limit)
    key = checked_key(collection, name)
    announced = await run_in_threadpool(_store, platform, collection, key, data)
    lane.offer(collection, key, len(data), announced)
    sha256 = hashlib.sha256(data).hexdigest()
    return UploadPayload(collection=collection, key=key, sha256=sha256)


@router.get("/v1/progress")
def get_progress(platform: CurrentPlatform, lane: CurrentLane) -> ProgressPayload:
    """How many documents are coming in, and which are in work."""
    with platform.ledger.read() as connection:
        serving = current_serving(connection)
        progress = progress_of(connection, serving.generation if serving else None)
    places: list[tuple[str, str]] = list(progress.last)
    now = lane.in_work
    if now is not None and now not in places:
        places.insert(0, now)
    return ProgressPayload(
        waiting=progress.waiting,
        indexing=progress.indexing,
        passages=progress.passages,
        embedded=progress.embedded,
        in_work=[DocumentPlace(collection=name, key=key) for name, key in places],
    )


# A key may hold slashes and end like one of these: the last part of an address is always what is
# asked for, and all before it is the key. DELETE has no such part, and a document itself may be
# asked for without one where its key does not end like one.


@router.post(_DOCUMENTS + "/{key:key}/retry", status_code=202)
def retry(
    collection: str, key: str, platform: CurrentPlatform, lane: CurrentLane
) -> DocumentPayload:
    """Have a document read again though its bytes are the same, such as one that took too long."""
    with platform.ledger.write() as connection:
        size, revision = have_read_again(connection, collection, key)
        document = find_document(connection, collection, key, chunking=_chunking(connection))
    if document is None:
        raise _unknown(collection, key)
    lane.offer(collection, key, size, revision)
    return DocumentPayload.of(document)


@router.get(_DOCUMENTS + "/{key:key}/file", response_class=StreamingResponse)
def download(collection: str, key: str, platform: CurrentPlatform) -> StreamingResponse:
    """The original file, to be saved: no browser shows it as a page of this service."""
    if collection_of(key) != collection:
        raise _unknown(collection, key)
    return attachment(*platform.bucket.stream(key))


@router.get(_DOCUMENTS + "/{key:key}/content")
def get_content(collection: str, key: str, platform: CurrentPlatform) -> ContentPayload:
    """The text of a document that readers see, with its pages and headings."""
    with platform.ledger.read() as connection:
        found = readable_content(connection, collection, key)
        document = find_document(connection, collection, key, chunking="")
    if document is None:
        raise _unknown(collection, key)
    if found is None:
        reason = document.reason or "It is not indexed yet."
        raise Conflict(f"The document {key!r} has no text to show.", reason)
    parsed = _read_text(platform, found)
    return ContentPayload(
        collection=collection,
        key=key,
        title=title_of(parsed.title, key),
        text=parsed.text,
        pages=[PagePayload(number=p.number, start=p.start, end=p.end) for p in parsed.pages],
        headings=[
            HeadingPayload(level=h.level, title=h.title, start=h.start) for h in parsed.headings
        ],
    )


@router.get(_DOCUMENTS + "/{key:key}/pages/{number:int}.png", include_in_schema=False)
async def get_page_picture(collection: str, key: str, number: int) -> Response:
    """A page as a picture."""
    raise HTTPException(404, "Pictures of pages are not available yet. Read the content instead.")


@router.get(_DOCUMENTS + "/{key:key}")  # after all others, the one below it too: it takes any key
@router.get(_DOCUMENTS + "/{key:key}/metadata")
def get_document(
    collection: str, key: str, platform: CurrentPlatform, standing: CurrentStanding
) -> DocumentDetailPayload:
    """One document, as the list shows it; of a pending one, what it waits for."""
    with platform.ledger.read() as connection:
        document = find_document(connection, collection, key, chunking=_chunking(connection))
    if document is None:
        raise _unknown(collection, key)
    found = DocumentDetailPayload.of(document)
    found.waits_for = standing.waits_for(document)
    return found


@router.delete(_DOCUMENTS + "/{key:key}", status_code=204)
def delete(collection: str, key: str, platform: CurrentPlatform) -> Response:
    """Remove a document from the bucket and, at once, from everything that readers see.

    Saying it twice is no error; only a document that never was is not found.
    """
    if collection_of(key) != collection:
        raise _unknown(collection, key)
    with platform.ledger.read() as connection:
        known = known_document(connection, collection, key)
        document = find_document(connection, collection, key, chunking="")
    if known is None and platform.bucket.stat(key) is None:
        raise _unknown(collection, key)
    if document is not None and document.reason == NAMELESS:
        # Forgotten, it would be back with the next listing.
        for _ in listed_only(platform.bucket, collection, {key}):
            raise Conflict(NAMELESS, "Or delete it with the store's own tools.")
    platform.bucket.delete(key)
    with platform.ledger.write() as connection:
        # Looked up again: the sensor may have listed it meanwhile.
        known = known_document(connection, collection, key)
        if known is not None and known[1].state != "deleted":
            collection_id, document = known
            bury(connection, collection_id, [document.id])
    return Response(status_code=204)


def _page(platform: Platform, collection: str | None, query: DocumentsQuery) -> DocumentsPayload:
    after = None
    if query.cursor is not None:
        name, key = decode_cursor(query.cursor, 2)
        after = (name, key)
    with platform.ledger.read() as connection:
        if collection is not None and find_collection(connection, collection) is None:
            raise NotFound(f"There is no collection {collection!r}.")
        found = list_documents(
            connection,
            collection,
            chunking=_chunking(connection),
            state=query.state,
            query=query.query,
            after=after,
            limit=query.limit + 1,
        )
    shown = found[: query.limit]
    return DocumentsPayload(
        documents=[DocumentPayload.of(document) for document in shown],
        next_cursor=encode_cursor(shown[-1].collection, shown[-1].key)
        if len(found) > len(shown)
        else None,
    )


def _chunking(connection: sa.Connection) -> str:
    serving = current_serving(connection)
    return serving.generation.chunking if serving else ""


def _store(platform: Platform, collection: str, key: str, data: bytes) -> int | None:
    platform.bucket.write(key, data)
    with platform.ledger.write() as connection:
        found = ensure_collection(connection, collection)
        return announce(connection, found.id, {key: len(data)}, datetime.now(UTC))


def _read_text(platform: Platform, content: sa.Row[Any]) -> ParsedDocument:
    """The stored text; one that is lost or damaged is had read again from the bucket."""
    if content.text_ref is not None:
        try:
            return ParsedDocument.from_json(platform.objects.get(content.text_ref))
        except (NotFound, ValueError, KeyError, TypeError):
            forget_text(platform.ledger, content.id)
    raise Unavailable("The text of this document was lost; it is read again from the bucket.")


def _unknown(collection: str, key: str) -> NotFound:
    return NotFound(f"There is no document {key!r} in the collection {collection!r}.")
