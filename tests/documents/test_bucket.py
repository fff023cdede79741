"""A bucket in a local folder."""

import os
import socket
import threading
import unicodedata
from pathlib import Path

import pytest

from rag_platform.documents.bucket import Bucket, BucketObject, DocumentChanging
from rag_platform.errors import (
    BucketUnavailable,
    Conflict,
    InvalidRequest,
    NotFound,
    SettingsError,
    UnreadableDocument,
)
from rag_platform.printing import MEGABYTE

NAMES = [
    "a b#?%~ü.md",
    "%41%2F.md",
    "two\nlines.md",
    "back\\slash.md",
    "مرحبا\u202eabc.md",
    unicodedata.normalize("NFD", "Müller.md"),
    "日本語.md",
    "-rf.md",
    "'\"$(x).md",
    "x" * 252 + ".md",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bucket"
    folder.mkdir()
    return folder


@pytest.fixture
def bucket(folder: Path) -> Bucket:
    return Bucket(folder.as_uri())


def keys(bucket: Bucket, prefix: str = "") -> set[str]:
    return {found.key for found in bucket.list(prefix)}


@pytest.mark.parametrize("name", NAMES)
def test_an_object_of_any_name_is_listed_read_and_deleted_by_that_name(
    bucket: Bucket, folder: Path, name: str
) -> None:
    written = bucket.write(f"Räte & co/{name}", b"text")
    assert (folder / "Räte & co" / name).read_bytes() == b"text"
    assert list(bucket.list()) == [written] == [bucket.stat(f"Räte & co/{name}")]
    assert bucket.read(written.key) == b"text"
    assert bucket.read_stable(written.key, max_bytes=4) == (written, b"text")
    bucket.delete(written.key)
    assert keys(bucket) == set()


def test_composed_and_decomposed_names_are_two_objects(bucket: Bucket) -> None:
    for form in ("NFC", "NFD"):
        bucket.write(unicodedata.normalize(form, "Ä.md"), form.encode())
    assert len(keys(bucket)) == 2


def test_a_bucket_whose_path_has_blanks_and_percent_signs_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "my bucket 100%25 #1"
    folder.mkdir()
    Bucket(folder.as_uri()).write("a.md", b"x")
    assert (folder / "a.md").exists()


def test_a_missing_folder_is_unavailable_and_never_empty(bucket: Bucket, folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(BucketUnavailable):
        list(bucket.list())
    with pytest.raises(BucketUnavailable):
        bucket.stat("a.md")
    with pytest.raises(BucketUnavailable):
        bucket.write("a.md", b"")
    assert not folder.exists()


def test_a_folder_replaced_while_it_is_listed_makes_the_listing_fail(
    bucket: Bucket, folder: Path
) -> None:
    for name in ("a", "b"):
        bucket.write(f"{name}/{name}.md", b"x")
    listing = bucket.list()
    next(listing)
    folder.rename(folder.with_name("old"))
    folder.mkdir()
    with pytest.raises(BucketUnavailable, match="replaced"):
        list(listing)


def test_a_subfolder_that_goes_while_it_is_listed_just_has_no_files(
    bucket: Bucket, folder: Path
) -> None:
    for name in ("a", "b"):
        bucket.write(f"{name}/{name}.md", b"x")
    listing = bucket.list()
    first = next(listing).key
    other = "b" if first.startswith("a") else "a"
    (folder / other / f"{other}.md").unlink()
    (folder / other).rmdir()
    assert list(listing) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_subfolder_that_cannot_be_opened_makes_the_listing_fail(
    bucket: Bucket, folder: Path
) -> None:
    bucket.write("a/a.md", b"x")
    (folder / "a").chmod(0)
    try:
        with pytest.raises(BucketUnavailable):
            list(bucket.list())
    finally:
        (folder / "a").chmod(0o755)


def test_links_pipes_and_sockets_are_named_but_not_followed(
    bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.md").write_text("outside")
    (folder / "file.md").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "pipe.md")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(folder / "socket.md"))
    assert keys(bucket) == set()
    assert set(bucket.skipped) == {"file.md", "linked", "pipe.md", "socket.md"}
    for key in ("file.md", "linked/a.md", "pipe.md", "socket.md", "../secret.md"):
        assert bucket.stat(key) is None
        with pytest.raises(NotFound):
            bucket.read(key)
        bucket.delete(key)
    assert secret.read_text() == "secret"
    assert (tmp_path / "outside" / "a.md").exists()
    with pytest.raises(Conflict):
        bucket.write("linked/b.md", b"x")
    with pytest.raises(InvalidRequest):
        bucket.write("../b.md", b"x")


@pytest.mark.parametrize("key", ["../a", "/etc/passwd", "a//b", "./a", "a/../../b", "", "a\x00b"])
def test_no_key_leads_out_of_the_bucket(bucket: Bucket, key: str) -> None:
    assert bucket.stat(key) is None
    with pytest.raises(NotFound):
        bucket.read(key)
    bucket.delete(key)
    with pytest.raises(InvalidRequest):
        bucket.write(key, b"x")


def test_a_name_that_is_no_text_is_skipped_and_named(bucket: Bucket, folder: Path) -> None:
    bucket.write("a.md", b"x")
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff.md")).write_text("x")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    assert keys(bucket) == {"a.md"}
    assert bucket.skipped == {"\\xff.md": "The name is not UTF-8."}


def test_ignored_objects_do_not_exist(bucket: Bucket, folder: Path) -> None:
    (folder / ".git").mkdir()
    for name in (".git/config.md", "~$draft.docx", "draft.md.part"):
        (folder / name).write_text("x")
        assert bucket.stat(name) is None
        with pytest.raises(NotFound):
            bucket.read(name)
        with pytest.raises(InvalidRequest):
            bucket.write(name, b"")
        bucket.delete(name)
        assert (folder / name).exists()
    assert keys(bucket) == set()


def test_a_prefix_is_a_folder_or_one_object(bucket: Bucket) -> None:
    for key in ("a/b.md", "a/c/d.md", "ab/e.md", "f.md"):
        bucket.write(key, b"x")
    assert keys(bucket, "a") == keys(bucket, "a/") == {"a/b.md", "a/c/d.md"}
    assert keys(bucket, "f.md") == {"f.md"}
    assert keys(bucket, "g") == set()


def test_the_fingerprint_sees_a_change_that_keeps_size_and_time(
    bucket: Bucket, folder: Path
) -> None:
    before = bucket.write("a.md", b"one")
    times = (folder / "a.md").stat()
    with (folder / "a.md").open("r+b") as file:
        file.write(b"two")
    os.utime(folder / "a.md", ns=(times.st_atime_ns, times.st_mtime_ns))
    after = bucket.stat("a.md")
    assert after is not None
    assert (after.size, after.modified) == (before.size, before.modified)
    assert after.fingerprint != before.fingerprint


def test_an_object_with_an_impossible_time_is_listed(bucket: Bucket, folder: Path) -> None:
    bucket.write("a.md", b"x")
    os.utime(folder / "a.md", ns=(0, -(10**18)))
    assert keys(bucket) == {"a.md"}


class Growing(Bucket):
    """A bucket whose objects are written while they are read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.as_uri())
        self.path = path

    def stat(self, key: str) -> BucketObject | None:
        found = super().stat(key)
        with (self.path / key).open("ab") as file:
            file.write(b"more")
        return found


def test_a_file_that_grows_while_it_is_read_is_left_for_later(folder: Path) -> None:
    (folder / "a.md").write_bytes(b"some")
    with pytest.raises(DocumentChanging):
        Growing(folder).read_stable("a.md", max_bytes=1000)


def test_a_file_that_is_too_large_is_not_read(bucket: Bucket) -> None:
    limit = 2 * MEGABYTE
    for size, said in ((limit + MEGABYTE // 2, "2.5"), (limit + 1, "2.1")):
        bucket.write("a.md", b"x" * size)
        with pytest.raises(UnreadableDocument) as error:
            bucket.read_stable("a.md", max_bytes=limit)
        assert str(error.value) == f"The file is too large: {said} MB, and the limit is 2 MB."
    bucket.write("a.md", b"x" * limit)
    assert len(bucket.read_stable("a.md", max_bytes=limit)[1]) == limit


def test_a_reader_sees_the_old_object_or_the_new_one(bucket: Bucket) -> None:
    versions = [bytes([letter]) * 300_000 for letter in b"abc"]
    bucket.write("a.md", versions[0])
    done = threading.Event()

    def write() -> None:
        for round_ in range(30):
            bucket.write("a.md", versions[round_ % 3])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert bucket.read("a.md") in versions
        assert keys(bucket) == {"a.md"}
    writer.join()


def test_a_write_that_fails_leaves_nothing_behind(bucket: Bucket, folder: Path) -> None:
    (folder / "a.md").mkdir()
    with pytest.raises(Conflict):
        bucket.write("a.md", b"x")
    bucket.write("b.md", b"x")
    with pytest.raises(Conflict):
        bucket.write("b.md/c.md", b"x")
    assert {entry.name for entry in folder.iterdir()} == {"a.md", "b.md"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_bucket_refuses_changes(bucket: Bucket, folder: Path) -> None:
    bucket.write("a.md", b"x")
    folder.chmod(0o555)
    try:
        with pytest.raises(Conflict, match="read-only"):
            bucket.delete("a.md")
        with pytest.raises(Conflict, match="read-only"):
            bucket.write("b.md", b"x")
    finally:
        folder.chmod(0o755)


def test_deleting_twice_is_no_error(bucket: Bucket) -> None:
    bucket.write("a.md", b"x")
    bucket.delete("a.md")
    bucket.delete("a.md")


def test_an_unknown_scheme_is_a_setting_to_correct() -> None:
    with pytest.raises(SettingsError):
        Bucket("ftp://host/x")
