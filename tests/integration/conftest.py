"""The real stack: every process of it, on free ports and in a home of its own."""

from collections.abc import Iterator

import pytest

from benchmarks.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A platform that was just started for the first time; one for all tests."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
