"""The nothing-lost invariant: the bucket, the ledger and the indexes agree."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa

from rag_platform.documents.bucket import Bucket
from rag_platform.embedding.blocks import VectorsLost, read_vectors
from rag_platform.errors import BucketUnavailable, IndexMissing
from rag_platform.index.catalogue import Catalogue
from rag_platform.index.chroma import Chroma
from rag_platform.ledger import Ledger
from rag_platform.ledger.backlog import backlog
from rag_platform.ledger.collections import list_collections
from rag_platform.ledger.documents import living_fingerprints, readable
from rag_platform.ledger.entries import entries, expected_vectors, wanted_vectors
from rag_platform.ledger.generations import Generation, IndexedCollection, indexed_collections
from rag_platform.ledger.serving import live_generations
from rag_platform.ledger.tables import chunks, documents
from rag_platform.objects import Objects

DISTANCE = 1e-5
"""The largest distance at which a stored vector has to find itself (or its equal)."""

TWIN_DISTANCE = 1e-2
"""The distance of passages that say nearly the same. Where hundreds of them lie this close, the
graph of an index reaches some only by others, which answer in their place."""

_UNREACHED = 0.01
"""An approximate search misses a few vectors that are there. So large a share of them, and no
larger, is no fault of the index."""
_SAMPLE = 200
_QUERIES = 100


@dataclass(slots=True)
class Verification:
    """What was compared, and every disagreement as a sentence."""

    exhaustive: bool
    objects: int = 0
    documents: int = 0
    vectors: int = 0
    queried: int = 0
    unreached: int = 0
    """Vectors that Chroma holds as they are stored, and that its search misses."""
    problems: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])
    """What is not finished, as sentences, where that is no problem."""

    @property
    def passed(self) -> bool:
        """Whether nothing was lost."""
        return not self.problems


def verify(
    ledger: Ledger,
    bucket: Bucket,
    objects: Objects,
    chroma: Chroma,
    *,
    touched: str | None = None,
    exhaustive: bool = False,
    finished: bool = True,
) -> Verification:
    """Check the invariant over all collections and live generations.

    Counts are compared everywhere but where work is under way in a collection that the run did not
    touch. Ids are compared one by one, and stored vectors sent as queries, for the collection that
    a run ``touched`` (at most 200 vectors), or for everything when ``exhaustive``. The bucket's
    listing is compared under the same rule. That work is left is a problem where everything should
    be ``finished``; a run that does a bounded part of it says so, and loses nothing.
    """
    result = Verification(exhaustive)
    _compare_bucket(ledger, bucket, result, touched)
    with ledger.read() as connection:
        generations = live_generations(connection)
        indexes = indexed_collections(connection, [g.id for g in generations])
        by_id = {generation.id: generation for generation in generations}
        for name in (c.name for c in list_collections(connection)):
            for generation in generations:
                # Elsewhere it is work under way: the next run of that collection makes it.
                compared = exhaustive or name == touched
                if (
                    compared
                    and generation.state != "building"
                    and not any(
                        i.collection == name and i.generation_id == generation.id for i in indexes
                    )
                ):
                    (result.problems if finished else result.left).append(
                        f"Generation {generation.id} has no index of {name!r} yet."
                    )
    for index in indexes:
        thorough = exhaustive or index.collection == touched
        building = by_id[index.generation_id].state == "building"
        if not index.is_current and (building or not thorough):
            continue  # unfinished, not lost: a run of that collection is under way or asked for
        _compare_index(
            ledger,
            objects,
            chroma,
            by_id[index.generation_id],
            index,
            result,
            thorough=thorough,
            finished=finished or index.is_current,
        )
    return result


def verify_generation(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    generation: Generation,
    result: Verification,
) -> None:
    """Compare everything in one generation's indexes, and send every vector as a query."""
    with ledger.read() as connection:
        indexes = indexed_collections(connection, [generation.id])
    for index in indexes:
        _compare_index(ledger, objects, chroma, generation, index, result, thorough=True)


def _compare_bucket(
    ledger: Ledger, bucket: Bucket, result: Verification, touched: str | None
) -> None:
    keys: set[str] = set()
    # The bucket first: what appears afterwards is news, not a loss.
    if result.exhaustive:
        for source in bucket.sources:
            try:
                keys.update(item.key for item in bucket.list_source(source))
            except BucketUnavailable as error:
                result.problems.append(str(error))
    elif touched is not None:
        keys.update(item.key for item in bucket.list_collection(touched))
    with ledger.read() as connection:
        collections = [
            item
            for item in list_collections(connection)
            if result.exhaustive or item.name == touched
        ]
        known = living_fingerprints(connection, [item.id for item in collections])
    result.objects += len(keys)
    result.documents += len(known)
    lost = sorted(keys - known.keys())
    result.problems += [f"{key} is in the bucket but not in the ledger." for key in lost]


def _compare_index(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    generation: Generation,
    index: IndexedCollection,
    result: Verification,
    *,
    thorough: bool,
    finished: bool = True,
) -> None:
    where = f"generation {generation.id}, {index.collection!r}"
    with ledger.read() as connection:
        expected = set(
            connection.execute(expected_vectors(generation, index.collection_id)).scalars()
        )
        held = set(connection.execute(entries(generation.id, index.collection_id)).scalars())
        if not finished:  # what is to be added or removed is work that is left
            whole = connection.execute(wanted_vectors(generation, index.collection_id)).scalars()
            expected = held = held.intersection(whole)
        lacking = backlog(connection, generation, index.collection_id)
        keywords = Catalogue(generation, index.collection_id)
        if thorough:
            keywords.refresh(connection)
            wanted = _readable_chunk_ids(connection, generation, index.collection_id)
        else:
            wanted = keywords.chunk_ids()
    if lacking:
        sentence = f"In {where} work is left: {lacking.sentence}."
        (result.problems if finished else result.left).append(sentence)
    if keywords.chunk_ids() != wanted:
        result.problems.append(f"In {where} the keyword index does not hold the current chunks.")
    result.vectors += len(expected)
    if expected != held:
        result.problems.append(
            f"In {where} the ledger wants {len(expected)} vectors and noted {len(held)}."
        )
    try:
        if thorough:
            present = set(chroma.ids(index.chroma_name))
            if not finished:
                present &= expected  # a run may be adding more
            if present != expected:
                result.problems.append(
                    f"In {where} Chroma lacks {len(expected - present)} vectors and has "
                    f"{len(present - expected)} too many."
                )
            sample = sorted(expected) if result.exhaustive else sorted(expected)[:_SAMPLE]
            _query_themselves(ledger, objects, chroma, generation, index, sample, result, where)
        elif (count := chroma.count(index.chroma_name)) != len(expected):
            result.problems.append(
                f"In {where} Chroma has {count} vectors and the ledger wants {len(expected)}."
            )
    except (IndexMissing, VectorsLost) as error:
        result.problems.append(str(error))


def _query_themselves(
    ledger: Ledger,
    objects: Objects,
    chroma: Chroma,
    generation: Generation,
    index: IndexedCollection,
    ids: Sequence[str],
    result: Verification,
    where: str,
) -> None:
    dimension: int = generation.spec["encoder"]["dimension"]
    lost: list[str] = []
    unreached: list[str] = []
    for start in range(0, len(ids), _QUERIES):
        batch = ids[start : start + _QUERIES]
        with ledger.read() as connection:
            stored = read_vectors(connection, objects, batch, dimension)
        found = chroma.query(index.chroma_name, np.stack([stored[i] for i in batch]), 1)
        nearest = {
            vector: hits[0][0]
            for vector, hits in zip(batch, found, strict=True)
            if hits and hits[0][1] <= DISTANCE
        }
        # Another id may answer, but only one whose own vector is the same: not one that was
        # given this vector by mistake.
        with ledger.read() as connection:
            others = read_vectors(connection, objects, set(nearest.values()), dimension)
        missed = [
            vector
            for vector in batch
            if (other := others.get(nearest.get(vector, ""))) is None
            or 1.0 - float(other @ stored[vector]) > DISTANCE
        ]
        held = chroma.vectors(index.chroma_name, missed) if missed else {}
        as_near = {
            vector
            for vector, hits in zip(batch, found, strict=True)
            if hits and hits[0][1] <= TWIN_DISTANCE
        }
        for vector in missed:
            if vector not in held or 1.0 - float(held[vector] @ stored[vector]) > DISTANCE:
                lost.append(vector)
            elif vector not in as_near:
                unreached.append(vector)
    result.queried += len(ids)
    result.unreached += len(unreached)
    if len(unreached) > _UNREACHED * len(ids):
        lost += unreached
    result.problems += [
        f"In {where} the vector {vector} does not find itself; the job rebuild_index repairs that."
        for vector in lost
    ]


def _readable_chunk_ids(
    connection: sa.Connection, generation: Generation, collection_id: int
) -> set[str]:
    return set(
        connection.execute(
            sa.select(chunks.c.id)
            .join_from(chunks, documents, documents.c.indexed_content_id == chunks.c.content_id)
            .where(
                readable(),
                documents.c.collection_id == collection_id,
                chunks.c.chunking == generation.chunking,
            )
            .distinct()
        ).scalars()
    )
