"""A team's own validation set: questions to the live collections, with quotes that answer them."""

import hashlib
from collections import Counter

from rag_platform.errors import InvalidRequest
from rag_platform.evaluation.datasets.dataset import Dataset, Question
from rag_platform.evaluation.datasets.lines import parsed
from rag_platform.evaluation.datasets.spans import span_of
from rag_platform.ledger.digests import digest

EXAMPLE = (
    '{"question": "How long is parental leave?", "collection": "handbook", '
    '"document": "handbook/leave.md", "passages": ["Parental leave lasts 26 weeks"]}'
)


def read(data: bytes, name: str) -> Dataset:
    """The questions of a file's bytes. Raises :class:`InvalidRequest` with line and remedy.

    ``passages`` are exact quotes of the document, or spans with offsets in its text as the
    platform shows it. Without ``collection`` all collections are asked.
    """
    questions: list[Question] = []
    seen: Counter[str] = Counter()
    for line in parsed(data.splitlines(), name):
        spans = tuple(span_of(line, "passages", item) for item in line.sequence("passages"))
        text, document = line.text("question"), line.text("document")
        collection = line.text("collection", default="") or None
        key = digest(text, collection, document, spans)
        seen[key] += 1
        questions.append(
            Question(
                id=f"{key}-{seen[key]}" if seen[key] > 1 else key,
                text=text,
                place=line.place,
                document=document,
                spans=spans,
                collection=collection,
            )
        )
    if not questions:
        raise InvalidRequest(f"{name} holds no question.", f"Write lines like {EXAMPLE}")
    return Dataset(
        name=name.rsplit("/", 1)[-1],
        kind="validation",
        digest=digest("validation", hashlib.sha256(data).hexdigest()),
        questions=tuple(questions),
        document_count=len({question.document for question in questions}),
    )
