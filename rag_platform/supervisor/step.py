"""A step of the start: a function that runs once, in a process of its own.

So what it imports (MLflow, torch) is gone from memory when it is done, it can run beside the
others, and Ctrl-C ends it like any child. The function is named, not pickled: it stands at the top
level of a module, takes nothing and reads the settings from the environment.
"""

import importlib
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rag_platform.errors import RagError

_MAIN = "import sys; from rag_platform.supervisor.step import main; sys.exit(main())"
FAILED = 3
"""The exit code that says: the last line of the log is a sentence for people."""


@dataclass(frozen=True)
class Step:
    """A named function; ``needs`` names the children and steps that must be ready before it."""

    name: str
    action: Callable[[], None]
    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def command(self) -> tuple[str, ...]:
        """The command that runs it."""
        module, name = self.action.__module__, self.action.__qualname__
        if module == "__main__" or "." in name:
            raise ValueError(f"{module}.{name} is not at the top level of a module")
        return (sys.executable, "-c", _MAIN, module, name)


def main() -> int:
    """Run the function that the arguments name."""
    module, name = sys.argv[1:]
    try:
        getattr(importlib.import_module(module), name)()
    except RagError as error:
        sys.stderr.write(f"\n{error}\n")
        return FAILED
    except Exception as error:  # noqa: BLE001 - the process ends here, with a trace in its log
        traceback.print_exc()
        sys.stderr.write(f"\n{type(error).__name__}: {' '.join(str(error).split())}\n")
        return 1
    return 0
