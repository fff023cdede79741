"""The language of a document."""

import subprocess
import sys

import pytest

from rag_platform.documents.isolation import ParserProcess
from rag_platform.documents.language import language_of
from rag_platform.documents.parsing import parse

TEXTS = {
    "en": "The ducks swim in the pond and eat whatever people throw to them.",
    "de": "Die Enten schwimmen im Teich und fressen, was die Leute ihnen zuwerfen.",
    "fr": "Les canards nagent dans l'étang et mangent tout ce que les gens leur jettent.",
    "es": "Los patos nadan en el estanque y comen todo lo que la gente les tira cada día.",
    "it": "Le anatre nuotano nello stagno e mangiano quello che la gente getta loro.",
    "pl": "Kaczki pływają w stawie i jedzą wszystko to, co rzucają im ludzie z brzegu.",
    "ru": "Документ описывает, как установить программу и что делать, если она не работает.",
    "uk": "Качки плавають у ставку і їдять усе те, що їм кидають люди з берега щодня.",
    "el": "Οι πάπιες κολυμπούν στη λίμνη και τρώνε ό,τι τους πετάει ο κόσμος.",
    "he": "הברווזים שוחים בבריכה ואוכלים את מה שאנשים זורקים להם.",
    "ar": "يسبح البط في البركة ويأكل كل ما يرميه الناس إليه من طعام.",
    "ja": "アヒルは池で泳ぎ、人々が投げるものを何でも食べます。",
    "zh": "鸭子在池塘里游泳，吃人们扔给它们的任何东西。",
    "ko": "오리들은 연못에서 헤엄치며 사람들이 던져 주는 것을 먹습니다.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_the_language_of_a_few_sentences_is_told(language: str) -> None:
    assert parse(TEXTS[language].encode(), "a.txt").language == language


@pytest.mark.parametrize(
    "text",
    ["", "hello", "1 2 3 4 " * 1000, "{} [] ;", "x = 1; y = 2", "foo bar baz", "😀" * 500],
)
def test_a_text_that_does_not_tell_its_language_has_none(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize(
    "note",
    [
        "# Childhood Acute Lymphoblastic Leukemia",
        "Treatment of chronic myelomonocytic leukemia",
        "Key Points - Osteosarcoma and malignant fibrous histiocytoma (MFH) of",
        "# Gastrointestinal Carcinoid Tumors Key Points - A gastrointestinal carcinoid",
        "To change the default permanently, edit /etc/java/jvm.cfg",
        "Vendor invoice Berger GmbH, Tel. 0171",
        "Call Ada about the ducks on Friday",
        "Budget meeting moved to Monday, room four",
    ],
)
def test_a_short_english_note_has_no_other_language(note: str) -> None:
    assert language_of(note) in ("en", None)


def test_a_short_english_sentence_is_told() -> None:
    assert language_of("The ducks swim in the pond.") == "en"


def test_code_in_a_document_does_not_count_as_its_language() -> None:
    code = (
        "```python\n" + "for item in items:\n    print(item, end='and the others')\n" * 50 + "```"
    )
    assert language_of(f"{TEXTS['de']}\n\n{code}\n\n{TEXTS['de']}") == "de"


def test_what_a_page_says_of_itself_counts_where_its_text_does_not_tell() -> None:
    assert parse(b"<html lang='pt-BR'><p>42", "a.html").language == "pt"
    german = TEXTS["de"].encode()
    assert parse(b"<html lang=en><meta charset=utf-8><p>" + german, "a.html").language == "de"


def test_a_large_text_is_told_from_a_sample() -> None:
    assert language_of(TEXTS["fr"] * 400_000) == "fr"


def test_equal_texts_give_equal_languages_in_every_process() -> None:
    script = (
        "from rag_platform.documents.language import language_of\n"
        "for text in ('Dokumentet blev skrevet af en mand fra Norge i 1900.', 'Dobar dan, kako ste "
        "danas, prijatelju moj dragi?', '{} a b c d e f g h i j k l m n o p q r s t u v w x y z'):"
        "\n    print(language_of(text))"
    )
    answers = {
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
        for _ in range(3)
    }
    assert len(answers) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces the limit")
@pytest.mark.parametrize(("megabytes", "expected"), [(1024, "en"), (400, None)])
def test_a_small_limit_of_memory_costs_the_language_and_not_the_document(
    megabytes: int, expected: str | None
) -> None:
    with ParserProcess(timeout=60, memory_megabytes=megabytes) as parser:
        document = parser.parse(TEXTS["en"].encode(), "a.txt")
    assert (document.text, document.language) == (TEXTS["en"], expected)
