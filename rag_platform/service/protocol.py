"""HTTP as uvicorn speaks it, with a problem document for what is no HTTP."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rag_platform.service import problems
from rag_platform.service.guard import HEADERS


def _answer() -> bytes:
    response = problems.refusal(
        400,
        "The request is not valid HTTP.",
        {**HEADERS, "Cache-Control": "no-store", "Connection": "close"},
    )
    head = [b"HTTP/1.1 400 Bad Request"]
    head += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join([*head, b"", bytes(response.body)])


class Protocol(HttpToolsProtocol):
    """What cannot be parsed never reaches the application, so it is answered here."""

    _ANSWER = _answer()

    def send_400_response(self, msg: str) -> None:
        """Refuse and hang up; within an answer that has begun, only hang up."""
        begun = self.cycle and self.cycle.response_started and not self.cycle.response_complete
        if not begun:
            self.transport.write(self._ANSWER)
        self.transport.close()
