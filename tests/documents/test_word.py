"""Word documents."""

import io
import zipfile
from datetime import UTC, datetime

import docx
import pytest

from rag_platform.documents.parsing import parse
from rag_platform.errors import UnreadableDocument


def saved(document: "docx.document.Document") -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def rewritten(data: bytes, changes: dict[str, bytes]) -> bytes:
    """The package with some of its parts replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", 8) as new:
        for name in dict.fromkeys([*old.namelist(), *changes]):
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return file.getvalue()


def body(xml: str) -> bytes:
    """A document with this body."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    compatible = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    text = (
        f'<w:document xmlns:w="{word}" xmlns:mc="{compatible}"><w:body>{xml}</w:body></w:document>'
    )
    return rewritten(saved(docx.Document()), {"word/document.xml": text.encode()})


def reason(data: bytes) -> str:
    with pytest.raises(UnreadableDocument) as unreadable:
        parse(data, "a.docx")
    return str(unreadable.value)


def test_headings_lists_and_tables_come_in_their_order() -> None:
    document = docx.Document()
    document.add_heading("Ducks", 0)
    document.add_heading("Food", 1)
    document.add_paragraph("They eat:")
    document.add_paragraph("bread", style="List Bullet")
    document.add_paragraph("weeds", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["Name", "Size", "Mallard", "50|65 cm"], strict=True):
        cell.text = text
    document.add_paragraph("first", style="List Number")
    document.add_paragraph("second", style="List Number")
    document.core_properties.author = "Ada"
    document.core_properties.title = "All about ducks"
    document.core_properties.created = datetime(2024, 2, 3, 4, 5)
    parsed = parse(saved(document), "a.docx")
    assert parsed.text == (
        "# Ducks\n\n## Food\n\nThey eat:\n\n- bread\n- weeds\n\n"
        "| Name | Size |\n| --- | --- |\n| Mallard | 50\\|65 cm |\n\n1. first\n2. second"
    )
    assert [(h.level, h.title, parsed.text[h.start :].split("\n")[0]) for h in parsed.headings] == [
        (1, "Ducks", "# Ducks"),
        (2, "Food", "## Food"),
    ]
    assert (parsed.title, parsed.author) == ("All about ducks", "Ada")
    assert parsed.created == datetime(2024, 2, 3, 4, 5, tzinfo=UTC)
    assert parsed.page_count is None


def test_insertions_are_read_and_deletions_are_not() -> None:
    data = body(
        "<w:p><w:r><w:t>a </w:t></w:r><w:ins><w:r><w:t>new </w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>old </w:delText><w:t>x</w:t></w:r></w:del>"
        "<w:sdt><w:sdtContent><w:r><w:t>field</w:t></w:r></w:sdtContent></w:sdt></w:p>"
    )
    assert parse(data, "a.docx").text == "a new field"


def test_a_text_box_is_read_once() -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
    data = body(
        f"<w:p><w:r><w:t>around</w:t></w:r><w:r><mc:AlternateContent><mc:Choice>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    assert parse(data, "a.docx").text == "around\n\nboxed"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = rewritten(saved(docx.Document()), {"word/document.xml": b" " * (64 << 20)})
    assert len(bomb) < 1 << 20
    assert reason(bomb) == "The file is refused: unpacked, it would grow to 64 MB or more."


def test_entities_are_not_expanded() -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    data = rewritten(saved(docx.Document()), {"word/document.xml": laughs})
    assert "declares XML entities" in reason(data)


def test_a_password_and_an_old_format_are_told_apart() -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
    assert "encrypted" in reason(ole + "EncryptedPackage".encode("utf-16-le"))
    assert "(.doc)" in reason(ole)
