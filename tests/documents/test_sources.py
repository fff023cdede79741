"""A bucket of several sources."""

from pathlib import Path

import pytest

from rag_platform.documents.bucket import Bucket
from rag_platform.errors import BucketUnavailable, Conflict, NotFound, SettingsError
from rag_platform.settings import Settings


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """``docs`` and ``wiki``, each with a file at its root and one in a folder."""
    for name in ("docs", "wiki"):
        (tmp_path / name / "hr").mkdir(parents=True)
        (tmp_path / name / "hr" / "leave.md").write_text(name)
        (tmp_path / name / "readme.md").write_text(name)
    return tmp_path


@pytest.fixture
def bucket(folders: Path) -> Bucket:
    return Bucket(f"{folders / 'docs'},wiki={folders / 'wiki'}")


def keys(bucket: Bucket, collection: str) -> list[str]:
    return sorted(found.key for found in bucket.list_collection(collection))


def test_a_source_with_a_name_is_one_collection_and_the_other_has_its_top_folders(bucket):
    assert sorted(found.key for found in bucket.list()) == [
        "hr/leave.md",
        "readme.md",
        "wiki/hr/leave.md",
        "wiki/readme.md",
    ]
    assert keys(bucket, "default") == ["readme.md"]
    assert keys(bucket, "hr") == ["hr/leave.md"]
    assert keys(bucket, "wiki") == ["wiki/hr/leave.md", "wiki/readme.md"]
    assert sorted(found.key for found in bucket.list("wiki/hr/")) == ["wiki/hr/leave.md"]


def test_equal_paths_of_two_sources_are_two_documents(bucket):
    assert bucket.read("hr/leave.md") == b"docs"
    assert bucket.read("wiki/hr/leave.md") == b"wiki"
    assert bucket.read_stable("wiki/readme.md", max_bytes=4)[0] == bucket.stat("wiki/readme.md")


def test_an_upload_goes_to_the_source_that_holds_its_collection(bucket, folders):
    bucket.write("wiki/new.md", b"x")
    bucket.write("legal/new.md", b"x")
    assert (folders / "wiki" / "new.md").exists()
    assert (folders / "docs" / "legal" / "new.md").exists()
    bucket.delete("wiki/hr/leave.md")
    assert not (folders / "wiki" / "hr" / "leave.md").exists()
    assert (folders / "docs" / "hr" / "leave.md").exists()


def test_a_top_folder_that_has_the_name_of_a_source_is_skipped_with_the_reason(bucket, folders):
    (folders / "docs" / "wiki").mkdir()
    (folders / "docs" / "wiki" / "other.md").write_text("x")
    assert keys(bucket, "wiki") == ["wiki/hr/leave.md", "wiki/readme.md"]
    assert "wiki/other.md" not in {found.key for found in bucket.list()}
    assert bucket.skipped == {"wiki/": "Another source of RAG_BUCKET has this name."}
    assert bucket.stat("wiki/other.md") is None


def test_what_a_source_skips_is_named_with_its_name(bucket, folders):
    (folders / "wiki" / "link.md").symlink_to(folders / "docs" / "readme.md")
    list(bucket.list())
    assert bucket.skipped == {"wiki/link.md": "Links are not followed."}


def test_a_root_file_with_the_name_of_a_source_is_a_document_of_the_default_collection(
    bucket, folders
):
    (folders / "docs" / "wiki").write_text("x")
    assert keys(bucket, "default") == ["readme.md", "wiki"]
    assert bucket.read("wiki") == b"x"


def test_a_read_only_source_refuses_changes(folders):
    bucket = Bucket(f"{folders / 'docs'},wiki={folders / 'wiki'}:ro")
    for change in (
        lambda: bucket.write("wiki/new.md", b"x"),
        lambda: bucket.delete("wiki/readme.md"),
    ):
        with pytest.raises(Conflict, match=r"The source wiki=file:.* is read-only"):
            change()
    assert bucket.read("wiki/readme.md") == b"wiki"
    bucket.write("hr/new.md", b"x")


def test_a_collection_that_no_source_could_hold_is_empty_and_refuses_uploads(folders):
    bucket = Bucket(f"wiki={folders / 'wiki'}")
    assert keys(bucket, "hr") == []
    assert bucket.stat("hr/leave.md") is None
    bucket.delete("hr/leave.md")
    with pytest.raises(NotFound):
        bucket.read("hr/leave.md")
    with pytest.raises(Conflict, match="Take one of: wiki"):
        bucket.write("hr/leave.md", b"x")


def test_a_source_that_is_away_keeps_no_other_from_being_listed(bucket, folders):
    (folders / "wiki").rename(folders / "gone")
    with pytest.raises(BucketUnavailable):
        keys(bucket, "wiki")
    with pytest.raises(BucketUnavailable):
        list(bucket.list())
    assert keys(bucket, "hr") == ["hr/leave.md"]
    assert keys(bucket, "default") == ["readme.md"]


@pytest.mark.parametrize("key", ["wiki/../docs/readme.md", "wiki//readme.md", "wiki/", "wiki"])
def test_no_key_leads_from_one_source_to_another(bucket, key):
    assert bucket.stat(key) is None
    bucket.delete(key)
    with pytest.raises(NotFound):
        bucket.read(key)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("a,b", "two places have no name"),
        ("w=a,w=b", "two places have the name w"),
        ("w=a,v=a", "would be read twice"),
        ("a,w=a/b", "would be read twice"),
        ("w=s3://b/c,s3://b", "would be read twice"),
        ("default=a", "'default' cannot be the name"),
        (".x=a", ""),
        ("=a", "'' cannot be the name"),
        ("a,", "it is empty"),
        ("w=", "it is empty"),
        ("w=:ro", "it is empty"),
        ("w=s3:///x", "it names no bucket"),
    ],
)
def test_a_setting_that_means_nothing_certain_is_refused(monkeypatch, tmp_path, setting, reason):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_BUCKET", setting)
    if not reason:
        assert Settings.load().bucket_url.endswith("/.x%3Da")
        return
    with pytest.raises(SettingsError, match=reason) as caught:
        Settings.load()
    assert "RAG_BUCKET" in str(caught.value)


def test_the_sources_mean_the_same_to_a_child_in_another_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_BUCKET", "docs, the wiki=w:ro , s3=s3://bucket/dt=2026/%2C")
    url = Settings.load().bucket_url
    assert url == (
        f"{(tmp_path / 'docs').as_uri()},the wiki={(tmp_path / 'w').as_uri()}:ro,"
        "s3=s3://bucket/dt=2026/%2C"
    )
    monkeypatch.setenv("RAG_BUCKET", url)
    assert Settings.load().bucket_url == url
    assert [source.name for source in Bucket(url).sources] == ["", "the wiki", "s3"]


def test_a_folder_with_commas_and_signs_in_its_path_is_given_as_a_url(monkeypatch, tmp_path):
    folder = tmp_path / "a,b=c:ro"
    monkeypatch.setenv("RAG_BUCKET", folder.as_uri())
    assert Settings.load().bucket_url == folder.as_uri()


def test_no_source_may_hold_what_the_platform_writes(monkeypatch, tmp_path):
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "w" / "home"))
    monkeypatch.setenv("RAG_BUCKET", f"{tmp_path / 'docs'},w={tmp_path / 'w'}")
    with pytest.raises(SettingsError, match="RAG_HOME"):
        Settings.load()
