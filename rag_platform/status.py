"""The platform's state at one moment: each component asked, nothing remembered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from rag_platform.embedding.files import ModelFiles, source_name
from rag_platform.embedding.models import EMBEDDER
from rag_platform.errors import (
    BucketUnavailable,
    ModelUnavailable,
    NotFound,
    RagError,
    Unavailable,
)
from rag_platform.ledger.collections import count_by_state
from rag_platform.ledger.generations import Generation, indexed_collections
from rag_platform.ledger.promotion import Progress, Refusal, last_refusal, progress_of
from rag_platform.ledger.serving import current_serving, live_generations
from rag_platform.settings import Settings
from rag_platform.supervisor import read_state
from rag_platform.wiring import Platform

_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Component:
    """One part and what it said."""

    name: str
    healthy: bool
    detail: str

    @property
    def state(self) -> str:
        """For a list."""
        return "ok" if self.healthy else "not ok"


@dataclass(frozen=True, slots=True)
class Status:
    """What ``rag status`` shows."""

    components: tuple[Component, ...]
    documents: dict[str, dict[str, int]]
    serving: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    """The names that the bucket holds and nobody reads."""
    states: tuple[str, ...] = ("indexed", "pending", "quarantined")

    @property
    def healthy(self) -> bool:
        """Whether every component is."""
        return all(component.healthy for component in self.components)

    @classmethod
    def of(cls, settings: Settings) -> "Status":
        """Ask every component, each with a deadline of some seconds."""
        platform = Platform(settings)
        dagster = f"http://127.0.0.1:{settings.dagster.port}"
        questions: dict[str, Callable[[], str]] = {
            "ledger": lambda: _ledger(platform),
            "bucket": lambda: _bucket(platform),
            "chroma": lambda: _http(settings.chroma.url, "/api/v2/heartbeat"),
            "mlflow": lambda: _http(settings.mlflow_url, "/health"),
            "dagster": lambda: _http(dagster, "/server_info"),
            "chat": lambda: _http(settings.chat_url, "/readyz"),
        }
        # All at once: what hangs makes nobody wait for its neighbours too.
        with ThreadPoolExecutor(len(questions)) as threads:
            components = list(threads.map(_ask, questions, questions.values()))
        skipped = tuple(sorted(platform.bucket.skipped)) if components[1].healthy else ()
        components += _supervised(settings)
        if not any(component.healthy for component in components[2:]):
            remedy = "Nothing of the platform runs with these settings: start it with make up."
            return cls(tuple(components), {}, (remedy,), skipped)
        if not components[0].healthy:
            return cls(tuple(components), {}, (), skipped)
        with platform.ledger.read() as connection:
            counts = count_by_state(connection)
        components.append(_ask("serving", lambda: _serving(platform)))
        return cls(tuple(components), counts, _lines(platform), skipped)


def _ask(name: str, question: Callable[[], str]) -> Component:
    try:
        return Component(name, True, question())
    except RagError as error:
        return Component(name, False, str(error))


def _http(url: str, path: str) -> str:
    try:
        httpx.get(url + path, timeout=_SECONDS, trust_env=False).raise_for_status()
    except httpx.HTTPStatusError as error:
        raise Unavailable(f"{url} answers with {error.response.status_code}.") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} does not answer.") from error
    return url


def _ledger(platform: Platform) -> str:
    platform.ledger.require_schema()
    return platform.ledger.url.render_as_string(hide_password=True)


def _bucket(platform: Platform) -> str:
    said: list[str] = []
    failed: list[str] = []
    for source in platform.bucket.sources:
        try:
            said.append(f"{source}, {sum(1 for _ in source.list())} objects")
        except BucketUnavailable as error:
            failed.append(str(error))
    if failed:
        raise BucketUnavailable(" ".join([*failed, *said]))
    return "; ".join(said)


def _supervised(settings: Settings) -> list[Component]:
    """Those children that answer no request: the supervisor knows."""
    state = read_state(settings.home)
    if state is None:
        return []
    return [
        Component(
            child.name,
            state.alive and child.state == "ready",
            f"{child.state if state.alive else 'not running'}, {child.restarts} restarts"
            + (f"; last death: {child.last_death}" if child.last_death else ""),
        )
        for child in state.children.values()
        if child.name in ("dagster-daemon", "dagster-code")
    ]


def _serving(platform: Platform) -> str:
    with platform.ledger.read() as connection:
        serving = current_serving(connection)
        if serving is None:
            raise NotFound("Nothing serves yet.")
        indexes = indexed_collections(connection, [serving.generation.id])
    stale = [index.collection for index in indexes if not index.is_current]
    behind = f"; being brought up to date: {', '.join(stale)}" if stale else ""
    return f"generation {serving.generation.id}, {len(indexes)} collections{behind}"


def _lines(platform: Platform) -> tuple[str, ...]:
    with platform.ledger.read() as connection:
        serving = current_serving(connection)
        others = [
            _kept(generation)
            if serving and generation == serving.previous and generation.state == "verified"
            else _built(generation, progress_of(connection, generation))
            for generation in live_generations(connection)[1:]
        ]
        refusal = last_refusal(connection)
    if serving is None:
        return ()
    encoder = serving.generation.spec["encoder"]
    model = platform.language_models.describe()
    return (
        f"Active generation: {serving.generation.id} (chunking {serving.generation.chunking}, "
        f"settings version {serving.settings_version})",
        *others,
        *([_refused(refusal)] if refusal else []),
        f"Embedding model: {encoder['model']} version {encoder['version']}, "
        f"{encoder['precision']}, {encoder['dimension']} dimensions",
        *_other_model(platform, encoder["version"]),
        *((f"Reranker: {platform.reranker.name}",) if platform.reranker else ()),
        f"Language model: {model['model']}" + (f" ({model['reason']})" if model["reason"] else ""),
    )


def _other_model(platform: Platform, version: str) -> list[str]:
    """A base model is chosen at the first start; a setting changed since has no effect."""
    if version != "1":
        return []
    folder = platform.models.folder / EMBEDDER / version
    serves = ModelFiles(folder, EMBEDDER, version).export_facts().get("source")
    try:
        asked = source_name(platform.settings.embedding.model)
    except ModelUnavailable as error:
        return [str(error)]
    if serves in (None, asked):
        return []
    return [
        f"RAG_EMBEDDING_MODEL asks for {asked}, and {serves} serves: the base model is chosen at "
        "the first start, another needs another RAG_HOME."
    ]


def _kept(generation: Generation) -> str:
    return f"Generation {generation.id} ({generation.recipe}) is kept to go back to."


def _refused(refusal: Refusal) -> str:
    generation = refusal.generation
    return f"Generation {generation.id} ({generation.recipe}) was refused: {refusal.reason}"


def _built(generation: Generation, progress: Progress) -> str:
    def share(done: tuple[int, int]) -> str:
        return f"{done[0]:,} of {done[1]:,}"

    return (
        f"Generation {generation.id} ({generation.recipe}) is being built: "
        f"{share(progress.contents)} documents split, {share(progress.vectors)} vectors indexed, "
        f"{share(progress.collections)} collections complete."
    )
