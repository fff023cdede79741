"""Tables of separated values (.csv, .tsv): every row a line with its header."""

import csv
from collections import Counter
from collections.abc import Iterator

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.documents.parsing.plain_text import decode
from rag_platform.documents.parsing.records import Records, Row

_DELIMITERS = ",;\t|"
_SAMPLE = 100


def extract(data: bytes) -> ParsedDocument:
    """Read a table; the delimiter is the one that gives most rows the same number of cells."""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    told = text[:5].lower()
    if told.startswith("sep=") and text[5:6] == "\n":
        delimiter, text = text[4], text[6:]  # what Excel writes and reads
    else:
        delimiter = _delimiter(text)
    blocks = Blocks()
    Records(blocks, always_headed=True).write(_rows(text, delimiter))
    return ParsedDocument(text=blocks.text, headings=tuple(blocks.headings))


def _delimiter(text: str) -> str:
    sample = text[:200_000].split("\n")[: _SAMPLE + 1]
    best, delimiter = 0.0, ","
    for candidate in _DELIMITERS:
        widths = Counter(map(len, _split(sample, candidate)))
        width, rows = max(
            ((width, rows) for width, rows in widths.items() if width > 1),
            key=lambda item: (item[1], item[0]),
            default=(0, 0),
        )
        score = rows / max(1, sum(widths.values())) + min(width, 50) / 1000
        if width and score > best:
            best, delimiter = score, candidate
    return delimiter


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, Row]]:
    for number, cells in enumerate(_split(text.split("\n"), delimiter), 1):
        if row := {column: cell for column, cell in enumerate(cells) if cell.strip()}:
            yield number, row


def _split(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    """Rows of cells. A quote that is never closed does not swallow the rest of the file."""
    done = 0
    while done < len(lines):
        begin, stray = done, False
        reader = csv.reader(
            (f"{lines[number]}\n" for number in range(begin, len(lines))), delimiter=delimiter
        )
        try:
            for cells in reader:
                end = begin + reader.line_num
                if end == len(lines) and end > done + 1:
                    stray = sum(line.count('"') for line in lines[done:end]) % 2 == 1
                if stray:
                    break
                yield cells
                done = end
        except csv.Error:  # longer than csv's own limit, which no cell is that was closed
            stray = True
        if not stray:
            return
        yield lines[done].split(delimiter)
        done += 1
