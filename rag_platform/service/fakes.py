"""A platform without servers and models, for tests of the service and for work on its pages.

The ledger, the bucket, the stored texts and the answering are the real ones. Passages are
paragraphs, found by the words that they share with the question.
"""

import re
import socket
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from rag_platform.documents.heading_paths import Places
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.errors import NotFound
from rag_platform.index.analysis import terms
from rag_platform.ledger import Ledger, migrate
from rag_platform.ledger.collections import ensure_collection, list_collections
from rag_platform.ledger.digests import digest
from rag_platform.ledger.documents import known_documents
from rag_platform.ledger.filters import EVERYTHING, Filters, as_spelled
from rag_platform.ledger.generations import create_generation
from rag_platform.ledger.passages import readable_chunks
from rag_platform.ledger.places import common_path, packed
from rag_platform.ledger.serving import current_serving, start_serving
from rag_platform.ledger.statements import insert_ignore
from rag_platform.ledger.tables import chunked_contents, chunks, contents
from rag_platform.ledger.transitions import announce, publish, set_content
from rag_platform.retrieval.passages import Passage
from rag_platform.retrieval.search import SearchResult
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.service.protocol import Protocol
from rag_platform.settings import Settings
from rag_platform.wiring import Platform

_CHUNKING = "paragraphs-v1"
_SPEC: dict[str, Any] = {
    "encoder": {"model": "none", "version": 0},
    "chunking": {"id": _CHUNKING},
    "header": "",
    "windows": 1,
    "analysis": "english-v1",
}


class ParagraphSearch:
    """Finds the paragraphs that share the most terms with the question."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(
        self,
        question: str,
        collections: Sequence[str] | None = None,
        top_k: int | None = None,
        *,
        filters: Filters = EVERYTHING,
    ) -> SearchResult:
        """As the real search does it, with the keywords' half alone."""
        started = time.perf_counter()
        with self._ledger.read() as connection:
            serving = current_serving(connection)
            assert serving is not None
            known = {item.name: item.id for item in list_collections(connection)}
            names = tuple(sorted(known) if collections is None else dict.fromkeys(collections))
            for name in names:
                if name not in known:
                    raise NotFound(f"There is no collection {name!r}.")
            ids = connection.execute(sa.select(chunks.c.id)).scalars().all()
            found = readable_chunks(
                connection,
                serving.generation,
                ids,
                [known[name] for name in names],
                as_spelled(connection, filters),
            )
        asked = set(terms(question))
        coverage = {
            chunk.id: len(asked & set(terms(chunk.text))) / max(len(asked), 1)
            for chunk in found.values()
        }
        settings = RetrievalSettings.from_dict(serving.settings)
        best = sorted((id for id in coverage if coverage[id]), key=lambda id: (-coverage[id], id))
        return SearchResult(
            passages=tuple(
                Passage(found[id], coverage[id], None, None, rank)
                for rank, id in enumerate(best[: top_k or settings.top_k], start=1)
            ),
            generation_id=serving.generation.id,
            settings_version=serving.settings_version,
            settings=settings,
            collections=names,
            relevance=max(coverage.values(), default=0.0),
            timings_ms={"total": round((time.perf_counter() - started) * 1000, 2)},
        )

    def encoders(self, generation: object) -> None:
        """There is no encoder."""

    def warm_up(self) -> None:
        """There is nothing to load."""


class QuotingModel:
    """Answers with the first sentence of the best passages, a word at a time."""

    name = "quoting"
    notice = "No language model is connected. This answer quotes the documents."

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        """Clear it, and the model stops after its first word until it is set."""
        self.may_go_on.set()
        self.failure: Exception | None = None
        """Raised after the first word, if set."""

    def stream(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        """The words, each with the space before it."""
        for n, passage in enumerate(passages[:2], start=1):
            sentence = re.split(r"(?<=[.!?])\s", passage.chunk.text.strip(), maxsplit=1)[0]
            for word in f"{sentence} [{n}]".split(" "):
                yield f"{word} "
                self.may_go_on.wait(timeout=30)
                if self.failure is not None:
                    raise self.failure


class OneModel:
    """The choice between one model."""

    def __init__(self) -> None:
        self.model = QuotingModel()

    def choose(self, encoder: object) -> QuotingModel:
        """The only one."""
        return self.model

    def extractive(self, encoder: object, why: str) -> QuotingModel:
        """The only one."""
        return self.model

    def describe(self) -> dict[str, Any]:
        """What answers."""
        return {"model": QuotingModel.name, "reason": QuotingModel.notice}

    def forget(self) -> None:
        """There is nothing to look at again."""


class LivingServer:
    """A Chroma that answers."""

    def heartbeat(self) -> None:
        """It lives."""

    def close(self) -> None:
        """Nothing is open."""


def offline_platform(settings: Settings) -> Platform:
    """A platform that serves an empty index, under the settings' home."""
    settings.chat.fast_lane_megabytes = 0  # there is nothing to embed with
    platform = Platform(settings)
    migrate(platform.ledger)
    with platform.ledger.write() as connection:
        if current_serving(connection) is None:
            generation = create_generation(connection, _SPEC)
            start_serving(connection, generation.id, RetrievalSettings().to_dict())
    platform.search = cast(Any, ParagraphSearch(platform.ledger))
    platform.language_models = cast(Any, OneModel())
    platform.chroma = cast(Any, LivingServer())
    return platform


@contextmanager
def served(app: FastAPI) -> Generator[str]:
    """The application on a free port of this machine, by uvicorn; gives the address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", http=Protocol, ws="none"))
        thread = threading.Thread(target=server.run, args=([listener],), name="uvicorn")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def add_document(
    platform: Platform, collection: str, key: str, document: ParsedDocument, size: int = 0
) -> None:
    """Put a document in the ledger as if it had been read and indexed."""
    now = datetime.now(UTC)
    content_id = digest(key, document.text)
    reference = f"text/{content_id[:2]}/{content_id}.json"
    platform.objects.put(reference, document.to_json())
    size = size or len(document.text.encode())
    with platform.ledger.write() as connection:
        collection_id = ensure_collection(connection, collection).id
        announce(connection, collection_id, {key: size}, now)
        content = {
            "id": content_id,
            "sha256": content_id * 2,
            "media_type": document.media_type or "text/markdown",
            "parser": "markdown@1",
            "title": document.title,
            "author": document.author,
            "created_at": document.created,
            "modified_at": document.modified,
            "pages": document.page_count,
            "words": len(document.text.split()),
            "language": document.language,
            "notes": list(document.notes),
            "text_ref": reference,
            "parsed_at": now,
        }
        connection.execute(insert_ignore(connection, contents), [content])
        places = Places(document)
        rows = [
            _chunk(places, content_id, ordinal, match)
            for ordinal, match in enumerate(re.finditer(r"\S.*?(?=\n\n|\Z)", document.text, re.S))
        ]
        connection.execute(insert_ignore(connection, chunks), rows)
        connection.execute(
            insert_ignore(connection, chunked_contents),
            [{"content_id": content_id, "chunking": _CHUNKING, "chunks": len(rows)}],
        )
        set_content(
            connection,
            collection_id,
            known_documents(connection, collection_id)[key].id,
            content_id=content_id,
            fingerprint=content_id,
            size=size,
        )
        publish(connection, collection_id, [content_id])


def _chunk(
    places_in: Places, content_id: str, ordinal: int, match: re.Match[str]
) -> dict[str, Any]:
    start, end = match.span()
    places = places_in.between(start, end)
    heading_path = common_path(places)
    return {
        "id": digest(content_id, _CHUNKING, ordinal),
        "content_id": content_id,
        "chunking": _CHUNKING,
        "ordinal": ordinal,
        "text": match[0],
        "page": places[0].page,
        "heading_path": list(heading_path),
        "places": packed(places, heading_path),
        "start": start,
        "end": end,
        "token_count": len(match[0].split()),
    }
