"""New, changed, renamed, deleted, unreadable and odd files all converge."""

import pytest
from sqlalchemy import select

from rag_platform.documents.bucket import Bucket, BucketObject, DocumentChanging
from rag_platform.errors import BucketUnavailable
from rag_platform.ledger.tables import contents, documents

# What concerns the bucket alone is tried over one database.
on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)

LEAVE = "# Leave\n\nParental leave lasts 26 weeks and is paid in full."
TRAVEL = "# Travel\n\nTrains are booked in second class through the travel office."


def test_a_new_file_is_indexed_and_found(pipeline, put, listed, found):
    put("handbook/leave.md", LEAVE)
    report = pipeline("handbook")["handbook"]
    assert (report.published, report.current) == (1, True)
    assert listed()["handbook/leave.md"].state == "indexed"
    assert found("How long is parental leave?") == ["handbook/leave.md"]
    assert pipeline.verify().problems == []


def test_a_second_run_does_nothing(pipeline, put):
    put("handbook/leave.md", LEAVE)
    pipeline()
    pipeline.parser.parsed.clear()
    pipeline.encoders.encoded.clear()
    report = pipeline()["handbook"]
    assert (report.added, report.removed, report.repaired, report.published) == (0, 0, 0, 0)
    assert report.current
    assert pipeline.parser.parsed == pipeline.encoders.encoded == []


def test_a_changed_file_is_found_by_its_new_text_only(pipeline, put, found, platform):
    put("handbook/leave.md", LEAVE)
    pipeline()
    put("handbook/leave.md", LEAVE.replace("26 weeks", "30 weeks"))
    pipeline()
    texts = [p.chunk.text for p in platform.search("How long is parental leave?").passages]
    assert len(texts) == 1
    assert "30 weeks" in texts[0]
    assert pipeline.verify().problems == []


def test_an_edited_document_answers_from_its_old_text_until_the_new_one_is_indexed(
    pipeline, put, platform
):
    def text() -> str:
        (passage,) = platform.search("How long is parental leave?").passages
        return passage.chunk.text

    put("handbook/leave.md", LEAVE)
    pipeline()
    put("handbook/leave.md", LEAVE.replace("26 weeks", "30 weeks"))
    (generation,) = pipeline.live()
    pipeline.documents("handbook")
    assert "26 weeks" in text()
    pipeline.chunks("handbook", generation)
    assert "26 weeks" in text()
    pipeline.embeddings("handbook", generation)
    assert "26 weeks" in text()
    pipeline.search_index("handbook", generation)
    assert "30 weeks" in text()


def test_a_renamed_file_is_neither_parsed_nor_embedded_again(pipeline, put, bucket_folder, found):
    old = put("handbook/leave.md", LEAVE)
    pipeline()
    pipeline.parser.parsed.clear()
    pipeline.encoders.encoded.clear()
    old.rename(bucket_folder / "handbook" / "holidays.md")
    pipeline()
    assert pipeline.parser.parsed == pipeline.encoders.encoded == []
    assert found("How long is parental leave?") == ["handbook/holidays.md"]
    assert pipeline.verify().problems == []


def test_a_file_moved_to_another_collection_is_found_there_only(
    pipeline, put, bucket_folder, found
):
    old = put("handbook/leave.md", LEAVE)
    put("handbook/travel.md", TRAVEL)
    pipeline()
    (bucket_folder / "people").mkdir()
    old.rename(bucket_folder / "people" / "leave.md")
    pipeline()
    assert found("parental leave", "people") == ["people/leave.md"]
    assert found("parental leave", "handbook") == ["handbook/travel.md"]
    assert len(pipeline.encoders.encoded) == 2
    assert pipeline.verify().problems == []


def test_a_deleted_file_is_not_found_from_the_first_stage_on(pipeline, put, found, listed):
    path = put("handbook/leave.md", LEAVE)
    pipeline()
    path.unlink()
    assert pipeline.documents("handbook").deleted == ["handbook/leave.md"]
    assert found("How long is parental leave?") == []
    assert pipeline.index("handbook").removed == 1
    assert listed() == {}
    assert pipeline.verify().problems == []


def test_of_the_same_bytes_under_two_paths_one_may_go(pipeline, put, found):
    first = put("handbook/a.md", LEAVE)
    put("handbook/b.md", LEAVE)
    pipeline()
    assert len(pipeline.parser.parsed) == 1
    assert found("parental leave") == ["handbook/a.md"]
    first.unlink()
    report = pipeline()["handbook"]
    assert (report.removed, report.vectors) == (0, 1)
    assert found("parental leave") == ["handbook/b.md"]
    assert pipeline.verify().problems == []


def test_a_file_deleted_and_dropped_again_is_found_again(pipeline, put, found):
    put("handbook/leave.md", LEAVE).unlink()
    put("handbook/leave.md", LEAVE)
    pipeline()
    put("handbook/leave.md", LEAVE).unlink()
    pipeline()
    put("handbook/leave.md", LEAVE)
    pipeline()
    assert found("parental leave") == ["handbook/leave.md"]
    assert len(pipeline.parser.parsed) == len(pipeline.encoders.encoded) == 1
    assert pipeline.verify().problems == []


def test_a_quarantined_file_says_why_and_stops_no_other(pipeline, put, listed):
    put("handbook/a-broken.pdf", b"%PDF-1.4 and nothing that follows")
    put("handbook/b-empty.md", b"")
    put("handbook/c-leave.md", LEAVE)
    pipeline()
    states = {key: item.state for key, item in listed().items()}
    assert states == {
        "handbook/a-broken.pdf": "quarantined",
        "handbook/b-empty.md": "quarantined",
        "handbook/c-leave.md": "indexed",
    }
    assert listed()["handbook/b-empty.md"].reason == "The file is empty."
    assert pipeline.verify().problems == []


@on_sqlite
def test_a_repaired_file_leaves_its_quarantine(pipeline, put, listed, found):
    put("handbook/leave.md", b"")
    pipeline()
    put("handbook/leave.md", LEAVE)
    pipeline()
    item = listed()["handbook/leave.md"]
    assert (item.state, item.reason) == ("indexed", None)
    assert found("parental leave") == ["handbook/leave.md"]


def test_an_indexed_file_replaced_by_an_unreadable_one_is_not_cited(pipeline, put, listed, found):
    put("handbook/leave.md", LEAVE)
    pipeline()
    put("handbook/leave.md", b"")
    pipeline()
    assert listed()["handbook/leave.md"].state == "quarantined"
    assert found("parental leave") == []
    assert pipeline.verify().problems == []


def test_a_quarantined_file_that_did_not_change_is_not_read_again(pipeline, put):
    put("handbook/leave.md", b"")
    pipeline()
    assert pipeline.documents("handbook").unchanged == 1


def test_a_file_without_words_is_quarantined_under_each_of_its_names(pipeline, put, listed, stages):
    class Blank:
        def parse(self, data, key):
            return stages.ParsedDocument("  \n ")

    pipeline.parser = Blank()
    put("handbook/a.md", "x")
    pipeline()
    put("handbook/b.md", "x")
    put("other/c.md", "x")
    pipeline()
    assert {item.state for item in listed().values()} == {"quarantined"}
    assert {item.reason for item in listed().values()} == {"The file contains no text."}
    path = put("handbook/a.md", "x")  # touched, the same bytes
    pipeline()
    assert path.exists()
    assert listed()["handbook/a.md"].state == "quarantined"
    assert pipeline.verify().problems == []


@on_sqlite
def test_a_file_too_large_is_quarantined_until_it_is_smaller(pipeline, put, listed):
    pipeline.max_bytes = 100
    put("handbook/leave.md", LEAVE * 10)
    pipeline()
    assert "too large" in str(listed()["handbook/leave.md"].reason)
    put("handbook/leave.md", LEAVE)
    pipeline()
    assert listed()["handbook/leave.md"].state == "indexed"


@on_sqlite
def test_a_file_replaced_while_it_is_found_too_large_is_read_again(pipeline, put, listed, platform):
    class Replacing(Bucket):
        def read_stable(self, key, *, max_bytes):
            try:
                return super().read_stable(key, max_bytes=max_bytes)
            finally:
                put(key, LEAVE)

    pipeline.max_bytes = 100
    put("handbook/leave.md", LEAVE * 10)
    platform.bucket = Replacing(platform.bucket.url)
    pipeline.documents("handbook")
    platform.bucket = Bucket(platform.bucket.url)
    pipeline()
    assert listed()["handbook/leave.md"].state == "indexed"


def test_a_file_at_the_root_belongs_to_default(pipeline, put, found):
    put("leave.md", LEAVE)
    put("default/travel.md", TRAVEL)
    pipeline()
    assert found("parental leave", "default")[0] == "leave.md"
    assert found("trains second class", "default")[0] == "default/travel.md"
    assert pipeline.verify().problems == []


def test_odd_names_of_collections_and_files_work(pipeline, put, found):
    names = ["Räte", "a b", "a...b", "100%", "日本", "x;DROP TABLE documents", "🙂"]
    for number, name in enumerate(names):
        put(
            f"{name}/Datei {name} #{number}?.md",
            f"# Paper {number}\n\nThe code word is w{number}x.",
        )
    reports = pipeline()
    assert sorted(reports) == sorted(names)
    assert all(report.current and report.published == 1 for report in reports.values())
    for number, name in enumerate(names):
        assert found(f"code word w{number}x", name) == [f"{name}/Datei {name} #{number}?.md"]
    assert pipeline.verify().problems == []


def test_a_run_reads_no_more_than_its_limit_and_says_what_is_left(pipeline, put, listed):
    for number in range(5):
        put(f"handbook/{number}.md", f"# Number {number}\n\nText of number {number}.")
    pipeline.limit = 2
    report = pipeline.documents("handbook")
    assert (report.listed, len(report.read), report.left) == (5, 2, 3)
    pipeline.index("handbook")
    assert [item.state for item in listed().values()].count("indexed") == 2
    assert [item.state for item in listed().values()].count("pending") == 3
    assert pipeline.documents("handbook").left == 1
    assert pipeline.documents("handbook").left == 0
    assert pipeline.index("handbook").current


@on_sqlite
def test_a_file_that_is_being_written_is_left_for_the_next_run(pipeline, put, listed, platform):
    class Writing(Bucket):
        def read_stable(self, key, *, max_bytes):
            raise DocumentChanging(f"The file {key!r} is being written.")

    put("handbook/leave.md", LEAVE)
    platform.bucket = Writing(platform.bucket.url)
    assert pipeline.documents("handbook").waiting == ["handbook/leave.md"]
    assert listed()["handbook/leave.md"].state == "pending"
    platform.bucket = Bucket(platform.bucket.url)
    assert pipeline.documents("handbook").read == ["handbook/leave.md"]


def test_an_index_does_not_wait_for_a_file_that_was_never_read(pipeline, put, platform):
    # Otherwise a long upload would start one run after the other.
    class Writing(Bucket):
        def read_stable(self, key, *, max_bytes):
            raise DocumentChanging(f"The file {key!r} is being written.")

    put("handbook/leave.md", LEAVE)
    platform.bucket = Writing(platform.bucket.url)
    assert pipeline("handbook")["handbook"].current


def test_a_file_written_during_the_read_is_not_taken_for_read(pipeline, put, platform, found):
    class Overtaken(Bucket):
        def read_stable(self, key, *, max_bytes):
            item, data = super().read_stable(key, max_bytes=max_bytes)
            put(key, TRAVEL)  # after the read, before the ledger knows
            return item, data

    put("handbook/paper.md", LEAVE)
    platform.bucket = Overtaken(platform.bucket.url)
    pipeline()
    platform.bucket = Bucket(platform.bucket.url)
    pipeline()
    assert found("which class on trains") == ["handbook/paper.md"]
    assert pipeline.verify().problems == []


def test_a_document_that_changed_there_and_back_between_two_runs_keeps_the_right_text(
    pipeline, put, platform, listed, stages
):
    """One run looks at the ledger, another one reads a change, the first reads the old bytes."""
    put("handbook/paper.md", LEAVE)
    pipeline()
    other = stages.Pipeline(platform)

    class Meanwhile(Bucket):
        done = False

        def read_stable(self, key, *, max_bytes):
            if not Meanwhile.done:
                Meanwhile.done = True
                put(key, TRAVEL)
                other.documents("handbook")
                put(key, LEAVE)
            return super().read_stable(key, max_bytes=max_bytes)

    put("handbook/paper.md", LEAVE)  # touched: the first run wants to look at it
    platform.bucket = Meanwhile(platform.bucket.url)
    pipeline.documents("handbook")
    platform.bucket = Bucket(platform.bucket.url)
    pipeline()
    with platform.ledger.read() as connection:
        row = connection.execute(
            select(contents.c.title, documents.c.state).join_from(
                documents, contents, documents.c.indexed_content_id == contents.c.id
            )
        ).one()
    assert tuple(row) == ("Leave", "indexed")


@on_sqlite
def test_a_listing_that_fails_deletes_nothing(pipeline, put, platform, found):
    class Failing(Bucket):
        def list_collection(self, collection):
            yield BucketObject("handbook/other.md", 1, item.modified, None)
            raise BucketUnavailable("The bucket does not answer.")

    put("handbook/leave.md", LEAVE)
    pipeline()
    (item,) = platform.bucket.list()
    platform.bucket = Failing(platform.bucket.url)
    with pytest.raises(BucketUnavailable):
        pipeline.documents("handbook")
    assert found("parental leave") == ["handbook/leave.md"]


@on_sqlite
def test_a_bucket_that_is_gone_deletes_nothing(pipeline, put, platform, found, bucket_folder):
    put("handbook/leave.md", LEAVE)
    pipeline()
    bucket_folder.rename(bucket_folder.with_name("unmounted"))
    with pytest.raises(BucketUnavailable):
        pipeline.documents("handbook")
    assert found("parental leave") == ["handbook/leave.md"]


def test_a_lost_text_is_read_from_the_bucket_again(pipeline, put, platform, listed, found):
    put("handbook/leave.md", LEAVE)
    put("handbook/travel.md", TRAVEL)
    pipeline.documents("handbook")
    lost, damaged = sorted(platform.objects.names("text"))
    root = platform.settings.home / "objects"
    (root / lost).unlink()
    (root / damaged).write_bytes(b"{")
    pipeline.index("handbook")
    pipeline()
    assert {item.state for item in listed().values()} == {"indexed"}
    assert pipeline.verify().problems == []
