"""Answers afterwards: their lineage, and what people think of them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from rag_platform.ledger.answers import save_rating
from rag_platform.service.context import CurrentPlatform
from rag_platform.service.lineage import lineage_of
from rag_platform.service.payloads import RatingPayload
from rag_platform.service.raters import current_rater
from rag_platform.service.schemas import RatingBody

router = APIRouter(tags=["answers"])


@router.get("/v1/answers/{answer_id}")
def get_answer(answer_id: str, platform: CurrentPlatform) -> dict[str, Any]:
    """Everything that made an answer: passages, file versions, index, models, settings, ratings."""
    with platform.ledger.read() as connection:
        return lineage_of(connection, answer_id)


@router.post("/v1/answers/{answer_id}/rating")
def rate(
    answer_id: str,
    body: RatingBody,
    platform: CurrentPlatform,
    rater: Annotated[str, Depends(current_rater)],
) -> RatingPayload:
    """Rate an answer. A rater's newest verdict counts, and saying it twice changes nothing.

    Reasons, comment and passage that are left out stay as they are stored while the rating is the
    same, and go when it changes; an empty one is cleared.
    """
    with platform.ledger.write() as connection:
        return RatingPayload.of(
            save_rating(
                connection,
                answer_id,
                rater=rater,
                rating=body.rating,
                reasons=body.reasons,
                comment=body.comment,
                passage=body.passage,
            )
        )
