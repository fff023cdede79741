"""Starts the platform and keeps it running until Ctrl-C: what ``rag up`` does."""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from rich.console import Console

from rag_platform.errors import RagError
from rag_platform.printing import printable
from rag_platform.settings import Settings
from rag_platform.settings.sources import folder, sources_of
from rag_platform.supervisor import preflight, sense, stack
from rag_platform.supervisor.child import Child, Pace
from rag_platform.supervisor.display import Display
from rag_platform.supervisor.seed import seed
from rag_platform.supervisor.state import end_leftovers, take_lock
from rag_platform.supervisor.step import Step
from rag_platform.supervisor.supervisor import Supervisor

Action = Callable[[], None]


def run(
    settings: Settings,
    *,
    prepare: Sequence[Action] = (),
    after: Sequence[Action] = (),
    question: str = "",
) -> int:
    """Run the platform until a signal asks to stop; returns an exit code.

    The steps of ``prepare`` run one after the other while Chroma, MLflow and the Dagster code
    server start; those of ``after`` follow once Chroma and MLflow are ready; the Dagster daemon and
    the chat service wait for all steps. A step is a function at the top level of a module; it runs
    in a process of its own, with the environment of the children.
    """
    display = Display(Console())
    try:
        preflight.check_python()
        preflight.check_packages(stack.ROOT)
        preflight.check_home(settings.home)
        preflight.check_host("RAG_HOST", settings.platform.host)
        preflight.check_host("RAG_CHROMA_HOST", settings.chroma.host)
        sense.check_settings(settings)
        with held(settings.home, display):
            preflight.check_ports(stack.local_ports(settings))
            code_port = preflight.free_port()
            with preflight.explained(settings.home):
                stack.lay_out(settings, code_port)
            _seed(settings, display)
            names = [_name(action) for action in (*prepare, *after)]
            children = stack.children(settings, code_port, names)
            servers = [child.name for child in children if child.name in ("chroma", "mlflow")]
            supervisor = Supervisor(
                settings.home,
                children,
                _chain(prepare, [], settings)
                + _chain(after, [*servers, *map(_name, prepare)], settings),
                display=display,
                on_ready=lambda: _greet(display, children, settings, question),
            )
            asyncio.run(supervisor.run())
    except RagError as error:
        Console(stderr=True).print(
            printable(str(error)), style="red", highlight=False, markup=False, soft_wrap=True
        )
        return 1
    except KeyboardInterrupt:
        pass
    return 0


@contextlib.contextmanager
def held(home: Path, display: Display, grace: float = Pace.grace) -> Generator[None]:
    """Hold the home alone, and without what a supervisor that was killed left running."""
    with preflight.explained(home), take_lock(home):
        if left := end_leftovers(home, grace):
            display.say(f"Ended {len(left)} processes that an earlier start had left behind.")
        yield


def _chain(steps: Sequence[Action], needs: Sequence[str], settings: Settings) -> list[Step]:
    """Steps that run one after the other."""
    environment = stack.environment(settings)
    chained: list[Step] = []
    for action in steps:
        chained.append(Step(_name(action), action, tuple(needs), environment))
        needs = [_name(action)]
    return chained


def _name(action: Action) -> str:
    """What a step is called, in the list and as its log."""
    return action.__name__.replace("_", "-")


def _seed(settings: Settings, display: Display) -> None:
    ours = [source for source in sources_of(settings.bucket_url) if not source.name]
    if not ours or not ours[0].url.startswith("file:") or ours[0].read_only:
        return
    bucket = folder(ours[0].url)
    with preflight.explained(bucket, "RAG_BUCKET"):
        copied = seed(bucket, stack.ROOT / "examples" / "documents", settings.home)
    if copied:
        display.say(f"Put {copied} sample documents in {bucket}.")


def _greet(display: Display, children: Sequence[Child], settings: Settings, question: str) -> None:
    display.say(f"Ready after {display.elapsed}.")
    for child in children:
        if child.address:
            display.say(f"  {child.name.removesuffix('-webserver'):8} {child.address}")
    display.say(f"  {'bucket':8} {settings.bucket_url.removeprefix('file://')}")
    if question:
        display.say(f'Try: {_command()} ask "{question}"')
    display.say("Ctrl-C stops everything.")


def _command() -> str:
    """How to call ``rag`` from here: by its path where the environment is not activated."""
    beside = Path(sys.executable).parent / "rag"
    on_path = shutil.which("rag")
    if on_path and Path(on_path).resolve() == beside.resolve():
        return "rag"
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)
