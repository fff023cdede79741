"""The index is disposable: whatever Chroma or the object store lose comes back."""

import random
import threading

import httpx
import numpy as np
import pytest
from sqlalchemy import delete, select, update

from rag_platform.embedding import stage as embedding_stage
from rag_platform.errors import IndexUnavailable
from rag_platform.index import rebuilding
from rag_platform.index.chroma import Chroma
from rag_platform.index.rebuilding import rebuild
from rag_platform.index.verification import verify
from rag_platform.ledger.generations import indexed_collections
from rag_platform.ledger.tables import (
    chunk_terms,
    chunk_vectors,
    chunks,
    documents,
    generation_collections,
    index_entries,
)

# What concerns Chroma or the object store alone is tried over one database.
on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


def _text(number: int) -> str:
    return f"# Paper {number}\n\nThe code word of paper number {number} is w{number}x."


@pytest.fixture
def filled(pipeline, put):
    """Eight documents, indexed; the counters count from here."""
    for number in range(8):
        put(f"handbook/{number}.md", _text(number))
    pipeline()
    pipeline.parser.parsed.clear()
    pipeline.encoders.encoded.clear()
    return pipeline


@pytest.fixture
def index(platform, filled):
    """The index of the only collection."""
    with platform.ledger.read() as connection:
        (found,) = indexed_collections(connection, [filled.live()[0].id])
    return found


@pytest.fixture
def stored(platform, index):
    """The ids of its vectors."""
    with platform.ledger.read() as connection:
        return sorted(connection.execute(select(index_entries.c.vector_id)).scalars())


def _unit(*numbers: float) -> np.ndarray:
    vector = np.zeros((1, 384), dtype=np.float32)
    vector[0, : len(numbers)] = numbers
    return vector / np.linalg.norm(vector)


def test_the_invariant_holds_after_ingestion(filled):
    result = filled.verify()
    assert result.problems == []
    assert (result.objects, result.vectors, result.queried) == (8, 8, 8)


def test_a_lost_document_row_fails_the_check(filled, put):
    put("handbook/new.md", _text(9))
    assert filled.verify().problems == ["handbook/new.md is in the bucket but not in the ledger."]
    assert not filled.verify(touched="handbook").passed


def test_a_tombstone_of_a_file_that_is_there_fails_the_check(filled, platform):
    with platform.ledger.write() as connection:
        connection.execute(
            update(documents).where(documents.c.key == "handbook/1.md").values(state="deleted")
        )
    assert "handbook/1.md is in the bucket but not in the ledger." in filled.verify().problems


def test_a_missing_entry_fails_the_check_and_is_repaired(filled, platform, stored):
    with platform.ledger.write() as connection:
        connection.execute(delete(index_entries).where(index_entries.c.vector_id == stored[0]))
    assert not filled.verify().passed
    assert not filled.verify(touched=None, exhaustive=False).passed
    assert filled()["handbook"].repaired == 1
    assert filled.verify().problems == []


@on_sqlite
@pytest.mark.parametrize("how", [{"exhaustive": True}, {"touched": "handbook"}, {"touched": None}])
def test_a_vector_missing_in_chroma_fails_the_check(filled, platform, index, stored, how):
    platform.chroma.delete(index.chroma_name, stored[:1])
    assert not filled.verify(**how).passed


def test_vectors_deleted_behind_the_ledgers_back_are_added_again(filled, platform, index, stored):
    platform.chroma.delete(index.chroma_name, stored[:3])
    report = filled()["handbook"]
    assert (report.repaired, report.added) == (3, 3)
    assert filled.parser.parsed == filled.encoders.encoded == []
    assert filled.verify().problems == []


@on_sqlite
def test_surplus_vectors_in_chroma_fail_the_check_and_are_removed(filled, platform, index):
    platform.chroma.add(index.chroma_name, ["f" * 32], _unit(1, 2))
    assert not filled.verify().passed
    assert not filled.verify(touched=None).passed
    assert filled()["handbook"].repaired == 1
    assert filled.verify().problems == []


@on_sqlite
def test_a_vector_that_took_the_place_of_another_is_noticed_though_the_count_is_right(
    filled, platform, index, stored
):
    platform.chroma.delete(index.chroma_name, stored[:1])
    platform.chroma.add(index.chroma_name, ["f" * 32], _unit(1, 2))
    assert not filled.verify().passed
    assert filled()["handbook"].repaired == 2
    assert filled.verify().problems == []


@on_sqlite
def test_a_wrong_vector_under_an_id_fails_the_check_and_a_rebuild_repairs_it(
    filled, platform, index, stored
):
    platform.chroma.delete(index.chroma_name, stored[:1])
    platform.chroma.add(index.chroma_name, stored[:1], _unit(1, 2))
    (problem,) = filled.verify().problems
    assert f"the vector {stored[0]} does not find itself" in problem
    list(rebuild(platform.ledger, platform.objects, platform.chroma))
    assert filled.verify().problems == []


def test_passages_that_are_alike_to_the_model_share_a_vector_and_hide_nothing(
    filled, platform, put
):
    # Longer words than the model reads are all the same to it.
    put("handbook/one line.txt", f"heron {random.Random(3).randbytes(60_000).hex()}")
    put("handbook/ducks.md", "Ducks swim on the lake.")
    filled()
    (count,) = (platform.chroma.count(name) for name in platform.chroma.names())
    assert 10 <= count <= 13
    assert filled.verify().problems == []
    (passage, *_) = platform.search("What do ducks do on a lake?").passages
    assert (passage.chunk.key, passage.dense_rank) == ("handbook/ducks.md", 1)


class Unreaching(Chroma):
    """A server whose graph does not reach one vector, as it happens among hundreds of twins."""

    missed = ""

    def query(self, name, vectors, n):
        found = super().query(name, vectors, n + 1)
        return [[hit for hit in hits if hit[0] != self.missed][:n] for hits in found]


@on_sqlite
def test_a_vector_that_its_twins_stand_before_is_no_loss(filled, platform, put):
    twin = "The shelf in the long corridor holds nine green lamps, a ladder and four old maps" * 3
    for number, text in enumerate((twin, f"{twin}!", "Ducks swim on the lake.")):
        put(f"handbook/shelf {number}.txt", text)
    filled()
    with platform.ledger.read() as connection:
        joined = select(chunks.c.text, chunk_vectors.c.vector_id).join(chunk_vectors)
        vector_of = {row.text: row.vector_id for row in connection.execute(joined)}
    chroma = Unreaching("127.0.0.1", platform.settings.chroma.port, timeout=5)

    def problems(text):
        chroma.missed = vector_of[text]
        return verify(
            platform.ledger, platform.bucket, platform.objects, chroma, touched="handbook"
        ).problems

    assert problems(twin) == []
    assert "does not find itself" in problems("Ducks swim on the lake.")[0]
    chroma.close()


@on_sqlite
def test_two_vectors_that_changed_places_fail_the_check(filled, platform, index, stored):
    from rag_platform.embedding.blocks import read_vectors

    with platform.ledger.read() as connection:
        vectors = read_vectors(connection, platform.objects, stored[:2], 384)
    one, other = stored[:2]
    platform.chroma.delete(index.chroma_name, [one, other])
    swapped = np.stack([vectors[one], vectors[other]])
    platform.chroma.add(index.chroma_name, [other, one], swapped)
    assert len(filled.verify().problems) == 2


def test_missing_terms_fail_the_check_and_are_counted_again(filled, platform):
    with platform.ledger.write() as connection:
        connection.execute(delete(chunk_terms))
    assert any("8 chunks without their words" in problem for problem in filled.verify().problems)
    assert any("keyword index" in problem for problem in filled.verify().problems)
    filled()
    assert filled.verify().problems == []


@on_sqlite
def test_a_lost_collection_fails_the_check(filled, platform, index):
    platform.chroma.drop(index.chroma_name)
    assert any("has lost the index" in problem for problem in filled.verify().problems)


def test_a_wiped_chroma_is_filled_again_without_parsing_or_embedding(filled, chroma_server, found):
    chroma_server.wipe()
    chroma_server.start()
    assert not filled.verify().passed
    report = filled()["handbook"]
    assert (report.added, report.current) == (8, True)
    assert filled.parser.parsed == filled.encoders.encoded == []
    assert found("code word w3x")[0] == "handbook/3.md"
    assert filled.verify().problems == []


@on_sqlite
def test_chroma_killed_between_two_stages_is_caught_up_with(filled, chroma_server, put, found):
    put("handbook/9.md", _text(9))
    filled.documents("handbook")
    chroma_server.kill()
    with pytest.raises(IndexUnavailable):
        filled.index("handbook")
    chroma_server.start()
    filled()
    assert len(filled.parser.parsed) == len(filled.encoders.encoded) == 1
    assert found("code word w9x")[0] == "handbook/9.md"
    assert filled.verify().problems == []


@on_sqlite
def test_chroma_killed_after_it_took_vectors_and_before_it_could_say_so(
    filled, chroma_server, put, platform
):
    class Unheard(type(platform.chroma)):
        def add(self, name, ids, vectors):
            super().add(name, ids, vectors)
            chroma_server.kill()
            raise IndexUnavailable("killed")

    settings = platform.settings.chroma
    put("handbook/9.md", _text(9))
    real, platform.chroma = platform.chroma, Unheard(settings.host, settings.port, timeout=5)
    with pytest.raises(IndexUnavailable):
        filled()
    platform.chroma.close()
    platform.chroma = real
    chroma_server.start()
    filled()
    assert filled.verify().problems == []


@on_sqlite
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-7]),
        lambda path: path.write_bytes(path.read_bytes()[: 384 * 4]),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_bytes(b"\xff" * path.stat().st_size),
    ],
    ids=["lost", "empty", "cut", "short", "zeros", "ones"],
)
def test_a_damaged_block_of_vectors_is_embedded_again(
    filled, platform, index, stored, damage, ledger_url
):
    (block,) = platform.objects.names("vectors")
    damage(platform.settings.home / "objects" / block)
    assert any("missing or damaged" in problem for problem in filled.verify().problems)
    platform.chroma.drop(index.chroma_name)
    filled()  # finds the damage
    assert filled()["handbook"].current
    assert len(filled.encoders.encoded) == 8
    assert filled.parser.parsed == []
    assert filled.verify().problems == []


@on_sqlite
def test_a_rebuild_finds_damaged_blocks_too(filled, platform):
    (block,) = platform.objects.names("vectors")
    (platform.settings.home / "objects" / block).unlink()
    list(rebuild(platform.ledger, platform.objects, platform.chroma))
    filled()
    assert len(filled.encoders.encoded) == 8
    assert filled.verify().problems == []


def test_a_rebuild_switches_to_a_new_index_and_leaves_no_other(filled, platform, index):
    ((name, vectors),) = rebuild(platform.ledger, platform.objects, platform.chroma)
    assert vectors == 8
    assert name != index.chroma_name
    assert platform.chroma.names() == [name]
    assert filled.parser.parsed == filled.encoders.encoded == []
    assert filled.verify().problems == []
    assert filled()["handbook"].current


@on_sqlite
def test_a_rebuild_reads_each_stored_array_once(pipeline, put, platform, monkeypatch):
    monkeypatch.setattr(embedding_stage, "BLOCK_ROWS", 4)
    monkeypatch.setattr(rebuilding, "BATCH", 4)
    for number in range(16):
        put(f"handbook/{number}.md", _text(number))
    pipeline()
    arrays = len(list(platform.objects.names("vectors")))
    assert arrays == 4
    read: list[str] = []
    get = platform.objects.get
    monkeypatch.setattr(platform.objects, "get", lambda name: [read.append(name), get(name)][1])
    ((_, vectors),) = rebuild(platform.ledger, platform.objects, platform.chroma)
    assert vectors == 16
    assert len(read) == arrays


@on_sqlite
def test_a_rebuild_removes_what_a_killed_one_left(filled, platform, index):
    platform.chroma.ensure(f"generation-1-collection-{index.collection_id}-killed")
    ((name, _),) = rebuild(platform.ledger, platform.objects, platform.chroma)
    assert platform.chroma.names() == [name]


def test_a_search_never_fails_while_the_index_is_rebuilt(filled, platform):
    stop = threading.Event()
    counts: list[object] = []

    def search() -> None:
        while not stop.is_set():
            try:
                passages = platform.search("code word of paper").passages
                counts.append(sum(p.dense_rank is not None for p in passages))
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                counts.append(error)

    platform.search.warm_up()
    searchers = [threading.Thread(target=search) for _ in range(2)]
    for thread in searchers:
        thread.start()
    try:
        for _ in range(8):
            list(rebuild(platform.ledger, platform.objects, platform.chroma))
    finally:
        stop.set()
        for thread in searchers:
            thread.join()
    assert len(counts) > 8
    assert set(counts) == {5}


@on_sqlite
def test_a_search_that_began_before_a_rebuild_ends_in_the_new_index(filled, platform, index):
    class Overtaken(type(platform.chroma)):
        done = False

        def query(self, name, vectors, n):
            if not Overtaken.done:
                Overtaken.done = True
                list(rebuild(platform.ledger, platform.objects, platform.chroma))
            return super().query(name, vectors, n)

    settings = platform.settings.chroma
    platform.search._chroma = Overtaken(settings.host, settings.port, timeout=5)
    passages = platform.search("code word w3x").passages
    assert passages[0].chunk.key == "handbook/3.md"
    assert passages[0].dense_rank is not None
    platform.search._chroma.close()


def test_an_ingestion_that_began_before_a_rebuild_loses_nothing(filled, platform, put, found):
    class Overtaken(type(platform.chroma)):
        done = False

        def add(self, name, ids, vectors):
            super().add(name, ids, vectors)
            if not Overtaken.done:
                Overtaken.done = True
                list(rebuild(platform.ledger, platform.objects, real))

    settings = platform.settings.chroma
    real, platform.chroma = platform.chroma, Overtaken(settings.host, settings.port, timeout=5)
    put("handbook/9.md", _text(9))
    assert filled()["handbook"].current
    assert found("code word w9x")[0] == "handbook/9.md"
    assert filled.verify().problems == []
    real.close()


@on_sqlite
def test_an_index_emptied_on_purpose_is_not_a_lost_one(filled, platform, bucket_folder, index):
    for path in (bucket_folder / "handbook").iterdir():
        path.unlink()
    filled()
    assert filled.verify().problems == []
    assert platform.search("code word").passages == ()
    platform.chroma.drop(index.chroma_name)
    assert platform.search("code word").passages == ()


@on_sqlite
def test_a_lost_index_is_an_error_also_before_it_was_ever_proved(filled, platform, chroma_server):
    from rag_platform.errors import IndexMissing

    with platform.ledger.write() as connection:
        connection.execute(update(generation_collections).values(vectors=0, indexed_revision=-1))
    url = f"http://127.0.0.1:{chroma_server.port}/api/v2/tenants/default_tenant/databases"
    for name in platform.chroma.names():
        httpx.delete(f"{url}/default_database/collections/{name}").raise_for_status()
    with pytest.raises(IndexMissing):
        platform.search("code word")
