import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RAG = Path(sys.executable).parent / "rag"

LEAVE = """---
title: Leave
---

# Leave

Parental leave lasts 26 weeks and is paid in full.

## Holiday

Every employee has 27 days of paid holiday a year. Unused days expire in March.
"""
TRAVEL = """# Travel

Trains are booked in second class through the travel office.

Hotels cost at most 140 euros a night.
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of JSON lines, or of text, under the test's folder."""

    def put(name: str, *lines: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(_line(line) for line in lines))
        return path

    return put


def _line(line: object) -> bytes:
    if isinstance(line, bytes):
        return line
    return f"{line if isinstance(line, str) else json.dumps(line)}\n".encode()


@pytest.fixture
def span_folder(tmp_path: Path, write: Callable[..., Path]) -> Path:
    """A dataset with offsets in two documents, one of them behind front matter."""
    write("spans/corpus/leave.md", LEAVE.encode())
    write("spans/corpus/office/travel.md", TRAVEL.encode())

    def question(text: str, document: str, source: str, *quotes: str) -> dict[str, object]:
        spans = [
            {"start": (at := source.index(quote)), "end": at + len(quote), "text": quote[:20]}
            for quote in quotes
        ]
        return {"question": text, "document": document, "spans": spans}

    write(
        "spans/questions.jsonl",
        question("How long is parental leave?", "leave.md", LEAVE, "Parental leave lasts 26 weeks"),
        question(
            "How many days of holiday are there, and when do they expire?",
            "leave.md",
            LEAVE,
            "27 days of paid holiday",
            "Unused days expire in March.",
        ),
        question(
            "In which class are trains booked?", "office/travel.md", TRAVEL, "Trains are booked"
        ),
        question("What may a hotel cost?", "office/travel.md", TRAVEL, "at most 140 euros"),
    )
    return tmp_path / "spans"


@pytest.fixture
def beir_folder(tmp_path: Path, write: Callable[..., Path]) -> Path:
    """A dataset in the BEIR format with graded documents and two splits."""
    write(
        "beir/corpus.jsonl",
        {"_id": "d1", "title": "Leave", "text": "Parental leave lasts 26 weeks.", "metadata": {}},
        {"_id": "a/b", "title": "Travel", "text": "Trains are booked in second class."},
        {"_id": "D1", "title": "", "text": "Hotels cost at most 140 euros a night."},
        {"_id": "void", "title": "", "text": ""},
    )
    write(
        "beir/queries.jsonl",
        {"_id": "1", "text": "How long is parental leave?"},
        {"_id": "2", "text": "What do trains and hotels cost?"},
        {"_id": "3", "text": "Who was Caesar?"},
    )
    write(
        "beir/qrels/test.tsv",
        "query-id\tcorpus-id\tscore",
        "1\td1\t1",
        "2\tD1\t2",
        "2\ta/b\t1",
        "3\td1\t0",
    )
    write("beir/qrels/dev.tsv", "1\td1\t1")
    return tmp_path / "beir"


@pytest.fixture
def rag(
    tmp_path: Path,
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    free_port: Callable[[], int],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command with a home where nothing runs and the model is exported."""
    models = tmp_path / "home" / "models" / "embedder"
    models.mkdir(parents=True)
    (models / "1").symlink_to(model_folder)
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_BUCKET", str(tmp_path / "bucket"))
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("CHAT", "DAGSTER", "MLFLOW", "CHROMA"):
        monkeypatch.setenv(f"RAG_{name}_PORT", str(free_port()))

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [RAG, *map(str, arguments)],
            capture_output=True,
            check=False,
            text=True,
            env={**os.environ},
        )

    return run
