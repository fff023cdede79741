"""JSON lines with errors that name the file and the line."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_platform.errors import InvalidRequest

_KINDS = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line with a JSON object, and where it stands."""

    file: str
    number: int
    values: dict[str, Any]

    @property
    def place(self) -> str:
        """The line for people."""
        return f"{self.file}, line {self.number}"

    def wrong(self, what: str, remedy: str = "Correct that line.") -> InvalidRequest:
        """The error for this line; ``what`` goes on after a colon."""
        return InvalidRequest(f"{self.place}: {what}.", remedy)

    def text(self, name: str, *, default: str | None = None) -> str:
        """A field with a text; without a default it must be there and not be blank."""
        found = self.values.get(name, default)
        if found is None and default is not None:
            found = default
        if not isinstance(found, str):
            raise self.wrong(f"{name!r} {self._lacks(name, str)}")
        if default is None and not found.strip():
            raise self.wrong(f"{name!r} is empty")
        return found

    def identifier(self, name: str) -> str:
        """A field with an id: a text, or a whole number, which some tools write."""
        found = self.values.get(name)
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
        return self.text(name)

    def sequence(self, name: str) -> list[Any]:
        """A field with a list that is not empty."""
        found = self.values.get(name)
        if not isinstance(found, list):
            raise self.wrong(f"{name!r} {self._lacks(name, list)}")
        if not found:
            raise self.wrong(f"{name!r} is empty")
        return found

    def _lacks(self, name: str, kind: type) -> str:
        return f"is not {_KINDS[kind]}" if name in self.values else "is missing"


def read_lines(path: Path) -> Iterator[Line]:
    """The objects of a file, blank lines left out."""
    with path.open("rb") as file:
        yield from parsed(file, str(path))


def parsed(lines: Iterable[bytes], file: str) -> Iterator[Line]:
    """The objects of some lines. Raises :class:`InvalidRequest` at the first that is none."""
    for number, raw in enumerate(lines, start=1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            values: Any = json.loads(text) if text else None
        except UnicodeDecodeError as error:
            raise InvalidRequest(
                f"{file}, line {number}: it is not UTF-8.", "Save the file as UTF-8."
            ) from error
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            raise InvalidRequest(
                f"{file}, line {number}: it is no JSON ({reason}).",
                "Write one JSON object on each line.",
            ) from error
        if not text:
            continue
        if not isinstance(values, dict):
            raise InvalidRequest(
                f"{file}, line {number}: it is no JSON object.",
                "Write one JSON object on each line.",
            )
        yield Line(file, number, values)
