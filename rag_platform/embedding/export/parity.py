"""How far the vectors of two encoders are apart, over texts that try what encoders get wrong."""

from dataclasses import dataclass

import numpy as np

from rag_platform.embedding.encoder import Encoder, Vectors
from rag_platform.embedding.export.original import Original
from rag_platform.embedding.files import ModelFiles

_PROBES = (
    "What is the refund policy?",
    "A passage is embedded together with its TITLE.",
    "Ein Satz mit Umlauten: Übergrößenträger, Straße, 100 %.",
    "日本語の文章もあります。休暇は三十日です。",
    "  spaces before, between   and behind  ",
    "Lines > of headings\n\nand\tof text.\n",
    "🙂 emoji, ﬁ ligatures, e\u0301 combining",
    "SELECT * FROM x WHERE y <> 'z'; -- {\"a\": [1, 2]}",
    "short",
    "The council decides on the budget of the coming year in its last session in December.",
    "Parental leave lasts fourteen weeks and may be divided between both parents.",
    "Nach dem Beschluss des Rates werden die Mittel erst im folgenden Jahr ausgezahlt.",
)
_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_LONGEST = 512
"""Tokens of the longest probe: no more are needed to see positions that are counted wrongly."""


@dataclass(frozen=True, slots=True)
class Parity:
    """The vectors of one encoder beside those of another."""

    texts: int
    largest_difference: float
    """Of any component."""
    smallest_cosine: float
    mean_cosine: float


def exact_parity(original: Original, files: ModelFiles) -> Parity:
    """The served file beside sentence-transformers: passages, questions, one of them too long."""
    encoder = Encoder(files, threads=2)
    texts = _texts(encoder)
    asked = [*texts, f"{texts[-1]} {texts[-1]}"] if encoder.max_tokens <= _LONGEST else texts
    return _parity(
        np.concatenate([original.encode_documents(texts), original.encode_queries(asked)]),
        np.concatenate(
            [encoder.encode_documents(texts), np.stack([encoder.encode_query(t) for t in asked])]
        ),
    )


def fast_parity(exact: ModelFiles, fast: ModelFiles) -> Parity:
    """The int8 file beside the exact one."""
    one = Encoder(exact, threads=2)
    texts = _texts(one)
    return _parity(one.encode_documents(texts), Encoder(fast, threads=2).encode_documents(texts))


def _texts(encoder: Encoder) -> list[str]:
    """The probes that the model reads whole, and one that fills it to the last token or nearly."""
    most = min(encoder.max_tokens, _LONGEST)
    long: list[str] = []
    while encoder.count_tokens(" ".join([*long, *_WORDS])) <= most:
        long += _WORDS
    for word in _WORDS:
        if encoder.count_tokens(" ".join([*long, word])) <= most:
            long.append(word)
    fitting = [text for text in _PROBES if encoder.count_tokens(text) <= most]
    return [*fitting, " ".join(long)]


def _parity(one: Vectors, other: Vectors) -> Parity:
    cosines = np.einsum("ij,ij->i", one, other)
    return Parity(
        len(one),
        float(np.abs(one - other).max()),
        float(cosines.min()),
        float(cosines.mean()),
    )
