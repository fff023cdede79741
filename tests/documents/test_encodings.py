"""The encodings of texts."""

from random import Random

import pytest

from rag_platform.documents.parsing import parse
from rag_platform.documents.parsing.plain_text import decode
from rag_platform.errors import UnreadableDocument

TEXTS = [
    ("cp1252", "Die Länge der Straße muß vor dem Bau geprüft werden, für „alle“ Fälle."),
    ("cp1252", "L'été dernier, les élèves ont été très occupés à préparer leur pièce de théâtre."),
    ("cp1252", "El niño pequeño comió una manzana en el jardín; mañana será otro día."),
    ("cp1250", "Zażółć gęślą jaźń. Każdy człowiek ma prawo do życia i wolności."),
    ("iso8859_2", "Zażółć gęślą jaźń. Każdy człowiek ma prawo do życia i wolności."),
    ("iso8859_2", "Příliš žluťoučký kůň úpěl ďábelské ódy. Všichni lidé rodí se svobodní."),
    ("cp1251", "Все люди рождаются свободными и равными в своем достоинстве и правах."),
    ("koi8_r", "Все люди рождаются свободными и равными в своем достоинстве и правах."),
    ("iso8859_7", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια."),
    ("iso8859_8", "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם."),
    ("cp1254", "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar."),
    ("cp1256", "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق."),
    ("shift_jis", "すべての人間は、生まれながらにして自由であり、かつ、平等である。"),
    ("euc_jp", "すべての人間は、生まれながらにして自由であり、かつ、平等である。"),
    ("euc_kr", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."),
    ("gb18030", "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心。"),
    ("big5", "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心。"),
    ("utf-16", "Все люди рождаются свободными и равными."),
    ("utf-16-le", "All human beings are born free — and equal in dignity."),
    ("utf-16-be", "Все люди рождаются свободными и равными в своем достоинстве."),
    ("utf-16-le", "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心。"),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
@pytest.mark.parametrize("times", [1, 500])
def test_the_encoding_is_told_from_the_text(encoding: str, text: str, times: int) -> None:
    text = "\n".join([text] * times)
    assert decode(text.encode(encoding)) == text


def test_one_word_in_another_alphabet_in_a_long_text_is_enough() -> None:
    text = "The ducks swim in the pond. " * 10_000 + "Über die Größe der Vögel weiß man viel."
    assert parse(text.encode("cp1252"), "a.txt").text.endswith(
        "Über die Größe der Vögel weiß man viel."
    )


def test_a_page_that_declares_what_it_is_not_is_read_as_what_it_is() -> None:
    page = "<html><meta charset=iso-8859-1><p>Größe</p>"
    assert parse(page.encode(), "a.html").text == "Größe"
    assert parse(page.encode("cp1252"), "a.html").text == "Größe"


@pytest.mark.parametrize("name", ["punycode", "idna", "utf-7", "zlib", "no-such", "undefined"])
def test_what_is_no_charset_is_not_believed(name: str) -> None:
    assert decode("Größe, und weiter im Text".encode(), name) == "Größe, und weiter im Text"


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_are_no_text(seed: int) -> None:
    with pytest.raises(UnreadableDocument, match="holds binary data"):
        decode(Random(seed).randbytes(5000))


def test_line_ends_of_all_kinds_are_one() -> None:
    assert parse(b"a\r\nb\rc\nd\x0ce\n\r\nf", "a.txt").text == "a\nb\nc\nd\ne\n\nf"


def test_lone_surrogates_in_utf16_do_no_harm() -> None:
    data = "text ".encode("utf-16") + b"\x00\xd8" + " more".encode("utf-16-le")
    document = parse(data, "a.txt")
    assert document.text.startswith("text")
    document.to_json()
