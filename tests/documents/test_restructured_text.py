"""reStructuredText."""
# ruff: noqa: E501

from rag_platform.documents.parsing import parse


def test_headings_are_underlined_lines_and_each_kind_is_a_level() -> None:
    text = (
        "=====\nDucks\n=====\n\nThey swim.\n\nFood\n----\n\n::\n\n    code  here\n\nBread\n~~~~~\n\nA long\n"
        "paragraph\n---------\n\n=====  ====\nA      B\n=====  ====\n1      2\n=====  ====\n\nPonds\n-----\nx\n"
    )
    document = parse(text.encode(), "a.rst")
    assert [(heading.level, heading.title) for heading in document.headings] == [
        (1, "Ducks"),
        (2, "Food"),
        (3, "Bread"),
        (2, "Ponds"),
    ]
    starts = [document.text[heading.start :].split("\n")[0] for heading in document.headings]
    assert starts == ["=====", "Food", "Bread", "Ponds"]
    assert document.title == "Ducks"
    assert "    code  here" in document.text


def test_a_text_without_headings_has_no_title() -> None:
    assert parse(b"Only words.\n\n---------\n\nMore.", "a.rst").title is None
