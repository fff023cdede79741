"""Queries about answers, their citations and their ratings."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from rag_platform.errors import InvalidRequest, NotFound
from rag_platform.ledger.statements import AnyRow, insert_ignore
from rag_platform.ledger.tables import answers, chunks, citations, ratings

Status = Literal["complete", "abstained", "incomplete", "failed"]
Verdict = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that an answer cites as ``[n]``; offsets are those of the document's text.

    The page and the headings are those of the quote.
    """

    n: int
    chunk_id: str
    content_id: str
    collection: str
    key: str
    title: str
    page: int | None
    heading_path: tuple[str, ...]
    start: int
    end: int
    quote: str
    score: float
    ranks: dict[str, int | None]


_CITATION_FIELDS = tuple(field.name for field in fields(Citation))


@dataclass(frozen=True, slots=True)
class Answer:
    """A question answered, with everything that made the answer."""

    id: str
    conversation_id: str
    question: str
    answer: str
    status: Status
    notice: str | None
    """What the reader has to know of how it was made: that no language model is connected."""
    model: str
    prompt_hash: str | None
    collections: tuple[str, ...]
    generation_id: int | None
    settings_version: int | None
    timings_ms: dict[str, float]
    created_at: datetime
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Rating:
    """A person's verdict on an answer."""

    answer_id: str
    rater: str
    rating: Verdict
    reasons: tuple[str, ...]
    comment: str
    passage: str | None
    """The id of the chunk that would have been the right one, if the person said so."""
    created_at: datetime
    updated_at: datetime


def save_answer(connection: sa.Connection, answer: Answer) -> None:
    """Record an answer with its citations."""
    connection.execute(
        sa.insert(answers).values(
            id=answer.id,
            conversation_id=answer.conversation_id,
            question=answer.question,
            answer=answer.answer,
            status=answer.status,
            notice=answer.notice,
            model=answer.model,
            prompt_hash=answer.prompt_hash,
            collections=list(answer.collections),
            generation_id=answer.generation_id,
            settings_version=answer.settings_version,
            timings_ms=answer.timings_ms,
            created_at=answer.created_at,
        )
    )
    if answer.citations:
        connection.execute(
            sa.insert(citations),
            [{"answer_id": answer.id, **asdict(item)} for item in answer.citations],
        )


def find_answer(connection: sa.Connection, answer_id: str) -> Answer:
    """An answer with its citations. Raises :class:`NotFound`."""
    row = connection.execute(sa.select(answers).where(answers.c.id == answer_id)).first()
    if row is None:
        raise NotFound(f"There is no answer {answer_id!r}.")
    cited = connection.execute(
        sa.select(citations).where(citations.c.answer_id == answer_id).order_by(citations.c.n)
    )
    return Answer(
        id=row.id,
        conversation_id=row.conversation_id,
        question=row.question,
        answer=row.answer,
        status=row.status,
        notice=row.notice,
        model=row.model,
        prompt_hash=row.prompt_hash,
        collections=tuple(row.collections),
        generation_id=row.generation_id,
        settings_version=row.settings_version,
        timings_ms=row.timings_ms,
        created_at=row.created_at,
        citations=tuple(_citation(item) for item in cited),
    )


def save_rating(
    connection: sa.Connection,
    answer_id: str,
    *,
    rater: str,
    rating: Verdict,
    reasons: Sequence[str] | None = None,
    comment: str | None = None,
    passage: str | None = None,
) -> Rating:
    """Record a verdict; the newest of a rater wins, and saying the same twice changes nothing.

    What is None was not said: it stays as it is stored while the rating is the same, and goes with
    the verdict that it explained when the rating changes. What is empty is cleared.

    Raises :class:`NotFound` for an unknown answer and :class:`InvalidRequest` for a passage that
    the platform never had.
    """
    if connection.execute(sa.select(answers.c.id).where(answers.c.id == answer_id)).first() is None:
        raise NotFound(f"There is no answer {answer_id!r}.")
    if passage:
        known = connection.execute(sa.select(chunks.c.id).where(chunks.c.id == passage)).first()
        if known is None:
            raise InvalidRequest(f"There is no passage {passage!r}.")
    verdict: dict[str, Any] = {
        "rating": rating,
        "reasons": list(reasons or ()),
        "comment": comment or "",
        "passage": passage or None,
    }
    now = datetime.now(UTC)
    first = {"answer_id": answer_id, "rater": rater, "created_at": now, "updated_at": now}
    connection.execute(insert_ignore(connection, ratings), [first | verdict])
    its = (ratings.c.answer_id == answer_id) & (ratings.c.rater == rater)
    # Locked, so that of two verdicts at once the later one sees what the earlier one stored.
    stored = _rating(connection.execute(sa.select(ratings).where(its).with_for_update()).one())
    if stored.rating == rating:
        verdict["reasons"] = list(stored.reasons if reasons is None else reasons)
        verdict["comment"] = stored.comment if comment is None else comment
        verdict["passage"] = stored.passage if passage is None else passage or None
    newest = replace(stored, **(verdict | {"reasons": tuple(verdict["reasons"])}))
    if newest == stored:
        return stored
    connection.execute(sa.update(ratings).where(its).values(**verdict, updated_at=now))
    return replace(newest, updated_at=now)


def ratings_of(connection: sa.Connection, answer_id: str) -> list[Rating]:
    """The verdicts on an answer, oldest first."""
    rows = connection.execute(
        sa.select(ratings).where(ratings.c.answer_id == answer_id).order_by(ratings.c.id)
    )
    return [_rating(row) for row in rows]


def _rating(row: AnyRow) -> Rating:
    return Rating(
        answer_id=row.answer_id,
        rater=row.rater,
        rating=row.rating,
        reasons=tuple(row.reasons),
        comment=row.comment,
        passage=row.passage,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _citation(row: AnyRow) -> Citation:
    values: dict[str, Any] = {name: getattr(row, name) for name in _CITATION_FIELDS}
    values["heading_path"] = tuple(row.heading_path)
    return Citation(**values)
