import runpy
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from rag_platform.ledger.listing import ListedDocument, list_documents
from rag_platform.wiring import Platform


@pytest.fixture(scope="session")
def stages() -> SimpleNamespace:
    """What ``stages.py`` beside this file defines."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "stages.py")))


@pytest.fixture(scope="session")
def platforms(stages: SimpleNamespace, model_folder: Path) -> object:
    """One maker of platforms for all tests."""
    return stages.Platforms(model_folder)


@pytest.fixture
def platform(
    platforms: object,
    tmp_path: Path,
    bucket_folder: Path,
    ledger_url: str,
    chroma_server: object,
) -> Iterator[Platform]:
    """As the shared one, but the model is hashed and loaded once for all tests."""
    made = platforms.make(tmp_path / "home", bucket_folder, ledger_url, chroma_server.port)
    yield made
    made.close()


@pytest.fixture
def pipeline(platform: Platform, stages: SimpleNamespace) -> object:
    """All stages over the platform, with everything counted."""
    return stages.Pipeline(platform)


@pytest.fixture(scope="session")
def aftermath() -> type:
    """What ``aftermath.py`` beside this file defines."""
    return runpy.run_path(str(Path(__file__).parent / "aftermath.py"))["Aftermath"]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the temporary files of this process and of all that it starts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def put(bucket_folder: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file in the bucket."""

    def write(key: str, text: str | bytes) -> Path:
        path = bucket_folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def listed(platform: Platform) -> Callable[[], dict[str, ListedDocument]]:
    """The living documents by key."""

    def documents() -> dict[str, ListedDocument]:
        with platform.ledger.read() as connection:
            return {item.key: item for item in list_documents(connection, None, chunking="")}

    return documents


@pytest.fixture
def found(platform: Platform) -> Callable[[str], list[str]]:
    """The keys of the documents that a question finds, best first, each once."""

    def keys(question: str, *collections: str) -> list[str]:
        passages = platform.search(question, collections or None).passages
        return list(dict.fromkeys(passage.chunk.key for passage in passages))

    return keys
