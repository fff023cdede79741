"""The decision of the bucket's sensor, without a bucket."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from assets.partitions import collection_name, partition_key
from rag_platform.documents.bucket import BucketObject
from rag_platform.documents.watching import compare


def _object(key: str, etag: str = "1") -> BucketObject:
    return BucketObject(key, 1, datetime(2026, 1, 1, tzinfo=UTC), etag)


def _look(*objects: BucketObject) -> dict[str, str]:
    return {item.key: item.fingerprint for item in objects}


def test_nothing_is_reported_where_the_ledger_knows_everything():
    item = _object("handbook/a.md")
    assert compare([item], {}, _look(item)) == compare([], {}, {})


def test_a_new_object_counts_at_the_second_equal_look():
    item = _object("handbook/a.md")
    first = compare([item], {}, {})
    assert (first.reasons, first.settling) == ({}, 1)
    second = compare([item], _look(item), {})
    assert second.reasons == {"handbook": "1 new or changed, such as handbook/a.md"}


def test_an_object_that_changes_between_two_looks_waits():
    before, now = _object("handbook/a.md", "1"), _object("handbook/a.md", "2")
    difference = compare([now], _look(before), {})
    assert (difference.reasons, difference.settling) == ({}, 1)


def test_a_known_object_that_changed_counts_when_it_is_settled():
    old, now = _object("handbook/a.md", "1"), _object("handbook/a.md", "2")
    assert compare([now], _look(now), _look(old)).reasons.keys() == {"handbook"}


def test_an_object_that_was_announced_and_never_read_counts():
    item = _object("handbook/a.md")
    assert compare([item], _look(item), {"handbook/a.md": None}).reasons.keys() == {"handbook"}


def test_an_object_that_is_gone_counts_at_once():
    difference = compare([], {}, {"handbook/a.md": "x", "handbook/b.md": None, "root.md": "x"})
    assert difference.reasons == {
        "default": "1 gone, such as root.md",
        "handbook": "2 gone, such as handbook/a.md",
    }


@given(st.text(min_size=1).filter(lambda name: name.isprintable() or max(name) < "\ud800"))
def test_every_collection_has_a_partition_key_that_dagster_takes(name):
    key = partition_key(name)
    assert collection_name(key) == name
    assert "..." not in key
    assert key.isprintable()


def test_odd_names_have_keys_of_their_own():
    names = ["Räte", "a b", "a...b", "a....b", "100%", "100%25", "a\nb", "a\u00a0b", "日本", "🙂"]
    assert len({partition_key(name) for name in names}) == len(names)
    assert partition_key("handbook") == "handbook"
    assert partition_key("Räte") == "Räte"
