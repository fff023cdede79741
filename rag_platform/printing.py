"""Text from elsewhere, made harmless for a terminal."""

import re

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, line breaks, what turns the direction of writing, and halves of surrogates."""


def printable(text: str) -> str:
    """One line in which nothing steers a terminal: file names and models may hold anything."""
    return UNPRINTABLE.sub("\ufffd", text)
