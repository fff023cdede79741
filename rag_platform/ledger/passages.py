"""Queries that turn an index's hits into passages that readers may see.

What an index returns is only a candidate: the ledger decides what is current and who may read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa

from rag_platform.ledger.documents import readable
from rag_platform.ledger.filters import EVERYTHING, Filters
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.places import Place, at, most_of, unpacked
from rag_platform.ledger.statements import AnyRow, AnySelect, fetch_in, in_batches
from rag_platform.ledger.tables import (
    chunk_vectors,
    chunks,
    collections,
    contents,
    documents,
    generation_collections,
    serving,
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk with the document that it is cited from."""

    id: str
    content_id: str
    collection: str
    key: str
    title: str
    page: int | None
    heading_path: tuple[str, ...]
    """What all of it stands under."""
    start: int
    end: int
    text: str
    places: tuple[Place, ...] = ()
    """Where the page or the heading changes, in order; the first is where it starts."""
    table_columns: str | None = None

    def place_at(self, offset: int) -> Place:
        """The page and the headings of what stands at an offset of the document's text."""
        if not self.places:
            return Place(self.start, self.page, self.heading_path)
        return at(self.places, offset)

    @property
    def main_path(self) -> tuple[str, ...]:
        """The headings that most of it stands under, also those of a section that it contains."""
        return most_of(self.places, self.end) if self.places else self.heading_path


@dataclass(frozen=True, slots=True)
class Revisions:
    """Which state of the ledger readers see: equal revisions mean that nothing changed for them."""

    serving: int
    collections: tuple[tuple[int, int, str | None], ...]
    """The id and the revision of each collection, and the name of its index."""


def current_revisions(connection: sa.Connection) -> Revisions | None:
    """The revisions of this moment, by one query; None where nothing serves yet."""
    rows = connection.execute(
        sa.select(
            serving.c.revision,
            collections.c.id,
            collections.c.revision,
            generation_collections.c.chroma_name,
        )
        .select_from(serving)
        .outerjoin(collections, sa.true())
        .outerjoin(
            generation_collections,
            (generation_collections.c.generation_id == serving.c.generation_id)
            & (generation_collections.c.collection_id == collections.c.id),
        )
        .order_by(collections.c.id)
    ).all()
    if not rows:
        return None
    known = tuple((row[1], row[2], row[3]) for row in rows if row[1] is not None)
    return Revisions(rows[0][0], known)


def vectors_of_chunks(
    connection: sa.Connection, generation: Generation, chunk_ids: Sequence[str]
) -> dict[str, list[str]]:
    """The vectors of some chunks, each with the chunks that have it."""
    statement = sa.select(chunk_vectors.c.vector_id, chunk_vectors.c.chunk_id).where(
        chunk_vectors.c.embedding == generation.embedding
    )
    found: dict[str, list[str]] = {}
    for row in fetch_in(connection, statement, chunk_vectors.c.chunk_id, list(chunk_ids)):
        found.setdefault(row.vector_id, []).append(row.chunk_id)
    return found


def readable_chunks(
    connection: sa.Connection,
    generation: Generation,
    chunk_ids: Sequence[str],
    collection_ids: Sequence[int],
    filters: Filters = EVERYTHING,
) -> dict[str, Chunk]:
    """Those of the chunks that readers see in these collections, whole, by id.

    Where several documents hold the same bytes, the first by collection and key is cited.
    """
    best: dict[str, Chunk] = {}
    statement = _readable(filters)
    for batch in in_batches(chunk_ids):
        values = {
            "chunks": list(batch),
            "collections": list(collection_ids),
            "chunking": generation.chunking,
        }
        for row in connection.execute(statement, values):
            chunk = _chunk(row)
            known = best.get(chunk.id)
            if known is None or (chunk.collection, chunk.key) < (known.collection, known.key):
                best[chunk.id] = chunk
    return best


@lru_cache(maxsize=64)
def _readable(filters: Filters) -> AnySelect:
    """Made once: to put it together takes longer than to run it."""
    return (
        sa.select(
            chunks.c.id,
            chunks.c.content_id,
            collections.c.name,
            documents.c.key,
            contents.c.title,
            chunks.c.page,
            chunks.c.heading_path,
            chunks.c.places,
            chunks.c.table_columns,
            chunks.c.start,
            chunks.c.end,
            chunks.c.text,
        )
        .join_from(chunks, documents, documents.c.indexed_content_id == chunks.c.content_id)
        .join(contents, contents.c.id == chunks.c.content_id)
        .join(collections, collections.c.id == documents.c.collection_id)
        .where(
            readable(),
            chunks.c.id.in_(sa.bindparam("chunks", expanding=True)),
            documents.c.collection_id.in_(sa.bindparam("collections", expanding=True)),
            chunks.c.chunking == sa.bindparam("chunking"),
            *filters.conditions(),
        )
    )


def title_of(title: str | None, key: str) -> str:
    """What a document is called where it has no title: its file name."""
    return title or key.rsplit("/", 1)[-1]


def _chunk(row: AnyRow) -> Chunk:
    return Chunk(
        id=row.id,
        content_id=row.content_id,
        collection=row.name,
        key=row.key,
        title=title_of(row.title, row.key),
        page=row.page,
        heading_path=tuple(row.heading_path),
        start=row.start,
        end=row.end,
        text=row.text,
        places=tuple(unpacked(row.places or (), row.heading_path)),
        table_columns=row.table_columns,
    )


def chunk_places(
    connection: sa.Connection, generation: Generation, content_id: str
) -> list[tuple[int, int]]:
    """Where each chunk of a content begins and ends in its text, in order."""
    rows = connection.execute(
        sa.select(chunks.c.start, chunks.c.end)
        .where(chunks.c.content_id == content_id, chunks.c.chunking == generation.chunking)
        .order_by(chunks.c.ordinal)
    )
    return [(row.start, row.end) for row in rows]
