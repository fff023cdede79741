"""What happens to a document while it is read."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rag_platform.documents.bucket import Bucket, BucketObject
from rag_platform.documents.ingestion import reconcile_documents
from rag_platform.documents.isolation import ParserProcess
from rag_platform.documents.parsing import ParsedDocument, parse
from rag_platform.errors import UnreadableDocument
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.documents import known_documents
from rag_platform.ledger.transitions import announce, bury
from rag_platform.wiring import Platform

NOBODY = 65534


def test_a_document_deleted_while_it_is_read_stays_deleted(
    platform: Platform, bucket_folder: Path
) -> None:
    (bucket_folder / "c").mkdir()
    (bucket_folder / "c" / "a.txt").write_text("A secret that was withdrawn.")
    with platform.ledger.write() as connection:
        collection = ensure_collection(connection, "c")

    class Deletes:
        def parse(self, data: bytes, key: str) -> ParsedDocument:
            platform.bucket.delete(key)
            with platform.ledger.write() as connection:
                known = known_documents(connection, collection.id)
                bury(connection, collection.id, [known[key].id])
            return parse(data, key)

    reconcile_documents(
        platform.ledger,
        platform.bucket,
        platform.objects,
        Deletes(),
        (collection.id, "c"),
        limit=10,
        max_bytes=1000,
    )
    with platform.ledger.read() as connection:
        document = known_documents(connection, collection.id)["c/a.txt"]
    assert (document.state, document.content_id) == ("deleted", None)


def test_a_document_uploaded_while_the_bucket_is_listed_is_not_taken_for_gone(
    platform: Platform, bucket_folder: Path
) -> None:
    (bucket_folder / "c").mkdir()
    (bucket_folder / "c" / "gone.txt").write_text("It will be gone.")
    with platform.ledger.write() as connection:
        collection = ensure_collection(connection, "c")
        announce(connection, collection.id, {"c/gone.txt": 1}, datetime.now(UTC))
    (bucket_folder / "c" / "gone.txt").unlink()

    class UploadedMeanwhile(Bucket):
        def list_collection(self, name: str) -> Iterator[BucketObject]:
            yield from super().list_collection(name)
            platform.bucket.write("c/new.txt", b"It is new.")
            with platform.ledger.write() as connection:
                announce(connection, collection.id, {"c/new.txt": 10}, datetime.now(UTC))

    reconcile_documents(
        platform.ledger,
        UploadedMeanwhile(platform.bucket.url),
        platform.objects,
        ParserProcess(timeout=1, memory_megabytes=512),  # nothing is to be read
        (collection.id, "c"),
        limit=10,
        max_bytes=1000,
    )
    with platform.ledger.read() as connection:
        known = known_documents(connection, collection.id)
    assert {key: document.state for key, document in known.items()} == {
        "c/gone.txt": "deleted",
        "c/new.txt": "pending",
    }


def test_a_document_deleted_between_its_listing_and_its_reading_is_not_set_aside(
    platform: Platform, bucket_folder: Path
) -> None:
    (bucket_folder / "c").mkdir()
    (bucket_folder / "c" / "a.txt").write_text("It will be gone.")
    with platform.ledger.write() as connection:
        collection = ensure_collection(connection, "c")

    class DeletedMeanwhile(Bucket):
        def list_collection(self, name: str) -> Iterator[BucketObject]:
            yield from super().list_collection(name)
            (bucket_folder / "c" / "a.txt").unlink(missing_ok=True)

    reconcile_documents(
        platform.ledger,
        DeletedMeanwhile(platform.bucket.url),
        platform.objects,
        ParserProcess(timeout=1, memory_megabytes=512),  # nothing is to be read
        (collection.id, "c"),
        limit=10,
        max_bytes=1000,
    )
    with platform.ledger.read() as connection:
        document = known_documents(connection, collection.id)["c/a.txt"]
    assert document.state == "pending"


def test_a_file_that_may_not_be_read_says_so_and_the_others_are_read() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        (root / "c").mkdir(mode=0o755)
        for name in ("a", "m", "z"):
            (root / "c" / f"{name}.txt").write_text(f"Document {name}.")
        (root / "c" / "m.txt").chmod(0)
        privileged = os.geteuid() == 0
        if privileged:
            os.seteuid(NOBODY)  # root may read everything
        results: dict[str, str] = {}
        try:
            bucket = Bucket(root.as_uri())
            for item in bucket.list():
                try:
                    results[item.key] = bucket.read_stable(item.key, max_bytes=100)[1].decode()
                except UnreadableDocument as error:
                    results[item.key] = error.message
        finally:
            if privileged:
                os.seteuid(0)
    assert results == {
        "c/a.txt": "Document a.",
        "c/m.txt": "The file cannot be read: permission denied.",
        "c/z.txt": "Document z.",
    }
