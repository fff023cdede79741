"""What can be searched at one moment: what serves, and the catalogues of its collections."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from rag_platform.errors import NotFound, Unavailable
from rag_platform.index.catalogue import Catalogue
from rag_platform.index.postings import Segment
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import Collection, list_collections
from rag_platform.ledger.generations import Generation, IndexedCollection, indexed_collections
from rag_platform.ledger.passages import Revisions, current_revisions
from rag_platform.ledger.serving import Serving, current_serving
from rag_platform.retrieval.settings import RetrievalSettings


@dataclass(frozen=True)
class View:
    """What readers see, as one transaction of the ledger saw it. Nothing of it ever changes."""

    revisions: Revisions
    serving: Serving
    settings: RetrievalSettings
    collections: Mapping[str, Collection]
    segments: Mapping[str, Sequence[Segment]]
    """What can be found, by collection."""
    indexes: Mapping[str, IndexedCollection]
    """Where its vectors are, by collection; one that was never ingested has none."""

    def names(self, asked: Sequence[str] | None) -> tuple[str, ...]:
        """The asked collections, each once, or all of them. Raises :class:`NotFound`."""
        if asked is None:
            return tuple(sorted(self.collections))
        for name in asked:
            if name not in self.collections:
                known = f"Known are: {', '.join(sorted(self.collections))}."
                remedy = known if self.collections else "There is none yet."
                raise NotFound(f"There is no collection {name!r}.", remedy)
        return tuple(dict.fromkeys(asked))


class Views:
    """The view that is current, kept until the ledger's revisions say that something changed.

    With ``generation`` it is of that one, as if it served: so a candidate is asked before it does.
    """

    def __init__(self, ledger: Ledger, generation: Generation | None = None) -> None:
        self._ledger = ledger
        self._generation = generation
        self._catalogues: dict[tuple[int, int], Catalogue] = {}
        self._lock = threading.Lock()
        self._last: View | None = None

    def current(self) -> View:
        """The view of this moment. Raises :class:`Unavailable` where nothing serves yet."""
        last = self._last
        with self._ledger.read() as connection:
            now = current_revisions(connection)
            if now is None:
                raise Unavailable("Nothing serves yet.", "Start the platform with rag up.")
            if last is not None and last.revisions == now:
                return last
            view, complete = self._made(connection, now)
        self._forget_others(view.serving)
        # What is not complete was published a moment ago, and is looked at again.
        self._last = view if complete else None
        return view

    def _made(self, connection: sa.Connection, revisions: Revisions) -> tuple[View, bool]:
        serving = current_serving(connection)
        assert serving is not None, "the same transaction saw that it serves"
        if self._generation is not None:
            serving = replace(serving, generation=self._generation)
        generation = serving.generation
        collections = {item.name: item for item in list_collections(connection)}
        catalogues = {
            name: self._catalogue(generation, item.id) for name, item in collections.items()
        }
        view = View(
            revisions,
            serving,
            RetrievalSettings.from_dict(serving.settings),
            collections,
            {name: catalogue.refresh(connection) for name, catalogue in catalogues.items()},
            {item.collection: item for item in indexed_collections(connection, [generation.id])},
        )
        return view, all(catalogue.is_complete for catalogue in catalogues.values())

    def _catalogue(self, generation: Generation, collection_id: int) -> Catalogue:
        with self._lock:
            key = (generation.id, collection_id)
            if key not in self._catalogues:
                self._catalogues[key] = Catalogue(generation, collection_id)
            return self._catalogues[key]

    def _forget_others(self, serving: Serving) -> None:
        """Release the catalogues of generations that neither serve nor are kept to go back to."""
        kept = {serving.generation.id} | ({serving.previous.id} if serving.previous else set())
        with self._lock:
            for key in [key for key in self._catalogues if key[0] not in kept]:
                del self._catalogues[key]
