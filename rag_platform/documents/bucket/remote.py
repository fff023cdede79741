"""A bucket in an object store (S3, Google Cloud Storage, Azure), through obstore."""

import contextlib
from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import Any, cast

import obstore
import obstore.exceptions
import obstore.store

from rag_platform.documents.bucket.objects import BucketObject
from rag_platform.errors import BucketUnavailable, Conflict, NotFound, SettingsError

_CLIENT: Any = {"timeout": "60s", "connect_timeout": "5s", "allow_http": True}
_RETRIES: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}


class ObjectStore:
    """The objects under a URL. Object stores have neither links nor half-written objects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.skipped: dict[str, str] = {}
        try:
            if url.startswith("memory:"):
                self._store: Any = obstore.store.from_url(url)
            else:
                self._store = obstore.store.from_url(
                    url, client_options=_CLIENT, retry_config=_RETRIES
                )
        except (obstore.exceptions.BaseError, ValueError) as error:
            raise SettingsError(f"The bucket {url!r} cannot be used: {_reason(error)}") from error

    def list(self, prefix: str) -> Iterator[BucketObject]:
        """Page through the listing; a page that fails raises, so the end is the real end."""
        with self._translated("list", prefix or "the objects"):
            if prefix:
                with contextlib.suppress(FileNotFoundError):
                    yield _object(obstore.head(self._store, prefix))
            pages: Any = obstore.list(self._store, prefix or None)  # pyright: ignore
            for page in pages:
                for meta in page:
                    found = _object(meta)
                    # A key that ends with a slash is a console's idea of a folder, and obstore
                    # leaves out the slash. It is empty, and cannot be found by its name.
                    if found.size or self.stat(found.key) is not None:
                        yield found

    def stat(self, key: str) -> BucketObject | None:
        """The object at a key, if there is one."""
        try:
            with self._translated("look at", key):
                return _object(obstore.head(self._store, key))
        except NotFound:
            return None

    def read(self, key: str, limit: int = -1) -> tuple[BucketObject, bytes]:
        """The object as one request saw it; ``limit`` is not needed, its size cannot grow."""
        with self._translated("read", key):
            found = obstore.get(self._store, key)
            return _object(found.meta), bytes(found.bytes())

    def stream(self, key: str) -> tuple[BucketObject, Generator[bytes]]:
        """The object as one request saw it, and its bytes while they arrive."""
        with self._translated("read", key):
            found = obstore.get(self._store, key)
            return _object(found.meta), self._pieces(found, key)

    def _pieces(self, found: Any, key: str) -> Generator[bytes]:
        with self._translated("read", key):
            for piece in found.stream(min_chunk_size=256 * 1024):
                yield bytes(piece)

    def write(self, key: str, data: bytes) -> BucketObject:
        """Put the object; stores make it visible whole."""
        with self._translated("write", key):
            obstore.put(self._store, key, data)
            return _object(obstore.head(self._store, key))

    def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        with contextlib.suppress(NotFound), self._translated("delete", key):
            obstore.delete(self._store, key)

    @contextlib.contextmanager
    def _translated(self, action: str, key: str) -> Generator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise NotFound(f"There is no file {key!r} in the bucket.") from error
        except (
            obstore.exceptions.PermissionDeniedError,
            obstore.exceptions.UnauthenticatedError,
        ) as error:
            if action in ("write", "delete"):
                raise Conflict(
                    f"The bucket is read-only: cannot {action} {key!r} in it."
                ) from error
            raise BucketUnavailable(
                f"The bucket {self.url} refuses access.", "Check its credentials."
            ) from error
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            # obstore takes no key with an empty, "." or ".." segment, and one of them fails the
            # whole listing; it must not be taken for complete without it.
            named = "invalid path" in str(error)
            raise BucketUnavailable(
                f"Cannot {action} {key!r} in the bucket {self.url}: {_reason(error)}.",
                "Rename that object." if named else "",
            ) from error


def _object(meta: Any) -> BucketObject:
    etag = "-".join(cast(str, part) for part in (meta["e_tag"], meta["version"]) if part)
    return BucketObject(meta["path"], meta["size"], meta["last_modified"], etag or None)


def _reason(error: Exception) -> str:
    """The first line: what follows is the library's own state, with the whole request in it."""
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
