"""What every request passes first: host, origin, path and size; and what every response carries."""

import ipaddress
import re
import socket
import time
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes, urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_platform.printing import MEGABYTE
from rag_platform.service import problems
from rag_platform.service.metrics import Metrics

_BODY_BYTES = 2 * MEGABYTE
"""What any request but an upload may weigh: the longest question, written in escapes."""
_ENVELOPE_BYTES = 64 * 1024
"""What multipart adds to a file."""
_DRAINED_BYTES = 64 * MEGABYTE
_DRAIN_SECONDS = 5.0

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_UPLOAD = re.compile(r"/v1/collections/[^/]+/documents")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of every response."""


class Guard:
    """ASGI middleware. The service has no login and listens on loopback: any page that a person
    opens could send requests to it, so other origins and unknown host names are refused.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, host: str, max_upload_megabytes: int
    ) -> None:
        self._app = app
        self._metrics = metrics
        own = _address(host)
        self._hosts = {"localhost", own.compressed if own else host.lower()}
        self._any_address = own is not None and own.is_unspecified
        if self._any_address:
            self._hosts.add(socket.gethostname().lower())
        self._upload_megabytes = max_upload_megabytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        body = _Body(receive, *self._limit(scope))

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if status == 413:
                    # A client that is still sending would see a reset instead of the answer.
                    await body.drain()
            await send(message)

        try:
            refused = self._refusal(scope, body)
            if refused is not None:
                await refused(scope, receive, answer)
            else:
                await self._app(scope, body.receive, answer)
        except Exception as error:
            if status:
                problems.of_error(error)  # logs it; the connection is cut
                raise
            await problems.respond(error)(scope, receive, answer)
        finally:
            self._metrics.count_request(
                _method(scope), _route(scope), status, time.perf_counter() - started
            )

    def _limit(self, scope: Scope) -> tuple[int, str]:
        if scope["method"] == "POST" and _UPLOAD.fullmatch(scope["path"]):
            megabytes = self._upload_megabytes
            return megabytes * MEGABYTE + _ENVELOPE_BYTES, too_large(megabytes)
        return _BODY_BYTES, f"The request is larger than {_BODY_BYTES // MEGABYTE} MB."

    def _refusal(self, scope: Scope, body: "_Body") -> problems.ProblemResponse | None:
        headers = Headers(scope=scope)
        host = headers.getlist("host")
        if len(host) != 1 or not self._is_known(host[0]):
            return problems.refusal(
                400,
                "The service does not answer to this host name. Use the address that rag up "
                "printed, or set RAG_HOST.",
            )
        if scope["method"] not in _SAFE_METHODS and not _same_origin(headers, host[0]):
            return problems.refusal(403, "A page of another origin may not change anything here.")
        if not _well_formed(scope.get("raw_path", b"")):
            return problems.refusal(400, "The address is not valid UTF-8, or contains a NUL.")
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > body.limit:
            body.awaits_continue = "expect" in headers
            return problems.refusal(413, body.detail)
        return None

    def _is_known(self, host: str) -> bool:
        address = _address(host)  # a bare "::1" is no name with a port
        if address is None:
            try:
                name = urlsplit(f"//{host}").hostname or ""
            except ValueError:
                return False
            address = _address(name)
            if address is None:
                return name in self._hosts
        # A page of another site can give its own name any address, but cannot be called by one.
        return self._any_address or address.is_loopback or address.compressed in self._hosts


def too_large(megabytes: int) -> str:
    """The sentence about an upload over the limit."""
    return (
        f"The file is larger than {megabytes} MB. Split it, or raise RAG_CHAT_MAX_UPLOAD_MEGABYTES."
    )


class _Body:
    """A request's body, counted while it is read."""

    def __init__(self, receive: Receive, limit: int, detail: str) -> None:
        self.limit = limit
        self.detail = detail
        self.awaits_continue = False
        self._receive = receive
        self._seen = 0
        self._more = True

    async def receive(self) -> Message:
        message = await self._read()
        if self._seen > self.limit:
            raise HTTPException(413, self.detail)
        return message

    async def drain(self) -> None:
        """Read on and forget, within bounds, so that the client comes to reading the answer."""
        if self.awaits_continue:
            return
        last = self._seen + _DRAINED_BYTES
        with anyio.move_on_after(_DRAIN_SECONDS):
            while self._more and self._seen < last:
                await self._read()

    async def _read(self) -> Message:
        message = await self._receive()
        self._more = message["type"] == "http.request" and message.get("more_body", False)
        self._seen += len(message.get("body", b""))
        return message


def _same_origin(headers: Headers, host: str) -> bool:
    site = headers.get("sec-fetch-site", "none").lower()
    origin = headers.get("origin")
    if site not in ("same-origin", "none"):
        return False
    # A program sends neither; a browser sends the origin with everything that changes something.
    return origin is None or origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower())


def _well_formed(raw_path: bytes) -> bool:
    try:
        return "\x00" not in unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        return False


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that the name is, with or without brackets; ``::ffff:127.0.0.1`` is IPv4's."""
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _method(scope: Scope) -> str:
    known: Iterable[str] = (*_SAFE_METHODS, "POST", "DELETE", "PUT", "PATCH")
    return scope["method"] if scope["method"] in known else "other"


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "unmatched"))
