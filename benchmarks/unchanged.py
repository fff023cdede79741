"""A look at a large bucket in which little or nothing changed: seconds and memory."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import Figure
from rag_platform.documents import parsing
from rag_platform.documents.bucket import Bucket
from rag_platform.documents.ingestion import reconcile_documents
from rag_platform.documents.looking import look_at
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.ledger import Ledger, migrate
from rag_platform.ledger.collections import ensure_collection
from rag_platform.objects import Objects

_FILES = 10_000
_LISTED = 100_000


class _ParserHere:
    """The parsers without their child process: what is measured is the rest."""

    def parse(self, data: bytes, key: str) -> ParsedDocument:
        return parsing.parse(data, key)


def unchanged(folder: Path) -> list[Figure]:
    """10,000 equal files that the ledger knows, and a listing of ten times as many."""
    ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
    migrate(ledger)
    bucket = Bucket((folder / "bucket").as_uri())
    objects = Objects((folder / "objects").as_uri())
    with ledger.write() as connection:
        collection = ensure_collection(connection, "many")

    def reconcile() -> Any:
        return reconcile_documents(
            ledger,
            bucket,
            objects,
            _ParserHere(),
            (collection.id, collection.name),
            limit=_LISTED,
            max_bytes=1_000_000,
        )

    _fill(folder / "bucket" / "many", 0, _FILES)
    first, _ = _timed(reconcile)
    look, seen = _timed(lambda: look_at(ledger, bucket, {}))
    assert seen.objects == _FILES and not seen.reasons
    again, report = _timed(reconcile)
    assert report.unchanged == _FILES and not report.read
    (folder / "bucket" / "many" / "7.md").write_text("# Changed\n\nAnother text.\n")
    one, report = _timed(reconcile)
    assert report.read == ["many/7.md"]
    before = psutil.Process().memory_info().rss
    _fill(folder / "bucket" / "many", _FILES, _LISTED)
    listed, _ = _timed(lambda: sum(1 for _ in bucket.list()))
    listing = psutil.Process().memory_info().rss - before
    huge, seen = _timed(lambda: look_at(ledger, bucket, {}))
    assert seen.objects == _LISTED
    looked = psutil.Process().memory_info().rss - before
    return [
        Figure("10,000 files, first reading, in this process and without vectors", first, "s"),
        Figure("10,000 files, a look that finds nothing changed", look, "s", 1),
        Figure("10,000 files, the documents of a run in which nothing changed", again, "s", 5),
        Figure("10,000 files, the documents of a run in which one changed", one, "s", again + 3),
        Figure("100,000 files, a listing", listed, "s"),
        Figure("100,000 files, memory that a listing adds", listing / 1e6, "MB"),
        Figure("100,000 files, a look of which 90,000 are new", huge, "s"),
        Figure("100,000 files, memory that this look adds", looked / 1e6, "MB"),
    ]


def _fill(folder: Path, first: int, end: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, end):
        (folder / f"{number}.md").write_text("# Many\n\nThe same text in every file.\n")


def _timed(action: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result
