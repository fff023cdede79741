"""A picture of a result: bars with their intervals, as Markdown that carries the image itself."""

import base64
import io
import textwrap

from rag_platform.evaluation.report import label
from rag_platform.evaluation.results import Result
from rag_platform.evaluation.runner import LABELS, SYSTEMS

_COLOURS = ("#4f46e5", "#94a3b8", "#cbd5e1")


def markdown_plot(result: Result) -> str:
    """The figures of each system side by side: a PNG in a data URI, in an image of Markdown."""
    image = base64.b64encode(_png(result)).decode()
    return f"![Figures of {len(result.outcomes)} questions](data:image/png;base64,{image})"


def _png(result: Result) -> bytes:
    # Imported here: it takes half a second, and pyplot, which keeps figures, is not needed.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [name for name in result.figures if not name.startswith("precision@")]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    width = 0.8 / len(SYSTEMS)
    for number, system in enumerate(SYSTEMS):
        found = [result.estimates(system)[name] for name in names]
        values = [one.value for one in found]
        axes.bar(
            [place + (number - (len(SYSTEMS) - 1) / 2) * width for place in range(len(names))],
            values,
            width,
            label=LABELS[system],
            color=_COLOURS[number],
            yerr=(
                [max(one.value - one.low, 0.0) for one in found],
                [max(one.high - one.value, 0.0) for one in found],
            ),
            error_kw={"elinewidth": 1, "ecolor": "#334155"},
        )
    axes.set_xticks(range(len(names)), [textwrap.fill(label(name), 12) for name in names])
    axes.tick_params(axis="x", labelsize=8)
    axes.set_ylim(0, 1.05)
    axes.legend(
        ncols=len(SYSTEMS), fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1)
    )
    axes.spines[["top", "right"]].set_visible(False)
    output = io.BytesIO()
    figure.savefig(output, format="png", dpi=100)
    return output.getvalue()
