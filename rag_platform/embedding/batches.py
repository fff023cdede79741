"""Questions that come at the same time are encoded together."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

_LARGEST = 16


class _Waiting:
    """A question whose vector is being made, or that leads the next batch."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids
        self.woken = threading.Event()
        self.vector: Any = None
        self.failure: BaseException | None = None


class Batches:
    """Runs what waits in one batch: reading the weights once costs as much as for one question.

    Nobody waits for company: who comes while nothing runs is encoded at once, alone. Who comes
    meanwhile goes with the next batch, which one of those who wait runs for all of them.
    """

    def __init__(self, run: Callable[[list[list[int]]], Iterable[Any]]) -> None:
        """``run`` turns a batch of token ids into as many vectors."""
        self._run = run
        self._lock = threading.Lock()
        self._running = False
        self._waiting: list[_Waiting] = []

    def __call__(self, ids: list[int]) -> Any:
        """The vector of one question; raises what the encoding of its batch raised."""
        mine = _Waiting(ids)
        with self._lock:
            self._waiting.append(mine)
            leads = not self._running
            self._running = True
        if not leads:
            mine.woken.wait()
        if mine.vector is None and mine.failure is None:
            self._lead(mine)
        if mine.failure is not None:
            raise mine.failure
        return mine.vector

    def _lead(self, mine: _Waiting) -> None:
        with self._lock:
            self._waiting.remove(mine)
            batch = [mine, *self._waiting[: _LARGEST - 1]]
            del self._waiting[: _LARGEST - 1]
        try:
            for one, vector in zip(batch, self._run([one.ids for one in batch]), strict=True):
                one.vector = vector
        except BaseException as error:  # noqa: BLE001 - raised in each thread that waits
            for one in batch:
                one.failure = error
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._running = following is not None
        for one in batch[1:]:
            one.woken.set()
        if following is not None:
            following.woken.set()
