"""What a PDF's type and places tell: headings, paragraphs, and what runs along the edges."""

from collections.abc import Callable

import pytest

from rag_platform.documents.parsing import ParsedDocument, parse

PagePdf = Callable[..., bytes]


def line(y: int, text: str, *, size: int = 10, x: int = 50, font: str = "F1") -> bytes:
    return f"BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET\n".encode()


def body(number: int, *, lines: int = 20) -> bytes:
    return b"".join(
        line(650 - 12 * at, f"Sentence {at} of section {number} tells about ducks and ponds.")
        for at in range(lines)
    )


def page_texts(document: ParsedDocument) -> list[str]:
    return [document.text[page.start : page.end].strip() for page in document.pages]


def test_headers_footers_and_page_numbers_are_left_out(page_pdf: PagePdf) -> None:
    pages = [
        line(750, "The Duck Report") + body(number) + line(30, f"Page {number + 6} of 60")
        for number in range(6)
    ]
    document = parse(page_pdf(*pages), "a.pdf")
    assert "Duck Report" not in document.text and "of 60" not in document.text
    for number, text in enumerate(page_texts(document)):
        assert text.startswith(f"Sentence 0 of section {number} tells")
        assert text.endswith(f"Sentence 19 of section {number} tells about ducks and ponds.")


def test_footers_right_under_a_page_that_ends_early_are_left_out(page_pdf: PagePdf) -> None:
    pages = []
    for number in range(6):
        lines = 12 + 3 * number
        pages.append(
            body(number, lines=lines) + line(650 - 12 * lines - 30, f"Duck Inc. | {number}", x=250)
        )
    assert "Duck Inc." not in parse(page_pdf(*pages), "a.pdf").text


def test_headers_of_left_and_right_pages_and_of_chapters_are_told(page_pdf: PagePdf) -> None:
    names = ["Ducks of the North", "Ducks of the South"]
    pages = [
        line(750, "On Ducks" if number % 2 else names[number // 12], x=60 + 300 * (number % 2))
        + body(number)
        for number in range(24)
    ]
    text = parse(page_pdf(*pages), "a.pdf").text
    assert not [words for words in ("On Ducks", *names) if words in text]


def test_nothing_is_left_out_of_a_document_of_few_pages(page_pdf: PagePdf) -> None:
    pages = [line(750, "The Duck Report") + body(number) for number in range(3)]
    assert parse(page_pdf(*pages), "a.pdf").text.count("The Duck Report") == 3


def test_lines_whose_numbers_mean_something_stay(page_pdf: PagePdf) -> None:
    years = [1990, 2004, 1875, 2010, 1999, 2021]
    pages = [line(750, f"Ducks counted: {year}") + body(year) for year in years]
    text = parse(page_pdf(*pages), "a.pdf").text
    assert [year for year in years if f"Ducks counted: {year}" not in text] == []


def test_a_document_that_says_the_same_on_every_page_keeps_its_words(page_pdf: PagePdf) -> None:
    assert parse(page_pdf(*[line(750, "Quack.")] * 6), "a.pdf").text.count("Quack.") == 6


def test_larger_letters_are_headings_and_levels_follow_their_size(page_pdf: PagePdf) -> None:
    first = line(740, "On Ducks", size=20) + line(700, "Where They Live", size=14) + body(1)
    document = parse(page_pdf(first, line(700, "What They Eat", size=14) + body(2)), "a.pdf")
    headings = [(h.level, h.title, document.text[h.start :][:8]) for h in document.headings]
    assert headings == [
        (1, "On Ducks", "On Ducks"),
        (2, "Where They Live", "Where Th"),
        (2, "What They Eat", "What The"),
    ]


def test_bold_letters_on_a_line_of_their_own_are_headings_and_within_a_text_not(
    page_pdf: PagePdf,
) -> None:
    bold = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>"
    content = (
        line(690, "Where They Live", font="F2")
        + body(1)
        + line(380, "Notice", font="F2")
        + line(380, "that this goes on in the same line.", x=100)
    )
    data = page_pdf(content, body(2), objects=(bold,))
    data = data.replace(b"/F1 3 0 R", b"/F1 3 0 R /F2 4 0 R")
    assert [heading.title for heading in parse(data, "a.pdf").headings] == ["Where They Live"]


def test_text_of_one_size_has_no_headings(page_pdf: PagePdf) -> None:
    assert parse(page_pdf(body(1), body(2)), "a.pdf").headings == ()


def test_a_gap_parts_paragraphs_and_rows_of_a_table_stay_together(page_pdf: PagePdf) -> None:
    content = b"".join(
        (
            line(700, "The first line of a paragraph goes on"),
            line(688, "and ends here."),
            line(660, "Another one follows."),
            line(648, "It ends, too."),
            *(line(600 - 20 * row, "Ducks") + line(600 - 20 * row, str(row), x=300)
              for row in range(3)),
        )
    )  # fmt: skip
    assert parse(page_pdf(content), "a.pdf").text.split("\n\n") == [
        "The first line of a paragraph goes on\nand ends here.",
        "Another one follows.\nIt ends, too.",
        "Ducks 0\nDucks 1\nDucks 2",
    ]


def test_columns_are_read_one_after_the_other(page_pdf: PagePdf) -> None:
    left = b"".join(line(700 - 12 * at, f"Left line {at} of the column.") for at in range(5))
    right = b"".join(
        line(700 - 12 * at, f"Right line {at} of the column.", x=330) for at in range(5)
    )
    text = parse(page_pdf(left + right), "a.pdf").text
    assert (
        text.split()
        == " ".join(
            f"{side} line {at} of the column." for side in ("Left", "Right") for at in range(5)
        ).split()
    )


@pytest.mark.parametrize(
    "title", ["Microsoft Word - report.doc", "Microsoft Office Word - x.rtf", "report.indd", " "]
)
def test_a_title_that_is_a_file_name_is_not_taken(
    make_pdf: Callable[..., bytes], title: str
) -> None:
    assert parse(make_pdf([(10, "Ducks.")], info={"Title": title}), "a.pdf").title is None
