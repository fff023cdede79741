"""A reading that failed is no verdict about the bytes."""

from pathlib import Path

from rag_platform.documents.ingestion import reconcile_documents
from rag_platform.documents.parsing import ParsedDocument, parse
from rag_platform.errors import ReadingFailed
from rag_platform.ledger.collections import ensure_collection
from rag_platform.wiring import Platform


class Impatient:
    """Gives up on everything, until it is given time."""

    patient = False

    def parse(self, data: bytes, key: str) -> ParsedDocument:
        if not self.patient:
            raise ReadingFailed("It took longer than 1 s to read.")
        return parse(data, key)


def test_the_same_bytes_are_read_again_after_a_time_out(
    platform: Platform, bucket_folder: Path
) -> None:
    file = bucket_folder / "c" / "long.txt"
    file.parent.mkdir()
    file.write_text("A long story.")
    with platform.ledger.write() as connection:
        collection = ensure_collection(connection, "c")
    parser = Impatient()

    def reconcile() -> object:
        return reconcile_documents(
            platform.ledger,
            platform.bucket,
            platform.objects,
            parser,
            (collection.id, collection.name),
            limit=10,
            max_bytes=1000,
        )

    assert reconcile().quarantined == {"c/long.txt": "It took longer than 1 s to read."}
    parser.patient = True
    assert reconcile().unchanged == 1  # nobody touched it
    file.write_text("A long story.")
    assert reconcile().read == ["c/long.txt"]
