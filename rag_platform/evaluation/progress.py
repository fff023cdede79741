"""What a person at a terminal sees while an evaluation is at work."""

from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Report = Callable[[str, int, int | None], None]
"""Takes what is being done, how much of it is done, and of how much, if that is known."""


def silent(what: str, done: int, total: int | None) -> None:
    """A report to nobody."""


class Bars:
    """One bar for each thing that is done; a context manager. Draws nothing but at a terminal."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._endless: set[TaskID] = set()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Report."""
        if what not in self._tasks:
            for task in self._endless:  # what nobody can count is over when something else begins
                self._progress.update(task, visible=False)
            self._tasks[what] = self._progress.add_task(what, total=total)
        task = self._tasks[what]
        if total is None:
            self._endless.add(task)
        self._progress.update(task, completed=done, total=total)
