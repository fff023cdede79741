"""Files and folders of this machine, copied into the bucket under a collection."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rag_platform.documents.bucket import Bucket, BucketObject, checked_key
from rag_platform.documents.bucket.keys import is_ignored
from rag_platform.errors import InvalidRequest, NotFound, UnreadableDocument
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import find_collection
from rag_platform.ledger.documents import known_hashes
from rag_platform.printing import megabytes

_WRITERS = 4
"""Files written at once: each waits for the disk to have it."""
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(slots=True)
class Copied:
    """What became of the files under a path."""

    found: int = 0
    written: int = 0
    same: int = 0
    """In the bucket already, with the same bytes."""
    ignored: int = 0
    """Links, pipes and the like, hidden and temporary names."""
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """The reason by path."""
    last: str = ""
    """The file that was looked at last, by its name below the path."""


def copy(
    ledger: Ledger,
    bucket: Bucket,
    path: Path,
    collection: str,
    *,
    max_bytes: int,
    progress: Callable[[Copied], None] | None = None,
) -> Copied:
    """Copy a file, or all files under a folder with its structure, into the collection.

    Raises :class:`InvalidRequest` for a path or a collection that cannot be used, and
    :class:`Conflict` when the bucket is read-only.
    """
    checked_key(collection, "name")
    source = _checked(path, bucket)
    copied = Copied()
    files = _files(source, _folders(bucket), copied)
    compare = _Comparison(ledger, bucket, collection)
    writing: set[Future[BucketObject]] = set()
    with ThreadPoolExecutor(_WRITERS, thread_name_prefix="copying") as pool:
        try:
            for file, name in files:
                copied.found += 1
                copied.last = name
                key = f"{collection}/{name}"
                try:
                    data = _content(file, name, max_bytes)
                    if compare.same(key, data):
                        copied.same += 1
                    else:
                        writing.add(pool.submit(bucket.write, key, data))
                except (UnreadableDocument, InvalidRequest) as error:
                    copied.refused[str(file)] = str(error)
                if len(writing) >= _WRITERS:
                    done, writing = wait(writing, return_when=FIRST_COMPLETED)
                    copied.written += len([future.result() for future in done])
                if progress is not None:
                    progress(copied)
            copied.written += len([future.result() for future in writing])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if progress is not None:
        progress(copied)
    return copied


class _Comparison:
    """Tells what the bucket holds already, by the hash in the ledger where that is of now."""

    def __init__(self, ledger: Ledger, bucket: Bucket, collection: str) -> None:
        self._bucket = bucket
        self._listing = {item.key: item for item in bucket.list_collection(collection)}
        with ledger.read() as connection:
            known = find_collection(connection, collection)
            self._hashes = known_hashes(connection, known.id) if known else {}

    def same(self, key: str, data: bytes) -> bool:
        """Whether the object at the key has these bytes."""
        item = self._listing.get(key)
        if item is None or item.size != len(data):
            return False
        fingerprint, sha256 = self._hashes.get(key, (None, None))
        if fingerprint == item.fingerprint:
            return sha256 == hashlib.sha256(data).hexdigest()
        try:
            return self._bucket.read(key) == data
        except (NotFound, UnreadableDocument):
            return False


def _checked(path: Path, bucket: Bucket) -> Path:
    remedy = "Give a file or a folder."
    try:
        source = path.expanduser().resolve(strict=True)
        mode = source.stat().st_mode
    except FileNotFoundError:
        raise InvalidRequest(f"There is nothing at {path}.", remedy) from None
    except (OSError, RuntimeError) as error:  # the latter for links in a circle, and for ~nobody
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidRequest(f"{path} cannot be looked up: {reason}.", remedy) from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InvalidRequest(f"{path} is {_KINDS.get(stat.S_IFMT(mode), 'no file')}.", remedy)
    if any(source.is_relative_to(folder) for folder in _folders(bucket)):
        raise InvalidRequest(
            f"{path} lies in the bucket already.", "The running platform reads it by itself."
        )
    return source


def _folders(bucket: Bucket) -> list[Path]:
    places = [urlsplit(source.url) for source in bucket.sources]
    return [Path(unquote(parts.path)).resolve() for parts in places if parts.scheme == "file"]


def _files(source: Path, buckets: list[Path], copied: Copied) -> Iterator[tuple[Path, str]]:
    """Every file with its name below the source, '/'-separated."""
    if source.is_file():
        yield source, source.name
        return
    waiting = [source]
    while waiting:
        try:
            entries = sorted(os.scandir(waiting.pop()), key=lambda entry: entry.name)
        except OSError as error:
            copied.refused[str(error.filename)] = f"It cannot be opened: {error.strerror}."
            continue
        for entry in entries:
            path = Path(entry.path)
            if is_ignored(entry.name) or path in buckets:
                copied.ignored += 1
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif entry.is_file(follow_symlinks=False):
                yield path, path.relative_to(source).as_posix()
            else:
                copied.ignored += 1


def _content(file: Path, name: str, max_bytes: int) -> bytes:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UnreadableDocument("Its name is no text.") from None
    try:
        if file.stat().st_size > max_bytes:
            raise UnreadableDocument(f"It is larger than {megabytes(max_bytes)}.")
        return file.read_bytes()
    except OSError as error:
        raise UnreadableDocument(f"It cannot be read: {error.strerror}.") from error
