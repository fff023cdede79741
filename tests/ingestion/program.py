"""Runs ingestion in a process of its own: until it is done, or until it kills itself at a step.

Called with a JSON file: home, bucket, ledger_url, chroma_port, encoded (a file that gets a line for
each encoded string), kill_at (the step, or null) and max_tokens (of another chunking that shall
serve at the end, or null). A step is a moment before or after something
is written anywhere. Prints the number of steps.
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import stages

from rag_platform.bootstrap import propose_generation
from rag_platform.documents import chunks, ingestion
from rag_platform.embedding import stage as embedding_stage
from rag_platform.index import stage as index_stage
from rag_platform.index import terms
from rag_platform.index.promotion import promote_complete
from rag_platform.index.recipe import recipe_of
from rag_platform.settings import ChunkingSettings
from rag_platform.wiring import Platform

# Small batches, so that a few documents take many.
embedding_stage.BLOCK_ROWS = index_stage.BATCH = terms.BATCH = ingestion.BATCH = chunks.BATCH = 2

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
if plan["max_tokens"]:
    chunking = ChunkingSettings(max_tokens=plan["max_tokens"])
    settings = settings.model_copy(update={"chunking": chunking})
platform = Platform(settings)

write, put, add, delete, drop = (
    platform.ledger.write,
    platform.objects.put,
    platform.chroma.add,
    platform.chroma.delete,
    platform.chroma.drop,
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
platform.chroma.drop = stepping(drop)
if plan["max_tokens"]:
    propose_generation(platform)
pipeline = stages.Pipeline(platform, encoders=stages.CountingEncoders(platform.encoders, note))
reports = pipeline()
assert all(report.current for report in reports.values()), reports
if plan["max_tokens"]:
    promote_complete(
        platform.ledger,
        platform.objects,
        platform.chroma,
        recipe_of(settings),
        requested_by="a program",
    )
sys.stdout.write(str(steps))
