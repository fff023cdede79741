"""PDFs made to stall, crash or fool a reader: each ends soon, with a text or a sentence."""

import io
import zlib
from collections.abc import Callable
from random import Random

import pytest
from pypdf import PdfReader, PdfWriter

from rag_platform.documents.isolation import ParserProcess
from rag_platform.documents.parsing import parse
from rag_platform.errors import UnreadableDocument

Pdf = Callable[..., bytes]

SENTENCE = "Everybody reads this sentence."
SEEN = b"BT /F1 12 Tf 50 700 Td (Everybody reads this sentence.) Tj ET\n"


def reason(data: bytes) -> str:
    with pytest.raises(UnreadableDocument) as unreadable:
        parse(data, "a.pdf")
    return str(unreadable.value)


def packed(unit: bytes, megabytes: int, times: int = 1) -> bytes:
    """That many megabytes of one piece of text, deflated."""
    packer = zlib.compressobj(9)
    block = unit * ((1 << 20) // len(unit))
    data = b"".join([*(packer.compress(block) for _ in range(megabytes)), packer.flush()])
    for _ in range(times - 1):
        data = zlib.compress(data, 9)
    return data


@pytest.mark.parametrize("times", [1, 2])
def test_a_page_that_unpacks_to_far_too_much_is_not_unpacked(raw_pdf: Pdf, times: int) -> None:
    content = packed(b" ", 300, times)
    filters = b"/FlateDecode " * times
    data = raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        b"<< /Filter [" + filters + f"] /Length {len(content)} >>\nstream\n".encode()
        + content + b"\nendstream",
    )  # fmt: skip
    assert "unpacks to more than 256 MB" in reason(data)


def test_a_page_count_beyond_the_limit_is_said(page_pdf: Pdf) -> None:
    assert reason(page_pdf(*[SEEN] * 5001)).startswith("The PDF has 5001 pages, and at most 5000")


@pytest.mark.parametrize("count", [3, 4000, 10**8])
def test_a_false_page_count_does_not_fool_the_reader(
    raw_pdf: Pdf, parser: ParserProcess, count: int
) -> None:
    data = raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [3 0 R] /Count {count} >>".encode(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
    )
    with pytest.raises(UnreadableDocument, match=r"no text|pages"):
        parser.parse(data, "a.pdf")


def test_pages_that_contain_themselves_come_to_an_end(raw_pdf: Pdf, parser: ParserProcess) -> None:
    data = raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 3 >>",
        b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 2 >>",
    )
    with pytest.raises(UnreadableDocument):
        parser.parse(data, "a.pdf")


def test_bookmarks_that_go_in_circles_come_to_an_end(page_pdf: Pdf, parser: ParserProcess) -> None:
    items = (
        b"<< /Type /Outlines /First 5 0 R /Last 5 0 R >>",
        b"<< /Title (Everybody) /Parent 4 0 R /Next 6 0 R /First 6 0 R /Dest [7 0 R /Fit] >>",
        b"<< /Title (reads) /Parent 4 0 R /Next 5 0 R /First 5 0 R /Dest [7 0 R /Fit] >>",
    )
    data = page_pdf(SEEN, objects=items, catalog=b"/Outlines 4 0 R")
    document = parser.parse(data, "a.pdf")
    assert (document.text, [h.title for h in document.headings]) == (SENTENCE, ["Everybody"])


def test_forms_that_draw_each_other_a_billion_times_end_with_a_reason(page_pdf: Pdf) -> None:
    """PDFium unfolds them until memory ends; the limits of the child are what holds."""
    forms = [
        f"<< /Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject "
        f"<< /N {5 + depth} 0 R >> >> /Length 60 >>\nstream\n".encode()
        + b"/N Do " * 10
        + b"\nendstream"
        for depth in range(9)
    ]
    last = b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 1 >>\nstream\n \nendstream"
    data = page_pdf(SEEN + b"/N Do", objects=(*forms, last), resources=b"/XObject << /N 4 0 R >>")
    with (
        ParserProcess(timeout=60, memory_megabytes=500) as parser,
        pytest.raises(UnreadableDocument) as unreadable,
    ):
        parser.parse(data, "a.pdf")
    assert str(unreadable.value).endswith(".")


@pytest.mark.parametrize(
    ("content", "nested"),
    [(SEEN + b"[" * 10000 + b"]" * 10000 + b" TJ\n", b"null"), (SEEN, b"[" * 10000 + b"]" * 10000)],
    ids=["on the page", "beside it"],
)
def test_deep_nesting_does_not_cost_the_text(
    page_pdf: Pdf, parser: ParserProcess, content: bytes, nested: bytes
) -> None:
    data = page_pdf(content, objects=(nested,), catalog=b"/Nested 4 0 R")
    assert parser.parse(data, "a.pdf").text == SENTENCE


def test_letters_that_their_font_does_not_explain_are_not_taken_for_text(page_pdf: Pdf) -> None:
    fonts = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Foo /Encoding /Identity-H "
        b"/DescendantFonts [5 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Foo /CIDSystemInfo "
        b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
    )
    content = b"BT /F1 12 Tf 50 700 Td <0024002500260027002800290030003100320033> Tj ET"
    data = page_pdf(content, objects=fonts).replace(b"/F1 3 0 R", b"/F1 4 0 R")
    assert reason(data).startswith("The PDF's text cannot be decoded")


def test_an_xfa_form_is_said_to_be_one(page_pdf: Pdf) -> None:
    wait = b"BT /F1 12 Tf 50 700 Td (Please wait... If this message stays, update.) Tj ET"
    data = page_pdf(
        wait,
        objects=(b"<< /Length 11 >>\nstream\n<xdp></xdp>\nendstream",),
        catalog=b"/AcroForm << /Fields [] /XFA 4 0 R >> /NeedsRendering true",
    )
    assert "XFA form" in reason(data)


def test_filled_fields_and_comments_are_read_and_attached_files_noted(page_pdf: Pdf) -> None:
    objects = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (city) /TU (Home town) /V (Lisbon) "
        b"/Rect [50 600 200 620] >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (agreed) /V /Off /Rect [0 0 9 9] >>",
        b"<< /Type /Annot /Subtype /Text /Contents (Ask Ada about this.) /Rect [0 0 9 9] >>",
        b"<< /Type /Annot /Subtype /Text /F 2 /Contents (Secret.) /Rect [0 0 9 9] >>",
        b"<< /Type /EmbeddedFile /Length 1 >>\nstream\nx\nendstream",
    )
    data = page_pdf(
        SEEN,
        objects=objects,
        page=b"/Annots [4 0 R 5 0 R 6 0 R 7 0 R]",
        catalog=b"/AcroForm << /Fields [4 0 R 5 0 R] >> /Names << /EmbeddedFiles << /Names "
        b"[(data.csv) << /Type /Filespec /F (data.csv) /UF (data.csv) /EF << /F 8 0 R >> >>] >> >>",
    )
    document = parse(data, "a.pdf")
    assert document.text.split("\n") == [SENTENCE, "Home town: Lisbon", "Ask Ada about this."]
    assert document.notes == ("1 attached file was not read: data.csv.",)


def changed(data: bytes, random: Random) -> bytes:
    """The file with some bytes changed, its end cut off, or two stretches swapped."""
    result = bytearray(data)
    kind = random.randrange(3)
    if kind == 0:
        for _ in range(random.choice([1, 5, 50])):
            result[random.randrange(len(result))] = random.randrange(256)
    elif kind == 1:
        del result[random.randrange(len(result)) :]
    else:
        length = random.randrange(1, len(result) // 8)
        one, two = (random.randrange(len(result) - length) for _ in range(2))
        result[one : one + length], result[two : two + length] = (
            result[two : two + length],
            result[one : one + length],
        )
    return bytes(result)


@pytest.mark.parametrize("end", [b"xref\n0", b"startxref", b"%%EOF", b"endstream\nendobj\nxref"])
def test_a_file_whose_end_is_missing_is_read_as_far_as_it_goes(page_pdf: Pdf, end: bytes) -> None:
    whole = page_pdf(SEEN, SEEN.replace(b"Everybody", b"Nobody"))
    document = parse(whole[: whole.rindex(end)], "a.pdf")
    assert document.text.startswith(SENTENCE)
    assert document.page_count == 2
    if b"xref\n" in end:
        assert document.notes == (
            "The end of the file is missing or damaged; what is left of it was read.",
        )


@pytest.mark.parametrize("lost", [b"1 0 obj", b"2 0 obj"])  # the catalog, the tree of pages
def test_pages_are_read_though_nothing_leads_to_them(page_pdf: Pdf, lost: bytes) -> None:
    whole = page_pdf(SEEN, SEEN.replace(b"Everybody", b"Nobody"))
    before, _, rest = whole.partition(b"xref\n0")[0].partition(lost)
    document = parse(before + rest.partition(b"endobj\n")[2], "a.pdf")
    assert document.text.split("\n\n") == [SENTENCE, "Nobody reads this sentence."]
    assert document.page_count == 2


def test_a_file_of_which_too_little_is_left_is_damaged(page_pdf: Pdf) -> None:
    whole = page_pdf(SEEN)
    for length in (whole.index(b"/Pages"), whole.index(b"stream\n"), whole.index(b"Everybody")):
        assert reason(whole[:length]) == "The file is damaged: it is not a complete PDF."


def test_an_encrypted_file_whose_end_is_missing_is_damaged(make_pdf: Pdf) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf([(12, "text")]))))
    writer.encrypt("", owner_password="owner", algorithm="AES-128")
    file = io.BytesIO()
    writer.write(file)
    data = file.getvalue()
    assert reason(data[: data.rindex(b"xref\n0")]).startswith("The file is damaged")


def test_damaged_files_end_in_a_text_or_a_sentence(
    page_pdf: Pdf, make_pdf: Pdf, parser: ParserProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # recognising letters on a hundred blank pages takes minutes
    random = Random(11)
    plain = page_pdf(SEEN, b"1 g " + SEEN, page=b"/Annots [<< /Subtype /Text /Contents (Note) >>]")
    bookmarked = make_pdf([(20, "Title"), (10, "Text.")], bookmarks=("Title",), info={"Title": "T"})
    for data in (plain, bookmarked):
        for _ in range(100):
            try:
                assert parser.parse(changed(data, random), "a.pdf").text
            except UnreadableDocument as unreadable:
                assert str(unreadable).endswith(".")
