"""Subtitles and transcripts (.srt, .vtt): what is said, without times and numbers."""

import re

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.plain_text import decode

_TIMES = re.compile(r"\s*(?:\d+:)?\d+:\d+[,.]\d+\s*-->\s*(?:\d+:)?\d+:\d+[,.]\d+")
_VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^<>]{1,100})>")
_TAG = re.compile(r"</?[a-z][^<>]{0,100}>|<\d[\d:.]{1,20}>|\{\\[^{}]{1,50}\}", re.IGNORECASE)
_NO_CUES = re.compile(r"(?:NOTE|STYLE|REGION)\b")


def extract(data: bytes) -> ParsedDocument:
    """Read subtitles: a line for each line that is shown, none twice in a row."""
    lines: list[str] = []
    voice = ""
    for block in re.split(r"\n[ \t]*\n", decode(data).replace("\r\n", "\n").replace("\r", "\n")):
        rows = block.strip("\n").split("\n")
        place = next((n for n, row in enumerate(rows[:2]) if _TIMES.match(row)), None)
        if place is None:
            if rows[0].startswith("WEBVTT") or _NO_CUES.match(rows[0]):
                continue
            place = -1  # a line of a cue that was divided by an empty one
        for row in rows[place + 1 :]:
            if (speaker := _VOICE.search(row)) and speaker[1] != voice:
                voice = speaker[1]
                row = f"{voice}: {row}"
            text = " ".join(_TAG.sub("", row).split())
            if text and text not in lines[-2:]:
                lines.append(text)
    return ParsedDocument(text="\n".join(lines))
