"""Which keys are documents, and which may be uploaded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_platform.documents.bucket import UPLOAD_PREFIX, checked_key, collection_of, is_ignored
from rag_platform.errors import InvalidRequest


def test_the_top_folder_is_the_collection() -> None:
    assert collection_of("Räte/2024/a.md") == "Räte"
    assert collection_of("a.md") == "default"


@pytest.mark.parametrize(
    "key",
    [
        ".foo",
        "~$foo.docx",
        "foo~",
        "a/foo.tmp",
        "foo.PART",
        "foo.crdownload",
        ".foo.md.swp",
        "a/.DS_Store",
        "Thumbs.db",
        ".hidden/a.md",
        "a/.git/b/c.md",
        f"a/{UPLOAD_PREFIX}1.part",
    ],
)
def test_temporary_and_hidden_names_are_ignored(key: str) -> None:
    assert is_ignored(key)


@pytest.mark.parametrize("key", ["a.md", "a~b.md", "tmp/a.md", "part.md", "a.b.c.md", "~a.md"])
def test_other_names_are_not(key: str) -> None:
    assert not is_ignored(key)


@pytest.mark.parametrize(
    ("collection", "name"),
    [
        ("..", "a.md"),
        (".", "a.md"),
        ("", "a.md"),
        ("a", ""),
        ("a", "   "),
        ("a", "\u200b"),
        ("a", "../b.md"),
        ("a", "/b.md"),
        ("a/b", "c.md"),
        ("a", "b\\c.md"),
        ("a", "b\x00.md"),
        ("a", "b\n.md"),
        ("a", "\ud800.md"),
        ("a", "ü" * 128),
        ("a", ".htaccess"),
        (".git", "a.md"),
        ("a", "b.tmp"),
    ],
)
def test_an_unsafe_upload_is_refused_in_one_sentence(collection: str, name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_key(collection, name)
    assert str(refused.value).endswith(".")
    str(refused.value).encode()


def test_unicode_and_blanks_are_kept_as_given() -> None:
    assert checked_key("Räte", "U\u0308ber uns (2).md") == "Räte/U\u0308ber uns (2).md"


@given(st.text(), st.text())
def test_a_key_that_passes_is_two_plain_segments(collection: str, name: str) -> None:
    try:
        key = checked_key(collection, name)
    except InvalidRequest:
        return
    assert key.split("/") == [collection, name]
    assert not {"", ".", ".."} & set(key.split("/"))
    assert collection_of(key) == collection
    assert not is_ignored(key)
