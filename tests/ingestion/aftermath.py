"""What must hold after every hostile file: the service answers, nothing is left or lost."""

from pathlib import Path
from typing import Any

import httpx
import psutil

from rag_platform.service.app import create_app
from rag_platform.service.fakes import served


class Aftermath:
    """Compares with the moment at which it was made.

    ``temporary`` is the folder for temporary files of this process and all that it starts.
    """

    def __init__(self, pipeline: Any, temporary: Path) -> None:
        self._pipeline = pipeline
        self._temporary = temporary
        self._before = _processes()

    def check(self, *expected: int) -> None:
        """Whether all holds; ``expected`` are processes that may run, such as idle parsers."""
        platform = self._pipeline.platform
        assert _processes() <= {*self._before, *expected}
        assert list(self._temporary.iterdir()) == []
        bucket = Path(platform.settings.platform.bucket.removeprefix("file://"))
        assert [path for path in bucket.rglob("*") if path.name.startswith(".rag-")] == []
        self._pipeline()
        problems = self._pipeline.verify().problems
        assert problems == [], problems
        self._answers(platform)
        assert list(self._temporary.iterdir()) == []

    def _answers(self, platform: Any) -> None:
        platform.settings.chat.fast_lane_megabytes = 0  # its document reader would be a process
        with (
            served(create_app(platform)) as url,
            httpx.Client(base_url=url, timeout=30) as client,
        ):
            while client.get("/readyz").status_code != 200:
                pass
            assert client.post("/v1/search", json={"query": "leave"}).status_code == 200
            assert client.get("/v1/documents").status_code == 200


def _processes() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}
