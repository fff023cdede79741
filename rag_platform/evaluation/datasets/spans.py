"""The span format: files under ``corpus/``, and ``questions.jsonl`` with places in them."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag_platform.documents.bucket.keys import is_ignored
from rag_platform.errors import InvalidRequest
from rag_platform.evaluation.datasets.dataset import Dataset, Document, Question, Span
from rag_platform.evaluation.datasets.lines import Line, read_lines
from rag_platform.ledger.digests import digest

QUESTIONS = "questions.jsonl"
_CORPUS = "corpus"


def read(folder: Path) -> Dataset:
    """A dataset with its documents. Raises :class:`InvalidRequest` with file, line and remedy.

    Offsets count the characters of the file as it stands, or with its line ends as \\n, or
    without its byte order mark, whichever agrees with the texts of the spans.
    """
    corpus = folder / _CORPUS
    files = _files(corpus)
    lines = list(read_lines(folder / QUESTIONS))
    if not lines:
        raise InvalidRequest(f"{folder / QUESTIONS} holds no question.", "Write one on each line.")
    asked: dict[str, list[tuple[Line, tuple[Span, ...]]]] = {}
    order: list[tuple[Line, str, tuple[Span, ...]]] = []
    for line in lines:
        line.text("question")
        document = line.text("document")
        if document not in files:
            raise line.wrong(f"there is no document {document!r} under {corpus}")
        spans = tuple(span_of(line, "spans", item) for item in line.sequence("spans"))
        asked.setdefault(document, []).append((line, spans))
        order.append((line, document, spans))
    texts = {
        document: text
        for document, found in asked.items()
        if (text := _text(files[document], found)) is not None
    }
    seen: Counter[str] = Counter()
    questions: list[Question] = []
    for line, document, spans in order:
        name = digest(line.text("question"), document, spans)
        seen[name] += 1
        questions.append(
            Question(
                id=f"{name}-{seen[name]}" if seen[name] > 1 else name,
                text=line.text("question"),
                place=line.place,
                document=document,
                # Offsets in bytes that are no text mean nothing: the quote is looked for.
                spans=spans
                if document in texts
                else tuple(Span(None, None, span.text) for span in spans),
            )
        )
    hashed = digest(
        *(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for name, path in files.items())
    )
    return Dataset(
        name=folder.resolve().name,
        kind="spans",
        digest=digest(hashed, hashlib.sha256((folder / QUESTIONS).read_bytes()).hexdigest()),
        questions=tuple(questions),
        corpus_digest=digest("spans", hashed),
        documents=lambda: _documents(files),
        document_count=len(files),
        texts=texts,
    )


def span_of(line: Line, name: str, item: object) -> Span:
    """A span as it is written: ``start`` and ``end``, or an exact ``text``, or both."""
    if isinstance(item, str):
        item = {"text": item}
    if not isinstance(item, dict):
        raise line.wrong(f"{name!r} has to be a list of objects with start, end and text")
    values: dict[Any, Any] = item
    start, end, text = values.get("start"), values.get("end"), values.get("text")
    if not isinstance(text, str | None):
        raise line.wrong(f"the 'text' of one of its {name} is not a text")
    if start is None and end is None:
        if not text or not text.strip():
            raise line.wrong(f"one of its {name} has neither start and end nor a text")
        return Span(None, None, text)
    # A bool is an int too.
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise line.wrong(
            f"{start!r} and {end!r} are no start and end of a span",
            "Give two whole numbers, the second larger, that count characters from 0.",
        )
    return Span(start, end, text or "")


def agrees(text: str, span: Span) -> bool:
    """Whether the offsets lie in the text and hold what the span says, be it its beginning."""
    if span.start is None or span.end is None:
        return True
    found = " ".join(text[span.start : span.end].split())
    return span.end <= len(text) and found.startswith(" ".join(span.text.split()))


def _text(path: Path, asked: list[tuple[Line, tuple[Span, ...]]]) -> str | None:
    """What the offsets of a file count in; None where it is no text and no offsets are needed."""
    try:
        raw = path.read_bytes().decode()
    except UnicodeDecodeError:
        for line, spans in asked:
            if not all(span.text.strip() for span in spans):
                raise line.wrong(
                    f"{path} is no UTF-8 text, so offsets in it cannot be followed",
                    "Give the exact text of each span.",
                ) from None
        return None
    one_line_end = raw.replace("\r\n", "\n")
    first: tuple[Line, Span] | None = None
    for text in (
        raw,
        one_line_end,
        raw.removeprefix("\ufeff"),
        one_line_end.removeprefix("\ufeff"),
    ):
        wrong = next(
            ((line, span) for line, spans in asked for span in spans if not agrees(text, span)),
            None,
        )
        if wrong is None:
            return text
        first = first or wrong
    assert first is not None
    line, span = first
    raise line.wrong(
        f"the span {span.start} to {span.end} does not hold its text in {path}, which has "
        f"{len(raw)} characters",
        "Correct its start, end or text; offsets count characters, not bytes.",
    )


def _files(corpus: Path) -> dict[str, Path]:
    if not corpus.is_dir():
        raise InvalidRequest(f"{corpus} is no folder.", "Put the documents there.")
    files = {
        path.relative_to(corpus).as_posix(): path
        for path in sorted(corpus.rglob("*"))
        if path.is_file()
    }
    files = {name: path for name, path in files.items() if not is_ignored(name)}
    if not files:
        raise InvalidRequest(f"{corpus} holds no document.", "Put the documents there.")
    return files


def _documents(files: dict[str, Path]) -> Iterator[Document]:
    for name, path in files.items():
        yield Document(name, path.read_bytes())
