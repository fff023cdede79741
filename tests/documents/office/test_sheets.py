"""Spreadsheets and tables: every row keeps its header, numbers are as people see them."""

import time
import tracemalloc
from collections.abc import Callable

import pytest

from rag_platform.documents.parsing import ParsedDocument, parse
from rag_platform.documents.parsing.number_formats import shown
from rag_platform.documents.repetition import NOTE as REPEATED
from rag_platform.errors import UnreadableDocument

Makers = dict[str, Callable[..., dict[str, str]]]
Pack = Callable[[dict[str, str | bytes]], bytes]


def rows(*lines: list[str]) -> str:
    """Rows of a sheet; an empty list is a row that is left out."""
    return "".join(
        f'<row r="{number}">'
        + "".join(f'<c t="str"><v>{cell}</v></c>' if cell else "<c/>" for cell in line)
        + "</row>"
        for number, line in enumerate(lines, 1)
        if line
    )


def read(make: Makers, pack: Pack, *sheets: str, **more: str) -> ParsedDocument:
    return parse(pack(make["xlsx"](*sheets, **more)), "a.xlsx")


def test_each_row_says_what_its_values_are(make: Makers, pack: Pack) -> None:
    sheet = rows(["Name", "Size", "Note"], ["Mallard", "50 cm", ""], ["Teal", "35 cm", "small"])
    document = read(make, pack, sheet, rows(["x"]))
    assert document.text == (
        "# Sheet 1\n\nName: Mallard; Size: 50 cm\nName: Teal; Size: 35 cm; Note: small"
        "\n\n# Sheet 2\n\nx"
    )
    assert [heading.title for heading in document.headings] == ["Sheet 1", "Sheet 2"]


def test_a_title_above_and_a_second_table_below_are_told_apart(make: Makers, pack: Pack) -> None:
    sheet = rows(
        ["Ducks of 2024"],
        [],
        ["Name", "Size"],
        ["Mallard", "50"],
        [],
        ["Pond", "Depth"],
        ["North", "2"],
    )
    assert read(make, pack, sheet).text == (
        "# Sheet 1\n\nDucks of 2024\n\nName: Mallard; Size: 50\nPond: North; Depth: 2"
    )


def test_rows_go_on_below_an_empty_one(make: Makers, pack: Pack) -> None:
    sheet = rows(["Name", "Size"], ["Mallard", "50"], [], ["Teal", "35"])
    assert read(make, pack, sheet).text.endswith("Name: Mallard; Size: 50\nName: Teal; Size: 35")


def test_a_header_may_be_set_apart_by_an_empty_row(make: Makers, pack: Pack) -> None:
    sheet = rows(["Name", "Size", "Age"], [], ["Teal", "35", "2"], ["Mallard", "50", "3"])
    assert read(make, pack, sheet).text == (
        "# Sheet 1\n\nName; Size; Age\n"
        "Name: Teal; Size: 35; Age: 2\nName: Mallard; Size: 50; Age: 3"
    )


def test_pairs_with_empty_rows_between_are_a_form_still(make: Makers, pack: Pack) -> None:
    sheet = rows(["City", "Paris"], [], ["Age", "35"])
    assert read(make, pack, sheet).text.endswith("City: Paris\nAge: 35")


def test_a_long_table_keeps_its_header_to_the_end(make: Makers, pack: Pack) -> None:
    sheet = rows(["Name", "Size"], *([f"Duck {n}", str(n)] for n in range(500)))
    assert read(make, pack, sheet).text.endswith("\nName: Duck 499; Size: 499")


def test_a_form_has_its_names_on_the_left(make: Makers, pack: Pack) -> None:
    sheet = rows(["Name:", "Alice"], ["City:", "Paris"])
    assert read(make, pack, sheet).text.endswith("Name: Alice\nCity: Paris")


def test_years_can_be_a_header(make: Makers, pack: Pack) -> None:
    sheet = rows(["Region", "2021", "2022"], ["North", "1", "2"])
    assert read(make, pack, sheet).text.endswith("Region: North; 2021: 1; 2022: 2")


def test_shared_texts_come_without_their_reading_aids(make: Makers, pack: Pack) -> None:
    texts = "<si><r><t>東</t></r><r><t>京</t></r><rPh><t>トウキョウ</t></rPh></si><si><t>x</t></si>"
    sheet = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>9</v></c></row>'
    assert read(make, pack, sheet, texts=texts).text.endswith("\n東京")


def test_dates_and_amounts_are_as_people_see_them(make: Makers, pack: Pack) -> None:
    styles = (
        '<numFmts><numFmt numFmtId="164" formatCode="#,##0.00\\ &quot;€&quot;"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="10"/>'
        "</cellXfs>"
    )
    sheet = '<row r="1">' + "".join(
        f'<c s="{style}"><v>{value}</v></c>'
        for style, value in [(0, "0.30000000000000004"), (1, 45325), (2, 1234.5), (3, 0.125)]
    ) + '<c t="b"><v>1</v></c></row>'  # fmt: skip
    text = read(make, pack, sheet, styles=styles).text
    assert text.endswith("0.3; 2024-02-03; 1,234.50 €; 12.50%; TRUE")


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (1234567, "General", "1234567"),
        (0.1 + 0.2, "General", "0.3"),
        (1e20, "General", "1e+20"),
        (2.5, "0", "3"),
        (1.005, "0.00", "1.01"),
        (-1234, "#,##0;(#,##0)", "(1,234)"),
        (-5.5, '_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)', "$(5.50)"),
        (0, '0;-0;"none"', "none"),
        (5, '0.0 "kg"', "5.0 kg"),
        (12000, '0,"k"', "12k"),
        (123, "00000", "00123"),
        (0.5, "0.##", "0.5"),
        (12345, "0.00E+00", "1.23E+04"),
        (1, "[$€-407] #,##0", "€ 1"),
        (45325, "d. mmmm yyyy", "2024-02-03"),
        (45325.5, "dd/mm/yyyy hh:mm", "2024-02-03 12:00"),
        (45325, "mmm-yy", "2024-02"),
        (0.75, "h:mm AM/PM", "18:00"),
        (1.5, "[h]:mm", "36:00"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (-1, "yyyy-mm-dd", "-1"),
        (1e300, "yyyy-mm-dd", "1e+300"),
        (5, ";;;", ""),
        (1e308, "0%", "inf%"),
    ],
)
def test_a_number_is_shown_under_its_format(value: float, code: str, expected: str) -> None:
    assert shown(value, code) == expected


def test_a_hidden_sheet_is_left_out_and_noted(make: Makers, pack: Pack) -> None:
    document = read(make, pack, rows(["seen"]), rows(["secret"]), states=" h")
    assert "secret" not in document.text
    assert document.notes == ("The hidden sheet “Sheet 2” was left out.",)


def test_formulas_without_results_are_noted(make: Makers, pack: Pack) -> None:
    sheet = rows(["seen"]) + '<row r="2"><c r="A2"><f>A1*2</f></c></row>'
    assert read(make, pack, sheet).notes[0].startswith("Formulas without a stored result: 1.")


def test_a_million_coloured_empty_rows_are_read_in_passing(make: Makers, pack: Pack) -> None:
    empty = "".join(
        f'<row r="{n}" s="3" customFormat="1"><c r="A{n}" s="3"/></row>' for n in range(2, 300_000)
    )
    last = '<row r="1048576"><c r="XFD1048576" t="str"><v>far away</v></c></row>'
    data = pack(make["xlsx"](rows(["first"]) + empty + last))
    tracemalloc.start()
    begin = time.process_time()
    document = parse(data, "a.xlsx")
    seconds = time.process_time() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert document.text.endswith("first\n\nfar away")
    assert seconds < 20
    assert peak < 20 << 20


def test_a_text_that_a_million_cells_share_is_refused(make: Makers, pack: Pack) -> None:
    texts = f"<si><t>{'long ' * 6000}</t></si>"
    sheet = "".join(f'<row r="{n}"><c t="s"><v>0</v></c></row>' for n in range(1, 10_000))
    with pytest.raises(UnreadableDocument, match="more than 100 million characters"):
        read(make, pack, sheet, texts=texts)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_delimiter_and_the_encoding_are_found(delimiter: str, encoding: str) -> None:
    lines = ["Größe;Name", '12;"Ente, klein"', '13;"Gans\nweiß"', "14;"]
    data = "\n".join(lines).replace(";", delimiter).encode(encoding)
    assert parse(data, "a.csv").text == (
        "Größe: 12; Name: Ente, klein\nGröße: 13; Name: Gans weiß\nGröße: 14"
    )


def test_a_table_may_name_its_delimiter() -> None:
    assert parse(b"sep=|\na,b|c\n1,2|3\n", "a.csv").text == "a,b: 1,2; c: 3"


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest() -> None:
    assert parse(b'a\tb\n1\t2\n"open\t3\n4\t5\n', "a.tsv").text == (
        'a: 1; b: 2\na: "open; b: 3\na: 4; b: 5'
    )


@pytest.mark.parametrize(
    "table",
    [
        [["1", "2", "3"], ["4", "5", "6"]],
        [["2020", "2021", "2022"], ["4", "5", "6"]],
        [["Mallard", "10", "20", "30"], ["Teal", "20", "30", "40"]],
        [["1.5E-05", "2E+10", "x"], ["4E+03", "5E+04", "y"]],
        [["Mallard", "50", "1.5"], ["Teal", "35", "-2"]],
        [["Mallard", "2019", "x"], ["Teal", "2020", "y"]],
        [["50 cm", "3 kg", "1 €"], ["35 cm", "2 g", "2 €"]],
        [["EUR 5", "a", "b"], ["EUR 1,000", "c", "d"]],
        [["3 Feb 2024", "Mallard", "x"], ["4 Mar 2024", "Teal", "y"]],
        [["2024-02-03", "Mallard", "x"], ["2024-02-04", "Teal", "y"]],
        [["TRUE", "Mallard", "x"], ["FALSE", "Teal", "y"]],
    ],
)
def test_a_first_row_of_values_is_no_header(
    make: Makers, pack: Pack, table: list[list[str]]
) -> None:
    lines = "\n".join("; ".join(row) for row in table)
    separated = "\n".join("\t".join(row) for row in table)
    assert parse(separated.encode(), "a.tsv").text == lines
    assert read(make, pack, rows(*table)).text == f"# Sheet 1\n\n{lines}"


def test_weeks_and_years_above_numbers_are_a_header() -> None:
    assert parse(b"Duck,1,2,3\nTeal,5,9,7\n", "a.csv").text == "Duck: Teal; 1: 5; 2: 9; 3: 7"
    assert parse(b"Leaf,400,500,600\nOak,5,9,7\n", "a.csv").text == (
        "Leaf: Oak; 400: 5; 500: 9; 600: 7"
    )
    assert parse(b",2021,2022\nTeal,5,6\n", "a.csv").text == "Teal; 2021: 5; 2022: 6"


def test_cells_of_endless_digits_are_read_at_once() -> None:
    cell = "1" * 20_000 + " " * 20_000 + "x"
    row = "\t".join([cell, "1" * 9_000, "2" * 9_000, "3" * 9_000])
    assert parse(f"{row}\n{row}\n".encode(), "a.tsv").text.count("x") == 2


def test_a_long_name_of_a_column_is_kept_whole_once() -> None:
    name = "How often do you feed the ducks in the park " * 5
    text = parse(f"Who\t{name}\tAge\nAda\tdaily\t5\nBob\tnever\t6\n".encode(), "a.tsv").text
    assert text.startswith(f"Who; {name.strip()}; Age\nWho: Ada; How often")
    assert text.count(name.strip()) == 1


def test_names_with_numbers_in_them_are_a_header() -> None:
    assert parse(b"Q1,Q2,2nd half\n5,6,7\n", "a.csv").text == "Q1: 5; Q2: 6; 2nd half: 7"


def test_repeated_cells_of_an_open_document_are_not_all_written(make: Makers, pack: Pack) -> None:
    cell = "<table:table-cell{}><text:p>{}</text:p></table:table-cell>"
    row = "<table:table-row{}>{}</table:table-row>"
    head = row.format("", cell.format("", "Name") + cell.format("", "Size"))
    wide = cell.format(' table:number-columns-repeated="2"', "x")
    many = row.format(' table:number-rows-repeated="1000000"', wide)
    hidden = (
        '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>'
    )
    sheets = (
        f'<table:table table:name="Ducks">{head}{many}</table:table>'
        f'<table:table table:name="No" table:style-name="h">{head}</table:table>'
    )
    document = parse(pack(make["open_document"]("spreadsheet", sheets, hidden)), "a.ods")
    assert document.text == "# Ducks\n\nName: x; Size: x"
    assert document.notes == ("The hidden sheet “No” was left out.", REPEATED)


def test_some_hundred_equal_rows_of_an_open_document_are_written(make: Makers, pack: Pack) -> None:
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    row = "<table:table-row{}>{}</table:table-row>"
    head = row.format("", cell.format("Day") + cell.format("Rain"))
    many = row.format(' table:number-rows-repeated="365"', cell.format("dry") + cell.format("0"))
    sheets = f'<table:table table:name="Rain">{head}{many}</table:table>'
    document = parse(pack(make["open_document"]("spreadsheet", sheets)), "a.ods")
    assert document.text == "# Rain\n\n" + "\n".join(["Day: dry; Rain: 0"] * 365)
    assert document.notes == ()
