import runpy
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

_shared = runpy.run_path(str(Path(__file__).parents[1] / "ingestion" / "conftest.py"))
stages, platforms, platform, pipeline, put = (
    _shared[name] for name in ("stages", "platforms", "platform", "pipeline", "put")
)


@pytest.fixture
def ledger_url(request, tmp_path) -> str:
    """SQLite alone: what Dagster sees does not depend on the database."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def instance(tmp_path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance of its own."""
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made
