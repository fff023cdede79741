"""The command ``rag eval``: evaluate, show, write, log; or compare."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from rag_platform.errors import InvalidRequest, TrackingUnavailable
from rag_platform.printing import printable
from rag_platform.settings import Settings

_EXAMPLE = "Such as: rag eval DATASET --output a.json, and rag eval --compare a.json b.json."


def evaluate(
    dataset: Annotated[
        Path | None,
        typer.Argument(help="A folder (BEIR, or corpus/ and questions.jsonl), or a .jsonl file."),
    ] = None,
    split: Annotated[str, typer.Option(help="Which qrels of a BEIR dataset.")] = "",
    half: Annotated[
        int | None, typer.Option(min=1, max=2, help="Only this half of the questions.")
    ] = None,
    budget: Annotated[
        int, typer.Option(min=1, max=20_000, help="Characters of passages that a reader gets.")
    ] = 4000,
    min_overlap: Annotated[
        float,
        typer.Option(min=0, max=1, help="The share of a chunk that has to answer; 0: any of it."),
    ] = 0.0,
    output: Annotated[Path | None, typer.Option(help="Write the result to this file.")] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Compare two results that --output wrote.")
    ] = None,
) -> None:
    """Measure the search on questions with known answers; compare two measurements."""
    if (dataset is None) == (compare is None):
        raise InvalidRequest("Give a dataset to evaluate, or two results to compare.", _EXAMPLE)
    if compare is not None:
        _compare(*compare)
    elif dataset is not None:
        if output is not None:
            _check_writable(output)  # said before the work and not after it
        try:
            _evaluate(dataset, split, half, budget, min_overlap, output)
        except KeyboardInterrupt:
            print("Interrupted. The same command goes on from there.", file=sys.stderr)  # noqa: T201
            raise typer.Exit(130) from None


def _evaluate(
    path: Path, split: str, half: int | None, budget: int, min_overlap: float, output: Path | None
) -> None:
    import structlog

    # The libraries take half a second to import, which every other command would pay.
    from rag_platform.evaluation.datasets import open_dataset
    from rag_platform.evaluation.evaluating import Measure, evaluate
    from rag_platform.evaluation.progress import Bars
    from rag_platform.evaluation.report import show
    from rag_platform.evaluation.tracked import log
    from rag_platform.tracking import Tracking

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    out, err = Console(), Console(stderr=True)
    settings = Settings.load()
    with Bars(err) as bars:
        bars("dataset read", 0, None)
        dataset = open_dataset(path, split).halved(half)
        result = evaluate(settings, dataset, Measure(budget, min_overlap), bars)
    if output is not None:
        _write(output, result.to_json())
    show(out, result)
    try:
        log(Tracking(settings.mlflow_url, timeout=settings.mlflow.timeout), result)
    except TrackingUnavailable as error:
        line = f"Not logged to MLflow, the result stands: {error.message}"
        err.print(Text(printable(line), "yellow"), soft_wrap=True)


def _compare(one: Path, other: Path) -> None:
    from rag_platform.evaluation.report import show_comparison
    from rag_platform.evaluation.results import Result, compare

    first, second = Result.load(one), Result.load(other)
    show_comparison(Console(), first, second, compare(first, second))


def _check_writable(output: Path) -> None:
    if output.is_dir() or not output.absolute().parent.is_dir():
        what = "is a folder" if output.is_dir() else "lies in a folder that does not exist"
        raise InvalidRequest(f"{output} {what}.", "Give --output the name of a file.")
    if not os.access(output if output.exists() else output.absolute().parent, os.W_OK):
        raise InvalidRequest(f"{output} may not be written.", "Give --output another place.")


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(
            f"{output} cannot be written: {error.strerror}.", "Give --output another place."
        ) from error
