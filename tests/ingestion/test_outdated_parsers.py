"""Documents follow the version of their parser."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from rag_platform.documents.contents import ContentReader, reread_outdated, save_contents
from rag_platform.documents.parsing import PARSERS, ParsedDocument
from rag_platform.documents.parsing.scans import NOTHING_RECOGNISED, SCANNED
from rag_platform.errors import UnreadableDocument
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import ensure_collection
from rag_platform.ledger.tables import contents, documents
from rag_platform.objects import Objects


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


def test_scans_are_seen_anew_once_their_letters_can_be_recognised(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = PARSERS["application/pdf"].id
    reasons = {"scan": SCANNED, "damaged": "The file is damaged.", "blank": NOTHING_RECOGNISED}
    with ledger.write() as connection:
        collection = ensure_collection(connection, "c")
        for number, (key, reason) in enumerate(reasons.items()):
            content = f"{number:032x}"
            connection.execute(
                sa.insert(contents).values(
                    id=content,
                    sha256=content * 2,
                    media_type="application/pdf",
                    parser=current,
                    parsed_at=datetime.now(UTC),
                    reason=reason,
                )
            )
            connection.execute(
                sa.insert(documents).values(
                    collection_id=collection.id,
                    key=key,
                    state="quarantined",
                    fingerprint="seen",
                    size_bytes=1,
                    content_id=content,
                    revision=1,
                    uploaded_at=datetime.now(UTC),
                )
            )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert reread_outdated(ledger) == 0
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert reread_outdated(ledger) == 1
    with ledger.read() as connection:
        rows = connection.execute(sa.select(documents.c.key, documents.c.fingerprint)).all()
    assert dict(map(tuple, rows)) == {"scan": None, "damaged": "seen", "blank": "seen"}


class _Reader:
    """Reads nothing until it can."""

    def __init__(self) -> None:
        self.able = False

    def parse(self, data: bytes, key: str) -> ParsedDocument:
        if not self.able:
            raise UnreadableDocument(SCANNED)
        return ParsedDocument(text="Recognised.")


def _stored(ledger: Ledger, objects: Objects, reader: _Reader) -> tuple[str, str | None]:
    content = ContentReader(ledger, objects, reader).read(b"%PDF-1.7", "a.pdf")
    with ledger.write() as connection:
        save_contents(connection, [content])
    return content.id, content.reason


def test_the_verdict_about_a_scan_gives_way_to_its_text(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    objects, reader = Objects((tmp_path / "objects").as_uri()), _Reader()
    first = _stored(ledger, objects, reader)
    assert first[1] == SCANNED
    reader.able = True
    assert _stored(ledger, objects, reader) == first
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    content_id, reason = _stored(ledger, objects, reader)
    assert (content_id, reason) == (first[0], None)
    with ledger.read() as connection:
        row = connection.execute(sa.select(contents)).one()
    assert (row.reason, row.words) == (None, 1)
