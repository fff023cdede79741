"""The sources of the bucket, as ``RAG_BUCKET`` spells them: ``[name=]place[:ro]``, with commas.

``/srv/docs,wiki=s3://company/wiki:ro``: a source without a name gives each of its top folders to
the collection of that name; one with a name is one collection, with all that lies in it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from rag_platform.settings.values import folder_of, storage

_NAMED = re.compile(r"(?P<name>[^=:/\\.~]*)=(?P<place>.*)")
_NAME = re.compile(r"[^\W_][\w -]{0,99}(?<! )")
_READ_ONLY = ":ro"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One place of the bucket; ``name`` is empty for the one whose top folders are collections."""

    name: str
    url: str
    read_only: bool

    def __str__(self) -> str:
        name = f"{self.name}=" if self.name else ""
        return f"{name}{self.url}{_READ_ONLY if self.read_only else ''}"


def sources_of(text: str) -> tuple[SourceSpec, ...]:
    """The sources that a setting names. Raises ValueError with the reason where it cannot be."""
    parts = text.split(",")
    found = tuple(_source(part.strip() if len(parts) > 1 else part) for part in parts)
    nameless = [source for source in found if not source.name]
    if len(nameless) > 1:
        raise ValueError(
            "two places have no name; give all but one a name, such as reports=/srv/reports (a "
            "comma in a folder's name is written %2C in a file:// URL)"
        )
    names = [source.name for source in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"two places have the name {twice}")
    for one in found:
        for other in found:
            if one is not other and _lies_in(one.url, other.url):
                raise ValueError(
                    f"{one.url} lies in {other.url}, so its documents would be read twice"
                )
    return found


def _source(text: str) -> SourceSpec:
    named = _NAMED.fullmatch(text)
    name, place = (named["name"].strip(), named["place"].strip()) if named else ("", text)
    if named and (not _NAME.fullmatch(name) or name == "default"):
        raise ValueError(
            f"{name!r} cannot be the name of a place: take letters, digits, blanks, - and _, but "
            "not default (a folder with = in its name is written ./like=this)"
        )
    read_only = place.endswith(_READ_ONLY)
    return SourceSpec(name, storage(place.removesuffix(_READ_ONLY)), read_only)


def _lies_in(inner: str, outer: str) -> bool:
    if inner.startswith("file:") and outer.startswith("file:"):
        return folder(inner).is_relative_to(folder(outer))
    return f"{inner.rstrip('/')}/".startswith(f"{outer.rstrip('/')}/")


def folder(url: str) -> Path:
    """The folder of a ``file://`` URL."""
    return folder_of(urlsplit(url))


def _normal(text: str) -> str:
    return ",".join(str(source) for source in sources_of(text))


Sources = Annotated[str, AfterValidator(_normal)]
