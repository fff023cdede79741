"""What a person sees while the platform starts and runs."""

import time
from collections.abc import Iterable

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from rag_platform.printing import printable
from rag_platform.supervisor.child import since

_STYLES = {"ready": "green", "done": "green", "failing": "red", "restarting": "yellow"}


class Display:
    """A live table while things start on a terminal, plain lines everywhere else."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()
        self._rows: dict[str, tuple[str, str]] = {}
        self._spinner = Spinner("dots")
        self._live: Live | None = None

    def begin(self, names: Iterable[str]) -> None:
        """Show that these are about to start."""
        self._rows = dict.fromkeys(names, ("waiting", ""))
        if self._console.is_terminal:
            self._live = Live(
                console=self._console, get_renderable=self._table, refresh_per_second=5
            )
            self._live.start()

    def show(self, name: str, state: str) -> None:
        """A component changed its state."""
        if self._rows.get(name, ("", ""))[0] == state:
            return
        self._rows[name] = (state, since(self._start))
        if not self._console.is_terminal:
            self.say(f"{since(self._start):>7}  {name}: {state}")

    def say(self, text: str) -> None:
        """One line that stays."""
        self._console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def settle(self) -> None:
        """All is ready, or never will be: leave the table as it is."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    @property
    def elapsed(self) -> str:
        """The time since the start."""
        return since(self._start)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, (state, when) in self._rows.items():
            busy = state in ("starting", "running", "restarting", "stopping")
            mark = self._spinner if busy else Text("✓" if state in ("ready", "done") else "·")
            table.add_row(mark, name, Text(state, _STYLES.get(state, "dim")), Text(when, "dim"))
        return table
