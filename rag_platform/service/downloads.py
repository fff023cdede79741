"""Original files as attachments."""

import re
from collections.abc import AsyncGenerator, Generator
from urllib.parse import quote

import anyio
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import StreamingResponse

from rag_platform.documents.bucket import BucketObject

_ATTR_CHARS = "!#$&+-.^_`|~"  # RFC 5987, besides letters and digits
_UNSAFE = re.compile(r'[^\x20-\x7e]|["\\%]')


def attachment(item: BucketObject, pieces: Generator[bytes]) -> StreamingResponse:
    """The file as a download of its own name, never shown in place; closes ``pieces``."""
    return StreamingResponse(
        _closing(pieces),
        media_type="application/octet-stream",
        headers={
            "Content-Length": str(item.size),
            "Content-Disposition": disposition(item.key.rpartition("/")[2]),
            "X-Content-Type-Options": "nosniff",
        },
    )


def disposition(name: str) -> str:
    """The header for a file name: plain for old clients, exact by RFC 5987 for the others."""
    exact = quote(name.encode("utf-8", "replace"), safe=_ATTR_CHARS)
    return f"attachment; filename=\"{_UNSAFE.sub('_', name)}\"; filename*=UTF-8''{exact}"


async def _closing(pieces: Generator[bytes]) -> AsyncGenerator[bytes]:
    try:
        async for piece in iterate_in_threadpool(pieces):
            yield piece
    finally:
        with anyio.CancelScope(shield=True):  # the client may have left
            await run_in_threadpool(pieces.close)
