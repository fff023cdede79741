"""The words of rich text that its reader knows, and what they set."""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+"
    rb"|([^\\{}\r\n]+)",
    re.DOTALL,
)
SKIPPED = frozenset(
    re.findall(
        r"\w+",
        "listtable listoverridetable rsidtbl generator xmlnstbl themedata filetbl "
        "colorschememapping latentstyles datastore pict object objdata fldinst nonshppict "
        "bkmkstart bkmkend revtbl mmathPr template private atnid atnauthor annotation atnref "
        "atrfstart atrfend atntime atndate atnicn atnparent shprslt pn pnseclvl xe tc rxe "
        "userprops docvar passwordhash datafield headerl headerr headerf footerl footerr "
        "footerf ftnsep ftnsepc aftnsep aftnsepc ftncn aftncn sp",
    )
)
"""Groups without text of the document."""

INFO = frozenset({"title", "author", "creatim", "revtim"})
DESTINATIONS = INFO | frozenset(
    (
        "pntext",
        "info",
        "stylesheet",
        "fonttbl",
        "colortbl",
        "footnote",
        "header",
        "footer",
        "listtext",
    )
)
"""Groups whose text is put aside."""

CHANGES = frozenset(
    re.findall(
        r"\w+",
        "v deleted plain f ansicpg mac pca pc pard cbpat red green blue cf cb highlight chcbpat fs",
    )
)
"""Words before which the letters so far are written as they were."""

CHARACTERS = {
    **{"tab": " ", "line": "\n", "lquote": "‘", "rquote": "’", "ldblquote": "“"},
    **{"rdblquote": "”", "bullet": "•", "endash": "–", "emdash": "—", "enspace": " "},
    **{"emspace": " ", "qmspace": " ", "softline": "\n"},
}
CHARSETS = {
    **{0: "cp1252", 77: "mac-roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5"},
    **{161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256"},
    **{186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250"},
}


@dataclass(slots=True)
class State:
    """What a group inherits."""

    destination: str = "text"
    hidden: bool = False
    deleted: bool = False
    skip: int = 1
    """How many characters stand in for one in Unicode."""
    encoding: str = ""
    colour: int = 0
    """The number of the letters' colour, 0 for that of the page's text."""
    size: int = 24
    """Half points."""
    paper: int | None = 0
    """The number of the colour behind the letters, 0 for none; ``None`` where nobody can tell."""


@dataclass(slots=True)
class Paragraph:
    """Properties of the paragraph that is being written."""

    level: int | None = None
    listed: bool = False
    in_table: bool = False
    indent: int = 0
    paper: int | None = 0
    """As of the letters."""


class Halves:
    """Puts characters together that come as two halves of 16 bits."""

    def __init__(self) -> None:
        self._high = 0

    def character(self, code: int) -> str:
        """The character of a code, or nothing for the first half of a pair."""
        code &= 0xFFFF
        high, self._high = self._high, 0
        if 0xD800 <= code < 0xDC00:
            self._high = code
            return ""
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + code - 0xDC00 if high else 0xFFFD
        return chr(code)
