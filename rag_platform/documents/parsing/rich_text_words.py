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
        "colortbl listtable listoverridetable rsidtbl generator xmlnstbl themedata filetbl "
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
    ("info", "stylesheet", "fonttbl", "footnote", "header", "footer", "listtext", "pntext")
)
"""Groups whose text is put aside."""

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


@dataclass(slots=True)
class Paragraph:
    """Properties of the paragraph that is being written."""

    level: int | None = None
    listed: bool = False
    in_table: bool = False
    indent: int = 0
