"""Japanese and Korean in seven bits (ISO-2022): by its escapes, and where they were lost."""

import re

from rag_platform.errors import UnreadableDocument

_ESCAPED = re.compile(rb"\x1b\$(?:[@B]|\([@BD])")
_KOREAN = b"\x1b$)C"
_SAMPLE = 40_000
_KANA = re.compile(r"(?:[$%][!-s]){2,}")
"""Without their escapes, the letters of Japanese are pairs that begin with a dollar or percent
sign; Chinese characters among them are pairs of letters and digits."""
_STRETCH = re.compile(r"\$[@B]((?:[!-~]{2})+?)\([BJ]")
_MOST = 0.2
"""Of Japanese text half is such pairs; of source code and other text at most 4 %."""
_COMMON = frozenset(["$N", "$r", "$K", "$O", "$?", "$,", "$G", "$H", "$7", "$F", "$$", "$k", "$9"])
"""The most frequent syllables."""
_LEAST_COMMON = 0.2
_LOST = (
    "The text cannot be read: it is Japanese in the encoding ISO-2022-JP, and its escape sequences "
    "were lost. Save the original as UTF-8 and drop that one."
)


def decoded(data: bytes) -> str | None:
    """The text of bytes in ISO-2022; ``None`` where they are in another encoding.

    Raises :class:`UnreadableDocument` where too much of it was lost.
    """
    if not data[:_SAMPLE].isascii():
        return None
    encoding = "iso2022_kr" if data.startswith(_KOREAN) else "iso2022_jp_ext"
    if encoding == "iso2022_kr" or _ESCAPED.search(data):
        text = data.decode(encoding, errors="replace")
        return text if text.count("\ufffd") * 100 <= len(text) else None
    sample = data[:_SAMPLE].decode("ascii")
    kana = _KANA.findall(sample)
    length = sum(map(len, kana))
    pairs = [run[at : at + 2] for run in kana for at in range(0, len(run), 2)]
    common = sum(pair in _COMMON for pair in pairs)
    if length < _MOST * len(sample) or common < _LEAST_COMMON * len(pairs):
        return None
    text = _STRETCH.sub(_restored, data.decode("ascii", errors="replace"))
    if sum(map(len, _KANA.findall(text[:_SAMPLE]))) > length // 10:
        raise UnreadableDocument(_LOST)
    return text


def _restored(stretch: re.Match[str]) -> str:
    try:
        return f"\x1b$B{stretch[1]}\x1b(B".encode().decode("iso2022_jp")
    except UnicodeError:
        return stretch[0]
