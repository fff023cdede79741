"""Counters of the service in the text format of Prometheus."""

import threading
from collections import Counter
from collections.abc import Mapping


class Metrics:
    """Counts since the process began. One instance serves many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: Counter[tuple[str, str]] = Counter()
        self._answers: Counter[str] = Counter()
        self._abandoned = 0

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request that was answered; ``route`` is the pattern, never the path."""
        with self._lock:
            self._requests[method, route, status] += 1
            # Counter's type says int; its arithmetic takes any number.
            self._seconds[method, route] += seconds  # pyright: ignore[reportArgumentType]

    def count_answer(self, status: str) -> None:
        """A question that was answered, however it ended."""
        with self._lock:
            self._answers[status] += 1

    def count_abandoned(self) -> None:
        """An answer whose reader left while it was written."""
        with self._lock:
            self._abandoned += 1

    def render(self, documents: Mapping[str, Mapping[str, int]] | None) -> str:
        """All counters; ``documents`` counts states by collection, None if the ledger is away."""
        with self._lock:
            requests, seconds = dict(self._requests), dict(self._seconds)
            answers, abandoned = dict(self._answers), self._abandoned
        lines = ["# TYPE rag_http_requests_total counter"]
        lines += [
            _line("rag_http_requests_total", value, method=method, route=route, status=str(status))
            for (method, route, status), value in sorted(requests.items())
        ]
        lines += ["# TYPE rag_http_request_seconds_total counter"]
        lines += [
            _line("rag_http_request_seconds_total", round(value, 6), method=method, route=route)
            for (method, route), value in sorted(seconds.items())
        ]
        lines += ["# TYPE rag_answers_total counter"]
        lines += [
            _line("rag_answers_total", value, status=status)
            for status, value in sorted(answers.items())
        ]
        lines += ["# TYPE rag_answers_abandoned_total counter"]
        lines += [_line("rag_answers_abandoned_total", abandoned)]
        lines += ["# TYPE rag_ledger_up gauge", _line("rag_ledger_up", int(documents is not None))]
        lines += ["# TYPE rag_documents gauge"]
        lines += [
            _line("rag_documents", count, collection=collection, state=state)
            for collection, states in sorted((documents or {}).items())
            for state, count in sorted(states.items())
        ]
        return "\n".join(lines) + "\n"


def _line(name: str, value: float, **labels: str) -> str:
    pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{pairs}}} {value}" if pairs else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
