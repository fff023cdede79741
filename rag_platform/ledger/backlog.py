"""What an index still lacks, counted in one moment's state of the ledger."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from rag_platform.ledger.documents import wanted_contents
from rag_platform.ledger.entries import entries, expected_vectors, is_embedded, wanted_vectors
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.statements import AnySelect
from rag_platform.ledger.tables import chunk_terms, chunked_contents, chunks, documents


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one generation's index of one collection still lacks."""

    unchunked: int
    unembedded: int
    unanalysed: int
    missing: int
    surplus: int
    unpublished: int

    def __bool__(self) -> bool:
        return any(
            (
                self.unchunked,
                self.unembedded,
                self.unanalysed,
                self.missing,
                self.surplus,
                self.unpublished,
            )
        )

    @property
    def sentence(self) -> str:
        """What is left, for people."""
        parts = {
            "documents to split": self.unchunked,
            "chunks without a vector": self.unembedded,
            "chunks without their words": self.unanalysed,
            "vectors to add": self.missing,
            "vectors to remove": self.surplus,
            "documents that readers do not see yet": self.unpublished,
        }
        return ", ".join(f"{count} {what}" for what, count in parts.items() if count)


def backlog(connection: sa.Connection, generation: Generation, collection_id: int) -> Backlog:
    """Count what the index lacks, in the state that this transaction sees."""
    wanted = wanted_contents(collection_id).subquery()
    wanted_ids = sa.select(wanted.c[0])
    chunked = sa.select(chunked_contents.c.content_id).where(
        chunked_contents.c.chunking == generation.chunking
    )
    mine = (chunks.c.chunking == generation.chunking) & chunks.c.content_id.in_(wanted_ids)
    analysed = sa.exists().where(
        chunk_terms.c.chunk_id == chunks.c.id, chunk_terms.c.analysis == generation.analysis
    )
    held = entries(generation.id, collection_id)

    def count(statement: AnySelect | sa.CompoundSelect[Any]) -> int:
        return connection.execute(
            sa.select(sa.func.count()).select_from(statement.subquery())
        ).scalar_one()

    return Backlog(
        unchunked=count(wanted_ids.where(wanted.c[0].not_in(chunked))),
        unembedded=count(sa.select(chunks.c.id).where(mine, ~is_embedded(generation, chunks.c.id))),
        unanalysed=count(sa.select(chunks.c.id).where(mine, ~analysed)),
        missing=count(sa.except_(expected_vectors(generation, collection_id), held)),
        surplus=count(sa.except_(held, wanted_vectors(generation, collection_id))),
        unpublished=count(
            sa.select(documents.c.id).where(
                documents.c.collection_id == collection_id,
                documents.c.state == "pending",
                # One that was never read is the bucket's news, not the index's work: an upload
                # that takes long would start one run after the other.
                documents.c.content_id.is_not(None),
            )
        ),
    )
