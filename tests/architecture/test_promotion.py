"""How Dagster changes what serves: the sensor, the job, and runs that build two generations."""

import dagster as dg
import pytest

from assets import ingestion
from assets.partitions import partition_key
from rag_platform.bootstrap import propose_generation
from rag_platform.ledger.serving import current_serving
from rag_platform.settings import Settings
from sensors.bucket import bucket_changed
from sensors.promotion import generation_complete, promote

pytestmark = [
    # Dagster warns of its own beta and preview features, and uses a deprecated one of pydantic.
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]


@pytest.fixture
def changed(platform, pipeline, put, monkeypatch):
    """Two collections are indexed, and the chunking was changed since."""
    for name in ("handbook", "people"):
        text = " ".join(f"Parental leave of kind {n} lasts {n} weeks." for n in range(40))
        put(f"{name}/leave.md", f"# Leave of {name}\n\n{text}")
    pipeline()
    monkeypatch.setenv("RAG_CHUNKING_MAX_TOKENS", "60")
    chunking = Settings.load().chunking
    platform.settings = platform.settings.model_copy(update={"chunking": chunking})
    propose_generation(platform)


@pytest.fixture
def ask(platform, instance):
    """Evaluate the sensor once."""

    def evaluate():
        with dg.build_sensor_context(
            instance=instance, resources={"ledger": platform.ledger}
        ) as context:
            return generation_complete(context)

    return evaluate


def _promote(instance, platform, *, fails: bool = False):
    return promote.execute_in_process(
        instance=instance,
        resources={
            "ledger": platform.ledger,
            "objects": platform.objects,
            "chroma": platform.chroma,
            "encoders": platform.encoders,
        },
        raise_on_error=not fails,
    )


def _serving(platform) -> str:
    with platform.ledger.read() as connection:
        serving = current_serving(connection)
    assert serving is not None
    return serving.generation.chunking


def test_runs_are_asked_for_though_no_file_changed(platform, instance, changed):
    with dg.build_sensor_context(
        instance=instance,
        resources={
            "ledger": platform.ledger,
            "bucket": platform.bucket,
            "chroma": platform.chroma,
        },
    ) as context:
        result = bucket_changed(context)
    assert {request.partition_key for request in result.run_requests} == {"handbook", "people"}


def test_ordinary_runs_build_it_and_a_job_lets_it_serve(platform, pipeline, instance, changed, ask):
    before = _serving(platform)
    assert isinstance(ask(), dg.SkipReason)
    for name in ("handbook", "people"):
        key = partition_key(name)
        instance.add_dynamic_partitions("collection", [key])
        result = dg.materialize(
            [
                ingestion.documents,
                ingestion.chunks,
                ingestion.embeddings,
                ingestion.search_index,
                ingestion.index_matches_bucket,
            ],
            partition_key=key,
            instance=instance,
            resources={
                "ledger": platform.ledger,
                "bucket": platform.bucket,
                "objects": platform.objects,
                "parser": pipeline.parser,
                "encoders": platform.encoders,
                "chroma": platform.chroma,
            },
        )
        (check,) = result.get_asset_check_evaluations()
        assert check.passed, check.metadata
        assert _serving(platform) == before
    request = ask()
    assert isinstance(request, dg.RunRequest)
    assert request.tags["rag/reason"] == "generation 2 is complete"
    assert _promote(instance, platform).success
    assert _serving(platform) != before
    assert isinstance(ask(), dg.SkipReason)


def test_the_job_fails_where_the_generation_lost_something_and_is_tried_again_after_a_pause(
    platform, pipeline, instance, changed, ask
):
    pipeline()
    name = next(n for n in platform.chroma.names() if n.startswith("generation-2-"))
    platform.chroma.delete(name, list(platform.chroma.ids(name))[:1])
    assert not _promote(instance, platform, fails=True).success
    assert "the next attempt is in" in ask().skip_message
    assert _promote(instance, platform).success


def test_no_second_attempt_is_asked_for_while_one_is_under_way(
    platform, pipeline, instance, changed, ask
):
    pipeline()
    job = dg.job(name="promote")(lambda: None)
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert "is under way" in ask().skip_message
