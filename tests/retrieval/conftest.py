import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from rag_platform.ledger.passages import Chunk
from rag_platform.retrieval.passages import Passage

_shared = runpy.run_path(str(Path(__file__).parents[1] / "ingestion" / "conftest.py"))
stages, platforms, platform, pipeline, put = (
    _shared[name] for name in ("stages", "platforms", "platform", "pipeline", "put")
)


@pytest.fixture
def table_row() -> Callable[..., Passage]:
    """Makes a passage by its key, its text and the columns of its table."""

    def make(key: str, text: str, columns: str | None) -> Passage:
        chunk = Chunk(
            id=key,
            content_id=key,
            collection="handbook",
            key=key,
            title="Animals",
            page=None,
            heading_path=(),
            start=0,
            end=len(text),
            text=text,
            table_columns=columns,
        )
        return Passage(chunk, 0.5, None, 1, None)

    return make
