"""What a page hides from the eye: no reader of the page has read it, so no answer may cite it."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

NOTE = "Hidden text was left out."

_ZERO = r"(?:0+(?:\.0*)?|\.0+)"
_HIDES = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|"
    rf"font-size\s*:\s*{_ZERO}(?:px|pt|r?em|%)?\s*(?:[;!]|$)|"
    r"(?:left|top|text-indent)\s*:\s*-(?:\d{4,}|999)(?:px|r?em|%))",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?:^|[;\s])color\s*:\s*([^;!]{1,80})", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:^|[;\s])background(?:-color)?\s*:\s*([^;!]{1,80})", re.IGNORECASE)
_NAMES = {"white": "#ffffff", "black": "#000000"}
_RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,2000})\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SIMPLE = re.compile(r"[a-z]{0,10}(?:[.#][\w-]{1,100}){1,3}", re.IGNORECASE)
_MOST_RULES = 200
_WORD = re.compile(r"[^\W\d_]{3}")


def remove_hidden(tree: LexborHTMLParser) -> bool:
    """Take hidden elements out of the tree; whether they held words."""
    held = False
    for node in _hidden(tree):
        if node.tag in ("html", "body"):
            continue
        held = held or _WORD.search(_text(node)) is not None
        node.decompose()
    return held


def _hidden(tree: LexborHTMLParser) -> list[LexborNode]:
    nodes = tree.css("[hidden],[aria-hidden='true']")
    nodes += [node for node in tree.css("[style]") if _is_hidden(node)]
    for selector in _hiding_selectors(tree):
        try:
            nodes += tree.css(selector)
        except (SelectolaxError, ValueError):
            continue
    # The outermost come first in the tree: what is in them goes with them, and must not go twice.
    return _outermost(nodes)


def _outermost(nodes: list[LexborNode]) -> list[LexborNode]:
    hidden = {node.mem_id for node in nodes}
    kept: dict[int, LexborNode] = {}
    for node in nodes:
        above = node.parent
        steps = 0
        while above is not None and above.mem_id not in hidden and steps < 300:
            above, steps = above.parent, steps + 1
        if above is None or above.mem_id not in hidden:
            kept[node.mem_id] = node
    return list(kept.values())


def _is_hidden(node: LexborNode) -> bool:
    style = _style(node)
    if not style:
        return False
    if _HIDES.search(style):
        return True
    colour = _COLOUR.search(style)
    if colour is None:
        return False
    shade = _shade(colour[1])
    if shade == "transparent":
        return True
    background = next(_backgrounds(node), "")
    return bool(background) and shade == background


def _backgrounds(node: LexborNode) -> Iterator[str]:
    """The colours behind an element that are written at it and around it, the nearest first."""
    around: LexborNode | None = node
    for _ in range(20):
        if around is None:
            return
        if found := _BACKGROUND.search(_style(around)):
            yield _shade(found[1])
        if colour := around.attributes.get("bgcolor"):
            yield _shade(colour)
        around = around.parent


def _style(node: LexborNode) -> str:
    return (node.attributes.get("style") or "")[:2000]


def _shade(colour: str) -> str:
    colour = re.sub(r"\s+", "", colour).lower()
    if short := re.fullmatch(r"#([0-9a-f])([0-9a-f])([0-9a-f])", colour):
        return "#" + "".join(digit * 2 for digit in short.groups())
    if parts := re.fullmatch(r"rgba?\((\d{1,3}),(\d{1,3}),(\d{1,3})(?:,1(?:\.0+)?)?\)", colour):
        return "#" + "".join(f"{min(int(part), 255):02x}" for part in parts.groups())
    return _NAMES.get(colour, colour)


def _hiding_selectors(tree: LexborHTMLParser) -> list[str]:
    """Selectors of classes and names that the page's own style sheets hide without a condition."""
    found: list[str] = []
    for sheet in tree.css("style"):
        if (sheet.attributes.get("media") or "all") not in ("all", "screen"):
            continue
        css = _COMMENT.sub("", (sheet.text(deep=True) or "")[:500_000])
        for rule in _RULE.finditer(_without_conditions(css)):
            if not _HIDES.search(rule[2]):
                continue
            selectors = [selector.strip() for selector in rule[1].split(",")]
            found += [selector for selector in selectors if _SIMPLE.fullmatch(selector)]
            if len(found) >= _MOST_RULES:
                return found[:_MOST_RULES]
    return found


def _without_conditions(css: str) -> str:
    """A style sheet without the blocks of ``@media`` and its like."""
    kept: list[str] = []
    depth = start = 0
    conditional = False
    for brace in re.finditer(r"[{}]", css):
        if brace[0] == "{":
            if depth == 0:
                conditional = css[start : brace.start()].lstrip().startswith("@")
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                if not conditional:
                    kept.append(css[start : brace.end()])
                start = brace.end()
    return "".join(kept)


def _text(node: LexborNode) -> str:
    return node.text(deep=True, separator=" ")
