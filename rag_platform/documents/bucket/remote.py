"""A bucket in an object store (S3, Google Cloud Storage, Azure), through obstore."""

import contextlib
import os
import re
from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import Any

import obstore
import obstore.exceptions
import obstore.store

from rag_platform.documents.bucket.objects import BucketObject
from rag_platform.errors import BucketUnavailable, Conflict, NotFound, SettingsError

_CLIENT: Any = {"timeout": "60s", "connect_timeout": "5s", "allow_http": True}
_RETRIES: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
_STATUS = re.compile(r"status code: (\d{3})")
_ELSEWHERE = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_ENDPOINT",
)
"""Variables that make another store of the same URL."""


class ObjectStore:
    """The objects under a URL. Object stores have neither links nor half-written objects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.skipped: dict[str, str] = {}
        self._markers: set[str] = set()
        self._folders: frozenset[str] | None = None
        self._odd = False
        try:
            if url.startswith("memory:"):
                self._store: Any = obstore.store.from_url(url)
            else:
                self._store = obstore.store.from_url(
                    url, client_options=_CLIENT, retry_config=_RETRIES
                )
        except (obstore.exceptions.BaseError, ValueError) as error:
            raise SettingsError(f"The bucket {url!r} cannot be used: {_reason(error)}.") from error

    @property
    def place(self) -> str:
        """The URL, and the server where the environment names one."""
        servers = [os.environ[name] for name in _ELSEWHERE if os.environ.get(name)]
        return "#".join([self.url, *servers])

    def list(self, prefix: str, *, deep: bool = True) -> Iterator[BucketObject]:
        """Page through the listing; a page that fails raises, so the end is the real end.

        Without ``deep``, only the objects that lie in no folder below.
        """
        before = {name: why for name, why in self.skipped.items() if _elsewhere(name, prefix, deep)}
        skipped: dict[str, str] = {}
        with self._translated("list", prefix or "the objects"):
            for found in self._found(prefix, deep, skipped):
                if found.size or not self._is_marker(found):
                    yield found
        self.skipped = before | skipped

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

    def _found(self, prefix: str, deep: bool, skipped: dict[str, str]) -> Iterator[BucketObject]:
        seen: set[str] = set()
        try:
            whole = deep and not prefix
            if whole and self._folders is None:
                self._look_at_root()
            if not self._odd:
                folders = (self._folders or ()) if whole else ()
                by_folder = "" in folders
                if by_folder:
                    skipped["/"] = "A folder in its name is empty."
                for found in self._by_folder() if by_folder else self._pages(prefix, deep):
                    # Without its slash, a folder's marker may have the name of an object.
                    again = found.key in seen
                    seen.add(found.key)
                    if found.size and (again or (found.key in folders and self._is_marker(found))):
                        skipped[f"{found.key}/"] = "Its name ends with a slash."
                    elif not again:
                        yield found
                return
        except (obstore.exceptions.BaseError, ValueError) as error:
            # obstore takes no key with an empty, "." or ".." segment or a control character, and
            # one of them fails its whole page.
            if "invalid path" not in str(error) or not self.url.startswith("s3:"):
                raise
            self._odd = True
        from rag_platform.documents.bucket.exact import list_exactly

        for found in list_exactly(self.url, prefix, deep, skipped):
            if found.key not in seen:
                yield found

    def _pages(self, prefix: str, deep: bool) -> Iterator[BucketObject]:
        if prefix:
            with contextlib.suppress(FileNotFoundError):
                yield _object(obstore.head(self._store, prefix))
        if deep:
            pages: Any = obstore.list(self._store, prefix or None)  # pyright: ignore
        else:
            pages = [obstore.list_with_delimiter(self._store, prefix or None)["objects"]]
        for page in pages:
            for meta in page:
                if meta["path"]:  # not the marker of the folder that the URL names
                    yield _object(meta)

    def _by_folder(self) -> Iterator[BucketObject]:
        """All objects but those whose keys begin with a slash.

        Listed together with the others, they look as if they had none, and are not found.
        """
        self._look_at_root()
        yield from self._pages("", False)
        for folder in sorted((self._folders or frozenset()) - {""}):
            yield from self._pages(folder, True)

    def _look_at_root(self) -> None:
        """Note the folders. One without a name is that of keys that begin with a slash."""
        self._folders = frozenset(obstore.list_with_delimiter(self._store)["common_prefixes"])
        if "" in self._folders and self.url.startswith("s3:"):
            self._odd = True

    def _is_marker(self, found: BucketObject) -> bool:
        """Whether an object is a console's idea of a folder.

        Its key ends with a slash, which obstore leaves out, so that it is not found by its name.
        """
        known = f"{found.key}:{found.fingerprint}"
        if known not in self._markers:
            if self.stat(found.key) is not None:
                return False
            self._markers.add(known)
        return True

    @contextlib.contextmanager
    def _translated(self, action: str, key: str) -> Generator[None]:
        try:
            yield
        except FileNotFoundError as error:
            if action == "list":
                raise self._no_bucket() from error
            raise NotFound(f"There is no file {key!r} in the bucket.") from error
        except (
            obstore.exceptions.PermissionDeniedError,
            obstore.exceptions.UnauthenticatedError,
        ) as error:
            if action in ("write", "delete"):
                raise Conflict(
                    f"The bucket is read-only: cannot {action} {key!r} in it."
                ) from error
            raise self._refused() from error
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            # A listing that lacks one object must not be taken for complete.
            if action == "list" and (status := _STATUS.search(str(error))):
                if status[1] == "404":
                    raise self._no_bucket() from error
                if status[1] in ("401", "403"):
                    raise self._refused() from error
            if "error sending request" in str(error):
                raise BucketUnavailable(
                    f"The server of the bucket {self.url} does not answer.",
                    "Check that it runs, and its address.",
                ) from error
            named = "invalid path" in str(error)
            raise BucketUnavailable(
                f"Cannot {action} {key!r} in the bucket {self.url}: {_reason(error)}.",
                "Rename that object." if named else "",
            ) from error

    def _no_bucket(self) -> BucketUnavailable:
        return BucketUnavailable(
            f"There is no bucket {self.url}.", "Create it, or correct RAG_BUCKET."
        )

    def _refused(self) -> BucketUnavailable:
        return BucketUnavailable(f"The bucket {self.url} refuses access.", "Check its credentials.")


def _elsewhere(name: str, prefix: str, deep: bool) -> bool:
    """Whether a name is none that this listing would have come across."""
    return not name.startswith(f"{prefix}/") if prefix else not deep and "/" in name


def _object(meta: Any) -> BucketObject:
    """The same for a listing and a look at one object.

    Of a bucket with versions only the look tells the version, MinIO's listing alone has fractions
    of seconds, and Azure's look alone has quotation marks around the tag.
    """
    tag = (meta["e_tag"] or meta["version"] or "").strip('"')
    return BucketObject(
        meta["path"], meta["size"], meta["last_modified"].replace(microsecond=0), tag or None
    )


def _reason(error: Exception) -> str:
    """The first line: what follows is the library's own state, with the whole request in it."""
    text = str(error).strip()
    return text.splitlines()[0][:300].rstrip(".") if text else type(error).__name__
