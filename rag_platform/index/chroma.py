"""The client of the Chroma server: vectors and ids, nothing else.

It speaks Chroma's HTTP interface (v2) directly. The package's own client takes 1.6 s and 50 MB to
import, which every ingestion run would pay, has no timeout, and builds embedding functions from
stored configurations (CVE-2026-45829); ``docs/decisions/chroma-over-http.md`` has the figures.
"""

import base64
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import numpy as np
import orjson
import urllib3

from rag_platform.embedding.encoder import Vectors
from rag_platform.errors import IndexMissing, IndexUnavailable
from rag_platform.settings import in_url

BATCH = 1000
"""Vectors per request; the server takes at most 5,461."""

_CONNECTIONS = 32
"""Connections that are kept open."""
_JSON = {"Content-Type": "application/json"}
_DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"
_CONFIGURATION = {
    "hnsw": {"space": "cosine", "ef_construction": 100, "ef_search": 100, "max_neighbors": 20}
}


class Chroma:
    """A Chroma server. Raises :class:`IndexUnavailable` where it does not answer in time."""

    def __init__(self, host: str, port: int, *, timeout: float) -> None:
        self.url = f"http://{in_url(host)}:{port}"
        self._timeout = timeout
        # A quarter of the time that httpx takes for a request, which every question pays.
        self._http = urllib3.PoolManager(1, maxsize=_CONNECTIONS, retries=False, timeout=timeout)
        self._ids: dict[str, str] = {}

    def heartbeat(self) -> None:
        """Ask whether the server lives."""
        self._request("GET", "/api/v2/heartbeat")

    def ensure(self, name: str) -> None:
        """Make the collection if it is not there."""
        made = self._request(
            "POST",
            f"{_DATABASE}/collections",
            {"name": name, "configuration": _CONFIGURATION, "get_or_create": True},
        )
        self._ids[name] = made["id"]

    def exists(self, name: str) -> bool:
        """Whether the server has the collection."""
        self._ids.pop(name, None)
        try:
            self._path(name)
        except IndexMissing:
            return False
        return True

    def drop(self, name: str) -> None:
        """Delete the collection, if it is there."""
        self._ids.pop(name, None)
        try:
            self._request("DELETE", f"{_DATABASE}/collections/{name}", collection=name)
        except IndexMissing:
            return

    def names(self) -> list[str]:
        """The names of all collections."""
        return [item["name"] for item in self._request("GET", f"{_DATABASE}/collections")]

    def count(self, name: str) -> int:
        """How many vectors the collection holds."""
        return int(self._request("GET", f"{self._path(name)}/count", collection=name))

    def ids(self, name: str) -> Iterator[str]:
        """The ids of all vectors of the collection."""
        offset = 0
        while True:
            body: dict[str, Any] = {"limit": 5000, "offset": offset, "include": []}
            page = self._request("POST", f"{self._path(name)}/get", body, collection=name)["ids"]
            yield from page
            if len(page) < 5000:
                return
            offset += len(page)

    def vectors(self, name: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors that are held under these ids, each of shape (dimension,)."""
        body = {"ids": list(ids), "include": ["embeddings"]}
        held = self._request("POST", f"{self._path(name)}/get", body, collection=name)
        return {
            vector_id: np.asarray(vector, dtype=np.float32)
            for vector_id, vector in zip(held["ids"], held["embeddings"] or [], strict=True)
        }

    def add(self, name: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors of shape (len(ids), dimension); an id that is there already is left alone."""
        for start in range(0, len(ids), BATCH):
            rows = np.ascontiguousarray(vectors[start : start + BATCH], dtype="<f4")
            body = {
                "ids": list(ids[start : start + BATCH]),
                "embeddings": [base64.b64encode(row.tobytes()).decode() for row in rows],
            }
            self._request("POST", f"{self._path(name)}/add", body, collection=name)

    def delete(self, name: str, ids: Sequence[str]) -> None:
        """Delete these ids; unknown ones are ignored."""
        for start in range(0, len(ids), BATCH):
            body = {"ids": list(ids[start : start + BATCH])}
            self._request("POST", f"{self._path(name)}/delete", body, collection=name)

    def query(self, name: str, vectors: Vectors, n: int) -> list[list[tuple[str, float]]]:
        """The ``n`` nearest ids of each row, with their cosine distance, nearest first."""
        body = {
            "query_embeddings": np.ascontiguousarray(vectors, dtype=np.float32),
            "n_results": n,
            "include": ["distances"],
        }
        found = self._request("POST", f"{self._path(name)}/query", body, collection=name)
        return [
            list(zip(ids, distances, strict=True))
            for ids, distances in zip(found["ids"], found["distances"], strict=True)
        ]

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def _path(self, name: str) -> str:
        if name not in self._ids:
            found = self._request("GET", f"{_DATABASE}/collections/{name}", collection=name)
            self._ids[name] = found["id"]
        return f"{_DATABASE}/collections/{self._ids[name]}"

    def _request(self, method: str, path: str, body: Any = None, *, collection: str = "") -> Any:
        try:
            response = self._http.request(
                method,
                self.url + path,
                body=None
                if body is None
                else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY),
                headers=_JSON,
            )
        except urllib3.exceptions.TimeoutError as error:
            raise IndexUnavailable(
                f"Chroma at {self.url} does not answer within {self._timeout:g} s.",
                "It may be busy or stuck; rag status tells.",
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise IndexUnavailable(
                f"Chroma at {self.url} does not answer.", "Is it running? rag status tells."
            ) from error
        # 412 is what a collection gives that is dropped at this moment.
        gone = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)
        if response.status in gone and collection:
            self._ids.pop(collection, None)
            raise IndexMissing(
                f"Chroma has lost the index {collection}; it is rebuilt from the stored vectors.",
                "Try again in a moment.",
            )
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise IndexUnavailable(
                f"Chroma at {self.url} answers with an error "
                f"({response.status}): {response.data[:200].decode(errors='replace').strip()}",
                "Its log is in the home's logs folder.",
            )
        try:
            return orjson.loads(response.data) if response.data else None
        except orjson.JSONDecodeError as error:
            raise IndexUnavailable(
                f"{self.url} answers with something else than Chroma does.",
                "Check RAG_CHROMA_HOST and RAG_CHROMA_PORT.",
            ) from error
