"""Where a sentence ends, and which one supports a statement."""

import pytest

from rag_platform.chat.sentences import sentences, supporting_sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("It costs 3.14 euros. That is cheap.", ["It costs 3.14 euros.", "That is cheap."]),
        ("See Dr. Abel, e.g. on Fig. 3. He knows.", ["See Dr. Abel, e.g. on Fig. 3.", "He knows."]),
        ("Das gilt z.B. hier, d.h. dort. Ja.", ["Das gilt z.B. hier, d.h. dort.", "Ja."]),
        ("- first\n- second\n* third", ["- first", "- second", "* third"]),
        ("1. Open it.\n2. Close it.", ["1. Open it.", "2. Close it."]),
        ("# Leave\n\nIt lasts 26 weeks.", ["It lasts 26 weeks."]),
        ("# Leave\nIt lasts 26 weeks.\n## Pay\nIt is paid.", ["It lasts 26 weeks.", "It is paid."]),
        ("Before.\n### Only a heading", ["Before."]),
        ("Leave\n=====\n\nIt lasts 26 weeks.", ["It lasts 26 weeks."]),
        ("One.\n\n-----\nLeave\n-----\nTwo.\n\nPay\n~~~\n", ["One.", "Two."]),
        ("A paragraph\nof two lines\n------------", ["A paragraph\nof two lines", "------------"]),
        ("#hashtags are no headings.", ["#hashtags are no headings."]),
        (
            "A paragraph\nover two lines\n\nand another",
            ["A paragraph\nover two lines", "and another"],
        ),
        ("休暇は三十日です。有給です。", ["休暇は三十日です。", "有給です。"]),
        ("In 1999. Then more.", ["In 1999.", "Then more."]),
        ("", []),
        (" \n\n ", []),
    ],
)
def test_a_text_is_cut_into_sentences(text, expected):
    assert sentences(text) == expected


def test_every_sentence_stands_in_the_text():
    text = '# A\nHe said "Stop." Then (really!) he left.\n\n| a | b |\n|---|---|\n\n1) x. 2) y'
    assert all(sentence in text for sentence in sentences(text))


def quoted(statement: str, text: str) -> str:
    return text[slice(*supporting_sentence(statement, text))]


def test_the_sentence_that_shares_most_supports_a_statement():
    text = "Leave lasts 26 weeks. Trains go second class. Budgets end in May."
    assert quoted("The trains are second class", text) == "Trains go second class."


@pytest.mark.parametrize("text", ["# Only a heading", "🙂", "| a | b |"])
def test_a_text_without_sentences_supports_as_a_whole(text):
    assert quoted("anything", text) == text
