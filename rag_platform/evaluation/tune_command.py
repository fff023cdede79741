"""The command ``rag tune``: fit, confirm, and let better settings serve."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from rag_platform.errors import InvalidRequest
from rag_platform.printing import printable
from rag_platform.settings import Settings

if TYPE_CHECKING:
    from rag_platform.evaluation.tuning import Threshold, Tuned
    from rag_platform.retrieval.settings import RetrievalSettings

_FEWEST = 20
"""Questions of each half below which nothing could be confirmed."""


def tune(
    dataset: Annotated[
        Path, typer.Argument(help="A dataset as rag eval takes it, with at least 40 questions.")
    ],
    split: Annotated[str, typer.Option(help="Which qrels of a BEIR dataset.")] = "",
    unanswerable: Annotated[
        Path | None,
        typer.Option(help="A dataset whose questions have no answer in these documents."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Change nothing.")] = False,
) -> None:
    """Fit the settings of the search to one half of the questions, confirm them on the other.

    They serve from then on if they are significantly better. With --unanswerable, the threshold
    below which a question has no answer is fitted too.
    """
    try:
        _tune(dataset, split, unanswerable, dry_run)
    except KeyboardInterrupt:
        print("Interrupted. Nothing was changed.", file=sys.stderr)  # noqa: T201
        raise typer.Exit(130) from None


def _tune(path: Path, split: str, unanswerable: Path | None, dry_run: bool) -> None:
    import structlog

    from rag_platform.evaluation.datasets import open_dataset
    from rag_platform.evaluation.evaluating import Measure, opened, prepared
    from rag_platform.evaluation.progress import Bars
    from rag_platform.evaluation.tuning import Threshold, calibrate, tune
    from rag_platform.ledger.serving import adopt_settings, current_serving
    from rag_platform.wiring import Platform

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    out, settings = Console(), Settings.load()
    live = Platform(settings)
    if not dry_run:
        live.ledger.require_schema()  # said before the work and not after it
    with Bars(Console(stderr=True)) as bars:
        bars("dataset read", 0, None)
        whole = open_dataset(path, split)
        others = [q.text for q in open_dataset(unanswerable, "").questions] if unanswerable else []
        with opened(settings, whole, bars) as corpus:
            fit, confirm = (
                prepared(corpus, whole.halved(half), Measure(), bars)[0] for half in (1, 2)
            )
            if min(len(fit), len(confirm)) < _FEWEST:
                raise InvalidRequest(
                    f"{whole.title} has too few questions to fit and confirm anything: "
                    f"{len(fit)} and {len(confirm)} in its halves.",
                    f"Give at least {2 * _FEWEST}.",
                )
            tuned = tune(corpus.search, fit, confirm, corpus.settings, bars)
            threshold: Threshold | None = None
            if others:
                bars("unanswerable questions asked", 0, None)
                threshold = calibrate(
                    corpus.search, fit, confirm, others, fit[0].collections, tuned.settings
                )
    _show(out, tuned, threshold, len(fit), len(confirm))
    better = tuned.settings
    if threshold is not None:
        better = replace(better, min_relevance=threshold.value)
    if better == tuned.before:
        out.print("The settings that serve are kept.")
        return
    if dry_run:
        out.print("Nothing was changed: --dry-run.")
        return
    with live.ledger.write() as connection:
        serving = current_serving(connection)
        if serving is None:
            raise InvalidRequest("Nothing serves yet.", "Start the platform with rag up.")
        version = adopt_settings(connection, better.to_dict(), expected_revision=serving.revision)
    out.print(f"Settings version {version} serves from now on.")


def _show(
    out: Console, tuned: "Tuned", threshold: "Threshold | None", fit: int, confirm: int
) -> None:
    def line(text: str) -> None:
        out.print(Text(printable(text)), soft_wrap=True)

    for name, before, after in _changes(tuned.before, tuned.fitted):
        line(f"{name}: {before:g} → {after:g}")
    if tuned.fitted == tuned.before:
        line(f"Nothing is better on the {fit} questions of the first half.")
    else:
        found = tuned.confirmed
        verdict = "confirmed" if found.low > 0 else "not confirmed"
        line(
            f"{tuned.gained:+.4f} on the {fit} questions of one half; on the {confirm} others "
            f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f}): {verdict}"
        )
    if threshold is not None:
        line(
            f"min_relevance: {threshold.before:g} → {threshold.fitted:g}; recognises "
            f"{100 * threshold.recognised:.0f} % of the unanswerable questions "
            f"({100 * threshold.gained.value:+.0f}) and refuses {100 * threshold.refused:.1f} % of "
            f"the {confirm} answerable ones: "
            + ("confirmed" if threshold.is_better else "not better")
        )


def _changes(
    before: "RetrievalSettings", after: "RetrievalSettings"
) -> list[tuple[str, float, float]]:
    old, new = before.to_dict(), after.to_dict()
    return [(name, old[name], new[name]) for name in old if old[name] != new[name]]
