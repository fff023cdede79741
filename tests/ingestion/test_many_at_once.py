"""Two reconcilers at once, and processes killed anywhere: it always converges."""

import itertools
import json
import random
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.ledger.promotion import work_left
from rag_platform.ledger.serving import current_serving

PROGRAM = Path(__file__).parent / "program.py"
DOCUMENTS = 10


def _text(number: int, version: int = 0) -> str:
    return f"# Paper {number}\n\nThe code word of paper {number} is w{number}x, version {version}."


@pytest.fixture
def plan(platform, ledger_url, bucket_folder, chroma_server, tmp_path):
    """What the program is told."""
    return {
        "home": str(platform.settings.home),
        "bucket": str(bucket_folder),
        "ledger_url": ledger_url,
        "chroma_port": chroma_server.port,
        "encoded": str(tmp_path / "encoded"),
        "kill_at": None,
        "max_tokens": None,
    }


def _start(plan: dict, folder: Path, **changes: object) -> subprocess.Popen[str]:
    file = folder / f"plan-{uuid.uuid4().hex}.json"
    file.write_text(json.dumps(plan | changes))
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(PROGRAM.parents[2]), "PYTHONHASHSEED": "0", "PATH": ""},
    )


def _finish(process: subprocess.Popen[str]) -> int:
    """Its steps; fails with its own words."""
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return int(out)


def test_two_reconcilers_in_threads_converge(platform, pipeline, put, stages):
    for number in range(DOCUMENTS):
        put(f"handbook/{number}.md", _text(number))
    pipelines = [stages.Pipeline(platform) for _ in range(3)]
    failures: list[Exception] = []
    barrier = threading.Barrier(3)

    def run(one) -> None:
        barrier.wait()
        try:
            one("handbook")
        except Exception as error:  # noqa: BLE001 - shown below
            failures.append(error)

    for version in range(3):
        put("handbook/1.md", _text(1, version))
        put(f"handbook/{version + 5}.md", _text(version)).unlink()
        threads = [threading.Thread(target=run, args=(one,)) for one in pipelines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
    assert pipeline()["handbook"].current
    assert pipeline.verify().problems == []


def test_two_reconcilers_in_processes_converge(pipeline, put, plan, tmp_path, found):
    for number in range(DOCUMENTS):
        put(f"handbook/{number}.md", _text(number))
    for process in [_start(plan, tmp_path) for _ in range(2)]:
        _finish(process)
    pipeline()
    assert pipeline.encoders.encoded == pipeline.parser.parsed == []
    assert found("code word w7x")[0] == "handbook/7.md"
    assert pipeline.verify().problems == []


def test_a_process_killed_anywhere_leaves_nothing_to_repair_by_hand(
    pipeline, put, plan, tmp_path, found, request
):
    chance = random.Random(request.node.callspec.id)
    for number in range(DOCUMENTS):
        put(f"handbook/{number}.md", _text(number))
    kills = 0
    for turn in range(5):
        process = _start(plan, tmp_path, kill_at=chance.randint(2, 14))
        process.communicate(timeout=120)
        assert process.returncode in (0, -signal.SIGKILL)
        kills += process.returncode != 0
        # The world goes on meanwhile.
        put(f"handbook/{turn}.md", _text(turn, 1))
        put(f"handbook/{DOCUMENTS - 1}.md", "").unlink()
    assert kills >= 4
    steps = _finish(_start(plan, tmp_path))
    assert steps > 0
    pipeline()
    assert pipeline.encoders.encoded == pipeline.parser.parsed == []
    encoded = Path(plan["encoded"]).read_text().splitlines()
    # A kill costs at most the block of two that was under way.
    assert len(encoded) - len(set(encoded)) <= 2 * kills
    assert found("code word w2x")[0] == "handbook/2.md"
    assert pipeline.verify().problems == []


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_a_kill_at_each_part_of_a_run_is_made_good_by_the_next(pipeline, put, plan, tmp_path, part):
    """Steps are counted from a run over as many documents as were measured."""
    for number in range(4):
        put(f"handbook/{number}.md", _text(number))
    process = _start(plan, tmp_path, kill_at=max(2, round(part * STEPS)))
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert pipeline()["handbook"].current
    assert pipeline.verify().problems == []


STEPS = 40
"""A run over four documents takes at least so many steps."""


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_kill_anywhere_in_a_change_of_the_chunking_is_made_good(
    pipeline, put, plan, tmp_path, platform
):
    """Each change retires a generation, so that its purge is killed too."""
    for number in range(4):
        put(f"handbook/{number}.md", "\n\n".join(_text(number, version) for version in range(4)))
    pipeline()
    sizes = itertools.cycle((40, 60, 80, 100))
    steps = min(_finish(_start(plan, tmp_path, max_tokens=next(sizes))) for _ in range(4))
    chance = random.Random(7)
    for _ in range(4):
        tokens = next(sizes)
        killed = _start(plan, tmp_path, max_tokens=tokens, kill_at=chance.randint(2, steps - 1))
        killed.communicate(timeout=120)
        assert killed.returncode == -signal.SIGKILL
        assert platform.search("What is the code word of paper 2?").passages
        _finish(_start(plan, tmp_path, max_tokens=tokens))
        with platform.ledger.read() as connection:
            serving = current_serving(connection)
            assert serving is not None
            assert serving.generation.chunking == ChunkingSpec(tokens).id
            assert work_left(connection, serving.generation.recipe) is None
        assert len(pipeline.live()) == 2
        assert pipeline.verify().problems == []
