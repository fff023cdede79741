"""PDFs whose fonts do not say which letters they draw, and PDFs of pages with nothing on them."""

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import matplotlib
import pytest
from fontTools.ttLib import TTFont

from rag_platform.documents.isolation import ParserProcess
from rag_platform.documents.parsing import parse
from rag_platform.documents.parsing.scans import GARBLED, GARBLED_UNSURE
from rag_platform.errors import UnreadableDocument

Pdf = Callable[..., bytes]

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
SENTENCE = "The harbour master counts forty ducks."
READ = b"BT /F1 12 Tf 50 700 Td (Everybody reads this sentence.) Tj ET\n"
PROSE = [
    "the harbour master counts forty ducks in the morning and thirty in the evening,",
    "when the ferry has left and the children throw bread from the wooden bridge over there;",
    "nobody knows where the missing ten have gone, but every day they come back at sunrise.",
    "some say that they sleep behind the lighthouse, others have seen them on the islands,",
    "and the keeper of the lighthouse writes all of it down in a very large book.",
]
needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the tesseract program is not installed"
)


@pytest.fixture(scope="session")
def drawn() -> Callable[..., bytes]:
    """A page's instructions to draw lines in font ``F2``, by the numbers of its shapes."""
    font = TTFont(FONT)
    shapes = font.getBestCmap()

    def draw(*lines: str) -> bytes:
        content = b"BT /F2 14 Tf 0 -24 Td 50 700 Td\n"
        for line in lines:
            numbers = "".join(f"{font.getGlyphID(shapes[ord(letter)]):04X}" for letter in line)
            content += f"<{numbers}> Tj 0 -24 Td\n".encode()
        return content + b"ET\n"

    return draw


@pytest.fixture(scope="session")
def unexplained(page_pdf: Pdf) -> Callable[..., bytes]:
    """A PDF with font ``F2``, which has shapes and does not say which letters they are."""
    packed = zlib.compress(FONT.read_bytes())
    head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()

    def make(*contents: bytes) -> bytes:
        return page_pdf(
            *contents,
            objects=(
                b"<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Some /Encoding /Identity-H "
                b"/DescendantFonts [5 0 R] >>",
                b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Some /DW 600 "
                b"/CIDToGIDMap /Identity /FontDescriptor 6 0 R /CIDSystemInfo "
                b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
                b"<< /Type /FontDescriptor /FontName /ABCDEF+Some /Flags 4 /FontFile2 7 0 R "
                b"/FontBBox [-1000 -300 1500 1100] /Ascent 900 /Descent -200 /CapHeight 700 "
                b"/ItalicAngle 0 /StemV 80 >>",
                head + packed + b"\nendstream",
            ),
        ).replace(b"/F1 3 0 R", b"/F1 3 0 R /F2 4 0 R")

    return make


def reason(data: bytes) -> str:
    with pytest.raises(UnreadableDocument) as unreadable:
        parse(data, "a.pdf")
    return str(unreadable.value)


@needs_tesseract
def test_what_a_font_does_not_explain_is_recognised_by_its_look(
    unexplained: Pdf, drawn: Pdf, parser: ParserProcess
) -> None:
    document = parser.parse(unexplained(drawn(*[SENTENCE] * 3)), "a.pdf")
    assert document.text.split("\n") == [SENTENCE] * 3
    assert document.notes == (
        "The text was recognised by its look, since its fonts do not say rightly which letters "
        "they draw; expect misread letters.",
    )


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_programs")
def test_a_document_that_no_font_explains_is_refused(unexplained: Pdf, drawn: Pdf) -> None:
    assert reason(unexplained(drawn(SENTENCE, SENTENCE))) == GARBLED


@pytest.mark.usefixtures("no_programs")
def test_a_page_that_no_font_explains_is_left_out_and_named(unexplained: Pdf, drawn: Pdf) -> None:
    document = parse(unexplained(READ, drawn(SENTENCE, SENTENCE)), "a.pdf")
    assert document.text == "Everybody reads this sentence."
    assert document.page_count == 2
    assert document.notes == (
        "The text of page 2 was left out: fonts there do not say rightly which letters they draw.",
    )


def test_a_line_that_no_font_explains_is_left_out_and_its_page_named(
    unexplained: Pdf, drawn: Pdf
) -> None:
    lines = b"".join(READ.replace(b"700", b"%d" % (660 - 20 * n)) for n in range(9))
    document = parse(unexplained(lines + drawn(SENTENCE)), "a.pdf")
    assert document.text.split("\n") == ["Everybody reads this sentence."] * 9
    assert document.notes == (
        "Some lines of page 1 were left out: fonts there do not say rightly which letters they "
        "draw.",
    )


def shifted(text: str) -> str:
    """Every letter replaced by the third one behind it."""
    return "".join(
        chr((ord(letter) - 97 + 3) % 26 + 97) if letter.islower() else letter for letter in text
    )


@pytest.mark.usefixtures("no_programs")
@pytest.mark.parametrize("change", [shifted, lambda text: text.replace("e", "eee")])  # type: ignore
def test_a_page_of_wrong_letters_is_left_out(make_pdf: Pdf, change: Callable[[str], str]) -> None:
    lines = [(10, change(line)) for line in PROSE]
    document = parse(make_pdf(lines, [(12, "Everybody reads this.")]), "a.pdf")
    assert document.text == "Everybody reads this."
    assert document.notes[0].startswith("The text of page 1 was left out")


@pytest.mark.parametrize(
    "lines",
    [
        PROSE,
        ["U2FsdGVkX19hcQbGnzRWVvY3FoOHp qRkZ3WnFhYTJ4 bGx0cGh4 Zm9vYmFy"] * 40,
        ["3f2a ffed bc01 deadbeef cafe bb dd cc bf ff db"] * 40,
        ["XVIII XXIII VIII XIII XXXVIII"] * 40,
        ["CuSO4 H2SO4 NaHCO3 MgCl2 C6H12O6 CH3COOH KMnO4 Fe2O3 HgS PbWO4"] * 40,
        [f"{n} | 0.{n}7 | 12,{n}00 kg | QX-{n}B | WKG {n}" for n in range(40)],
    ],
    ids=["prose", "base64", "hexadecimal", "Roman numerals", "formulas", "figures"],
)
@pytest.mark.usefixtures("no_programs")
def test_what_is_no_prose_is_kept(make_pdf: Pdf, lines: list[str]) -> None:
    document = parse(make_pdf([(8, line) for line in lines]), "a.pdf")
    assert lines[-1] in document.text
    assert document.notes == ()


@needs_tesseract
def test_shapes_that_are_no_letters_are_not_recognised_as_some(
    unexplained: Pdf, drawn: Pdf
) -> None:
    assert reason(unexplained(drawn(*["♞♜♝ ☂☃☎ ♫♬ ⚒⚓⚔"] * 4))) == GARBLED_UNSURE


def test_pages_with_nothing_on_them_are_said_to_be_blank(page_pdf: Pdf) -> None:
    assert reason(page_pdf(b"", b"")) == "The PDF has no text: its pages are blank."


def test_pages_that_are_not_there_are_no_scans(raw_pdf: Pdf) -> None:
    data = raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 4000 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
    )
    assert reason(data) == (
        "The file is damaged: of the 4000 pages that it claims to have, 3999 cannot be opened, "
        "and the others are blank."
    )


def test_a_list_of_pages_that_leads_to_itself_is_no_scan(raw_pdf: Pdf) -> None:
    data = raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 3 >>",
        b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 2 >>",
    )
    assert reason(data) == (
        "The file is damaged: its list of pages leads to no page that can be opened."
    )


def test_pages_that_are_not_there_are_noted_beside_the_text(page_pdf: Pdf) -> None:
    document = parse(page_pdf(READ).replace(b"/Count 1", b"/Count 3"), "a.pdf")
    assert document.text == "Everybody reads this sentence."
    assert document.notes == ("Of the 3 pages that the file claims to have, 2 cannot be opened.",)
