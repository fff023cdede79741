"""The parts of a Word file that its text needs: the guarded zip, its XML, and its styles."""

import io
import posixpath
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, XMLParser

from rag_platform.errors import UnreadableDocument

_MEMBERS = 20_000
_PART_BYTES = 256 << 20
_RATIO = 200
_RATIO_FROM_BYTES = 8 << 20
_DAMAGED = "The file is damaged: it is not a complete Word document."
_OLE = b"\xd0\xcf\x11\xe0"


class Package:
    """The zip of a Word file. Only what is asked for is unpacked, and within limits."""

    def __init__(self, data: bytes) -> None:
        if data.startswith(_OLE):
            if "EncryptedPackage".encode("utf-16-le") in data:
                raise UnreadableDocument(
                    "The Word file is encrypted; remove its password and drop it again."
                )
            raise UnreadableDocument(
                "This is a Word file of the old kind (.doc); save it as .docx and drop it again."
            )
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise UnreadableDocument(_DAMAGED) from error
        self._members = {item.filename: item for item in self._zip.infolist()}
        if len(self._members) > _MEMBERS:
            raise UnreadableDocument(
                f"The file is refused: it holds more than {_MEMBERS} parts inside."
            )
        path = self._main_part()
        self._folder = posixpath.dirname(path)
        document = self._parse(path)
        body = None
        if document is not None:
            body = next((child for child in document if local_name(child) == "body"), None)
        if body is None:
            raise UnreadableDocument(_DAMAGED)
        self.document: Element = body
        properties = self._parse("docProps/core.xml")
        self.properties: list[Element] = list(properties) if properties is not None else []

    def part(self, name: str) -> Element | None:
        """A part beside the document, if there is one."""
        return self._parse(posixpath.join(self._folder, name))

    def _main_part(self) -> str:
        relations = self._parse("_rels/.rels")
        for relation in relations if relations is not None else ():
            if relation.get("Type", "").endswith("/officeDocument"):
                return relation.get("Target", "").lstrip("/")
        return "word/document.xml"

    def _parse(self, name: str) -> Element | None:
        member = self._members.get(name)
        if member is None:
            return None
        size, packed = member.file_size, max(member.compress_size, 1)
        if size > _PART_BYTES or (size > _RATIO_FROM_BYTES and size > packed * _RATIO):
            raise UnreadableDocument(
                f"The file is refused: unpacked, it would grow to {size >> 20} MB or more."
            )
        try:
            with self._zip.open(member) as stream:
                content = stream.read(size + 1)
        except (
            *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error),
            NotImplementedError,
        ) as error:
            raise UnreadableDocument(_DAMAGED) from error
        except RuntimeError as error:  # what zipfile raises for a password
            raise UnreadableDocument(
                "The Word file is encrypted; remove its password and drop it again."
            ) from error
        # The format forbids document types, and entities are what they would be good for.
        if len(content) > size or b"<!DOCTYPE" in content[:4096]:
            raise UnreadableDocument(_DAMAGED)
        parser = XMLParser()  # noqa: S314 - without a document type there are no entities
        try:
            parser.feed(content)
            return parser.close()
        except (ParseError, ValueError, LookupError) as error:
            raise UnreadableDocument(_DAMAGED) from error


@dataclass(frozen=True)
class Style:
    """What a paragraph's properties and its style say together.

    ``heading`` is 0 for a title, 1 for the first level below; ``numbering`` names the list.
    """

    heading: int | None = None
    numbering: str | None = None
    indent: int = 0
    bullet: bool = True


class Styles:
    """Paragraph styles and list definitions."""

    def __init__(self, package: Package) -> None:
        self._styles = {
            value_of(style, "styleId") or "": style
            for style in _all(package.part("styles.xml"), "style")
        }
        self._default = next(
            (
                key
                for key, style in self._styles.items()
                if value_of(style, "default") == "1" and value_of(style, "type") == "paragraph"
            ),
            "",
        )
        numbering = package.part("numbering.xml")
        abstract = {
            value_of(item, "abstractNumId"): item for item in _all(numbering, "abstractNum")
        }
        self._lists = {
            value_of(item, "numId") or "": abstract.get(_value(item, "abstractNumId"))
            for item in _all(numbering, "num")
        }

    def of(self, properties: Element | None) -> Style:
        """The effective style of a paragraph with these properties."""
        key = _value(properties, "pStyle") or self._default
        heading = self._outline(properties)
        number, indent = self._numbered(properties)
        seen: set[str] = set()
        while key and key not in seen:
            seen.add(key)
            style = self._styles.get(key)
            name = (_value(style, "name") or key).lower()
            own = next(iter(_all(style, "pPr")), None)
            if heading is None:
                heading = _named_heading(name)
                heading = self._outline(own) if heading is None else heading
            inherited, inherited_indent = self._numbered(own)
            if number is None and inherited is not None:
                number = inherited
                indent = inherited_indent if indent is None else indent
            key = _value(style, "basedOn") or ""
        if number == "0":  # switched off
            number = None
        indent = indent or 0
        return Style(heading, number, indent, self._is_bullet(number, indent))

    @staticmethod
    def _outline(properties: Element | None) -> int | None:
        level = _value(properties, "outlineLvl") or ""
        return int(level) + 1 if level.isdecimal() and int(level) < 9 else None

    @staticmethod
    def _numbered(properties: Element | None) -> tuple[str | None, int | None]:
        item = next(iter(_all(properties, "numPr")), None)
        level = _value(item, "ilvl") or ""
        return _value(item, "numId"), min(int(level), 8) if level.isdecimal() else None

    def _is_bullet(self, number: str | None, indent: int) -> bool:
        for level in _all(self._lists.get(number or ""), "lvl"):
            if value_of(level, "ilvl") == str(indent):
                return _value(level, "numFmt") in ("bullet", "none", None)
        return True


def _named_heading(name: str) -> int | None:
    if name == "title":
        return 0
    found = re.fullmatch(r"heading ([1-9])", name)
    return int(found[1]) if found else None


def local_name(element: Element) -> str:
    """An element's name without its namespace, of which Word has two (Transitional and Strict)."""
    tag = element.tag
    return tag.rpartition("}")[2]


def value_of(element: Element, name: str = "val") -> str | None:
    """An attribute by its name without namespace."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return None


def _all(element: Element | None, name: str) -> list[Element]:
    return [] if element is None else [item for item in element if local_name(item) == name]


def _value(element: Element | None, name: str) -> str | None:
    found = _all(element, name)
    return value_of(found[0]) if found else None
