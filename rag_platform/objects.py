"""The object store for what the platform makes: extracted texts and vectors.

One API over a local folder, S3, GCS and Azure. Names are content addresses, so writing twice
is harmless and nothing is ever changed in place.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from rag_platform.errors import NotFound, Unavailable


class Objects:
    """A folder of immutable objects under a URL (``file://``, ``s3://``, ``gs://``, ``az://``)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._store = _open(url)

    def put(self, name: str, data: bytes) -> None:
        """Store ``data``; readers see all of it or nothing."""
        try:
            obstore.put(self._store, name, data)
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def get(self, name: str) -> bytes:
        """The whole object. Raises :class:`NotFound` where there is none."""
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError as error:
            raise NotFound(f"The object {name} is not in the object store.") from error
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def names(self, prefix: str = "") -> Iterator[str]:
        """The names of all objects under a folder."""
        try:
            for batch in obstore.list(self._store, prefix or None):
                yield from (str(item["path"]) for item in batch)
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"The object store {self.url} does not answer: {str(error).splitlines()[0]}.",
            "Check that it exists, that its disk is not full, and RAG_OBJECT_STORE.",
        )


def _open(url: str) -> ObjectStore:
    try:
        if url.startswith("file://"):
            root = Path(unquote(urlparse(url).path))
            root.mkdir(parents=True, exist_ok=True)
            return LocalStore(root)
        return from_url(url)
    except (BaseError, OSError, ValueError) as error:
        raise Unavailable(
            f"The object store {url} cannot be opened: {str(error).splitlines()[0]}.",
            "Correct RAG_OBJECT_STORE.",
        ) from error
