"""The team's own questions, evaluated in Dagster."""

import base64
import json
from types import SimpleNamespace

import dagster as dg
import pytest

from assets.monitoring import retrieval_evaluation
from rag_platform.tracking import Tracking

pytestmark = [
    # Dagster warns of its own beta and preview features, and uses a deprecated one of pydantic.
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]

LEAVE = "# Leave\n\nParental leave lasts 26 weeks and is paid in full."
TRAVEL = "# Travel\n\nTrains are booked in second class through the travel office."


@pytest.fixture
def evaluate(platform, instance, free_port):
    """Materialise the asset where no MLflow answers."""

    def run(*, fails: bool = False) -> SimpleNamespace:
        result = dg.materialize(
            [retrieval_evaluation],
            instance=instance,
            resources={
                "ledger": platform.ledger,
                "objects": platform.objects,
                "encoders": platform.encoders,
                "reranker": platform.reranker,
                "chroma": platform.chroma,
                "tracking": Tracking(f"http://127.0.0.1:{free_port()}", timeout=5),
            },
            raise_on_error=not fails,
        )
        made = result.asset_materializations_for_node("retrieval_evaluation")
        return SimpleNamespace(result=result, metadata=made[0].metadata if made else None)

    return run


def _validate(platform, *lines: object) -> None:
    data = "\n".join(map(json.dumps, lines)).encode()
    platform.objects.put("evaluation/validation.jsonl", data)


def test_without_a_validation_set_it_says_how_to_make_one(evaluate, platform):
    said = evaluate().metadata["validation set"].value
    assert said.startswith("There is no validation set yet: put evaluation/validation.jsonl in")
    assert platform.objects.url in said


def test_the_live_collections_are_asked_and_shown_beside_each_half(
    evaluate, platform, pipeline, put
):
    put("handbook/leave.md", LEAVE)
    put("people/travel.md", TRAVEL)
    pipeline()
    _validate(
        platform,
        {
            "question": "How long is parental leave?",
            "document": "handbook/leave.md",
            "passages": ["Parental leave lasts 26 weeks"],
        },
        {
            "question": "Which class are trains booked in?",
            "collection": "people",
            "document": "people/travel.md",
            "passages": [{"start": 10, "end": 44}],
        },
        {
            "question": "Where is the canteen?",
            "document": "handbook/canteen.md",
            "passages": ["In the basement"],
        },
    )
    metadata = evaluate().metadata
    assert metadata["questions"].value == 2
    assert metadata["nDCG@10"].value == 1
    assert metadata["text in 5 passages"].value == 1
    assert metadata["search, ms, p50"].value > 0
    assert "| nDCG@10 | 1.000 " in metadata["beside its halves"].value
    assert "handbook/canteen.md cannot be read or is not indexed" in metadata["not found"].value
    head, _, image = metadata["plot"].value.partition("base64,")
    assert head == "![Figures of 2 questions](data:image/png;"
    assert base64.b64decode(image.removesuffix(")")).startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"question": "Q?"}, "evaluation/validation.jsonl, line 1: 'passages' is missing"),
        (
            {"question": "Q?", "document": "gone.md", "passages": ["x"]},
            "No answer of validation.jsonl was found in the documents that the platform has read: "
            "gone.md cannot be read or is not indexed",
        ),
    ],
)
def test_a_validation_set_that_cannot_be_used_fails_the_run_with_one_sentence(
    evaluate, platform, line, says
):
    _validate(platform, line)
    result = evaluate(fails=True).result
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert says in failure.event_specific_data.user_failure_data.description
