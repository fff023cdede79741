"""reStructuredText."""
# ruff: noqa: E501

import pytest

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


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Ducks of the north\n=====\n\nx", ["Ducks of the north"]),
        ("UI\n--\n\nx\n\nA\n-\n\nAlbatross", ["UI", "A"]),
        (".. _ducks:\nDucks\n=====\n\nx", ["Ducks"]),
        ("Ducks\n=====\nFood\n----\nx", ["Ducks", "Food"]),
        ("Ducks and geese\n--\n\nx\n\nAs in\n::\n\n    code", []),
        ("word " * 1_000 + "\n-----\n", []),
        ("::\n\n    Ducks\n    =====\n", []),
    ],
)
def test_a_rule_makes_a_heading_as_docutils_has_it(text: str, titles: list[str]) -> None:
    assert [heading.title for heading in parse(text.encode(), "a.rst").headings] == titles


def test_underlined_lines_of_plain_text_are_headings() -> None:
    text = (
        "DUCKS\r\n=====\r\n\r\nThey swim.\r\n\r\nFood\r\n----\r\n\r\nBread.\r\n\r\n"
        "Name    Size\r\n------------\r\nTeal    35\r\n\r\nThe end of it.\r\n--\r\nAda\r\n"
    )
    document = parse(text.encode(), "a.txt")
    assert [(heading.level, heading.title) for heading in document.headings] == [
        (1, "DUCKS"),
        (2, "Food"),
    ]
    assert [document.text[heading.start :][:4] for heading in document.headings] == ["DUCK", "Food"]


def test_a_text_without_headings_has_no_title() -> None:
    assert parse(b"Only words.\n\n---------\n\nMore.", "a.rst").title is None
