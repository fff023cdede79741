"""Tells Dagster what the fast lane made, as materialisations without a run."""

import ssl
import threading
from collections import deque
from typing import Any

import httpx
import structlog

from rag_platform.documents.ingestion import DocumentsReport
from rag_platform.errors import RagError
from rag_platform.index.verification import Verification, verify
from rag_platform.one_document import DocumentReport
from rag_platform.partitions import partition_key
from rag_platform.wiring import Platform

_SECONDS = 3.0
"""How long one request may take: a document is answerable whether Dagster hears of it or not."""
_UNREPORTED = 100

_ADD_PARTITION = """
mutation ($repository: RepositorySelector!, $key: String!) {
  addDynamicPartition(
    repositorySelector: $repository, partitionsDefName: "collection", partitionKey: $key
  ) { __typename }
}
"""
_REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "rag_platform"}

_log = structlog.get_logger(__name__)


class DagsterReporter:
    """Speaks to Dagster's webserver. What cannot be told is dropped, with a line in the log."""

    def __init__(self, url: str) -> None:
        # An empty context: reading every authority's certificate takes 80 ms.
        self._http = httpx.Client(
            base_url=url, timeout=_SECONDS, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._partitions: set[str] = set()

    def report(self, report: DocumentReport) -> None:
        """Report the four assets of one document's collection as materialised."""
        partition = partition_key(report.collection)
        try:
            self._ensure_partition(partition)
            for asset, metadata in materialisations(report).items():
                self._http.post(
                    f"/report_asset_materialization/{asset}",
                    json={
                        "partition": partition,
                        "description": f"Uploaded: {report.key}",
                        "metadata": metadata,
                    },
                ).raise_for_status()
        except (httpx.HTTPError, ValueError) as error:
            _log.warning("Dagster was not told of an upload", key=report.key, reason=str(error))

    def report_verdict(self, result: Verification) -> None:
        """Report the check of the index, which Dagster takes to be open after a materialisation."""
        try:
            self._http.post(
                "/report_asset_check/search_index",
                json={
                    "check_name": "index_matches_bucket",
                    "passed": result.passed,
                    "severity": "ERROR",
                    "metadata": {
                        "exhaustive": result.exhaustive,
                        "vectors": result.vectors,
                        "problems": "\n".join(result.problems[:100]) or "none",
                    },
                },
            ).raise_for_status()
        except httpx.HTTPError as error:
            _log.warning("Dagster was not told of a check", reason=str(error))

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _ensure_partition(self, key: str) -> None:
        if key in self._partitions:
            return
        variables = {"repository": _REPOSITORY, "key": key}
        answer = self._http.post(
            "/graphql", json={"query": _ADD_PARTITION, "variables": variables}
        ).raise_for_status()
        # One that is there already is an answer of another type, and as good.
        if answer.json().get("errors"):
            raise ValueError("Dagster did not take the partition.")
        self._partitions.add(key)


class Reporting:
    """Reports what the fast lane made, in a thread of its own and while nobody waits for the lane.

    Dagster needs a processor for each event, which a document on its way would lack.
    """

    def __init__(self, platform: Platform, reporter: DagsterReporter) -> None:
        self._platform = platform
        self._reporter = reporter
        self._reports: deque[DocumentReport] = deque(maxlen=_UNREPORTED)
        self._may_work = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporting", daemon=True)

    @property
    def has_reports(self) -> bool:
        """Whether Dagster has yet to hear of a document."""
        return bool(self._reports)

    def add(self, report: DocumentReport) -> None:
        """Have a document reported; of very many the oldest are dropped."""
        self._reports.append(report)

    def wait(self) -> None:
        """Begin no further report: somebody waits for a document."""
        self._may_work.clear()

    def go_on(self) -> None:
        """Nobody waits any more."""
        if self._reports:
            self._may_work.set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not reported is dropped."""
        self._stopped.set()
        self._may_work.set()
        if self._thread.is_alive():
            self._thread.join(_SECONDS)
        self._reporter.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._may_work.wait()
            if self._reports:
                self._reporter.report(self._reports.popleft())
                continue
            self._may_work.clear()
            # A verdict counts for what was made before it; Dagster's SQLite keeps whole seconds.
            if not self._stopped.wait(1.1) and not self._reports:
                self._report_verdict()

    def _report_verdict(self) -> None:
        platform = self._platform
        try:
            result = verify(platform.ledger, platform.bucket, platform.objects, platform.chroma)
        except RagError as error:
            _log.warning("the index was not checked", reason=str(error))
        else:
            self._reporter.report_verdict(result)


def materialisations(report: DocumentReport) -> dict[str, dict[str, Any]]:
    """The metadata by asset, under the names that the runs use."""
    documents = report.documents
    indexes = report.indexes
    return {
        "documents": {
            "listed": documents.listed,
            "unchanged": documents.unchanged,
            "read": len(documents.read),
            "deleted": len(documents.deleted),
            "quarantined": len(documents.quarantined),
            "being written": len(documents.waiting),
            "left for the next run": documents.left,
            "changes": "\n".join(f"{key}: {what}" for key, what in _changes(documents)) or "none",
            "seconds": report.seconds.get("documents", 0.0),
        },
        "chunks": {
            "chunks made": sum(report.chunks.values()),
            "chunking": ", ".join(report.chunks),
            "seconds": report.seconds.get("chunks", 0.0),
        },
        "embeddings": {
            "chunks": sum(item.chunks for item in report.embeddings),
            "embedded": sum(item.embedded for item in report.embeddings),
            "model versions": ", ".join(report.models),
            "seconds": report.seconds.get("embeddings", 0.0),
        },
        "search_index": {
            "vectors": sum(index.vectors for index in indexes.values()),
            "generations": "\n".join(
                f"{id}: {index.added} added, {index.removed} removed, {index.published} published, "
                + ("current" if index.current else "work is left")
                for id, index in indexes.items()
            ),
            "seconds": report.seconds.get("search_index", 0.0),
        },
    }


def _changes(documents: DocumentsReport) -> list[tuple[str, str]]:
    return [
        *((key, "read") for key in documents.read),
        *((key, f"quarantined: {reason}") for key, reason in documents.quarantined.items()),
        *((key, "still being written") for key in documents.waiting),
    ]
