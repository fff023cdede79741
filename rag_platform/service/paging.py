"""Cursors of paged lists: where a page ended, opaque to the client."""

import base64
import binascii
import json
import re
from typing import Any, cast

from rag_platform.errors import InvalidRequest

_UNCLEAN = re.compile("[\x00\ud800-\udfff]")


def encode_cursor(*position: str) -> str:
    """The cursor after a row with this position."""
    packed = json.dumps(position, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> tuple[str, ...]:
    """The position, of ``length`` texts. Raises :class:`InvalidRequest` for any other cursor."""
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position: Any = json.loads(packed.decode())
        if isinstance(position, list):
            items = cast(list[object], position)
            texts = tuple(item for item in items if isinstance(item, str) and is_clean(item))
            if len(texts) == len(items) == length:
                return texts
    except (binascii.Error, ValueError, RecursionError):
        pass
    raise InvalidRequest(
        "The cursor is not one that this list gave.", "Start again without a cursor."
    )


def is_clean(text: str) -> bool:
    """Whether every database can hold the text: no NUL, and no half of a surrogate pair."""
    return _UNCLEAN.search(text) is None
