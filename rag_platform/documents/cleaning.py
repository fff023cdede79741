"""Cleaning a parsed text: one spelling for one word, no invisible characters, offsets kept true."""

import dataclasses
import re
import unicodedata
from collections import Counter

from rag_platform.documents.draft import Draft
from rag_platform.documents.parsed import Heading, Page, ParsedDocument

_PDF = "application/pdf"
_PLAIN = "text/plain"

_NEWLINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_LIGATURES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}
_CHARACTER = re.compile(
    # Controls, soft hyphens, bidirectional and other invisible marks, non-characters, surrogates
    # (they cannot be stored as UTF-8), and the tag characters that can hide a text in a text.
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
    # Joiners spell words in Persian and Indic scripts and bind emoji; elsewhere they are noise.
    "|(?<![\u0590-\u1fff\u2600-\u27bf\ufe0f\U00010000-\U0010ffff])[\u200c\u200d]"
    "|[\u200c\u200d](?![\u0590-\u1fff\u2600-\u27bf\ufe0f\U00010000-\U0010ffff])"
    "|[\ufb00-\ufb06]"
    "|[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
)
# Tag characters that spell at least a short word; in the flags of England and others they may.
_SPELLED = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0020-\U000e007e]{3,}")
_SPELLED_NOTE = "Text in invisible characters was left out."
_SPACES = frozenset("\u00a0\u1680\u202f\u205f\u3000") | {
    chr(code) for code in range(0x2000, 0x200B)
}
# PDFium writes U+FFFE (older versions U+0002) for a hyphen at a line's end, and drops the end.
_LINE_HYPHEN = re.compile(
    "(?<=[^\\W\\d_])(?:[-\u2010\u00ad] *\n *|[\u0002\ufffe] *\n? *)(?=[^\\W\\d_])"
)
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_LAST_WORD = re.compile(r"[^\W\d_]+\Z")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
# Each begins where a run of spaces begins, and only there: a regular expression that may begin
# anywhere in a run takes quadratic time on a megabyte of spaces.
_FENCE = r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n(?:.*?\n {0,3}(?P=fence)[`~]*[ \t]*$|.*\Z)"
_MARKDOWN_SPACE = re.compile(
    rf"{_FENCE}|(?<![ \t])[ \t]+(?=\n|\Z)|(?<!\n)\n(?:[ \t]*\n){{2,}}", re.DOTALL | re.MULTILINE
)
_PLAIN_SPACE = re.compile(
    r"(?<!\n)\n(?:[ \t]*\n){2,}|(?<![ \t])[ \t]+(?=\n|\Z)|(?<=[^ \t\n])[ \t]{2,}|(?<=[^ \t\n])\t"
)
_PDF_SPACE = re.compile(r"(?<!\s)\s*\n[ \t]*\n\s*|(?<![ \t])[ \t]*\n[ \t]*|(?<![ \t])[ \t]+")


def clean(document: ParsedDocument, verbatim: bool = False) -> ParsedDocument:
    """The document with a clean text; pages and headings still point at what they pointed at.

    Canonical composition (NFC), ligatures undone, invisible characters out, in a PDF words joined
    that were hyphenated at a line's end, and no runs of blanks but in the lines of
    Markdown; ``verbatim`` keeps all blanks, as source code needs. A text that
    invisible characters spelled is noted.
    """
    marks = {offset for page in document.pages for offset in (page.start, page.end)}
    marks |= {heading.start for heading in document.headings}
    draft = Draft(document.text, sorted(marks))
    _clean_characters(draft, join_hyphens=document.media_type == _PDF)
    if document.media_type == _PDF:
        draft.substitute(_PDF_SPACE, _pdf_space)
    elif document.media_type == _PLAIN:
        draft.substitute(_PLAIN_SPACE, _plain_space)
    elif not verbatim:
        draft.substitute(_MARKDOWN_SPACE, _markdown_space)
    draft.trim()
    moved = draft.moved()
    return dataclasses.replace(
        document,
        text=draft.text,
        notes=document.notes + ((_SPELLED_NOTE,) if _SPELLED.search(document.text) else ()),
        title=_clean_line(document.title),
        author=_clean_line(document.author),
        pages=tuple(Page(p.number, moved[p.start], moved[p.end]) for p in document.pages),
        headings=tuple(
            Heading(heading.level, title, moved[heading.start])
            for heading in document.headings
            if (title := _clean_line(heading.title))
        ),
    )


def _clean_characters(draft: Draft, join_hyphens: bool) -> None:
    draft.substitute(_NEWLINE, lambda match: "\n\n" if match[0] == "\u2029" else "\n")
    if join_hyphens:
        _join_hyphens(draft)
    draft.substitute(_CHARACTER, _character)
    if not unicodedata.is_normalized("NFC", draft.text):
        # Composition never reaches across white space, so words can be taken one by one.
        draft.substitute(re.compile(r"\S+"), lambda match: unicodedata.normalize("NFC", match[0]))


def _character(match: re.Match[str]) -> str:
    found = match[0]
    return " " if found in _SPACES else _LIGATURES.get(found, "")


def _join_hyphens(draft: Draft) -> None:
    """Undo hyphenation at line ends, keeping the hyphens that belong to the word.

    The document itself is the dictionary: the spelling that it uses elsewhere is the right one, and
    two halves that both stand alone elsewhere (``self-publishing``) are two words.
    """
    text = draft.text
    if not _LINE_HYPHEN.search(text):
        return
    words = {word.lower() for word in _WORD.findall(text)}
    halves = _halves(text)

    def join(match: re.Match[str]) -> str:
        left = _LAST_WORD.search(text, max(0, match.start() - 50), match.start())
        right = _FIRST_WORD.match(text, match.end(), match.end() + 50)
        if left is None or right is None:
            return match[0]
        one, two = left[0].lower(), right[0].lower()
        if not right[0][0].islower():
            return "-"
        if f"{one}{two}" in words:
            return ""
        joined = (
            text[left.start() - 1 : left.start()] in ("-", "\u2010")
            or text[right.end() : right.end() + 1] in ("-", "\u2010")
            or f"{one}-{two}" in words
            or (halves[one] > 1 and halves[two] > 1 and min(len(one), len(two)) > 2)
        )
        return "-" if joined else ""

    draft.substitute(_LINE_HYPHEN, join)


def _halves(text: str) -> Counter[str]:
    """How often each run of letters stands in the text."""
    return Counter(word.lower() for word in _FIRST_WORD.findall(text))


def _markdown_space(match: re.Match[str]) -> str:
    if match["fence"]:
        return match[0]
    return "\n\n" if match[0][0] == "\n" else ""


def _plain_space(match: re.Match[str]) -> str:
    if match[0][0] == "\n":
        return "\n\n"
    return "" if match.string[match.end() : match.end() + 1] in ("", "\n") else " "


def _pdf_space(match: re.Match[str]) -> str:
    lines = match[0].count("\n")
    return " " if not lines else "\n" if lines == 1 else "\n\n"


def _clean_line(line: str | None) -> str | None:
    if line is None:
        return None
    draft = Draft(line, [])
    _clean_characters(draft, join_hyphens=False)
    return " ".join(draft.text.split()) or None
