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
    ("iso8859_5", "Все люди рождаются свободными и равными в своем достоинстве и правах."),
    ("iso8859_5", "Всички хора се раждат свободни и равни по достойнство и права."),
    ("iso8859_5", "Сва људска бића рађају се слободна и једнака у достојанству и правима."),
    ("iso8859_5", "The summary in Russian follows here: все люди рождаются свободными и равными."),
    ("cp866", "Все люди рождаются свободными и равными в своем достоинстве и правах."),
    ("mac_cyrillic", "Все люди рождаются свободными и равными в своем достоинстве и правах."),
    ("koi8_u", "Всі люди народжуються вільними і рівними у своїй гідності та правах."),
    ("cp1251", "ВСЕ ЛЮДИ РОЖДАЮТСЯ СВОБОДНЫМИ И РАВНЫМИ В СВОЕМ ДОСТОИНСТВЕ И ПРАВАХ."),
    ("iso8859_6", "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق."),
    ("iso2022_jp", "すべての人間は、生まれながらにして自由であり、かつ、平等である。"),
    ("iso2022_kr", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."),
    ("cp850", "Die Länge der Straße muß vor dem Bau geprüft werden, für alle Fälle."),
    ("cp850", "Tous les êtres humains naissent libres et égaux en dignité. L'été dernier."),
    ("cp852", "Příliš žluťoučký kůň úpěl ďábelské ódy. Všichni lidé rodí se svobodní."),
    ("mac_roman", "Die Länge der Straße muß vor dem Bau geprüft werden, für alle Fälle."),
    ("cp1257", "Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis."),
    (
        "iso8859_2",
        "Sva ljudska bića rađaju se slobodna i jednaka u dostojanstvu i pravima. Ona su"
        " obdarena razumom i sviješću pa trebaju postupati u duhu bratstva. Čovjek, žena, šuma.",
    ),
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


@pytest.mark.parametrize(
    "text",
    [
        "She said “yes” and didn’t come – later… it’s fine.",
        "A 5” pipe and a 6” pipe, 7” too.",
        "„Wort“ sagte er – „ja“ und „nein“ …",
        "«Voilà» — dit-il… «oui»",
        "L’an prochain, l’eau de l’homme sera là.",
        "L’acqua dell’uomo e “casa” nell’orto — l’amico, un’altra “volta”.",
        "—No sé. —Sí. — Vale — dijo — y ya.",
        "• one\n• two\n• three",
        "Price: 5 € – 10 €, 20°C, £5 and ¥6",
        "The §5 rule ±3 µm 20 °C ½ cup, x² + y³",
        "Größe 10 µm ± 2 °C",
        "Müller",
        "José",
        "São Paulo",
    ],
)
def test_accents_and_signs_in_western_text_are_not_taken_for_another_alphabet(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


JAPANESE = "すべての人間は、生まれながらにして自由であり、かつ、平等である。\n今日は天気がいい。"


def test_japanese_of_which_the_escape_characters_alone_were_lost_is_read() -> None:
    assert decode(JAPANESE.encode("iso2022_jp").replace(b"\x1b", b"")) == JAPANESE


def test_japanese_that_lost_its_escape_sequences_is_refused() -> None:
    data = JAPANESE.encode("iso2022_jp").replace(b"\x1b$B", b"").replace(b"\x1b(B", b"")
    with pytest.raises(UnreadableDocument, match="its escape sequences were lost"):
        decode(data)


@pytest.mark.parametrize(
    "text",
    [
        'printf("%s%s%s%d%d%i%c", $a, $b);\n' * 50,
        "=SUM($A$1:$B$2)+$C$3*$D$4-VLOOKUP($E$5;$F$6)\n" * 50,
        "for x in $HOME/$USER/$1$2$3$4; do echo $a$b$c$d; done\n" * 50,
        "%20%41%42%43%7e%C3%A4%C3%B6%C3%BC\n" * 50,
        "S$xV$yV$zV %a%b%c%d%e%f%g\n" * 50,
        "50% of $100, $20 and $5; 5% interest on $1,000,000.\n" * 50,
    ],
)
def test_dollar_and_percent_signs_are_not_taken_for_japanese(text: str) -> None:
    assert decode(text.encode()) == text


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
