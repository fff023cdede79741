"""JSON, JSON Lines and notebooks."""

import json

import pytest

from rag_platform.documents.parsing import media_type_of, parse
from rag_platform.errors import UnreadableDocument


def test_every_value_stands_beside_the_path_to_it() -> None:
    value = {
        "orders": [
            {"id": 1, "customer": {"name": "Ada", "tags": ["a", "b"]}, "paid": True},
            {"id": 2, "note": None},
        ],
        "grid": [[1, 2], [3, 4.5e400]],
    }
    data = json.dumps(value).replace("Infinity", "4.50e400").encode()
    assert parse(data, "a.json").text == (
        "orders[0].id: 1\norders[0].customer.name: Ada\norders[0].customer.tags: a, b\n"
        "orders[0].paid: true\n\norders[1].id: 2\norders[1].note: null\n"
        "grid[0]: 1, 2\ngrid[1]: 3, 4.50e400"
    )


def test_a_long_text_stands_under_its_path_and_nothing_else_does() -> None:
    data = json.dumps([{"body": "Line one.\nLine two.", "id": 7}, {"id": 8}]).encode()
    document = parse(data, "a.json")
    assert document.text == (
        "# [0].body\n\nLine one.\nLine two.\n\n# [0]\n\n[0].id: 7\n\n# [1]\n\n[1].id: 8"
    )
    assert [heading.title for heading in document.headings] == ["[0].body", "[0]", "[1]"]


def test_a_name_that_comes_twice_loses_no_value() -> None:
    assert parse(b'{"a": 1, "a": 2}', "a.json").text == "a: 1\na: 2"


def test_numbers_of_any_length_are_kept() -> None:
    number = "1" * 10_000
    assert number in parse(f'{{"a": {number}}}'.encode(), "a.json").text


def test_broken_json_is_read_as_text_with_a_note() -> None:
    document = parse(b'{\n  // a comment\n  "a": 1,\n}', "a.json")
    assert document.text == '{\n  // a comment\n  "a": 1,\n}'
    assert document.notes == ("It is no valid JSON (line 2) and was read as plain text.",)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000_000,
        "[" * 1_000_000 + "]" * 1_000_000,
        '{"a":' * 1_000_000 + "1" + "}" * 1_000_000,
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ipynb"])
def test_nesting_without_end_ends_in_a_note_or_a_reason(text: str, name: str) -> None:
    try:
        notes = parse(text.encode(), name).notes
    except UnreadableDocument as unreadable:
        notes = (str(unreadable),)
    assert notes
    assert all(note.endswith(".") for note in notes)


@pytest.mark.timeout(60)
def test_paths_do_not_grow_with_the_depth() -> None:
    value: object = 1
    for _ in range(300):
        value = {"x" * 1000: value, "leaf": "text"}
    text = parse(json.dumps(value).encode(), "a.json").text
    assert max(map(len, text.split("\n"))) < 300


@pytest.mark.timeout(60)
def test_a_line_of_five_megabytes_is_read() -> None:
    record = json.dumps({"id": 1, "words": ["text"] * 10, "inner": {"value": "some words"}})
    count = 5_000_000 // len(record)
    data = f"[{','.join([record] * count)}]".encode()
    assert parse(data, "a.json").text.count("some words") == count


def test_a_broken_line_of_json_lines_costs_itself_only() -> None:
    document = parse(b'{"a":1}\r\n{"b": "text"}\n{broken\n\n[1,2]\n', "a.jsonl")
    assert document.text == "[1].a: 1\n\n[2].b: text\n\n[5]: 1, 2"
    assert document.notes == ("Line 3 is no JSON and was left out.",)


def test_many_broken_lines_are_named_in_one_sentence() -> None:
    document = parse(b'{"a":1}\n' + b"x\n" * 30, "a.jsonl")
    assert document.notes == (
        "Lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 20 more are no JSON and were left out.",
    )


def test_json_lines_that_are_one_json_are_read_as_such() -> None:
    assert parse(b'{\n "a": 1\n}', "a.jsonl").text == "a: 1"
    assert parse(b'{"a": 1}\n{"a": 2}', "a.json").text == "a: 1\n\na: 2"


def test_lines_none_of_which_is_json_are_damage() -> None:
    with pytest.raises(UnreadableDocument, match=r"none of its lines is JSON\.$"):
        parse(b"some\ntext\n", "a.jsonl")


@pytest.mark.parametrize(
    "data",
    [b'{"a":"\\ud800 x\\u0000y"}', '\ufeff{"a":" xy"}'.encode(), b'{"a":" xy"}\x00' + b" " * 200],
)
def test_odd_characters_in_json_are_survived(data: bytes) -> None:
    document = parse(data, "a.json")
    assert "xy" in document.text
    document.to_json()


def test_json_without_a_name_is_known_by_its_beginning() -> None:
    assert media_type_of("data", b' {"a": 1}') == "application/json"
    assert media_type_of("data", b"[1, 2]") == "application/json"
    assert media_type_of("data", b"[see below] text") == "text/plain"
    assert media_type_of("data", b"{curly} text") == "text/plain"


def notebook(*cells: dict, **metadata: object) -> bytes:
    return json.dumps({"nbformat": 4, "cells": cells, "metadata": metadata}).encode()


def test_a_notebook_is_prose_code_and_what_it_printed() -> None:
    picture = "iVBORw0KGgo" * 100
    document = parse(
        notebook(
            {"cell_type": "markdown", "source": ["# On *Ducks*\n", "\n", "They swim.\n"]},
            {
                "cell_type": "code",
                "source": "for n in range(2):\n    print(n)  # ```",
                "outputs": [
                    {"output_type": "stream", "text": ["0%\r50%\r100%\n", "\x1b[31mdone\x1b[0m"]},
                    {"output_type": "display_data", "data": {"image/png": picture}},
                    {"output_type": "execute_result", "data": {"text/plain": ["42"]}},
                    {"output_type": "error", "ename": "ValueError", "evalue": "no pond"},
                ],
            },
            {"cell_type": "markdown", "source": f"## Food\n![x](data:image/png;base64,{picture})"},
            kernelspec={"language": "python"},
            authors=[{"name": "Ada"}],
        ),
        "a.ipynb",
    )
    assert document.text == (
        "# On *Ducks*\n\nThey swim.\n\n````python\n"
        "for n in range(2):\n    print(n)  # ```\n````\n\n"
        "```\n100%\ndone\n```\n\n```\n42\n```\n\n```\nValueError: no pond\n```\n\n## Food\n![x]()"
    )
    assert (document.title, document.author) == ("On Ducks", "Ada")
    assert [(h.title, document.text[h.start :].split("\n")[0]) for h in document.headings] == [
        ("On Ducks", "# On *Ducks*"),
        ("Food", "## Food"),
    ]


def test_a_notebook_of_format_3_is_read_too() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Ducks"]},
        {"cell_type": "code", "language": "python", "input": ["x = 1"], "outputs": []},
    ]
    document = parse(json.dumps({"worksheets": [{"cells": cells}]}).encode(), "a.ipynb")
    assert document.text == "## Ducks\n\n```python\nx = 1\n```"


@pytest.mark.parametrize("data", [b"[]", b"{}", b"not json", b'{"cells": 3, "metadata": []}'])
def test_what_is_no_notebook_gets_a_sentence(data: bytes) -> None:
    with pytest.raises(UnreadableDocument, match=r"\.$"):
        parse(data, "a.ipynb")


@pytest.mark.parametrize("odd", [None, 3, "text", [], {}, [None, {"x": [1]}]])
def test_a_notebook_with_odd_values_is_read_or_refused(odd: object) -> None:
    cell = {"cell_type": odd, "source": odd, "outputs": odd, "level": odd, "metadata": odd}
    outputs = [{"output_type": "stream", "text": odd, "data": odd, "ename": odd}, odd]
    good = {"cell_type": "code", "source": "x", "outputs": outputs, "language": odd}
    assert "x" in parse(notebook(cell, good, odd, kernelspec=odd, title=odd), "a.ipynb").text  # type: ignore[arg-type]
