"""Where the answers of a dataset stand in the texts that the platform made of its documents."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag_platform.documents.bucket import collection_of
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.errors import NotFound
from rag_platform.evaluation.alignment import Alignment, Place
from rag_platform.evaluation.datasets import Question, Span
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import list_collections
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.listing import readable_content
from rag_platform.ledger.passages import chunk_places
from rag_platform.objects import Objects


@dataclass(frozen=True, slots=True)
class Reference:
    """What answers a question: places in the text of one content."""

    content: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class References:
    """The references by question, and a sentence for every place that could not be found."""

    by_question: Mapping[str, Reference]
    problems: tuple[str, ...]


class Texts:
    """The readable documents of a platform: their texts, and where their chunks lie."""

    def __init__(self, ledger: Ledger, objects: Objects, generation: Generation) -> None:
        self._ledger = ledger
        self._objects = objects
        self._generation = generation
        self._chunks: dict[str, list[Place]] = {}
        with ledger.read() as connection:
            self.collections = [item.name for item in list_collections(connection)]

    def chunks(self, content: str) -> list[Place]:
        """Where the chunks of a content lie in its text."""
        if content not in self._chunks:
            with self._ledger.read() as connection:
                self._chunks[content] = chunk_places(connection, self._generation, content)
        return self._chunks[content]

    def text(self, key: str, collection: str | None = None) -> tuple[str, str] | None:
        """The content's id and the text of a readable document, None where there is none."""
        usual = collection or collection_of(key)
        others = () if collection else (name for name in self.collections if name != usual)
        for name in (usual, *others):
            with self._ledger.read() as connection:
                row = readable_content(connection, name, key)
            if row is not None and row.text_ref is not None:
                try:
                    document = ParsedDocument.from_json(self._objects.get(row.text_ref))
                except NotFound:
                    return None
                return row.id, document.text
        return None


def resolve(
    questions: Sequence[Question], texts: Texts, *, originals: Mapping[str, str], top: str = ""
) -> References:
    """Find the spans of all questions in the platform's texts.

    ``originals`` are the texts that offsets count in; where there is none, they count in the
    platform's own. ``top`` stands before the names of documents in the platform.
    """
    asked: defaultdict[tuple[str, str | None], list[Question]] = defaultdict(list)
    for question in questions:
        asked[question.document, question.collection].append(question)
    found: dict[str, Reference] = {}
    problems: list[str] = []
    for (document, collection), group in asked.items():
        known = texts.text(f"{top}{document}", collection)
        if known is None:
            places = ", ".join(q.place for q in group[:3]) + (" …" if len(group) > 3 else "")
            problems.append(f"{document} cannot be read or is not indexed (asked at {places}).")
            continue
        content, text = known
        alignment = Alignment(originals.get(document, text), text)
        for question in group:
            places = [_place(alignment, span) for span in question.spans]
            if kept := tuple(place for place in places if place is not None):
                found[question.id] = Reference(content, kept)
            problems += [
                f"{question.place}: {_described(span)} is not in the text that the platform read "
                f"of {document}."
                for span, place in zip(question.spans, places, strict=True)
                if place is None
            ]
    return References(found, tuple(problems))


def _place(alignment: Alignment, span: Span) -> Place | None:
    if span.start is not None and span.end is not None:
        place = alignment.place_of(span.start, span.end)
        if place is not None or not span.text.strip():
            return place
    return alignment.place_of_quote(span.text)


def _described(span: Span) -> str:
    if span.start is not None:
        return f"the span {span.start} to {span.end}"
    quote = " ".join(span.text.split())
    return f"the quote “{quote[:60]}{'…' if len(quote) > 60 else ''}”"
