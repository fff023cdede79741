"""What MLflow is told of an evaluation."""

import json

from rag_platform.evaluation.results import Result
from rag_platform.evaluation.runner import PLATFORM, SYSTEMS
from rag_platform.tracking import Tracking


def log(tracking: Tracking, result: Result) -> None:
    """Log an evaluation as a run. Raises :class:`TrackingUnavailable`."""
    encoder = result.generation["encoder"]
    tracking.record(
        f"evaluation of {result.dataset}",
        parameters={
            "dataset": result.dataset,
            "dataset_digest": result.dataset_digest,
            "questions": str(len(result.outcomes)),
            "recipe": result.recipe,
            "model": f"{encoder['model']} {encoder['version']}",
            "chunking": str(result.generation["chunking"]["id"]),
            "settings": json.dumps(result.settings[PLATFORM], sort_keys=True),
            "budget": str(result.budget),
            "min_overlap": str(result.min_overlap),
        },
        metrics={
            **{
                f"{system}/{metric_name(figure)}": one.value
                for system in SYSTEMS
                for figure, one in result.estimates(system).items()
            },
            **{f"search_ms_{name}": one.value for name, one in result.latencies().items()},
        },
    )


def metric_name(figure: str) -> str:
    """A figure's name in the characters that MLflow takes."""
    return figure.replace("@", "_at_")
