"""The dense half of a search: the chunks whose vectors are nearest to the question's."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from rag_platform.embedding.blocks import read_vectors
from rag_platform.embedding.encoder import Vectors
from rag_platform.errors import IndexMissing
from rag_platform.index.chroma import Chroma
from rag_platform.ledger import Ledger
from rag_platform.ledger.entries import entries
from rag_platform.ledger.generations import IndexedCollection, indexed_collections
from rag_platform.ledger.passages import vectors_of_chunks
from rag_platform.objects import Objects
from rag_platform.retrieval.asked import Asked

_MOST = 5000
"""The most neighbours that Chroma is asked for."""
_SCANNED = 2000
"""So many chunks or fewer are compared with the question one by one."""


class DenseCandidates:
    """Asks Chroma, or compares stored vectors where a filter lets few pass."""

    def __init__(self, ledger: Ledger, objects: Objects, chroma: Chroma) -> None:
        self._ledger = ledger
        self._objects = objects
        self._chroma = chroma
        self._asking = ThreadPoolExecutor(16, thread_name_prefix="chroma")

    def __call__(
        self,
        asked: Asked,
        vector: Vectors,
        n: int,
        wanted: int,
        allowed: npt.NDArray[np.bool_] | None,
    ) -> dict[int, float]:
        """The cosine of the ``n`` nearest chunks that may be found, by row.

        A filter that lets many pass is answered by the index, which is asked for more; one that
        lets few pass, by comparing them one by one. Both give the same.
        """
        corpus = asked.corpus
        few = len(corpus) if allowed is None else int(allowed.sum())
        if allowed is not None and (few <= _SCANNED or n * len(corpus) > _MOST * few):
            return self._scan(asked, vector, n, np.flatnonzero(allowed).tolist())
        n_asked = n * len(corpus) // few if few else n
        enough = n if allowed is not None else wanted
        while True:
            near, exhausted = self._near(asked, vector[None, :], n_asked)
            rows = [
                (row, similarity)
                for name, vector_id, similarity in near
                for row in corpus.rows_of(name, vector_id)
                if allowed is None or allowed[row]
            ]
            found = corpus.by_chunk(rows)
            if exhausted and allowed is not None and len(found) < min(n, few):
                # Those that pass lie behind the most that the index is asked for.
                return self._scan(asked, vector, n, np.flatnonzero(allowed).tolist())
            if exhausted or len(found) >= enough:
                return dict(list(found.items())[:n])
            # What was just deleted or replaced is in Chroma for a moment and hides what is behind.
            n_asked *= 4

    def _scan(self, asked: Asked, vector: Vectors, n: int, rows: Sequence[int]) -> dict[int, float]:
        generation = asked.view.serving.generation
        by_id = {asked.corpus.chunk_id(row): row for row in rows}
        with self._ledger.read() as connection:
            of_chunks = vectors_of_chunks(connection, generation, list(by_id))
            stored = read_vectors(connection, self._objects, of_chunks, len(vector))
        similarities = [
            (by_id[chunk_id], float(stored[vector_id] @ vector))
            for vector_id, chunk_ids in of_chunks.items()
            for chunk_id in chunk_ids
        ]
        similarities.sort(key=lambda hit: (-hit[1], asked.corpus.chunk_id(hit[0])))
        return dict(list(asked.corpus.by_chunk(similarities).items())[:n])

    def _near(
        self, asked: Asked, vectors: Vectors, n: int
    ) -> tuple[list[tuple[str, str, float]], bool]:
        """The ``n`` nearest vectors by cosine, nearest first, and whether there are no more.

        Each with its collection.
        """
        n = min(n, _MOST)
        indexes = [asked.view.indexes[name] for name in asked.names if name in asked.view.indexes]
        if len(indexes) == 1:
            hits = [self._nearest(indexes[0], vectors, n)]
        else:
            futures = [self._asking.submit(self._nearest, index, vectors, n) for index in indexes]
            hits = [future.result() for future in futures]
        near = [
            (index.collection, vector_id, 1.0 - distance)
            for index, found in zip(indexes, hits, strict=True)
            for vector_id, distance in found
        ]
        near.sort(key=lambda hit: (-hit[2], hit[1], hit[0]))
        exhausted = len(near) <= n and all(len(found) < n for found in hits)
        return near[:n], exhausted or n >= _MOST

    def _nearest(
        self, index: IndexedCollection, vectors: Vectors, n: int
    ) -> list[tuple[str, float]]:
        try:
            return self._chroma.query(index.chroma_name, vectors, n)[0]
        except IndexMissing:
            with self._ledger.read() as connection:
                now = _same(indexed_collections(connection, [index.generation_id]), index)
                held = entries(index.generation_id, index.collection_id).limit(1)
                empty = connection.execute(held).first() is None
            if empty:
                return []  # nothing was ever indexed there: empty, not lost
            # A rebuild may have switched, or somebody made the lost one anew: look once more.
            return self._chroma.query(now.chroma_name, vectors, n)[0]


def _same(indexes: Sequence[IndexedCollection], index: IndexedCollection) -> IndexedCollection:
    return next(item for item in indexes if item.collection_id == index.collection_id)
