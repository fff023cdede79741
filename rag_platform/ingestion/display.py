"""What a person sees of an ingestion: bars or lines while it runs, a summary at its end."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Self

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from rag_platform.ingestion.copying import Copied
from rag_platform.ingestion.pipeline import Progress
from rag_platform.printing import printable

_LISTED = 50
"""How many files are listed that were not taken; the rest is a number."""
_LINE_SECONDS = 10.0
"""Where the output is no terminal, a line comes so often; or at each tenth, but not more often
than each second."""
_NAME_SECONDS = 4.0
"""A name that was shown for so long tells nothing any more."""


class Display:
    """A context manager: bars on a terminal, a line now and then everywhere else."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal and not console.is_dumb_terminal
        self._bars = _NamedBars(console, enabled=self._live)
        self._copying = self._bars.add_task("copied", total=None, rate="")
        self._reading = self._bars.add_task("documents read", total=None, rate="", visible=False)
        self._embedding = self._bars.add_task("chunks embedded", total=None, rate="", visible=False)
        self._began = self._started = self._said = _now()
        self._tenth = 0
        self._line = ""
        self._lines = threading.Lock()
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="progress lines", daemon=True)

    def __enter__(self) -> Self:
        self._bars.start()
        if not self._live:
            self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()
        self._ended.set()

    def copied(self, copied: Copied) -> None:
        """Show how far the copying is."""
        self._bars.name(copied.last)
        self._bars.update(self._copying, completed=copied.found)
        self._offer(f"{_count(copied.found, 'file')} found, {copied.written} copied")

    def ingesting(self) -> None:
        """Go on to the second part."""
        self._bars.name("")
        self._bars.update(self._copying, visible=False)
        self._bars.update(self._reading, visible=True)
        self._bars.update(self._embedding, visible=True)
        self._started = _now()
        with self._lines:
            self._line = ""

    def ingested(self, progress: Progress) -> None:
        """Show how far the ingestion is."""
        seconds = max(_now() - self._started, 1e-3)
        documents = progress.documents
        done = len(documents.read) + len(documents.quarantined)
        total = done + documents.left
        self._bars.name(documents.read[-1] if documents.read else "")
        self._bars.update(
            self._reading,
            completed=done,
            total=total,
            rate=f"{done / seconds:.1f}/s, {documents.pages / seconds:.1f} pages/s",
        )
        # What is not read yet will have as many chunks as what was.
        expected = progress.chunks * total // done if done else progress.chunks
        expected = max(expected, progress.embedded)
        self._bars.update(
            self._embedding,
            completed=progress.embedded,
            total=expected,
            rate=f"{progress.embedded / seconds:.1f}/s",
        )
        # Nearly all the time goes into the vectors.
        share = progress.embedded / expected if expected else done / max(total, 1)
        left = seconds * (1 - share) / share if share else 0.0
        self._offer(
            f"{done} of {_count(total, 'document')} read, {_count(progress.embedded, 'chunk')} "
            f"embedded, {share:.0%}" + (f", about {_time(left)} left" if 0 < share < 1 else ""),
            share,
        )

    def summary(self, copied: Copied, progress: Progress, states: Mapping[str, int]) -> None:
        """What was done, what the collection holds now by state, and what was not taken and why."""
        seconds = _now() - self._started
        documents = progress.documents
        self._say(
            f"{_count(copied.found, 'file')} found"
            + (": " if copied.found or copied.refused or copied.ignored else "")
            + _listed(
                (copied.written, "copied"),
                (copied.same, "in the bucket already"),
                (len(copied.refused), "refused"),
                (copied.ignored, "skipped (links, pipes, hidden and temporary names)"),
            )
            + "."
        )
        pages = f" ({_count(documents.pages, 'page')})" if documents.pages else ""
        others = _listed(
            (len(documents.quarantined), "quarantined"),
            (len(documents.deleted), "deleted"),
            (documents.unchanged, "unchanged"),
        )
        embedded = (
            f"{_count(progress.embedded, 'chunk')} embedded in {_time(seconds)} "
            f"({progress.embedded / max(seconds, 1e-3):.0f}/s)"
            if progress.embedded
            else "nothing to embed"
        )
        read = f"{_count(len(documents.read), 'document')} read{pages}"
        self._say(f"{f'{read}, {others}' if others else read}; {embedded}.")
        held = _listed(*((states.get(name, 0), name) for name in _STATES))
        self._say(f"The collection holds {held or 'nothing'} now.")
        if documents.waiting:
            waiting = _count(len(documents.waiting), "file")
            self._say(f"{waiting} changed while read; start again to read them.")
        if not progress.current:
            self._say(
                "Something changed meanwhile: the running platform or the next rag ingest goes on."
            )
        troubles = {**copied.refused, **documents.quarantined}
        if troubles:
            table = Table("file", "reason", box=None, pad_edge=False)
            for column in table.columns:
                column.overflow = "fold"
            for name, reason in sorted(troubles.items())[:_LISTED]:
                table.add_row(Text(printable(name)), Text(printable(reason)))
            self._console.print(table)
            if len(troubles) > _LISTED:
                self._say(f"… and {len(troubles) - _LISTED} more; rag documents lists them.")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False)

    def _offer(self, line: str, share: float = 0.0) -> None:
        """A line that is said now if it is time, else when it is."""
        if self._live:
            return
        with self._lines:
            self._line = line
            tenth = int(share * 10)
            if tenth > self._tenth and _now() - self._said >= 1.0:
                self._tenth = tenth
                self._say_line()

    def _tick(self) -> None:
        while not self._ended.wait(0.5):
            with self._lines:
                if self._line and _now() - self._said >= _LINE_SECONDS:
                    self._say_line()

    def _say_line(self) -> None:
        self._said = _now()
        elapsed = _time(self._said - self._began)
        self._console.print(f"{elapsed:>7}  {self._line}", highlight=False, soft_wrap=True)
        self._console.file.flush()


_STATES = ("indexed", "pending", "quarantined")


class _NamedBars(Bars):
    """Bars, and below them the name of what was taken last, on one line."""

    def __init__(self, console: Console, *, enabled: bool) -> None:
        self._name = ""
        self._named = 0.0
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not enabled,
        )

    def name(self, name: str) -> None:
        """Show a name from now on, for some seconds."""
        if name != self._name:
            self._name, self._named = name, _now()

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars, and the line."""
        yield from super().get_renderables()
        fresh = _now() - self._named < _NAME_SECONDS
        name = shortened(self._name, self.console.width - 1) if fresh else ""
        yield Text(name, "dim", no_wrap=True, overflow="crop", end="")


def shortened(name: str, width: int) -> str:
    """A name on one line of a terminal, at most so many cells wide: its middle is left out."""
    shown = printable(name)
    if cell_len(shown) <= width:
        return shown
    behind = max(width - 1, 0) // 2
    head = shown[: _fitting(shown, max(width - 1, 0) - behind)]
    tail = shown[len(shown) - _fitting(reversed(shown), behind) :]
    while tail and not cell_len(tail[0]):  # a mark without its letter
        tail = tail[1:]
    return f"{head}…{tail}"


def _fitting(characters: Iterable[str], width: int) -> int:
    """How many of the characters fit in so many cells."""
    for number, character in enumerate(characters):
        width -= cell_len(character)
        if width < 0:
            return number
    return 0


def _listed(*parts: tuple[int, str]) -> str:
    """What there is any of."""
    return ", ".join(f"{count} {what}" for count, what in parts if count)


def _now() -> float:
    return time.monotonic()


def _count(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{seconds:.1f} s" if seconds < 10 else f"{rest} s"
