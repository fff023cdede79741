"""The prompt: a versioned file and the passages, delimited as data."""

from collections.abc import Sequence
from pathlib import Path

from rag_platform.ledger.digests import digest
from rag_platform.retrieval.passages import Passage

_FILE = Path(__file__).parent / "prompts" / "answer-v1.txt"


def instructions() -> str:
    """What the language model is told, whatever the question."""
    return _FILE.read_text(encoding="utf-8")


def prompt_hash() -> str:
    """The digest that an answer records of its prompt."""
    return digest(instructions())


def question_with_passages(question: str, passages: Sequence[Passage]) -> str:
    """The passages, numbered from 1, and the question."""
    quoted = "\n\n".join(
        f"<passage number={n} document={passage.chunk.title!r}{_section(passage)}>\n"
        f"{passage.chunk.text}\n</passage>"
        for n, passage in enumerate(passages, start=1)
    )
    return f"{quoted}\n\nQuestion: {question}"


def _section(passage: Passage) -> str:
    """The headings above its beginning; those further on stand in its text. And the columns of a
    table's rows: without them it says little."""
    chunk = passage.chunk
    path = " > ".join(chunk.place_at(chunk.start).heading_path)
    columns = f" columns={chunk.table_columns!r}" if chunk.table_columns else ""
    return (f" section={path!r}" if path else "") + columns
