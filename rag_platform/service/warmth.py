"""Loading what answers need, before the first question waits for it."""

import threading
from collections.abc import Callable

import structlog

from rag_platform.errors import RagError

_RETRY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Warmth:
    """Warms up in a thread of its own, again and again until it works: parts start in any order."""

    def __init__(self, warm_up: Callable[[], None]) -> None:
        self._warm_up = warm_up
        self._stopped = threading.Event()
        self._warm = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)
        self.reason = ""
        """Why it is not warm yet, in a sentence; empty while nothing went wrong."""

    @property
    def is_warm(self) -> bool:
        """Whether questions need not wait."""
        return self._warm.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Give up, if it is still trying. Does not wait: loading a model cannot be interrupted."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._warm_up()
            except RagError as error:
                self.reason = str(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the service says so and goes on
                self.reason = "Loading the model failed. The service's log says more."
                _log.error("warm-up failed", exc_info=error)
            else:
                self._warm.set()
                return
            self._stopped.wait(_RETRY_SECONDS)
