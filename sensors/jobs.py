"""The jobs that sensors, schedules and people start."""

import dagster as dg

from assets.ingestion import chunks, documents, embeddings, index_matches_bucket, search_index
from assets.monitoring import retrieval_evaluation
from rag_platform.index.chroma import Chroma
from rag_platform.index.rebuilding import rebuild
from rag_platform.ledger import Ledger
from rag_platform.objects import Objects

ingest = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets(documents, chunks, embeddings, search_index)
    | dg.AssetSelection.checks(index_matches_bucket),
    description="Reconcile one collection with the bucket: read, split, embed, index, check.",
)

verify_index = dg.define_asset_job(
    "verify_index",
    selection=dg.AssetSelection.checks(index_matches_bucket),
    config={"ops": {"search_index_index_matches_bucket": {"config": {"exhaustive": True}}}},
    description="Compare every id and send every stored vector as a query.",
)

evaluate_retrieval = dg.define_asset_job(
    "evaluate_retrieval",
    selection=dg.AssetSelection.assets(retrieval_evaluation),
    tags={"rag/exclusive": "evaluate_retrieval"},
    description="Ask the team's own questions and compare the search with each of its halves.",
)


@dg.op
def rebuild_collections(
    context: dg.OpExecutionContext,
    ledger: dg.ResourceParam[Ledger],
    objects: dg.ResourceParam[Objects],
    chroma: dg.ResourceParam[Chroma],
) -> None:
    """Build every live index anew from the stored vectors, and switch to each when it is whole."""
    for name, vectors in rebuild(ledger, objects, chroma):
        context.log.info("Rebuilt %s with %d vectors", name, vectors)


@dg.job(
    tags={"rag/exclusive": "rebuild_index"},
    description="Build the live indexes anew in Chroma, without parsing or embedding anything.",
)
def rebuild_index() -> None:
    """Rebuild every live index."""
    rebuild_collections()
