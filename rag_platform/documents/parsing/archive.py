"""Zip files from strangers: opened within limits, read in memory, never unpacked to disk."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from rag_platform.errors import UnreadableDocument

MAX_MEMBERS = 20_000
MAX_MEMBER_BYTES = 256 << 20
MAX_TOTAL_BYTES = 768 << 20
MAX_RATIO = 200
RATIO_FROM_BYTES = 8 << 20
"""Below this size a member may be as repetitive as it likes."""

_OLE = b"\xd0\xcf\x11\xe0"
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error),
    NotImplementedError,
)
_PIECE = 1 << 20


class Archive:
    """The members of a zip by name; only what is asked for is unpacked, within limits.

    Names are no paths here: they are looked up as they stand, without regard to case, and of
    several members of one name the last counts. Raises :class:`UnreadableDocument` with a sentence
    in which the file is called a ``kind``, such as ``Word document``.
    """

    def __init__(self, data: bytes, kind: str, extension: str) -> None:
        self.kind = kind
        self.damaged = f"The file is damaged: it is not a complete {kind}."
        self._encrypted = f"The {kind} is encrypted; remove its password and drop it again."
        if data.startswith(_OLE):
            # An encrypted package of Microsoft's is a container of the old kind.
            if "EncryptedPackage".encode("utf-16-le") in data:
                raise UnreadableDocument(self._encrypted)
            raise UnreadableDocument(
                f"This is a {kind} of the old kind ({extension[:-1]}); save it as {extension} and "
                "drop it again."
            )
        if member_count(data) > MAX_MEMBERS:
            raise UnreadableDocument(
                f"The file is refused: it holds more than {MAX_MEMBERS} parts inside."
            )
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise UnreadableDocument(self.damaged) from error
        self._members = {_key(item.filename): item for item in self._zip.infolist()}
        self._read_bytes = 0

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._members

    def encrypted(self) -> UnreadableDocument:
        """The refusal of a document that cannot be read without its password."""
        return UnreadableDocument(self._encrypted)

    def read(self, name: str) -> bytes | None:
        """A member's content, or ``None`` where there is none of this name."""
        if name not in self:
            return None
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member's content in pieces of a megabyte, for what is too large to hold at once."""
        member = self._members[_key(name)]
        size, packed = member.file_size, max(member.compress_size, 1)
        if size > MAX_MEMBER_BYTES or (size > RATIO_FROM_BYTES and size > packed * MAX_RATIO):
            raise self._bomb(size)
        # Sizes are claims. What is counted is what really comes out.
        left = size
        try:
            with self._open(member) as stream:
                while piece := stream.read(min(_PIECE, left + 1)):
                    left -= len(piece)
                    self._read_bytes += len(piece)
                    if left < 0:
                        raise UnreadableDocument(self.damaged)
                    if self._read_bytes > MAX_TOTAL_BYTES:
                        raise self._bomb(self._read_bytes)
                    yield piece
        except _BROKEN as error:
            raise UnreadableDocument(self.damaged) from error

    def _open(self, member: zipfile.ZipInfo) -> IO[bytes]:
        try:
            return self._zip.open(member)
        except RuntimeError as error:  # what zipfile raises for a password
            raise UnreadableDocument(self._encrypted) from error

    def _bomb(self, size: int) -> UnreadableDocument:
        return UnreadableDocument(
            f"The file is refused: unpacked, it would grow to {size >> 20} MB or more."
        )


def member_count(data: bytes) -> int:
    """How many members a zip lists, without making an object for each."""
    end = data.rfind(b"PK\x05\x06")
    if end < 0 or end + 20 > len(data):
        return 0
    (size,) = struct.unpack_from("<I", data, end + 12)
    zip64 = b"PK\x06\x06" in data[max(0, end - 200) : end]
    start = 0 if zip64 else max(0, end - size)
    return data.count(b"PK\x01\x02", start, end)


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()
