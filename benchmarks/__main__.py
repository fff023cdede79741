"""``python -m benchmarks``: every figure that the documentation reports, with its target.

Run it on a machine that does nothing else. ``make bench`` calls it; ``--only`` names some of:
start, idle, freshness, upload, search, searching, rebuilding, encoding, unchanged, bulk, ingestion,
ablation.
The last two need the files of a folder that ``--data`` names, and are left out without one;
ingestion is compared with LangChain, which the extra ``bench`` installs.
"""

import argparse
import importlib
import platform
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks import bulk, encoding, rebuilding, running, searching, unchanged
from benchmarks.figures import Figure

BENCHMARKS: dict[str, Callable[[Path], list[Figure]]] = {
    "start": running.start,
    "idle": running.idle,
    "freshness": running.freshness,
    "upload": running.upload,
    "search": running.search,
    "searching": searching.searching,
    "rebuilding": rebuilding.rebuilding,
    "encoding": encoding.encoding,
    "bulk": bulk.bulk,
    "unchanged": unchanged.unchanged,
}

_WITH_DATA = ("ingestion", "ablation")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[*BENCHMARKS, *_WITH_DATA], nargs="*")
    parser.add_argument(
        "--data", type=Path, help="files/sec-10-q/*.pdf, medquad-cancergov/, spans/"
    )
    arguments = parser.parse_args()
    names: list[str] = arguments.only or list(BENCHMARKS)
    benchmarks = dict(BENCHMARKS)
    if arguments.data is not None:
        for name in _WITH_DATA:
            measure = getattr(importlib.import_module(f"benchmarks.{name}"), name)
            benchmarks[name] = partial(measure, data=arguments.data)
        names = arguments.only or list(benchmarks)
    elif lacking := set(_WITH_DATA) & set(names):
        parser.error(f"{', '.join(sorted(lacking))}: --data is needed")
    console = Console()
    console.print(f"{platform.platform()}, Python {platform.python_version()}")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="rag-bench-") as folder:
            for figure in benchmarks[name](Path(folder)):
                console.print(f"{name:10} {figure}", highlight=False)


main()
