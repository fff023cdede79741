"""The fast lane: a small upload is answerable at once, without a run."""

import contextlib
import queue
import threading
from dataclasses import dataclass

import structlog

from rag_platform.documents.isolation import ParserProcess
from rag_platform.errors import RagError
from rag_platform.one_document import reconcile_document
from rag_platform.printing import MEGABYTE
from rag_platform.service.reporting import Reporting
from rag_platform.wiring import Platform

_WAITING = 32
"""Uploads that wait at most; the bucket's sensor sees to the others."""
_STOP_SECONDS = 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    collection: str
    key: str
    announced: int | None


class FastLane:
    """One worker with a short queue. Whatever it does not do, the bucket's sensor has done."""

    def __init__(self, platform: Platform, reporting: Reporting) -> None:
        settings = platform.settings
        self._platform = platform
        self._reporting = reporting
        self._max_bytes = settings.chat.fast_lane_megabytes * MEGABYTE
        self._jobs: queue.Queue[_Job] = queue.Queue(_WAITING)
        self._stopped = threading.Event()
        self._in_work: _Job | None = None
        self._parser = ParserProcess(
            timeout=settings.ingestion.parse_timeout,
            memory_megabytes=settings.ingestion.parse_memory_megabytes,
        )
        self._thread = threading.Thread(target=self._run, name="fast-lane", daemon=True)

    @property
    def is_open(self) -> bool:
        """Whether anything takes this lane."""
        return self._max_bytes > 0

    @property
    def in_work(self) -> tuple[str, str] | None:
        """The collection and key of the document that is worked on."""
        job = self._in_work
        return (job.collection, job.key) if job else None

    def offer(self, collection: str, key: str, size: int, announced: int | None) -> bool:
        """Take a document that the ledger knows; False if it is too large, or too many wait.

        ``announced`` is the revision that announcing it made, None if it was known already.
        """
        if size > self._max_bytes or not self.is_open or self._stopped.is_set():
            return False
        try:
            self._jobs.put_nowait(_Job(collection, key, announced))
        except queue.Full:
            return False
        self._reporting.wait()
        return True

    def start(self) -> None:
        """Begin; the document reader is started in the background."""
        if self.is_open:
            self._reporting.start()
            self._thread.start()

    def stop(self) -> None:
        """Finish the document in work, if that is soon; what waits is left to the sensor."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():
            self._parser.close()
        self._reporting.stop()

    def _run(self) -> None:
        with contextlib.suppress(RagError):  # said again by the first document
            self._parser.parse(b"warm up", "warm-up.txt")
        while not self._stopped.is_set():
            try:
                job = self._jobs.get(timeout=0.2 if self._reporting.has_reports else 1.0)
            except queue.Empty:
                self._reporting.go_on()
                continue
            self._in_work = job
            try:
                report = reconcile_document(
                    self._platform,
                    self._parser,
                    job.collection,
                    job.key,
                    announced=job.announced,
                )
            except RagError as error:
                _log.warning("left to the sensor", key=job.key, reason=str(error))
            except Exception as error:  # noqa: BLE001 - the lane goes on, and the sensor sees to it
                _log.error("left to the sensor", key=job.key, exc_info=error)
            else:
                if report is not None and report.documents.listed:
                    self._reporting.add(report)
            finally:
                self._in_work = None
