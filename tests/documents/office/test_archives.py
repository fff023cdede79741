"""What all formats that are zips have in common: their guards, their damage and their metadata."""

import io
import os
import socket
import struct
import time
import warnings
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from rag_platform.documents.parsing import PARSERS, media_type_of, parse
from rag_platform.documents.parsing.archive import Archive
from rag_platform.errors import UnreadableDocument

Makers = dict[str, Callable[..., dict[str, str]]]
Pack = Callable[[dict[str, str | bytes]], bytes]

FORMATS = ["docx", "xlsx", "pptx", "odt", "ods", "odp", "epub"]
MAIN = {
    "docx": "word/document.xml",
    "xlsx": "xl/worksheets/sheet1.xml",
    "pptx": "ppt/slides/slide1.xml",
    "odt": "content.xml",
    "ods": "content.xml",
    "odp": "content.xml",
    "epub": "OEBPS/book.opf",
}
every_format = pytest.mark.parametrize("kind", FORMATS)


def reason(data: bytes, key: str) -> str:
    with pytest.raises(UnreadableDocument) as unreadable:
        parse(data, key)
    sentence = str(unreadable.value)
    assert sentence.endswith(".") and "Error" not in sentence and "\n" not in sentence
    return sentence


@every_format
def test_text_and_metadata_are_read(kind: str, make: Makers, pack: Pack) -> None:
    document = parse(pack(make[kind]()), f"a.{kind}")
    assert "Ducks swim." in document.text
    assert (document.title, document.author) == ("On Ducks", "Ada")
    assert document.created == datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert document.modified == datetime(2024, 3, 3, 4, 5, 6, tzinfo=UTC)
    assert document.page_count == (1 if kind in ("pptx", "odp") else None)


@every_format
@pytest.mark.parametrize("name", ["a.docx", "a.epub", "a.zip", "a.txt", "noname"])
def test_a_file_is_what_it_holds_whatever_its_name(
    kind: str, name: str, make: Makers, pack: Pack
) -> None:
    data = pack(make[kind]())
    assert media_type_of(name, data) == media_type_of(f"a.{kind}", data)
    assert "Ducks swim." in parse(data, name).text


def test_a_zip_is_no_document_by_its_name(pack: Pack) -> None:
    for kind in FORMATS:
        assert media_type_of(f"a.{kind}", pack({"notes.txt": "x"})) == "application/zip"


@every_format
def test_too_many_members_are_refused_at_once(kind: str, make: Makers, pack: Pack) -> None:
    data = with_members(pack(make[kind]()), 100_000)
    begin = time.process_time()
    assert reason(data, f"a.{kind}") == (
        "The file is refused: it holds more than 20000 parts inside."
    )
    assert time.process_time() - begin < 0.5


def with_members(data: bytes, count: int) -> bytes:
    """The zip with so many more entries in its list, all for its first member."""
    end = data.rfind(b"PK\x05\x06")
    size, start = struct.unpack_from("<II", data, end + 12)
    entry = bytearray(data[start : start + 46])
    struct.pack_into("<HHH", entry, 28, 1, 0, 0)
    directory = data[start : start + size] + (bytes(entry) + b"x") * count
    tail = bytearray(data[end:])
    struct.pack_into("<HH", tail, 8, 0xFFFF, 0xFFFF)
    struct.pack_into("<II", tail, 12, len(directory), start)
    return data[:start] + directory + bytes(tail)


@every_format
def test_a_bomb_is_refused_before_it_is_unpacked(kind: str, make: Makers, pack: Pack) -> None:
    bomb = pack({**make[kind](), MAIN[kind]: b" " * (64 << 20)})
    assert len(bomb) < 1 << 20
    assert reason(bomb, f"a.{kind}") == (
        "The file is refused: unpacked, it would grow to 64 MB or more."
    )


def test_a_member_that_lies_about_its_size_is_not_unpacked_further(pack: Pack) -> None:
    data = bytearray(pack({"a": b" " * (1 << 20)}))
    directory = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, directory + 24, 1000)
    archive = Archive(bytes(data), "test", ".test")
    with pytest.raises(UnreadableDocument, match="damaged"):
        archive.read("a")


def test_all_that_is_unpacked_counts_together(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_platform.documents.parsing.archive.MAX_TOTAL_BYTES", 3 << 20)
    content = Random(1).randbytes(1 << 20)
    archive = Archive(pack({str(n): content for n in range(4)}), "test", ".test")
    with pytest.raises(UnreadableDocument, match="grow to 4 MB or more"):
        for number in range(4):
            archive.read(str(number))


@every_format
def test_entities_are_refused(kind: str, make: Makers, pack: Pack, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    laughs = '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">'
    parts = make[kind]()
    for entity in (laughs, f'<!ENTITY c SYSTEM "{secret.as_uri()}">'):
        xml = f"<!DOCTYPE x [{entity}]>" + parts[MAIN[kind]].replace("Ducks", "&c;")
        assert "declares XML entities" in reason(pack({**parts, MAIN[kind]: xml}), f"a.{kind}")
        encoded = f'<?xml version="1.0" encoding="UTF-16"?>{xml}'.encode("utf-16")
        assert "declares XML entities" in reason(pack({**parts, MAIN[kind]: encoded}), f"a.{kind}")


@pytest.mark.parametrize("kind", ["docx", "pptx", "odt", "ods", "odp", "epub"])
def test_deep_nesting_is_refused(kind: str, make: Makers, pack: Pack) -> None:
    xml = make[kind]()[MAIN[kind]]
    place = xml.rindex("</")
    deep = xml[:place] + "<p>" * 100_000 + "</p>" * 100_000 + xml[place:]
    assert "nested too deeply" in reason(pack({**make[kind](), MAIN[kind]: deep}), f"a.{kind}")


@every_format
def test_no_connection_is_made_and_no_file_is_written(
    kind: str, make: Makers, pack: Pack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    def connect(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)
    parts: dict[str, str | bytes] = dict(make[kind]())
    for name, content in list(parts.items()):
        if name.endswith(".rels"):
            parts[name] = str(content).replace(
                "</Relationships>",
                '<Relationship Id="t" Type="x/attachedTemplate" TargetMode="External" '
                'Target="http://127.0.0.1:9/t.dotm"/><Relationship Id="h" Type="x/header" '
                'TargetMode="External" Target="file:///etc/passwd"/></Relationships>',
            )
    parts |= {"../../outside.txt": "x", "/absolute.txt": "x", "..\\windows.txt": "x"}
    assert "Ducks swim." in parse(pack(parts), f"a.{kind}").text
    assert list(tmp_path.iterdir()) == []
    assert not os.path.exists("/absolute.txt")


def test_of_two_members_of_one_name_the_last_counts(make: Makers) -> None:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as archive:
        warnings.simplefilter("ignore")
        for name, content in make["odt"]().items():
            archive.writestr(name, content)
        archive.writestr("content.xml", make["odt"]("<text:p>Later.</text:p>")["content.xml"])
    assert parse(file.getvalue(), "a.odt").text == "Later."


@every_format
def test_a_password_is_named_as_the_reason(kind: str, make: Makers, pack: Pack) -> None:
    parts: dict[str, str | bytes] = dict(make[kind]())
    if kind in ("docx", "xlsx", "pptx"):
        ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
        data = ole + "EncryptedPackage".encode("utf-16-le")
    elif kind == "epub":
        parts["META-INF/encryption.xml"] = (
            '<encryption><CipherReference URI="OEBPS/a.xhtml"/></encryption>'
        )
        data = pack(parts)
    else:
        parts["META-INF/manifest.xml"] = (
            "<manifest><file-entry><encryption-data/></file-entry></manifest>"
        )
        data = pack(parts)
    assert ("protected" if kind == "epub" else "remove its password") in reason(data, f"a.{kind}")


@every_format
def test_an_encrypted_zip_is_named_as_the_reason(kind: str, make: Makers, pack: Pack) -> None:
    data = bytearray(pack(make[kind]()))
    place = -1
    while (place := data.find(b"PK\x01\x02", place + 1)) >= 0:
        data[place + 8] |= 1
    place = -1
    while (place := data.find(b"PK\x03\x04", place + 1)) >= 0:
        data[place + 6] |= 1
    assert "remove its password" in reason(bytes(data), f"a.{kind}")


@pytest.mark.parametrize(
    ("stream", "old", "new"),
    [
        ("WordDocument", ".doc", ".docx"),
        ("Workbook", ".xls", ".xlsx"),
        ("PowerPoint Document", ".ppt", ".pptx"),
    ],
)
def test_an_old_file_is_known_by_what_it_holds(stream: str, old: str, new: str) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512) + stream.encode("utf-16-le")
    for name in ("a.doc", "a.docx", "a.xls", "noname"):
        sentence = reason(data, name)
        assert f"({old})" in sentence and f"save it as {new} and drop it again" in sentence


@every_format
def test_damage_is_survived_or_explained(kind: str, make: Makers, pack: Pack) -> None:
    data = pack(make[kind]())
    random = Random(7)
    damaged = [data[:length] for length in range(1, len(data), 97)]
    for _ in range(100):
        changed = bytearray(data)
        for _ in range(random.choice([1, 20])):
            changed[random.randrange(len(changed))] = random.randrange(256)
        damaged.append(bytes(changed))
    for case in damaged:
        try:
            parse(case, f"a.{kind}")
        except UnreadableDocument as unreadable:
            assert str(unreadable).endswith(".")


@every_format
def test_a_missing_part_is_damage(kind: str, make: Makers, pack: Pack) -> None:
    for missing in make[kind]():
        parts = {name: text for name, text in make[kind]().items() if name != missing}
        try:
            assert parse(pack(parts), f"a.{kind}").parser in {p.id for p in PARSERS.values()}
        except UnreadableDocument as unreadable:
            assert str(unreadable).startswith("The file ")
