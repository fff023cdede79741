"""JSON Lines: a record a line. A broken line costs itself and no other."""

import json

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing import json_values
from rag_platform.documents.parsing.plain_text import decode
from rag_platform.errors import UnreadableDocument

_NAMED = 10


def extract(data: bytes) -> ParsedDocument:
    """Read JSON Lines; each value's path begins with the number of its line."""
    values = json_values.Values()
    broken: list[int] = []
    read = 0
    for number, line in enumerate(decode(data).split("\n"), 1):
        record = line.strip(" \t\r\x1e\ufeff")
        if not record:
            continue
        try:
            values.add(json_values.load(record), f"[{number}]")
            read += 1
        except (json.JSONDecodeError, RecursionError):
            broken.append(number)
    if not read and broken:
        document = json_values.extract(data)  # one value over many lines, perhaps
        if not document.notes:
            return document
        raise UnreadableDocument("The file is damaged: none of its lines is JSON.")
    return values.document((_note(broken),) if broken else ())


def _note(broken: list[int]) -> str:
    if len(broken) == 1:
        return f"Line {broken[0]} is no JSON and was left out."
    named = ", ".join(map(str, broken[:_NAMED]))
    more = f" and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
    return f"Lines {named}{more} are no JSON and were left out."
