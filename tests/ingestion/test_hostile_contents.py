"""Files whose contents do harm, through the real readers: each is read or set aside with a reason,
and harms nothing else.
"""

import runpy
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from rag_platform.documents.isolation import ParserPool
from rag_platform.ledger.listing import list_documents

SECRET = "The combination of the safe is 1234."
HOSTILE = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("hostile.py"))))


@pytest.fixture(scope="module")
def asked() -> Iterator[socket.socket]:
    """An address that takes connections, and nobody may make one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture(scope="module")
def hostile(
    stages, platforms, chroma_process, aftermath, asked, tmp_path_factory
) -> Iterator[SimpleNamespace]:
    """A platform with one good document, shared: each test leaves it as it was."""
    folder = tmp_path_factory.mktemp("hostile")
    bucket, temporary = folder / "bucket", folder / "temporary"
    (bucket / "handbook").mkdir(parents=True)
    temporary.mkdir()
    (bucket / "handbook" / "leave.md").write_text("# Leave\n\nParental leave is 26 weeks.")
    (folder / "secret.txt").write_text(SECRET)
    _empty(chroma_process)
    ledger = f"sqlite:///{folder / 'ledger.db'}"
    platform = platforms.make(folder / "home", bucket, ledger, chroma_process.port)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr("tempfile.tempdir", str(temporary))
        pool = ParserPool(processes=2, timeout=30, memory_megabytes=1024)
        pipeline = stages.Pipeline(platform, pool, max_bytes=200_000_000)
        after = aftermath(pipeline, temporary)
        with pool:
            pipeline()
            yield SimpleNamespace(
                platform=platform,
                pipeline=pipeline,
                bucket=bucket,
                pool=pool,
                after=after,
                places=HOSTILE.Places(
                    f"http://127.0.0.1:{asked.getsockname()[1]}/", folder / "secret.txt"
                ),
            )
        after.check()
    platform.close()


def _empty(chroma) -> None:
    url = f"http://127.0.0.1:{chroma.port}/api/v2/tenants/default_tenant/databases/default_database"
    for item in httpx.get(f"{url}/collections").json():
        httpx.delete(f"{url}/collections/{item['name']}").raise_for_status()


@pytest.mark.parametrize("name", HOSTILE.FILES)
def test_a_hostile_file_is_read_or_set_aside_and_harms_nothing(hostile, asked, name):
    make, reason = HOSTILE.FILES[name]
    path = hostile.bucket / "handbook" / name
    path.write_bytes(make(hostile.places))
    try:
        hostile.pipeline()
        with hostile.platform.ledger.read() as connection:
            documents = {item.key: item for item in list_documents(connection, None, chunking="")}
        document = documents[f"handbook/{name}"]
        if reason:
            assert document.state == "quarantined"
            assert reason in document.reason
            assert document.reason.endswith(".") and "\n" not in document.reason
        else:
            assert (document.state, document.reason) == ("indexed", None)
            found = hostile.platform.search("code word heron").passages
            assert f"handbook/{name}" in [passage.chunk.key for passage in found]
        assert documents["handbook/leave.md"].state == "indexed"
        for question, answer in (("parental leave", "26 weeks"), ("combination of the safe", "")):
            texts = [passage.chunk.text for passage in hostile.platform.search(question).passages]
            assert answer in "".join(texts) and not any("1234" in text for text in texts)
        with pytest.raises(BlockingIOError):
            asked.accept()
        hostile.after.check(*hostile.pool.pids)
    finally:
        path.unlink()
        hostile.pipeline()
