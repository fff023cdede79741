"""What a person at a terminal sees of an ingestion: bars while it runs, a summary at its end."""

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from rag_platform.ingestion.copying import Copied
from rag_platform.ingestion.pipeline import Progress
from rag_platform.printing import printable

_LISTED = 50
"""How many files are listed that were not taken; the rest is a number."""


class Display:
    """A context manager; it draws nothing where the output is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._copying = self._bars.add_task("copied", total=None, rate="")
        self._reading = self._bars.add_task("documents read", total=None, rate="", visible=False)
        self._embedding = self._bars.add_task("chunks embedded", total=None, rate="", visible=False)
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def copied(self, copied: Copied) -> None:
        """Show how far the copying is."""
        self._bars.update(self._copying, completed=copied.found)

    def ingesting(self) -> None:
        """Go on to the second part."""
        self._bars.update(self._copying, visible=False)
        self._bars.update(self._reading, visible=True)
        self._bars.update(self._embedding, visible=True)
        self._started = time.monotonic()

    def ingested(self, progress: Progress) -> None:
        """Show how far the ingestion is."""
        seconds = max(time.monotonic() - self._started, 1e-3)
        documents = progress.documents
        done = len(documents.read) + len(documents.quarantined)
        total = done + documents.left
        self._bars.update(
            self._reading,
            completed=done,
            total=total,
            rate=f"{done / seconds:.1f}/s, {documents.pages / seconds:.1f} pages/s",
        )
        # What is not read yet will have as many chunks as what was.
        expected = progress.chunks * total // done if done else progress.chunks
        self._bars.update(
            self._embedding,
            completed=progress.embedded,
            total=max(expected, progress.embedded),
            rate=f"{progress.embedded / seconds:.1f}/s",
        )

    def summary(self, copied: Copied, progress: Progress) -> None:
        """What was done, and what could not be taken, with the reasons."""
        seconds = time.monotonic() - self._started
        documents = progress.documents
        say = self._console.print
        say(
            f"{_files(copied.found)} found: {copied.written} copied, {copied.same} in the bucket "
            f"already, {len(copied.refused)} refused; {copied.ignored} links, hidden and "
            "temporary names skipped."
        )
        say(
            f"{len(documents.read)} documents read ({documents.pages} pages), "
            f"{len(documents.quarantined)} quarantined, {len(documents.deleted)} deleted; "
            f"{progress.embedded} chunks embedded in {seconds:.1f} s "
            f"({progress.embedded / max(seconds, 1e-3):.0f}/s)."
        )
        if documents.waiting:
            say(f"{_files(len(documents.waiting))} changed while read; start again to read them.")
        if not progress.current:
            say("Something changed meanwhile: the running platform or the next rag ingest goes on.")
        troubles = {**copied.refused, **documents.quarantined}
        if troubles:
            table = Table("file", "reason", box=None, pad_edge=False)
            for name, reason in sorted(troubles.items())[:_LISTED]:
                table.add_row(Text(printable(name)), Text(printable(reason)))
            say(table)
            if len(troubles) > _LISTED:
                say(f"… and {len(troubles) - _LISTED} more; rag documents lists them.")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
