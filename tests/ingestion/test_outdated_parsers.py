"""Documents follow the version of their parser."""

from datetime import UTC, datetime

import sqlalchemy as sa

from rag_platform.documents.contents import reread_outdated
from rag_platform.documents.parsing import PARSERS
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.tables import contents, documents


def test_documents_of_an_older_parser_or_of_none_are_seen_anew_and_others_left_alone(
    ledger: Ledger,
) -> None:
    current = PARSERS["application/pdf"].id
    parsers = {"old": "pdf@0", "new": current, "then unsupported": "none"}
    with ledger.write() as connection:
        collection = ensure_collection(connection, "c")
        for number, (key, parser) in enumerate(parsers.items()):
            content = f"{number:032x}"
            connection.execute(
                sa.insert(contents).values(
                    id=content,
                    sha256=content * 2,
                    media_type="application/pdf",
                    parser=parser,
                    parsed_at=datetime.now(UTC),
                )
            )
            connection.execute(
                sa.insert(documents).values(
                    collection_id=collection.id,
                    key=key,
                    state="indexed",
                    fingerprint="seen",
                    size_bytes=1,
                    content_id=content,
                    indexed_content_id=content,
                    revision=1,
                    uploaded_at=datetime.now(UTC),
                )
            )
    assert reread_outdated(ledger) == 2
    with ledger.read() as connection:
        rows = connection.execute(sa.select(documents.c.key, documents.c.fingerprint)).all()
    assert dict(map(tuple, rows)) == {"old": None, "new": "seen", "then unsupported": None}
    assert reread_outdated(ledger) == 0
