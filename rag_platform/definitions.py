"""The composition root: everything that Dagster sees. The one Dagster-aware module in here."""

import dagster as dg

from assets import ingestion, monitoring
from resources.bucket import BucketResource
from resources.chroma import ChromaResource
from resources.encoders import EncodersResource
from resources.ledger import LedgerResource
from resources.objects import ObjectsResource
from resources.parser import ParserResource
from resources.reranker import RerankerResource
from resources.tracking import TrackingResource
from sensors.bucket import bucket_changed
from sensors.jobs import evaluate_retrieval, ingest, rebuild_index, verify_index
from sensors.promotion import generation_complete, promote
from sensors.retention import purge_runs
from sensors.schedules import index_verified_daily, runs_purged_daily

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([ingestion, monitoring]),
    asset_checks=dg.load_asset_checks_from_modules([ingestion]),
    jobs=[ingest, verify_index, rebuild_index, evaluate_retrieval, promote, purge_runs],
    schedules=[index_verified_daily, runs_purged_daily],
    sensors=[bucket_changed, generation_complete],
    resources={
        "ledger": LedgerResource(),
        "bucket": BucketResource(),
        "objects": ObjectsResource(),
        "parser": ParserResource(),
        "encoders": EncodersResource(),
        "chroma": ChromaResource(),
        "tracking": TrackingResource(),
        "reranker": RerankerResource(),
    },
    # One process a run: the model is loaded once. Deployments choose another executor.
    executor=dg.in_process_executor,
)
