"""Reading documents: what is read, and the reason when it is not."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest

from rag_platform.documents.parsing import PARSERS, ParsedDocument, media_type_of, parse
from rag_platform.errors import UnreadableDocument

MakePdf = Callable[..., bytes]


def reason(data: bytes, key: str) -> str:
    with pytest.raises(UnreadableDocument) as unreadable:
        parse(data, key)
    return str(unreadable.value)


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return file.getvalue()


def headed(document: ParsedDocument) -> list[tuple[int, str, str]]:
    """Level and title of the headings, and the text where they are said to be."""
    return [(h.level, h.title, document.text[h.start :].split("\n")[0]) for h in document.headings]


def test_an_empty_file_is_said_to_be_empty() -> None:
    assert reason(b"", "a.md") == "The file is empty."


@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.html"])
def test_a_file_of_blanks_has_no_text(name: str) -> None:
    assert reason(b" \n\t\n ", name) == "The file has no text."


def test_an_unsupported_type_is_named_with_what_is_supported() -> None:
    message = reason(b"\x00\x01\x02\x03", "a")
    assert message.startswith(
        "Files of this type (application/octet-stream) are not supported. Supported are: "
    )
    for parser in PARSERS.values():
        assert parser.label in message


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", b"%PDF-1.7\n", "application/pdf"),
        ("a.pdf", b"junk before\n%PDF-1.7\n", "application/pdf"),
        ("about-pdf.txt", b"The header is %PDF-1.7", "text/plain"),
        ("a.pdf", b"<!DOCTYPE html><html>Not found", "text/html"),
        ("a", b"\xef\xbb\xbf\n<!-- x -->\n<HTML>", "text/html"),
        ("a.md", b"<p align='center'>Logo</p>", "text/markdown"),
        ("A.MD", b"# x", "text/markdown"),
        ("README", b"hello", "text/plain"),
        ("main.py", b"print(1)", "text/x-python"),
        ("a", "hällo".encode("utf-16"), "text/plain"),
        ("a", b"\x00\x01\x02\x03", "application/octet-stream"),
        ("a.json", b"{}", "application/json"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
        ("a.zip", zipped(a="b"), "application/zip"),
        ("a.docx", zipped(word__document="b"), next(t for t in PARSERS if "wordpro" in t)),
        ("a.docx", zipped(xl__workbook="b"), "application/vnd.openxmlformats-officedocument."
         "spreadsheetml.sheet"),
        (".hidden", b"text", "text/plain"),
    ],
)  # fmt: skip
def test_the_content_says_what_a_file_is_and_the_name_the_rest(
    name: str, data: bytes, expected: str
) -> None:
    assert media_type_of(f"some.folder/{name}", data) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_plain_text_is_decoded(encoding: str) -> None:
    text = "Größe: 5 €, naïve café"
    assert parse(text.encode(encoding), "a.txt").text == text


def test_one_broken_byte_does_not_make_utf8_something_else() -> None:
    data = ("Größe und Länge. " * 200).encode()[:-1] + b"\xc3"
    assert parse(data, "a.txt").text.startswith("Größe und Länge. Größe")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_binary_data_under_the_name_of_a_text_is_damage(name: str) -> None:
    assert reason(bytes(range(256)) * 40, name).startswith("The file is damaged: ")


def test_headings_of_markdown_are_found_outside_of_code() -> None:
    document = parse(
        b"---\ntitle: 'The Guide'\nauthor: Ada\ndate: 2024-02-03\n---\n"
        b"# One *bold* [link](x)\n\n```sh\n# not one\n```\n\nTwo\n---\n\ntext\n\n"
        b"~~~\n```\n# nor this\n~~~\n\n### Three ###\n\n#hashtag\n\n| a |\n| - |\n---\n",
        "a.md",
    )
    assert headed(document) == [
        (1, "One bold link", "# One *bold* [link](x)"),
        (2, "Two", "Two"),
        (3, "Three", "### Three ###"),
    ]
    assert (document.title, document.author) == ("The Guide", "Ada")
    assert document.created == datetime(2024, 2, 3, tzinfo=UTC)
    assert document.text.startswith("# One")
    assert (document.pages, document.page_count) == ((), None)


def test_the_first_top_heading_is_the_title() -> None:
    assert parse(b"## Small\n\n# Large\n", "a.md").title == "Large"
    assert parse(b"text only", "a.md").title is None


def test_a_pdf_keeps_its_pages_bookmarks_and_metadata(make_pdf: MakePdf) -> None:
    data = make_pdf(
        [(12, "1 Introduction"), (12, "First page.")],
        [],
        [(12, "Methods"), (12, "Third page, caf\xe9.")],
        info={"Title": "On Ducks", "Author": "Ada", "CreationDate": "D:20240203040506+02'00'"},
        bookmarks=("Introduction", "Nowhere", "Methods"),
    )
    document = parse(data, "a.pdf")
    assert [(p.number, document.text[p.start : p.end].strip()) for p in document.pages] == [
        (1, "1 Introduction\nFirst page."),
        (2, ""),
        (3, "Methods\nThird page, café."),
    ]
    assert document.page_count == 3
    assert headed(document) == [(1, "Introduction", "1 Introduction"), (1, "Methods", "Methods")]
    assert (document.title, document.author) == ("On Ducks", "Ada")
    assert document.created == datetime(2024, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    assert document.parser == PARSERS["application/pdf"].id


@pytest.mark.parametrize("title", ["Microsoft Word - draft3.docx", "untitled", "0000320193-22"])
def test_a_title_that_a_program_wrote_gives_way_to_the_largest_line(
    make_pdf: MakePdf, title: str
) -> None:
    lines = [(24, "The Life of"), (24, "Ducks"), *[(10, "They swim in the pond.")] * 5]
    assert parse(make_pdf(lines, info={"Title": title}), "a.pdf").title == "The Life of Ducks"


def test_a_pdf_without_letters_is_taken_for_a_scan(make_pdf: MakePdf) -> None:
    expected = "The PDF has no text; it seems to be scanned pages"
    assert reason(make_pdf([(12, " ")]), "a.pdf").startswith(expected)


def test_a_pdf_with_a_password_is_said_to_be_encrypted(make_pdf: MakePdf) -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf([(12, "secret")])))
    writer.encrypt("password", algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    expected = "The PDF is encrypted; remove its password and drop it again."
    assert reason(file.getvalue(), "a.pdf") == expected


def test_a_pdf_that_anybody_may_open_is_read_although_encrypted(make_pdf: MakePdf) -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf([(12, "no secret")])))
    writer.encrypt("", owner_password="owner", algorithm="AES-128")
    file = io.BytesIO()
    writer.write(file)
    assert parse(file.getvalue(), "a.pdf").text == "no secret"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", b"%PDF-1.7\nnothing that follows"),
        ("a.pdf", b"\x00\x01 no PDF at all"),
        ("a.docx", b"PK\x03\x04 word/document.xml broken off"),
        ("a.docx", zipped(word__document="no xml")),
        ("a.docx", b"\x00\x01 no zip at all"),
    ],
)
def test_a_broken_file_is_said_to_be_damaged(name: str, data: bytes) -> None:
    message = reason(data, name)
    assert message.startswith("The file is damaged: ")
    assert "Error" not in message


def test_a_pdf_cut_off_in_the_middle_is_damaged_or_still_read(make_pdf: MakePdf) -> None:
    data = make_pdf(*[[(12, f"page {number}")] for number in range(5)])
    for length in range(10, len(data), 97):
        try:
            assert parse(data[:length], "a.pdf").text
        except UnreadableDocument as unreadable:
            assert str(unreadable).endswith(".")


def test_a_document_survives_json() -> None:
    document = parse("# Ü\n\ntext 😀".encode(), "a.md")
    assert ParsedDocument.from_json(document.to_json()) == document


def test_a_stray_zero_byte_does_not_make_a_text_binary() -> None:
    assert parse(b"# Title\n\n" + b"some text " * 20 + b"\x00end", "a.md").text.endswith("text end")


def test_damage_is_survived_or_explained(make_pdf: MakePdf) -> None:
    """Whatever a changed byte does to a file, a person gets a sentence about it."""
    import docx

    file = io.BytesIO()
    document = docx.Document()
    document.add_heading("Title", 1)
    document.save(file)
    random = Random(7)
    pdf = make_pdf([(12, "text")], info={"Title": "On Ducks"}, bookmarks=("text",))
    for name, data in (("a.pdf", pdf), ("a.docx", file.getvalue())):
        for _ in range(150):
            changed = bytearray(data)
            for _ in range(random.choice([1, 20])):
                changed[random.randrange(len(changed))] = random.randrange(256)
            try:
                parse(bytes(changed), name)
            except UnreadableDocument as unreadable:
                assert str(unreadable).endswith(".")
