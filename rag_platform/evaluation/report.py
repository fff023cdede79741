"""Results as tables: for a terminal, and as Markdown."""

from collections.abc import Iterator, Mapping

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rag_platform.evaluation.intervals import Estimate
from rag_platform.evaluation.results import LATENCY, Compared, Result
from rag_platform.evaluation.runner import DENSE, KEYWORDS, LABELS, PLATFORM, SYSTEMS
from rag_platform.printing import printable

_SHOWN = 5
"""Problems that are listed; the rest is a number."""


def show(console: Console, result: Result) -> None:
    """Print a result."""
    asked = len(result.outcomes)
    console.print(
        Text(
            printable(
                f"{result.dataset}: {asked} questions, {result.documents} documents; "
                "means with 95 % bootstrap intervals"
            )
        )
    )
    columns = {name: result.estimates(name) for name in SYSTEMS}
    table = _table("figure", *(LABELS[name] for name in SYSTEMS))
    for figure in result.figures:
        table.add_row(label(figure), *(_cell(columns[name][figure]) for name in SYSTEMS))
    console.print(table)
    console.print()
    differences = {name: result.differences(name) for name in (KEYWORDS, DENSE)}
    table = _table("platform over", LABELS[KEYWORDS], LABELS[DENSE])
    for figure in result.figures:
        table.add_row(
            label(figure), *(_difference(differences[name][figure]) for name in (KEYWORDS, DENSE))
        )
    console.print(table)
    console.print("* significant: the 95 % interval of the paired difference leaves 0 out")
    groups = {name: result.group_estimates(name) for name in SYSTEMS}
    for figure in _by_document(result):
        console.print()
        table = _table(label(figure), *(LABELS[name] for name in SYSTEMS))
        for document in groups[PLATFORM]:
            table.add_row(
                Text(printable(document) or "mean of the documents"),
                *(_cell(groups[name][document][figure]) for name in SYSTEMS),
            )
        console.print(table)
        console.print(closed(groups, figure))
    console.print()
    times = ", ".join(
        f"{name} {one.value:.1f} ({one.low:.1f} to {one.high:.1f})"
        for name, one in result.latencies().items()
    )
    console.print(f"search, in milliseconds: {times}", soft_wrap=True)
    for line in (*result.notes, *cuts(result), *problems(result)):
        console.print(Text(printable(line), "yellow"), soft_wrap=True)


def show_comparison(
    console: Console, one: Result, other: Result, compared: Mapping[str, Compared]
) -> None:
    """Print what :func:`compare` found."""
    both = len({o.id for o in one.outcomes} & {o.id for o in other.outcomes})
    times = f"A of {one.created_at}, B of {other.created_at}"
    console.print(Text(printable(f"{one.dataset}, {both} questions: {times}")))
    table = _table("figure", "A", "B", "B less A", "95 % interval", "significant")
    for figure, found in compared.items():
        digits = 1 if figure == LATENCY else 3
        difference = found.difference
        table.add_row(
            label(figure),
            f"{found.first:.{digits}f}",
            f"{found.second:.{digits}f}",
            f"{difference.value:+.{digits}f}",
            f"{difference.low:+.{digits}f} to {difference.high:+.{digits}f}",
            "yes" if difference.is_significant else "no",
        )
    console.print(table)
    first, second = one.settings[PLATFORM], other.settings[PLATFORM]
    for name in {**first, **second}:
        mine, its = first.get(name, "none"), second.get(name, "none")
        if mine != its:
            console.print(Text(printable(f"{name}: {mine} in A, {its} in B")))
    if one.recipe != other.recipe:
        console.print("The indexes were made differently: by another recipe.")


def closed(groups: Mapping[str, Mapping[str, Mapping[str, Estimate]]], figure: str) -> str:
    """How much of the distance from the better half to 1 is closed, in the mean of documents.

    ``groups`` holds the estimates by system, document and figure; the better half is chosen for
    each document.
    """
    documents = [name for name in groups[PLATFORM] if name]
    values = {
        system: np.array([groups[system][name][figure].value for name in documents])
        for system in SYSTEMS
    }
    best = np.maximum(values[KEYWORDS], values[DENSE]).mean()
    if best >= 1:
        return ""
    share = (values[PLATFORM].mean() - best) / (1 - best)
    return f"{share:.0%} of the distance from each document's better half to 1 is closed"


def markdown(result: Result) -> str:
    """The figures as a table in Markdown."""
    columns = {name: result.estimates(name) for name in SYSTEMS}
    lines = [
        "| figure | " + " | ".join(LABELS[name] for name in SYSTEMS) + " |",
        "|---" * (1 + len(SYSTEMS)) + "|",
        *(
            f"| {label(figure)} | "
            + " | ".join(_cell(columns[name][figure]) for name in SYSTEMS)
            + " |"
            for figure in result.figures
        ),
    ]
    return "\n".join(lines)


def label(figure: str) -> str:
    """A figure's name for people."""
    name, _, cut = figure.partition("@")
    if name == "text-recall":
        in_characters = cut.endswith("chars")
        what = "characters" if in_characters else "passages"
        return f"text in {cut.removesuffix('chars')} {what}"
    names = {"mrr": "MRR", "ndcg": "nDCG", "first-hit": "first passage hits", LATENCY: "search, ms"}
    return f"{names.get(name, name)}@{cut}" if cut else names.get(name, name)


def problems(result: Result) -> Iterator[str]:
    """The places that could not be found, the first of them one by one."""
    if result.problems:
        yield f"{len(result.problems)} places of the dataset could not be found and do not count:"
        yield from (f"  {problem}" for problem in result.problems[:_SHOWN])
        if len(result.problems) > _SHOWN:
            yield f"  … and {len(result.problems) - _SHOWN} more; --output FILE lists them all."


def cuts(result: Result) -> Iterator[str]:
    """What is to be known of a reranker that had too little time."""
    cut = sum(outcome.cut for outcome in result.outcomes)
    if cut:
        yield (
            f"The reranker's time ran out for {cut} of {len(result.outcomes)} questions: "
            "RAG_RERANKER_MS gives it more."
        )


def _by_document(result: Result) -> list[str]:
    if not result.groups:
        return []
    return [f for f in result.figures if f.endswith("chars") or f == "first-hit"]


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    return table


def _cell(one: Estimate) -> str:
    return f"{one.value:.3f} {_short(one.low)}–{_short(one.high)}"


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _difference(one: Estimate) -> str:
    mark = "*" if one.is_significant else " "
    return f"{one.value:+.3f} {one.low:+.3f} to {one.high:+.3f} {mark}"
