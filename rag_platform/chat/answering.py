"""The one way to answer: search, ask the language model, cite, record."""

import re
import time
import uuid
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rag_platform.chat.language_models import Extractive, LanguageModel, LanguageModels
from rag_platform.chat.prompt import prompt_hash
from rag_platform.chat.sentences import supporting_sentence
from rag_platform.errors import LanguageModelUnavailable
from rag_platform.ledger import Ledger
from rag_platform.ledger.answers import Answer, Citation, Status, save_answer
from rag_platform.ledger.collections import count_by_state
from rag_platform.ledger.serving import current_serving
from rag_platform.retrieval.passages import Passage
from rag_platform.retrieval.search import Search, SearchResult, clean_question

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What breaks a line, drives a terminal or turns the writing around."""
_MARK = re.compile(r"\s?\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]")


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """What the answer is made from; citation n is the n-th passage."""

    passages: tuple[Passage, ...]
    generation_id: int


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage that the answer cites, with the sentence that supports it."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole answer, recorded in the ledger."""

    answer: Answer


Event = PassagesFound | Token | Cited | Finished


class Answering:
    """Answers questions. One instance serves many threads."""

    def __init__(self, ledger: Ledger, search: Search, models: LanguageModels) -> None:
        self._ledger = ledger
        self._search = search
        self._models = models

    def answer(
        self,
        question: str,
        collections: Sequence[str] | None = None,
        conversation_id: str | None = None,
    ) -> Answer:
        """Answer a question from the named collections, or all of them, and record the answer."""
        for event in self.stream(question, collections, conversation_id):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("the stream of an answer ends with Finished")

    def stream(
        self,
        question: str,
        collections: Sequence[str] | None = None,
        conversation_id: str | None = None,
    ) -> Iterator[Event]:
        """The same as events while they come.

        Raises before the first event where the search cannot be made. Closing the iterator early
        records what was written so far as ``incomplete``.
        """
        question = clean_question(question)
        writing = _Writing(question, conversation_id or uuid.uuid4().hex)
        writing.found = found = self._search(question, collections)
        writing.laps.update(found.timings_ms)
        if not found.is_relevant:
            with self._ledger.read() as connection:
                writing.abstain(count_by_state(connection))
            answer = self._record(writing)
            yield PassagesFound((), found.generation_id)
            yield Token(writing.text)
            yield Finished(answer)
            return
        try:
            yield PassagesFound(found.passages, found.generation_id)
            for piece in self._pieces(writing):
                yield Token(piece)
        except BaseException as error:
            # Whatever ends an answer early, the ledger says that it was asked for and how it ended.
            left = isinstance(error, GeneratorExit)
            writing.status = "incomplete" if left else "failed"
            writing.notice = "The reader left before the answer was complete." if left else None
            writing.cite()
            self._record(writing)
            raise
        writing.cite()
        # Recorded while the reader is still there: the answer is whole, also if he leaves now.
        answer = self._record(writing)
        for citation in writing.citations:
            yield Cited(citation)
        yield Finished(answer)

    def _pieces(self, writing: "_Writing") -> Iterator[str]:
        """The answer's pieces; a language model that is away gives way to the embedded one."""
        assert writing.found is not None
        question, passages = writing.question, writing.found.passages
        with self._ledger.read() as connection:
            serving = current_serving(connection)
        assert serving is not None
        encoder = self._search.encoders(serving.generation)
        model = self._models.choose(encoder)
        writing.use(model)
        try:
            yield from writing.receive(model.stream(question, passages))
            if not writing.text.strip():
                raise LanguageModelUnavailable(f"The model {model.name} answered with nothing.")
        except LanguageModelUnavailable as error:
            self._models.forget()
            if writing.text.strip():
                writing.status = "incomplete"
                writing.notice = error.message
            else:
                model = self._models.extractive(encoder, error.message)
                writing.use(model)
                yield from writing.receive(model.stream(question, passages))

    def _record(self, writing: "_Writing") -> Answer:
        answer = writing.finish()
        with self._ledger.write() as connection:
            save_answer(connection, answer)
        return answer


class _Writing:
    """An answer while it is written."""

    def __init__(self, question: str, conversation_id: str) -> None:
        self.id = uuid.uuid4().hex
        self.question = question
        self.conversation_id = conversation_id
        self.started = time.perf_counter()
        self.laps: dict[str, float] = {}
        self.found: SearchResult | None = None
        self.text = ""
        self.status: Status = "complete"
        self.notice: str | None = None
        self.model = ""
        self.prompt_hash: str | None = None
        self.citations: tuple[Citation, ...] = ()

    def use(self, model: LanguageModel) -> None:
        self.model, self.notice = model.name, model.notice
        self.prompt_hash = None if model.name == Extractive.name else prompt_hash()

    def receive(self, pieces: Iterator[str]) -> Iterator[str]:
        for piece in pieces:
            if "first_token" not in self.laps:
                self.laps["first_token"] = self._milliseconds()
            self.text += piece
            yield piece

    def abstain(self, living: Container[str]) -> None:
        """Say where nothing was found; ``living`` are the collections that hold documents."""
        assert self.found is not None
        self.status, self.model = "abstained", "none"
        names = [
            _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", name)
            for name in self.found.collections
            if name in living
        ]
        if not names:
            self.text = "Nothing was found: there are no documents here yet."
            return
        where = ", ".join(names[:3])
        if len(names) > 3:
            where += f" and {len(names) - 3} more"
        self.text = f"Nothing relevant to this question was found in {where}."

    def cite(self) -> None:
        """Number the citations by their passages; a mark that names no passage is removed."""
        assert self.found is not None
        passages = self.found.passages
        statements: dict[int, str] = {}
        cut, statement = 0, ""

        def keep(match: re.Match[str]) -> str:
            nonlocal cut, statement
            # Of "… said so. [1][2]" both marks support the same statement.
            statement = self.text[cut : match.start()].strip() or statement
            numbers = [int(number) for number in match.group(1).split(",")]
            valid = [number for number in numbers if 1 <= number <= len(passages)]
            for number in valid:
                statements.setdefault(number, statement)
            cut = match.end()
            return "".join(f" [{number}]" for number in valid)

        self.text = _MARK.sub(keep, self.text).strip()
        self.citations = tuple(
            _citation(n, passages[n - 1], statements[n]) for n in sorted(statements)
        )

    def finish(self) -> Answer:
        assert self.found is not None
        self.laps["total"] = self._milliseconds()
        return Answer(
            id=self.id,
            conversation_id=self.conversation_id,
            question=self.question,
            answer=self.text,
            status=self.status,
            notice=self.notice,
            model=self.model,
            prompt_hash=self.prompt_hash,
            collections=self.found.collections,
            generation_id=self.found.generation_id,
            settings_version=self.found.settings_version,
            timings_ms=self.laps,
            created_at=datetime.now(UTC),
            citations=self.citations,
        )

    def _milliseconds(self) -> float:
        return round((time.perf_counter() - self.started) * 1000, 2)


def _citation(n: int, passage: Passage, statement: str) -> Citation:
    chunk = passage.chunk
    begin, end = supporting_sentence(statement, chunk.text)
    place = chunk.place_at(chunk.start + begin)
    return Citation(
        n=n,
        chunk_id=chunk.id,
        content_id=chunk.content_id,
        collection=chunk.collection,
        key=chunk.key,
        title=chunk.title,
        page=place.page,
        heading_path=place.heading_path,
        start=chunk.start,
        end=chunk.end,
        quote=chunk.text[begin:end],
        score=passage.score,
        ranks=passage.ranks,
    )
