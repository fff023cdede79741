"""Telling the encoding of a text that neither says it nor is UTF-8."""

import re
import unicodedata

from charset_normalizer import from_bytes

from rag_platform.documents.language import language_of

_SAMPLE = 12_000
_ENCODINGS = [
    *("cp1252", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp866", "cp1253", "iso8859_7"),
    *("cp1254", "cp1255", "iso8859_8", "cp1256", "iso8859_6", "cp1257", "tis_620"),
    *("cp932", "euc_jp", "cp949", "gb18030", "big5", "utf_16_le", "utf_16_be"),
]
"""What people's programs write. The others, such as EBCDIC, only offer more ways to be wrong."""
_LATIN = ("cp1252", "cp1250", "iso8859_2", "cp1254", "cp1257")
_OLD_LATIN = ("cp850", "cp852", "mac_roman")
"""Of DOS and the first Macs: rare by now, and wrong where quotation marks become letters."""
_LEAST_LEAD = 3
_BYTE_PAIRS = frozenset({"cp932", "euc_jp", "cp949", "gb18030", "big5"})
_LETTERS = {
    "bs": "čćđšž",
    "cs": "áčďéěíňóřšťúůýž",
    "da": "æøåé",
    "de": "äöüß",
    "en": "éèêëïñöüâç",
    "es": "áéíóúüñ",
    "et": "äõöüšž",
    "fi": "äöå",
    "fr": "àâæçèéêëîïôœùûüÿ",
    "hr": "čćđšž",
    "hu": "áéíóöőúüű",
    "is": "áðéíóúýþæö",
    "it": "àèéìíîòóùú",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž",
    "nb": "æøåéòôó",
    "nl": "éëïóöüèê",
    "nn": "æøåéòôó",
    "pl": "ąćęłńóśźż",
    "pt": "àáâãçéêíóôõúü",
    "ro": "ăâîşţșț",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "sl": "čšž",
    "sv": "åäöé",
    "tr": "âçğıîöşüûİ",
}
"""The letters beside a to z that each language is written with."""
_ALL_LETTERS = frozenset("".join(_LETTERS.values()))
_SYMBOL_IN_WORD = re.compile(r"(?<=[^\W\d_])[^\w\s'’\x00-\x7f-](?=[^\W\d_])|[\xb9\xb2\xb3](?=\w)")
_CYRILLIC = ("cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp866", "mac_cyrillic")
_COMMON_CYRILLIC = frozenset("оеаинтсрвлі")
_WELL_SPELLED = 0.45
"""Of the letters in Slavic languages 58 to 68 % are these."""
_PUNCTUATION = frozenset("«»„“”‘’–—…№§°©®•·")
_CAPITAL_WITHIN = re.compile(r"(?<=[а-яѐ-џ])[А-ЯЀ-Џ]|(?<=[a-z])[Ѐ-ӿ]|(?<=[Ѐ-ӿ])[a-z]")
_ASCII_LETTER = re.compile(rb"[A-Za-z ]")
_TOGETHER = re.compile("[^\x00-\x7f\uff61-\uff9f]{2,}")  # but katakana of one byte
_HIGH = re.compile(rb"[\x80-\xff]+")
_LEAST_HIGH = 8
_CAPITAL_IN_WORD = re.compile(r"(?<=[a-z])[À-ÞŒŠŽŸ]")
_WELL_PLACED = re.compile(
    r"(?<=[^\W\d_])’(?=[^\W\d_])|(?<![^\s(])[“„«‘‚¿¡](?=\w)|(?<=[\w.,!?])[”“’»…](?!\w)"
    r"|(?<=\s)[–—•](?=\s)|€|(?<=\d)°"
    r"|(?<=\d )°|[§£¥±](?=\s?\d)|µ(?=[A-Za-z]\b)|(?<=\w)[²³](?!\w)|[½¼¾©®](?!\w)"
)
_HEBREW = re.compile(rb"[\xe0-\xfa]")
_SMALL_CYRILLIC = re.compile(rb"[\xa1-\xa3\xa5-\xaf]")
"""Half of the small letters under DOS, and no letters in Hebrew."""
_BEYOND_HEBREW = re.compile(rb"[\xc0-\xdf\xfb\xfc\xff]")
_JAMO = re.compile("[\u3131-\u318e]")
_ASCII = re.compile(rb"[\x00-\x7f]{200,}")


def encoding_of(data: bytes) -> str:
    """The encoding that makes the most sense of the bytes; ``cp1252`` where none does."""
    sample = _sample(data)
    if not _is_hebrew(sample) and (cyrillic := _cyrillic(sample)):
        return cyrillic
    best = from_bytes(sample, cp_isolation=_ENCODINGS, preemptive_behaviour=False).best()
    found = best.encoding if best else "cp1252"
    if found.startswith("utf_16") and len(_ASCII_LETTER.findall(sample)) < 0.75 * len(sample):
        return found if _makes_sense(sample.decode(found, errors="replace")) else "cp1252"
    if _is_hebrew(sample):
        return "cp1255"
    if (
        found == "cp949"
        and len(_JAMO.findall(sample.decode(found, errors="replace"))) * 8 > len(sample) // 2
    ):
        return "euc_jp"  # whose kana are what no Korean writes: letters outside of syllables
    if found in _BYTE_PAIRS:
        if _stands_together(sample.decode(found, errors="replace")):
            return found
    elif found not in (*_LATIN, *_OLD_LATIN) and not _has_accents_alone(sample):
        return found
    # These differ in a few letters, which say nothing without the language that they are from.
    scores = {encoding: _score(sample, encoding) for encoding in (*_LATIN, *_OLD_LATIN)}
    new, old = (max(pages, key=scores.__getitem__) for pages in (_LATIN, _OLD_LATIN))
    lead = max(_LEAST_LEAD, sum(map(len, _HIGH.findall(sample))) / 2)
    return old if scores[old] >= scores[new] + lead else new


def _cyrillic(sample: bytes) -> str | None:
    """The Cyrillic code page under which the words are spelled as words are, if there is one.

    There are six in use, and under a wrong one the same words have capitals in their middle, rare
    letters in place of frequent ones, and symbols.
    """
    if _has_accents_alone(sample) or sum(map(len, _HIGH.findall(sample))) < _LEAST_HIGH:
        return None
    page = max(_CYRILLIC, key=lambda page: _spelled(sample, page))
    return page if _spelled(sample, page) >= _WELL_SPELLED else None


def _has_accents_alone(sample: bytes) -> bool:
    """Whether bytes beyond ASCII stand alone, as accents do, and not in words as other letters."""
    runs = _HIGH.findall(sample)
    return sum(map(len, runs)) < 2.5 * len(runs)


def _stands_together(text: str) -> bool:
    """Whether characters of two bytes stand beside each other, and not each in a Latin word."""
    return 2 * sum(map(len, _TOGETHER.findall(text))) > sum(not c.isascii() for c in text)


def _spelled(sample: bytes, page: str) -> float:
    """The part of the characters beyond ASCII that are frequent letters, less what is no word."""
    text = sample.decode(page, errors="replace")
    high = [character for character in text if character > "\x7f" and not character.isspace()]
    common = sum(character.lower() in _COMMON_CYRILLIC for character in high)
    symbols = sum(not (c.isalpha() or c in _PUNCTUATION) for c in high)
    odd = 2 * len(_CAPITAL_WITHIN.findall(text)) + symbols
    capitals = sum(character.isupper() for character in high)
    if 1.2 * capitals > len(high) - capitals > 0.05 * len(high):
        return 0.0  # words of capitals that begin with a small letter are another alphabet's
    return (common - odd) / max(1, len(high))


def _is_hebrew(sample: bytes) -> bool:
    """Cyrillic and Greek use the same bytes, but have capitals and some letters beyond."""
    letters = len(_HEBREW.findall(sample))
    latin = len(re.findall(rb"[A-Za-z]", sample))
    if len(_SMALL_CYRILLIC.findall(sample)) * 5 > letters:
        return False
    return letters > 20 and letters > latin and not _BEYOND_HEBREW.search(sample)


def _score(sample: bytes, encoding: str) -> float:
    """How many letters are the language's own, against those that are not."""
    text = sample.decode(encoding, errors="replace")
    own = _LETTERS.get(language_of(text) or "")
    known = own or _ALL_LETTERS
    score = float(len(_WELL_PLACED.findall(text)) - len(_SYMBOL_IN_WORD.findall(text)))
    score -= len(_CAPITAL_IN_WORD.findall(text))
    for character in text:
        if character > "\x7f":
            if character.lower() in known:
                score += 1 if own else 0.5
            elif character.isalpha() or unicodedata.category(character) in ("Cn", "Cc", "So"):
                score -= 1
    return score


def _makes_sense(text: str) -> bool:
    kinds = [unicodedata.category(character)[0] for character in text[:4000]]
    return sum(kind in "LNPZM" for kind in kinds) + text.count("\n") >= 0.9 * len(kinds)


def _sample(data: bytes) -> bytes:
    """The beginning, with long stretches of ASCII shortened: they say nothing."""
    if 0 in data[:_SAMPLE]:
        return data[:_SAMPLE]
    told = _ASCII.sub(lambda match: match[0][:100] + match[0][-100:], data[: 40 * _SAMPLE])
    if len(told) <= _SAMPLE:
        return told
    end = _SAMPLE
    while end < len(told) and told[end] > 0x20:  # not inside of a character of two bytes
        end += 1
    return told[: min(end, 2 * _SAMPLE)]
