"""Source code and configuration: every character as written; definitions are the headings."""

import re

from rag_platform.documents.language import language_of
from rag_platform.documents.parsed import Heading, ParsedDocument
from rag_platform.documents.parsing.plain_text import decode

_LONGEST_LINE = 400
"""A longer line is no person's; definitions are not looked for in it."""
_TAB = 4

# Possessive quantifiers everywhere: no line may cost more than its length times a few.
_MODIFIERS = (
    r"(?:(?:pub(?:\([\w: ]++\))?|public|private|protected|internal|static|final|abstract|sealed|"
    r"default|async|export|declare|override|open|data|inline|virtual|unsafe|const|partial|suspend|"
    r"case|readonly|fileprivate|mutating|synchronized|native)\s++)*+"
)
_TYPES = (
    r"class|interface|enum|record|struct|trait|object|namespace|module|mod|protocol|extension|union"
)
_NO_NAME = (
    r"(?!(?:if|for|foreach|while|switch|return|else|catch|new|throw|do|case|await|super|this|using|"
    r"lock|function|with)\b)"
)
_CODE = (
    rf"\s*+{_MODIFIERS}(?P<what>{_TYPES}|func|fun|fn|function|def|macro_rules!)\*?\s++"
    r"(?P<name>[^\W\d][\w$.:]*+)"
)
_ARROW = (
    r"(?:export\s++)?(?:default\s++)?(?:const|let|var)\s++(?P<name>[\w$]++)\s*+(?::[^=]*+)?=\s*+"
    r"(?:async\s*+)?(?:function\b|\([^()]*+\)\s*+(?::[^=]*+)?=>|\w++\s*+=>)"
)
# In a body: a name, its parameters and a brace at the end of the line; or with a modifier.
_METHOD = (
    rf"\s++{_MODIFIERS}{_NO_NAME}(?:[\w<>\[\],.?*&:]++\s++){{0,4}}{_NO_NAME}(?P<name>[~#]?[\w$]++)"
    r"\s*+\([^;]*+(?<=\{)$"
)
_MODIFIED = (
    r"\s++(?:public|private|protected|internal|static)\s(?:[\w<>\[\],.?]++\s++){1,5}"
    r"(?P<name>\w++)\s*+\([^;]*+(?<=\))$"
)
_C = rf"{_NO_NAME}(?:[\w:<>,]++[\s*&]++){{1,6}}(?P<name>[\w:~]++)\s*+\([^;]*+$"
_C_TYPE = (
    r"\s*+(?:typedef\s++)?(?P<what>struct|class|enum|union|namespace)\s++(?:class\s++)?"
    r"(?P<name>\w++)[^;()=]*+$"
)
_GO = r"(?P<what>func)\s++(?:\([^)]*+\)\s*+)?(?P<name>\w++)"
_SQL = (
    r"\s*+create\s++(?:or\s++replace\s++)?(?:(?:temp|temporary|unique|materialized|global|local)\s++)*+"
    r"(?P<what>table|view|index|function|procedure|trigger|type|schema|sequence)\s++"
    r"(?:if\s++not\s++exists\s++)?(?P<name>[\w.\"`\[\]$]++)"
)
_KEY = r"(?P<name>[\w./-]++|\"[^\"]++\"|'[^']++')\s*+:(?:\s|$)"
_SECTION = r"\s*+\[{1,2}(?P<name>[^\[\]]++)\]{1,2}"

_BRACES = (_CODE, _METHOD, _MODIFIED)
_SCRIPT = (_CODE, _ARROW, _METHOD)
_DEFINITIONS: dict[str, tuple[str, ...]] = {
    "text/x-python": (r"\s*+(?:async\s++)?(?P<what>class|def)\s++(?P<name>\w++)",),
    "text/javascript": _SCRIPT,
    "text/x-typescript": _SCRIPT,
    "text/x-c": (_C_TYPE, _C),
    "text/x-c++": (_C_TYPE, _C, _METHOD),
    "text/x-go": (_GO, r"(?P<what>type)\s++(?P<name>\w++)\s"),
    "text/x-rust": (_CODE, r"\s*+(?:unsafe\s++)?(?P<what>impl)\b(?P<name>[^{;]++)"),
    "text/x-ruby": (r"\s*+(?P<what>class|module|def)\s++(?P<name>[\w:.?!]++)",),
    "text/x-perl": (r"\s*+(?P<what>sub|package)\s++(?P<name>[\w:]++)",),
    "text/x-lua": (r"\s*+(?:local\s++)?(?P<what>function)\s++(?P<name>[\w.:]++)",),
    "text/x-r": (r"(?P<name>[\w.]++)\s*+(?:<-|=)\s*+function\b",),
    "application/sql": (_SQL,),
    "text/x-shellscript": (
        r"\s*+function\s++(?P<name>[\w.:-]++)",
        r"\s*+(?P<name>[\w.:-]++)\s*+\(\s*+\)",
    ),
    "text/x-powershell": (r"\s*+(?P<what>function|class)\s++(?P<name>[\w:-]++)",),
    "application/yaml": (_KEY,),
    "application/toml": (_SECTION,),
    "text/x-ini": (_SECTION,),
    "application/xslt+xml": (),
    "text/css": (),  # a rule says by itself what it is about
    "text/x-dockerfile": (r"(?P<what>FROM)\s++(?P<name>\S.*+)",),
    "text/x-makefile": (r"(?P<name>[\w./%-]++)\s*+:(?!=)",),
}
_ANY_CASE = frozenset({"application/sql", "text/x-powershell"})

_COMMENT = re.compile(
    r"(?:^|[ \t])(?:#|//|/\*|\*|--|;|<!--)+[ \t]([^\n]{10,})"
    r"|(?<=\"\"\")([^\"]{20,4000})(?=\"\"\")",
    re.MULTILINE,
)


def extract(data: bytes, media_type: str) -> ParsedDocument:
    """Read source code; ``media_type`` says in which language."""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    return ParsedDocument(
        text=text,
        headings=definitions_of(text, media_type),
        language=language_of("\n".join(one or two for one, two in _COMMENT.findall(text))),
    )


def definitions_of(text: str, media_type: str) -> tuple[Heading, ...]:
    """Functions, classes, tables and sections as headings, one within the other by indentation."""
    flags = re.IGNORECASE if media_type in _ANY_CASE else re.NOFLAG
    patterns = [re.compile(p, flags) for p in _DEFINITIONS.get(media_type, _BRACES)]
    headings: list[Heading] = []
    open_at: list[int] = []  # the indentation of the definitions that the line stands in
    start = 0
    for line in text.split("\n"):
        here, start = start, start + len(line) + 1
        if len(line) > _LONGEST_LINE or not (code := line.rstrip()):
            continue
        for pattern in patterns:
            if (found := pattern.match(code)) is None:
                continue
            fields = found.groupdict()
            title = " ".join(
                [fields.get("what") or "", *fields["name"].strip(" \"'`").split()]
            ).strip()
            indentation = _indentation(code)
            while open_at and open_at[-1] >= indentation:
                open_at.pop()
            open_at.append(indentation)
            if title:
                headings.append(Heading(min(len(open_at), 6), title, here))
            break
    return tuple(headings)


def _indentation(line: str) -> int:
    blanks = line[: len(line) - len(line.lstrip())]
    return len(blanks.expandtabs(_TAB))
