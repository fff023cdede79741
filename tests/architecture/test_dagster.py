"""What Dagster sees, and what its assets and its sensor do with plain objects."""

import dagster as dg
import pytest

from assets import ingestion, time_limit
from assets.partitions import collection_partitions, partition_key
from rag_platform.documents.bucket import Bucket
from rag_platform.embedding import stage
from rag_platform.errors import BucketUnavailable
from rag_platform.ingestion import lease
from sensors.bucket import bucket_changed

LEAVE = "# Leave\n\nParental leave lasts 26 weeks and is paid in full."
ASSETS = [ingestion.documents, ingestion.chunks, ingestion.embeddings, ingestion.search_index]

pytestmark = [
    # Dagster warns of its own beta and preview features, and uses a deprecated one of pydantic.
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]


def _resources(platform, pipeline) -> dict:
    return {
        "ledger": platform.ledger,
        "bucket": platform.bucket,
        "objects": platform.objects,
        "parser": pipeline.parser,
        "encoders": platform.encoders,
        "chroma": platform.chroma,
    }


def _ingest(instance, platform, pipeline, name: str, *, fails: bool = False):
    key = partition_key(name)
    instance.add_dynamic_partitions("collection", [key])
    return dg.materialize(
        [*ASSETS, ingestion.index_matches_bucket],
        partition_key=key,
        instance=instance,
        resources=_resources(platform, pipeline),
        raise_on_error=not fails,
    )


def test_the_definitions_hold_what_the_platform_promises(ledger_url):
    from rag_platform.definitions import defs

    repository = defs.get_repository_def()
    graph = defs.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    ingested = {"documents", "chunks", "embeddings", "search_index"}
    assert names == {*ingested, "retrieval_evaluation"}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        partitioned = key.to_user_string() in ingested
        assert node.group_name == ("ingestion" if partitioned else "monitoring")
        assert node.partitions_def == (collection_partitions if partitioned else None)
        assert node.description
    (check,) = graph.asset_check_keys
    assert (check.asset_key.to_user_string(), check.name) == (
        "search_index",
        "index_matches_bucket",
    )
    assert {"ingest", "verify_index", "rebuild_index", "evaluate_retrieval"} <= set(
        repository.job_names
    )
    sensor = repository.get_sensor_def("bucket_changed")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    schedule = repository.get_schedule_def("index_verified_daily")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def test_an_asset_can_be_called_with_plain_objects(platform, pipeline, put, instance):
    put("handbook/leave.md", LEAVE)
    context = dg.build_asset_context(partition_key="handbook", instance=instance)
    result = ingestion.documents(
        context, platform.ledger, platform.bucket, platform.objects, pipeline.parser
    )
    assert (result.metadata["listed"], result.metadata["read"]) == (1, 1)
    assert "handbook/leave.md | read" in result.metadata["changes"].value


@pytest.mark.parametrize("name", ["handbook", "Räte", "a b", "a...b", "100%"])
def test_a_run_of_all_assets_indexes_a_collection_and_its_check_is_green(
    platform, pipeline, put, instance, name
):
    put(f"{name}/leave.md", LEAVE)
    put(f"{name}/broken|pipe.pdf", b"%PDF-1.4")
    result = _ingest(instance, platform, pipeline, name)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert check.passed, check.metadata
    (made,) = result.asset_materializations_for_node("documents")
    assert made.metadata["quarantined"].value == 1
    assert "broken\\|pipe.pdf" in made.metadata["changes"].value
    (made,) = result.asset_materializations_for_node("search_index")
    assert made.metadata["vectors"].value == 1


def test_a_run_leaves_what_it_has_no_time_for_and_its_check_is_green(
    platform, pipeline, put, instance, monkeypatch
):
    monkeypatch.setitem(time_limit._SHARES, "embeddings", 0.0)
    monkeypatch.setattr(stage, "BLOCK_ROWS", 4)
    put("handbook/leave.md", LEAVE)
    put("handbook/long.md", "\n\n".join(f"## {n}\n\n{f'Part {n}. ' * 60}" for n in range(20)))
    result = _ingest(instance, platform, pipeline, "handbook")
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert check.passed, check.metadata
    assert "chunks without a vector" in check.metadata["work left"].value
    (made,) = result.asset_materializations_for_node("embeddings")
    assert made.metadata["left for the next run"].value > 0
    (made,) = result.asset_materializations_for_node("search_index")
    assert "chunks without a vector" in made.metadata["generations"].value


def test_the_check_is_red_and_says_why_where_something_is_lost(platform, pipeline, put, instance):
    put("handbook/leave.md", LEAVE)
    _ingest(instance, platform, pipeline, "handbook")
    (name,) = platform.chroma.names()
    platform.chroma.drop(name)
    context = dg.build_asset_check_context(instance=instance)
    assert context is not None
    result = dg.materialize(
        [ingestion.search_index.to_source_asset(), ingestion.index_matches_bucket],
        instance=instance,
        resources=_resources(platform, pipeline),
        selection=dg.AssetSelection.checks(ingestion.index_matches_bucket),
    )
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert "Chroma has lost the index" in check.metadata["problems"].value


def test_the_verdict_of_the_run_that_ends_last_stands_whichever_was_planned_last(
    platform, pipeline, put, instance
):
    put("handbook/leave.md", LEAVE)
    key = dg.AssetCheckKey(dg.AssetKey("search_index"), "index_matches_bucket")

    class AnotherRunEndsMeanwhile(Bucket):
        def list_collection(self, collection):
            other = dg.AssetCheckEvaluation(
                asset_key=key.asset_key, check_name=key.name, passed=False, metadata={}
            )
            instance.report_runless_asset_event(other)
            return super().list_collection(collection)

    instance.add_dynamic_partitions("collection", [partition_key("handbook")])
    dg.materialize(
        [*ASSETS, ingestion.index_matches_bucket],
        partition_key=partition_key("handbook"),
        instance=instance,
        resources=_resources(platform, pipeline)
        | {"bucket": AnotherRunEndsMeanwhile(platform.bucket.url)},
    )
    (last,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert last.evaluation is not None
    assert last.evaluation.passed


@pytest.fixture
def tick(platform, instance, monkeypatch):
    """Evaluate the sensor once, looking at the bucket for two seconds at most."""
    monkeypatch.setenv("RAG_INGESTION_SETTLE_SECONDS", "0.05")
    monkeypatch.setenv("RAG_INGESTION_WATCH_SECONDS", "2")

    def evaluate(bucket: Bucket | None = None, *, watch: str | None = None):
        if watch is not None:
            monkeypatch.setenv("RAG_INGESTION_WATCH_SECONDS", watch)
        with dg.build_sensor_context(
            instance=instance,
            resources={
                "ledger": platform.ledger,
                "bucket": bucket or platform.bucket,
                "chroma": platform.chroma,
            },
        ) as context:
            return bucket_changed(context)

    return evaluate


def test_the_sensor_asks_for_a_run_of_each_collection_that_differs(tick, put):
    put("handbook/leave.md", LEAVE)
    put("a...b/leave.md", LEAVE)
    result = tick()
    assert [request.partition_key for request in result.run_requests] == ["a%2E%2E%2Eb", "handbook"]
    assert all(request.run_key is None for request in result.run_requests)
    assert "1 new or changed" in result.run_requests[1].tags["rag/reason"]
    (request,) = result.dynamic_partitions_requests
    assert sorted(request.partition_keys) == ["a%2E%2E%2Eb", "handbook"]


def test_the_sensor_skips_where_nothing_changed(tick, put, platform, pipeline):
    put("handbook/leave.md", LEAVE)
    pipeline()
    result = tick(watch="1")
    assert isinstance(result, dg.SkipReason)
    assert "1 objects, nothing changed" in result.skip_message


def test_the_sensor_skips_with_the_reason_when_a_listing_fails(tick, platform, pipeline, put):
    class Failing(Bucket):
        def list_source(self, source):
            raise BucketUnavailable("The share is not mounted.")

    put("handbook/leave.md", LEAVE)
    pipeline()
    result = tick(Failing(platform.bucket.url))
    assert result == dg.SkipReason("The share is not mounted.")


def test_the_sensor_waits_for_a_file_that_is_being_written(tick, platform, put):
    class Growing(Bucket):
        looks = 0

        def list_source(self, source):
            Growing.looks += 1
            put("handbook/leave.md", LEAVE * Growing.looks)
            return super().list_source(source)

    result = tick(Growing(platform.bucket.url), watch="1")
    assert isinstance(result, dg.SkipReason)
    assert Growing.looks


def test_the_sensor_asks_for_what_a_killed_run_left(tick, put, pipeline):
    put("handbook/leave.md", LEAVE)
    pipeline.documents("handbook")
    (request,) = tick().run_requests
    assert request.tags["rag/reason"] == "the index is not current"


def test_the_sensor_asks_for_a_run_where_chroma_lost_vectors(tick, put, pipeline, platform):
    put("handbook/leave.md", LEAVE)
    pipeline()
    platform.chroma.drop(platform.chroma.names()[0])
    (request,) = tick().run_requests
    assert request.tags["rag/reason"] == "Chroma holds 0 vectors of 1"


def _run(instance, status: dg.DagsterRunStatus, name: str = "handbook") -> None:
    tags = {"dagster/partition": partition_key(name)}
    job = dg.job(name="ingest")(lambda: None)
    run = instance.create_run_for_job(job, tags=tags, status=status)
    assert run.status == status


def test_the_sensor_asks_for_no_run_while_one_is_under_way(tick, put, instance):
    put("handbook/leave.md", LEAVE)
    put("people/leave.md", LEAVE)
    _run(instance, dg.DagsterRunStatus.STARTED)
    (request,) = tick().run_requests
    assert request.partition_key == "people"


def test_the_sensor_says_what_it_waits_for(tick, put, instance):
    put("handbook/leave.md", LEAVE)
    _run(instance, dg.DagsterRunStatus.STARTING)
    result = tick(watch="1")
    assert "is under way" in result.skip_message


def test_the_sensor_backs_off_after_failed_runs(tick, put, instance):
    put("handbook/leave.md", LEAVE)
    for _ in range(3):
        _run(instance, dg.DagsterRunStatus.FAILURE)
    result = tick(watch="1")
    assert "3 runs failed in a row, the next attempt is in" in result.skip_message


def test_a_run_that_succeeded_ends_the_pause(tick, put, instance):
    put("handbook/leave.md", LEAVE)
    _run(instance, dg.DagsterRunStatus.FAILURE)
    _run(instance, dg.DagsterRunStatus.SUCCESS)
    assert len(tick().run_requests) == 1


def test_the_sensor_leaves_a_collection_alone_that_rag_ingest_works_on(
    tick, put, tmp_path, monkeypatch
):
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "leased"))
    put("handbook/leave.md", LEAVE)
    put("papers/leave.md", LEAVE)
    with lease.held(tmp_path / "leased", "handbook"):
        (request,) = tick().run_requests
        assert request.partition_key == "papers"
    assert [request.partition_key for request in tick().run_requests] == ["handbook", "papers"]
