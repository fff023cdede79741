"""Sources that come, go, fail, or are replaced: what was deleted, and what is only away."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from rag_platform.documents.bucket import Bucket
from rag_platform.documents.looking import look_at
from rag_platform.errors import BucketUnavailable
from rag_platform.ledger.collections import find_collection, note_place

pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@pytest.fixture
def wiki(tmp_path) -> Path:
    """A second folder, not yet a source."""
    folder = tmp_path / "wiki"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.md").write_text(f"# Wiki {number}\n\nThe sauna opens at {number}.")
    return folder


@pytest.fixture
def settled(platform):
    """What the sensor asks runs of, once every file was seen twice."""

    def look() -> SimpleNamespace:
        first = look_at(platform.ledger, platform.bucket, {})
        return look_at(platform.ledger, platform.bucket, first.differing)

    return look


def use(platform, *sources) -> None:
    platform.bucket = Bucket(",".join(str(source) for source in sources))


def forget(platform, name: str) -> None:
    """What the command does."""
    with platform.ledger.write() as connection:
        found = find_collection(connection, name)
        note_place(connection, found.id, None)


def test_documents_of_all_sources_are_found(pipeline, platform, put, bucket_folder, wiki, found):
    put("handbook/leave.md", "Parental leave is 26 weeks.")
    use(platform, bucket_folder, f"wiki={wiki}")
    reports = pipeline()
    assert set(reports) == {"handbook", "wiki"}
    assert found("When does the sauna open?", "wiki")[0].startswith("wiki/")
    assert pipeline.verify().problems == []


def test_a_source_that_is_away_deletes_nothing_and_stops_no_other(
    pipeline, platform, put, bucket_folder, wiki, settled, listed
):
    leave = put("handbook/leave.md", "Parental leave is 26 weeks.")
    use(platform, bucket_folder, f"wiki={wiki}")
    pipeline()
    wiki.rename(wiki.with_name("unplugged"))
    leave.unlink()
    put("handbook/new.md", "New.")
    look = settled()
    assert set(look.reasons) == {"handbook"}
    assert "wiki" in look.failed[0]
    with pytest.raises(BucketUnavailable):
        pipeline.documents("wiki")
    pipeline("handbook")
    assert sorted(listed()) == ["handbook/new.md", "wiki/0.md", "wiki/1.md", "wiki/2.md"]
    (problem,) = pipeline.verify().problems
    assert "wiki" in problem


def test_a_source_taken_out_of_the_setting_is_deleted_only_when_somebody_says_so(
    pipeline, platform, bucket_folder, wiki, settled, listed
):
    use(platform, bucket_folder, f"wiki={wiki}")
    pipeline()
    use(platform, bucket_folder)
    look = settled()
    assert look.reasons == {}
    assert look.doubts[0].startswith("3 documents of 'wiki' are not in ")
    assert "rag forget wiki" in look.doubts[0]
    report = pipeline.documents("wiki")
    assert (report.deleted, report.missing, len(listed())) == ([], 3, 3)
    assert pipeline.verify().problems == []
    forget(platform, "wiki")
    assert settled().reasons == {"wiki": "3 gone, such as wiki/0.md"}
    pipeline("wiki")
    assert listed() == {}
    assert settled().reasons == {}
    assert pipeline.verify().problems == []


def test_a_collection_whose_only_source_is_gone_from_the_setting_is_kept_too(
    pipeline, platform, wiki, tmp_path, settled, listed
):
    use(platform, f"wiki={wiki}")
    pipeline()
    other = tmp_path / "other"
    other.mkdir()
    use(platform, f"other={other}")
    look = settled()
    assert (look.reasons, len(look.doubts)) == ({}, 1)
    assert pipeline.documents("wiki").missing == 3
    forget(platform, "wiki")
    pipeline("wiki")
    assert listed() == {}


def test_the_empty_folder_of_a_disk_that_is_not_mounted_deletes_nothing(
    pipeline, platform, bucket_folder, put, settled, listed
):
    for number in range(4):
        put(f"handbook/{number}.md", f"Text {number}.")
    pipeline()
    disk = bucket_folder.rename(bucket_folder.with_name("disk"))
    bucket_folder.mkdir()
    put("handbook/written-meanwhile.md", "New.")
    look = settled()
    assert set(look.reasons) == {"handbook"}  # what is new is read
    report = pipeline.documents("handbook")
    assert (report.deleted, report.missing, len(listed())) == ([], 4, 5)
    pipeline("handbook")
    assert settled().reasons == {}
    assert len(settled().doubts) == 1
    (bucket_folder / "handbook" / "written-meanwhile.md").unlink()
    (bucket_folder / "handbook").rmdir()
    bucket_folder.rmdir()
    disk.rename(bucket_folder)
    report = pipeline.documents("handbook")
    assert (report.deleted, report.missing) == (["handbook/written-meanwhile.md"], 0)
    assert pipeline()["handbook"].current
    assert pipeline.verify().problems == []


def test_whoever_deletes_all_files_of_a_folder_deletes_them(pipeline, put, settled, listed):
    files = [put(f"handbook/{number}.md", f"Text {number}.") for number in range(3)]
    pipeline()
    for file in files:
        file.unlink()
    files[0].parent.rmdir()
    assert settled().reasons == {"handbook": "3 gone, such as handbook/0.md"}
    assert len(pipeline.documents("handbook").deleted) == 3
    assert listed() == {}


def test_a_copy_of_the_folder_in_another_place_is_taken_for_it(
    pipeline, platform, put, bucket_folder, tmp_path, settled
):
    for number in range(4):
        put(f"handbook/{number}.md", f"Text {number}.")
    pipeline()
    copy = tmp_path / "restored"
    (copy / "handbook").mkdir(parents=True)
    for number in range(3):
        (copy / "handbook" / f"{number}.md").write_text(f"Text {number}.")
    use(platform, copy)
    pipeline.parser.parsed.clear()
    report = pipeline.documents("handbook")
    assert (report.deleted, report.missing) == (["handbook/3.md"], 0)
    assert pipeline.parser.parsed == []
    (copy / "handbook" / "0.md").unlink()
    (copy / "handbook" / "1.md").unlink()
    (copy / "handbook" / "2.md").unlink()
    assert len(pipeline.documents("handbook").deleted) == 3  # the copy is believed now
