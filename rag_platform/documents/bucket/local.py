"""A bucket in a local folder.

Not obstore's ``LocalStore``: it follows symbolic links out of its root, and a single name with a
newline in it makes the whole listing fail (0.12). Here every folder on the way to a file is opened
by itself without following links, so no name and no race leads out of the root.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from rag_platform.documents.bucket.keys import UPLOAD_PREFIX, is_ignored
from rag_platform.documents.bucket.objects import BucketObject
from rag_platform.errors import (
    BucketUnavailable,
    Conflict,
    InvalidRequest,
    NotFound,
    UnreadableDocument,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 250_000_000_000_000_000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: should a pipe take the file's place after the check, opening it does not wait.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_THIS_FILE_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EIO})
_PIECE = 256 * 1024
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class LocalFolder:
    """The files under a folder. Links, pipes, sockets and devices are never followed or opened."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.skipped: dict[str, str] = {}

    @property
    def place(self) -> str:
        """The folder's address and inode: those of a mount point change when its disk is away.

        Not the device's number, which another start of the machine may change.
        """
        with self._root() as root:
            return f"{self.path.as_uri()}#{os.fstat(root).st_ino:x}"

    def list(self, prefix: str, *, deep: bool = True) -> Iterator[BucketObject]:
        """Walk the folder; raises :class:`BucketUnavailable` unless it was seen whole.

        Without ``deep``, only its own files.
        """
        skipped: dict[str, str] = {}
        start = () if not prefix else tuple(prefix.split("/"))
        if start and (found := self.stat(prefix)):
            yield found
            return
        waiting = [start]
        with self._root() as root:
            before = os.fstat(root)
            while waiting:
                folder = waiting.pop()
                with self._translated(f"list the folder {'/'.join(folder)!r} of"):
                    entries = _entries(root, folder)
                for name, status in entries:
                    key = "/".join((*folder, name))
                    if is_ignored(name):  # its folders were not
                        continue
                    if reason := _unusable(name, status):
                        skipped[os.fsencode(key).decode("utf-8", "backslashreplace")] = reason
                    elif stat.S_ISDIR(status.st_mode):
                        if deep:
                            waiting.append((*folder, name))
                    else:
                        yield _object(key, status)
            # A folder that was removed or mounted over meanwhile looked empty, and was not.
            with self._root() as again:
                if not os.path.samestat(before, os.fstat(again)):
                    raise BucketUnavailable(f"The bucket {self.path} was replaced while listed.")
        elsewhere = {
            name: reason
            for name, reason in self.skipped.items()
            if (not name.startswith(f"{prefix}/") if prefix else not deep and "/" in name)
        }
        self.skipped = elsewhere | skipped

    def stat(self, key: str) -> BucketObject | None:
        """The file at a key, if it is one."""
        with self._parent(key) as (folder, name):
            if folder is None:
                return None
            try:
                with self._translated(f"look at {key!r} in"):
                    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except NotFound:
                return None
            return None if _unusable(name, status) or _is_folder(status) else _object(key, status)

    def read(self, key: str, limit: int = -1) -> tuple[BucketObject, bytes]:
        """The file's state and its bytes (at most ``limit``), from one open file."""
        if self.stat(key) is None:
            raise NotFound(f"There is no file {key!r} in the bucket.")
        with self._parent(key) as (folder, name), self._translated(f"read {key!r} in"):
            if folder is None:
                raise NotFound(f"There is no file {key!r} in the bucket.")
            try:
                with os.fdopen(os.open(name, _FILE, dir_fd=folder), "rb") as file:
                    status = os.fstat(file.fileno())
                    if not stat.S_ISREG(status.st_mode):
                        raise NotFound(f"There is no file {key!r} in the bucket.")
                    return _object(key, status), file.read(limit)
            except OSError as error:
                if error.errno not in _THIS_FILE_ONLY:
                    raise
                # One file's trouble is not the bucket's: the others go on.
                raise UnreadableDocument(
                    f"The file cannot be read: {str(error.strerror).lower()}."
                ) from error

    def stream(self, key: str) -> tuple[BucketObject, Generator[bytes]]:
        """The file's state and its bytes, as many as it had when it was opened."""
        if self.stat(key) is None:
            raise NotFound(f"There is no file {key!r} in the bucket.")
        with self._parent(key) as (folder, name), self._translated(f"read {key!r} in"):
            if folder is None:
                raise NotFound(f"There is no file {key!r} in the bucket.")
            file = os.fdopen(os.open(name, _FILE, dir_fd=folder), "rb")
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            file.close()
            raise NotFound(f"There is no file {key!r} in the bucket.")
        pieces = self._pieces(file, key, status.st_size)
        next(pieces)  # from here on, closing it closes the file
        return _object(key, status), pieces

    def _pieces(self, file: BinaryIO, key: str, size: int) -> Generator[bytes]:
        with file, self._translated(f"read {key!r} in"):
            yield b""
            while size > 0 and (piece := file.read(min(size, _PIECE))):
                size -= len(piece)
                yield piece

    def write(self, key: str, data: bytes) -> BucketObject:
        """Write under a temporary name, flush to the disk, then rename."""
        with self._parent(key, create=True) as (folder, name):
            if folder is None:
                raise InvalidRequest(f"The name {key!r} leads out of the bucket.")
            temporary = f"{UPLOAD_PREFIX}{secrets.token_hex(8)}.part"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with self._translated(f"write {key!r} to", changing=True):
                try:
                    with os.fdopen(os.open(temporary, flags, 0o644, dir_fd=folder), "wb") as file:
                        file.write(data)
                        file.flush()
                        os.fsync(file.fileno())
                    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                except BaseException:
                    with contextlib.suppress(OSError):
                        os.unlink(temporary, dir_fd=folder)
                    raise
                os.fsync(folder)
                return _object(key, os.stat(name, dir_fd=folder, follow_symlinks=False))

    def delete(self, key: str) -> None:
        """Remove a file; its folder stays."""
        if self.stat(key) is None:
            return
        with self._parent(key) as (folder, name):
            if folder is not None:
                with (
                    contextlib.suppress(NotFound),
                    self._translated(f"delete {key!r} from", changing=True),
                ):
                    os.unlink(name, dir_fd=folder)

    @contextlib.contextmanager
    def _root(self) -> Generator[int]:
        try:
            # The root itself may be a link: it is the operator's word, not a document's.
            root = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise BucketUnavailable(
                f"The bucket {self.path} cannot be opened ({error.strerror}).",
                "Create the folder, mount it, or correct RAG_BUCKET.",
            ) from error
        try:
            yield root
        finally:
            os.close(root)

    @contextlib.contextmanager
    def _parent(self, key: str, create: bool = False) -> Generator[tuple[int | None, str]]:
        """The opened folder of a key, ``None`` if there is none, and the key's last name."""
        *folders, name = key.split("/")
        with self._root() as root:
            if any(part in ("", ".", "..") or "\x00" in part for part in (*folders, name)):
                yield None, name
                return
            folder: int | None = None
            try:
                with self._translated(f"open the folder of {key!r} in", changing=create):
                    folder = _descend(root, folders, create)
            except NotFound:
                if create:
                    raise Conflict(f"A file stands where {key!r} needs a folder.") from None
            try:
                yield folder, name
            finally:
                if folder is not None:
                    os.close(folder)

    @contextlib.contextmanager
    def _translated(self, action: str, changing: bool = False) -> Generator[None]:
        try:
            yield
        except (OSError, UnicodeError) as error:
            number = error.errno if isinstance(error, OSError) else errno.ENOENT
            if number in _GONE:
                raise NotFound(
                    f"There is nothing to be found: cannot {action} the bucket."
                ) from error
            reason = error.strerror if isinstance(error, OSError) else str(error)
            if changing and number in _READ_ONLY:
                raise Conflict(
                    f"The bucket is read-only: cannot {action} it ({reason})."
                ) from error
            if changing and number in (errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST):
                raise Conflict(f"A folder has this name: cannot {action} the bucket.") from error
            raise BucketUnavailable(
                f"Cannot {action} the bucket {self.path} ({reason})."
            ) from error


def _entries(root: int, folder: tuple[str, ...]) -> list[tuple[str, os.stat_result]]:
    try:
        descriptor = _descend(root, folder)
    except OSError as error:
        if folder and error.errno in _GONE:  # removed since its parent was listed
            return []
        raise
    entries: list[tuple[str, os.stat_result]] = []
    try:
        with os.scandir(descriptor) as scan:
            for entry in scan:
                with contextlib.suppress(FileNotFoundError):
                    entries.append((entry.name, entry.stat(follow_symlinks=False)))
    finally:
        os.close(descriptor)
    return entries


def _descend(root: int, folders: Sequence[str], create: bool = False) -> int:
    """Open a folder below another, one name at a time, following no link."""
    current = os.dup(root)
    for folder in folders:
        try:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder, 0o755, dir_fd=current)
            below = os.open(folder, _FOLDER, dir_fd=current)
        finally:
            os.close(current)
        current = below
    return current


def _unusable(name: str, status: os.stat_result) -> str:
    """Why an entry cannot be a document or a folder of documents; empty if it can."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "The name is not UTF-8."
    if stat.S_ISLNK(status.st_mode):
        return "Links are not followed."
    if not stat.S_ISREG(status.st_mode) and not _is_folder(status):
        return "It is no file but a pipe, a socket or a device."
    return ""


def _is_folder(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode)


def _object(key: str, status: os.stat_result) -> BucketObject:
    # The time of the last status change cannot be set back, as a copying tool does with the other.
    etag = f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_ctime_ns:x}"
    # Any 64-bit number of seconds can be a file's time; a datetime ends with the year 9999.
    microseconds = min(max(status.st_mtime_ns // 1000, 0), _LATEST)
    modified = _EPOCH + timedelta(microseconds=microseconds)
    return BucketObject(key, status.st_size, modified, etag)
