"""``python -m benchmarks``: every figure that the documentation reports, with its target.

Run it on a machine that does nothing else. ``make bench`` calls it; ``--only`` names some of:
start, idle, freshness, upload, search, encoding.
"""

import argparse
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmarks import encoding, running
from benchmarks.figures import Figure

BENCHMARKS: dict[str, Callable[[Path], list[Figure]]] = {
    "start": running.start,
    "idle": running.idle,
    "freshness": running.freshness,
    "upload": running.upload,
    "search": running.search,
    "encoding": encoding.encoding,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, nargs="*", default=list(BENCHMARKS))
    names: list[str] = parser.parse_args().only
    console = Console()
    console.print(f"{platform.platform()}, Python {platform.python_version()}")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="rag-bench-") as folder:
            for figure in BENCHMARKS[name](Path(folder)):
                console.print(f"{name:10} {figure}", highlight=False)


main()
