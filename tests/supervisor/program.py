"""A supervisor over the children that a JSON file describes, for the tests to start and kill."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from rag_platform.errors import RagError
from rag_platform.settings import Settings
from rag_platform.supervisor import stack
from rag_platform.supervisor.child import Child, HttpProbe, LogProbe, Pace
from rag_platform.supervisor.display import Display
from rag_platform.supervisor.logs import log_path
from rag_platform.supervisor.preflight import free_port
from rag_platform.supervisor.step import Step
from rag_platform.supervisor.supervisor import Supervisor
from rag_platform.supervisor.up import held


def migrate() -> None:
    sys.stdout.write("migrated\n")


def refuse() -> None:
    raise RagError("The ledger is from the future.", "Update the platform.")


def _stand_ins(home: Path, described: list[dict[str, Any]]) -> list[Child]:
    return [
        Child(
            name=child["name"],
            command=(sys.executable, "-c", child["code"], *child.get("arguments", [])),
            ready=HttpProbe(child["port"], "/")
            if "port" in child
            else LogProbe(log_path(home, child["name"]), "listening"),
            cwd=home,
            needs=tuple(child.get("needs", ())),
            watched="port" in child,
        )
        for child in described
    ]


def _real_servers() -> list[Child]:
    """Chroma, MLflow and Dagster as they are, with a code location that is quick to load."""
    settings, code_port = Settings.load(), free_port()
    stack.lay_out(settings, code_port)
    return [
        replace(
            child,
            command=tuple(
                part.replace("rag_platform.definitions", "placeholder") for part in child.command
            ),
            environment={**child.environment, "PYTHONPATH": str(Path(__file__).parent)},
        )
        for child in stack.children(settings, code_port)
        if child.name != "chat"
    ]


def main() -> int:
    spec = json.loads(Path(sys.argv[1]).read_text())
    home = Path(spec["home"])
    children = [
        *(_real_servers() if spec.get("real") else ()),
        *_stand_ins(home, spec["children"]),
    ]
    environment = {"PYTHONPATH": str(Path(__file__).parent)}
    steps = [
        Step(name, getattr(sys.modules["program"], name), tuple(needs), environment)
        for name, needs in spec["steps"].items()
    ]
    pace = Pace(**spec["pace"])
    display = Display(Console(width=400))
    try:
        with held(home, display, pace.grace):
            supervisor = Supervisor(
                home,
                children,
                steps,
                display=display,
                pace=pace,
                on_ready=lambda: display.say("all ready"),
            )
            asyncio.run(supervisor.run())
    except RagError as error:
        display.say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    import program

    sys.exit(program.main())
