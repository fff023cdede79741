"""What is measured of the platform at work."""

import dagster as dg

from rag_platform.embedding.models import Encoders
from rag_platform.errors import InvalidRequest, TrackingUnavailable
from rag_platform.evaluation.evaluating import Measure, evaluate_live
from rag_platform.evaluation.plot import markdown_plot
from rag_platform.evaluation.report import label, markdown, problems
from rag_platform.evaluation.team import how_to_make_one, team_dataset
from rag_platform.evaluation.tracked import log
from rag_platform.index.chroma import Chroma
from rag_platform.ledger import Ledger
from rag_platform.objects import Objects
from rag_platform.retrieval.reranking import Reranker
from rag_platform.retrieval.search import Search
from rag_platform.tracking import Tracking


@dg.asset(group_name="monitoring")
def retrieval_evaluation(
    context: dg.AssetExecutionContext,
    ledger: dg.ResourceParam[Ledger],
    objects: dg.ResourceParam[Objects],
    encoders: dg.ResourceParam[Encoders],
    chroma: dg.ResourceParam[Chroma],
    tracking: dg.ResourceParam[Tracking],
    reranker: dg.ResourceParam[Reranker | None],
) -> dg.MaterializeResult:
    """The team's own questions asked of the live collections, beside keywords and vectors alone.

    The questions are evaluation/validation.jsonl in the object store.
    """
    try:
        dataset = team_dataset(objects)
        if dataset is None:
            return dg.MaterializeResult(metadata={"validation set": how_to_make_one(objects)})
        search = Search(ledger, objects, chroma, encoders, reranker)
        result = evaluate_live(ledger, objects, search, dataset, Measure())
    except InvalidRequest as error:
        raise dg.Failure(str(error)) from None
    try:
        log(tracking, result)
    except TrackingUnavailable as error:
        context.log.warning("Not logged to MLflow, the result stands: %s", error.message)
    return dg.MaterializeResult(
        metadata={
            **{label(name): one.value for name, one in result.estimates().items()},
            **{f"search, ms, {name}": one.value for name, one in result.latencies().items()},
            "questions": len(result.outcomes),
            "beside its halves": dg.MetadataValue.md(markdown(result)),
            "plot": dg.MetadataValue.md(markdown_plot(result)),
            "not found": dg.MetadataValue.md("\n".join(problems(result)) or "nothing"),
        }
    )
