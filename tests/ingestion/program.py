"""Runs ingestion in a process of its own: until it is done, or until it kills itself at a step.

Called with a JSON file: home, bucket, ledger_url, chroma_port, encoded (a file that gets a line for
each encoded string) and kill_at (the step, or null). A step is a moment before or after something
is written anywhere. Prints the number of steps.
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import stages

from rag_platform.documents import chunks, ingestion
from rag_platform.embedding import stage as embedding_stage
from rag_platform.index import stage as index_stage
from rag_platform.wiring import Platform

# Small batches, so that a few documents take many.
embedding_stage.BLOCK_ROWS = index_stage.BATCH = ingestion.BATCH = chunks.BATCH = 2

plan = json.loads(Path(sys.argv[1]).read_text())
steps = 0


def step() -> None:
    global steps
    steps += 1
    if steps == plan["kill_at"]:
        os.kill(os.getpid(), signal.SIGKILL)


def note(text: str) -> None:
    with Path(plan["encoded"]).open("a") as file:
        file.write(f"{text!r}\n")


settings = stages.settings_for(
    Path(plan["home"]), Path(plan["bucket"]), plan["ledger_url"], plan["chroma_port"]
)
platform = Platform(settings)

write, put, add, delete = (
    platform.ledger.write,
    platform.objects.put,
    platform.chroma.add,
    platform.chroma.delete,
)


@contextlib.contextmanager
def stepping_write():
    with write() as connection:
        yield connection
        step()
    step()


def stepping(method):
    def call(*arguments):
        step()
        method(*arguments)
        step()

    return call


platform.ledger.write = stepping_write
platform.objects.put = stepping(put)
platform.chroma.add = stepping(add)
platform.chroma.delete = stepping(delete)
pipeline = stages.Pipeline(platform, encoders=stages.CountingEncoders(platform.encoders, note))
reports = pipeline()
assert all(report.current for report in reports.values()), reports
sys.stdout.write(str(steps))
