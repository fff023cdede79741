"""Made-up text with the shape of real text: common words often, rare words seldom."""

import random

_SYLLABLES = [c + v for c in "bcdfghklmnprstvwz" for v in ("a", "e", "i", "o", "u", "an", "er")]
_chance = random.Random(1)
_WORDS = ["".join(_chance.choices(_SYLLABLES, k=_chance.randint(1, 4))) for _ in range(20_000)]
_WEIGHTS = [1 / rank for rank in range(1, len(_WORDS) + 1)]


def passage(chance: random.Random, words: int) -> str:
    """So many words, in sentences of twelve."""
    chosen = chance.choices(_WORDS, weights=_WEIGHTS, k=words)
    sentences = [" ".join(chosen[i : i + 12]).capitalize() for i in range(0, words, 12)]
    return ". ".join(sentences) + "."
