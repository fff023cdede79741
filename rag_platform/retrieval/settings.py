"""Retrieval settings: versioned in the ledger, named by what serves."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class RetrievalSettings:
    """How candidates become passages.

    ``candidates`` of each half are fused. ``dense_weight`` is the share of the dense score in the
    fused one, the rest is the keywords'; ``neighbour_weight`` is what a chunk gains of the scores
    beside it. ``k1`` and ``b`` are BM25's: chunks are short, so a word that comes twice says little
    more than one that comes once. Nothing relevant was found where the best cosine and
    ``keyword_relevance`` of the best keyword score, as a share of what it could be, are below
    ``min_relevance`` together. Where there is a reranker, it orders the first ``reranked``.
    """

    candidates: int = 50
    dense_weight: float = 0.5
    neighbour_weight: float = 0.2
    k1: float = 0.1
    b: float = 0.75
    top_k: int = 5
    keyword_relevance: float = 0.3
    min_relevance: float = 0.42
    reranked: int = 20

    def to_dict(self) -> dict[str, Any]:
        """As stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RetrievalSettings":
        """As read; keys that a newer version wrote are ignored."""
        return cls(**{k: v for k, v in values.items() if k in cls.__dataclass_fields__})
