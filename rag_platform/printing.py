"""Texts and sizes as people may read them: what comes from elsewhere made harmless first."""

import math
import re

MEGABYTE = 1024 * 1024
"""Bytes: what every limit and every size shown counts in."""

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, line breaks, what turns the direction of writing, and halves of surrogates."""


def printable(text: str) -> str:
    """One line in which nothing steers a terminal: file names and models may hold anything."""
    return UNPRINTABLE.sub("\ufffd", text)


def megabytes(size: int) -> str:
    """Bytes as ``2.5 MB``, in the unit of the limits, 1024², and never below what they are."""
    return f"{math.ceil(size / MEGABYTE * 10) / 10:.1f}".removesuffix(".0") + " MB"
