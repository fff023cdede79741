"""Telling in which language a text is written."""

import mmap
import re
import resource
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

_SAMPLE = 2_000
"""Characters taken at the beginning, in the middle and at the end."""
_FEW_LETTERS = 12
_SURE = ((40, 0.995), (60, 0.99), (100, 0.98), (200, 0.95))
_SURE_OF_MUCH = 0.9
"""What part of the certainty a language needs to be told, for texts of fewer letters, and of more.

A handful of words resembles many of 75 languages by chance: names and terms look like Latin,
Dutch or Tagalog."""
_USUAL = "en"
_SURE_OF_USUAL = 0.6
_SURE_WITH_WORDS = 0.2
"""Hardly any text of another language looks like English."""
_USUAL_WORDS = re.compile(
    r"\b(?:the|and|with|this|that|from|which|your|they|have|are|you)\b", re.IGNORECASE
)
_SCARCE = frozenset(re.findall("..", "cyeogalalgmisnsostswtltntsxhyozu"))
"""Languages that names and terms are taken for, and that few files are written in."""
_SHORT = 200
_ROOM = 256 * 2**20
"""Bytes of address space: the library takes 100 MB and its models 65 MB."""
_LEAST_LIMIT = 2**30
"""Bytes. A process that may take less reads documents without telling their language."""
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1|\Z)", re.DOTALL | re.MULTILINE)
_NO_PROSE = re.compile(r"\w+://\S+|\S+@\S+|`[^`\n]*`|[^\W\d_]*[\d_]\w*|<[^<>\n]{1,200}>|[|#*=\\/]+")


def language_of(text: str) -> str | None:
    """The language as ISO 639-1, such as ``en``; ``None`` where the text does not tell.

    Looks at a sample. Raises :class:`MemoryError` where the models have no room, and gives ``None``
    under a limit that could never hold them.
    """
    sample = _sample(text)
    letters = sum(_weight(character) for character in sample)
    if letters < _FEW_LETTERS or not _fits():
        return None
    _make_sure_of_room()
    best = _detector().compute_language_confidence_values(sample)[0]
    language = best.language.iso_code_639_1.name.lower()
    needed = next((sure for fewer, sure in _SURE if letters < fewer), _SURE_OF_MUCH)
    if language == _USUAL:
        needed = _SURE_WITH_WORDS if _USUAL_WORDS.search(sample) else _SURE_OF_USUAL
    elif letters < _SHORT:
        if _USUAL_WORDS.search(sample):
            return None
        needed = max(needed, _SURE[0][1]) if language in _SCARCE else needed
    return language if best.value >= needed else None


def _sample(text: str) -> str:
    middle, end = len(text) // 2, len(text)
    if end <= 3 * _SAMPLE:
        pieces = [text]
    else:
        half = _SAMPLE // 2
        pieces = [text[:_SAMPLE], text[middle - half : middle + half], text[end - _SAMPLE :]]
    return " ".join(_NO_PROSE.sub(" ", _FENCE.sub("\n", piece)) for piece in pieces)


def _weight(character: str) -> int:
    """How much a character tells: a syllable or an ideograph as much as some letters."""
    if not character.isalpha():
        return 0
    return 1 if character < "\u3040" else 4


def _fits() -> bool:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return soft == resource.RLIM_INFINITY or soft >= _LEAST_LIMIT


def _make_sure_of_room() -> None:
    """Where memory ends inside the native library, the process ends with it: find out before."""
    try:
        mmap.mmap(-1, _ROOM).close()
    except OSError as error:
        raise MemoryError from error


@cache
def _detector() -> "LanguageDetector":
    # Imported here: a process under a small limit has no room for the library either.
    from lingua import LanguageDetectorBuilder

    # The high accuracy differs only below 120 letters, and takes 1.2 GB. Not preloaded: that
    # starts a thread a core, each with its share of the address space.
    return LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()
