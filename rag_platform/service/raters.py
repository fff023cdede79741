"""Who rates: a random id in a cookie for the page, a header for a program."""

import hashlib
import re
import secrets
from typing import Annotated

from fastapi import Cookie, Header, Response

from rag_platform.errors import InvalidRequest

COOKIE = "rag_rater"
ANONYMOUS = "anonymous"
"""Programs that do not say who they are count as one rater: a retry must not count twice."""

_YEAR = 365 * 24 * 3600
_HEADER = re.compile(r"[\x21-\x7e]{1,128}")


async def current_rater(
    x_rater: Annotated[str | None, Header()] = None,
    rag_rater: Annotated[str | None, Cookie()] = None,
) -> str:
    """The rater of a request."""
    if x_rater is not None:
        if not _HEADER.fullmatch(x_rater):
            raise InvalidRequest("X-Rater is up to 128 printable ASCII characters without spaces.")
        return x_rater
    if rag_rater is None:
        return ANONYMOUS
    # Only a digest is stored: the lineage of an answer shows its raters, and a cookie is a secret.
    return f"page-{hashlib.sha256(rag_rater.encode()).hexdigest()[:32]}"


def introduce(response: Response, cookie: str | None) -> None:
    """Give a page's reader an id, if there is none yet."""
    if not cookie:
        response.set_cookie(
            COOKIE, secrets.token_urlsafe(24), max_age=_YEAR, httponly=True, samesite="lax"
        )
