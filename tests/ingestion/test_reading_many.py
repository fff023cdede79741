"""Reading many documents: several at once, in small batches, and a bounded part of them."""

import threading
from datetime import timedelta

import pytest

from rag_platform.documents import ingestion
from rag_platform.documents.contents import ContentReader, forget_text
from rag_platform.documents.ingestion import reconcile_documents
from rag_platform.errors import BucketUnavailable
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.documents import known_documents


@pytest.fixture
def reading(platform, stages, put):
    """Reconcile the documents of ``papers``; the parser waits where a test wants it to."""
    parser = stages.InProcessParser()
    with platform.ledger.write() as connection:
        collection = ensure_collection(connection, "papers")

    def read(**options):
        return reconcile_documents(
            platform.ledger,
            platform.bucket,
            platform.objects,
            options.pop("parser", parser),
            (collection.id, collection.name),
            **({"limit": 1000, "max_bytes": 1_000_000} | options),
        )

    def content_ids():
        with platform.ledger.read() as connection:
            return [d.content_id for d in known_documents(connection, collection.id).values()]

    read.content_ids = content_ids
    return read


def test_documents_are_read_at_once(reading, put, stages):
    class Meeting(stages.InProcessParser):
        barrier = threading.Barrier(3, timeout=30)

        def parse(self, data, key):
            self.barrier.wait()  # ends only where three read at the same time
            return super().parse(data, key)

    for number in range(6):
        put(f"papers/{number}.md", f"# Paper {number}")
    assert len(reading(parser=Meeting(), at_once=3).read) == 6


def test_large_documents_are_not_read_at_once(reading, put, stages, monkeypatch):
    class Alone(stages.InProcessParser):
        lock = threading.Lock()

        def parse(self, data, key):
            assert self.lock.acquire(blocking=False), "two at once"
            with_lock = super().parse(data, key)
            self.lock.release()
            return with_lock

    monkeypatch.setattr(ingestion, "_HELD_BYTES", 10)
    for number in range(6):
        put(f"papers/{number}.md", f"# Paper {number}")
    assert len(reading(parser=Alone(), at_once=3).read) == 6


def test_a_run_reads_no_further_document_than_its_words_allow(reading, put):
    for number in range(10):
        put(f"papers/{number}.md", f"{number} " + "word " * 99)
    report = reading(max_words=250)
    assert 3 <= len(report.read) <= 5
    assert report.left == 10 - len(report.read)
    assert report.words == 100 * len(report.read)
    while reading(max_words=250).left:
        pass
    assert None not in reading.content_ids()


def test_a_large_document_does_not_hold_up_small_ones(reading, put, monkeypatch):
    monkeypatch.setattr(ingestion, "_LARGE_BYTES", 1000)
    put("papers/a.md", "word " * 300)
    for number in range(3):
        put(f"papers/{number}.md", f"# Paper {number}")
    report = reading(max_words=100_000)
    assert sorted(report.read) == [f"papers/{number}.md" for number in range(3)]
    assert report.left == 1
    assert reading(max_words=100_000).read == ["papers/a.md"]


def test_a_large_document_that_waited_is_read_though_small_ones_keep_coming(
    reading, put, monkeypatch
):
    monkeypatch.setattr(ingestion, "_LARGE_BYTES", 1000)
    put("papers/a.md", "word " * 300)
    put("papers/b.md", "word " * 400)
    for number in range(3):
        put(f"papers/{number}.md", f"# Paper {number}")
    assert "papers/a.md" not in reading(max_words=100_000).read
    put("papers/4.md", "# Paper 4")
    monkeypatch.setattr(ingestion, "_PATIENCE", timedelta(0))
    assert reading(max_words=100_000).read == ["papers/4.md", "papers/a.md"]


def test_no_further_document_is_read_when_the_time_is_over(reading, put):
    for number in range(10):
        put(f"papers/{number}.md", f"# Paper {number}")
    report = reading(max_words=100_000, until=0)
    assert 1 <= len(report.read) <= 3
    assert report.left == 10 - len(report.read)


def test_the_smallest_are_read_first_whatever_their_names(reading, put):
    for name in "abcdef":
        put(f"papers/{name}.md", f"# Paper {name}\n\n" + "word " * 100)
    put("papers/z.md", "# Z")
    assert reading(max_words=100_000, limit=1).read == ["papers/z.md"]


def test_what_was_read_before_a_failure_is_kept(reading, put, platform, monkeypatch):
    for number in range(10):
        put(f"papers/{number}.md", f"# Paper {number}")
    read = platform.bucket.read_stable

    def failing(key, *, max_bytes):
        if key == "papers/7.md":
            raise BucketUnavailable("It went away.")
        return read(key, max_bytes=max_bytes)

    monkeypatch.setattr(platform.bucket, "read_stable", failing)
    with pytest.raises(BucketUnavailable):
        reading()
    assert len([one for one in reading.content_ids() if one]) >= 5


def test_a_content_whose_text_was_lost_gets_it_again(reading, put, platform):
    put("papers/a.md", "# Paper")
    put("papers/b.md", "# Paper")
    reading(at_once=2)
    (content_id,) = set(reading.content_ids())
    text = platform.objects.get(f"text/{content_id[:2]}/{content_id}.json")
    forget_text(platform.ledger, content_id)
    reading(at_once=2)
    assert platform.objects.get(f"text/{content_id[:2]}/{content_id}.json") == text
    assert ContentReader(platform.ledger, platform.objects, None).read(b"# Paper", "c.md").id == (
        content_id
    )
