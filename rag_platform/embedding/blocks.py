"""Stored vectors: float32 arrays in the object store, their rows named by the ledger.

They stand outside Chroma so that an index can be rebuilt without embedding anything again.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import sqlalchemy as sa

from rag_platform.embedding.encoder import Vectors
from rag_platform.errors import NotFound, RagError
from rag_platform.ledger.digests import digest
from rag_platform.ledger.statements import fetch_in
from rag_platform.ledger.tables import vectors as table
from rag_platform.objects import Objects

BLOCK_ROWS = 256
"""Vectors per array: what a kill costs at most, some seconds of encoding."""


_UNIT = 1e-3
"""How far the square of a stored vector's length may be from 1."""


class VectorsLost(RagError):
    """A block of stored vectors is missing or damaged; its vectors have to be made again."""

    def __init__(self, block: str) -> None:
        super().__init__(
            f"The stored vectors {block} are missing or damaged.",
            "Start the job rebuild_index: they are embedded again.",
        )
        self.block = block


def write_block(objects: Objects, encoder: str, ids: Sequence[str], vectors: Vectors) -> str:
    """Store an array of shape (len(ids), dimension) and return the object's name."""
    name = f"vectors/{encoder}/{digest(*ids)}.f32"
    objects.put(name, np.ascontiguousarray(vectors, dtype="<f4").tobytes())
    return name


def read_vectors(
    connection: sa.Connection, objects: Objects, ids: Iterable[str], dimension: int
) -> dict[str, Vectors]:
    """The stored vectors of these ids, each of shape (dimension,).

    Ids that the ledger does not know are left out. Raises :class:`VectorsLost` for a block that
    is not what the ledger says.
    """
    places: dict[str, list[tuple[str, int]]] = {}
    statement = sa.select(table.c.id, table.c.block, table.c.row)
    for row in fetch_in(connection, statement, table.c.id, list(ids)):
        places.setdefault(row.block, []).append((row.id, row.row))
    found: dict[str, Vectors] = {}
    for block, rows in places.items():
        array = _read_block(objects, block, dimension)
        if max(row for _, row in rows) >= len(array):
            raise VectorsLost(block)
        for vector_id, row in rows:
            found[vector_id] = array[row]
    return found


def _read_block(objects: Objects, block: str, dimension: int) -> Vectors:
    try:
        data = objects.get(block)
    except NotFound as error:
        raise VectorsLost(block) from error
    if not data or len(data) % (4 * dimension):
        raise VectorsLost(block)
    vectors = np.frombuffer(data, dtype="<f4").reshape(-1, dimension)
    # A disk that lost power may keep a file's size and not its bytes: unit vectors tell.
    with np.errstate(all="ignore"):
        lengths = np.einsum("ij,ij->i", vectors, vectors)
    if not np.all(np.abs(lengths - 1.0) < _UNIT):
        raise VectorsLost(block)
    return vectors
