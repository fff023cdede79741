"""XML of documents: read without document types, entities or deep nesting."""

from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.parsers import expat

from rag_platform.errors import UnreadableDocument

MAX_DEPTH = 256
"""Word nests a table in a table's cell at seven levels each; deeper is no person's work."""

ENTITIES = "The file is refused: it declares XML entities, which documents of its kind never do."


class _Prolog(Exception):
    """The first element is reached: what comes before it was harmless."""


def parse_xml(content: bytes, damaged: str) -> Element:
    """The root of an XML text. Raises :class:`UnreadableDocument`, with ``damaged`` as its reason.

    Office formats have no document types, and entities are what they would be good for (they read
    local files, call servers, and grow without end).
    """
    refuse_document_type(content, damaged)
    parser = XMLParser()  # noqa: S314 - without a document type there are no entities
    try:
        parser.feed(content)
        root = parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise UnreadableDocument(damaged) from error
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return root
    raise UnreadableDocument("The file is refused: its parts are nested too deeply.")


def refuse_document_type(content: bytes, damaged: str) -> None:
    """Raise :class:`UnreadableDocument` if the XML, in whatever encoding, declares a type."""

    def declared(*_: object) -> None:
        raise UnreadableDocument(ENTITIES)

    def reached(*_: object) -> None:
        raise _Prolog

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = reached
    try:
        parser.Parse(content, True)
    except _Prolog:
        pass
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnreadableDocument(damaged) from error


def local_name(element: Element) -> str:
    """An element's name without its namespace, of which most formats have several."""
    return element.tag.rpartition("}")[2]


def value_of(element: Element, name: str = "val") -> str | None:
    """An attribute by its name without namespace."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return None


def children(element: Element | None, name: str) -> list[Element]:
    """The children of this name."""
    return [] if element is None else [item for item in element if local_name(item) == name]


def first(element: Element | None, *path: str) -> Element | None:
    """The element that a path of names leads to, by first children."""
    for name in path:
        element = next(iter(children(element, name)), None)
    return element


def descendants(element: Element | None, name: str) -> Iterator[Element]:
    """All elements of this name below, in order."""
    for item in element.iter() if element is not None else ():
        if local_name(item) == name:
            yield item


def moment(value: str | None) -> datetime | None:
    """A date as the formats write it; UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(value.strip()) if value else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found
