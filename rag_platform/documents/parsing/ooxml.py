"""What Word, Excel and PowerPoint files share: parts, relationships and properties."""

import posixpath
from datetime import datetime
from typing import TypedDict
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.archive import Archive
from rag_platform.documents.parsing.xml_tree import local_name, moment, parse_xml, value_of
from rag_platform.errors import UnreadableDocument


class Properties(TypedDict):
    """What a document says of itself."""

    title: str | None
    author: str | None
    created: datetime | None
    modified: datetime | None


class OfficePackage:
    """The parts of an Office file. Relationships to anything outside of it are never followed."""

    def __init__(self, data: bytes, kind: str, extension: str, usual: str) -> None:
        """``usual`` is the main part's name where nothing names it."""
        self.archive = Archive(data, kind, extension)
        self.damaged = self.archive.damaged
        mains = self.related("", "officeDocument")
        self.main = mains[0] if mains else usual
        if self.main not in self.archive:
            raise UnreadableDocument(self.damaged)

    def xml(self, name: str | None) -> Element | None:
        """A part's root element, if there is such a part."""
        content = self.archive.read(name) if name else None
        return None if content is None else parse_xml(content, self.damaged)

    def relationships(self, part: str) -> dict[str, tuple[str, str]]:
        """By id: the last word of the relationship's type, and the part that it leads to."""
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found: dict[str, tuple[str, str]] = {}
        for item in root if root is not None else ():
            if (value_of(item, "TargetMode") or "").lower() == "external":
                continue
            kind = (value_of(item, "Type") or "").rpartition("/")[2]
            target = value_of(item, "Target") or ""
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[value_of(item, "Id") or ""] = (kind, path)
        return found

    def related(self, part: str, kind: str) -> list[str]:
        """The parts that one leads to by relationships of this type."""
        return [path for type_, path in self.relationships(part).values() if type_ == kind]

    def properties(self) -> Properties:
        """Title, author and dates."""
        names = self.related("", "core-properties") or ["docProps/core.xml"]
        root = self.xml(names[0])
        fields = {
            local_name(item): (item.text or "").strip()
            for item in (root if root is not None else ())
        }
        return {
            "title": fields.get("title") or None,
            "author": fields.get("creator") or None,
            "created": moment(fields.get("created")),
            "modified": moment(fields.get("modified")),
        }
