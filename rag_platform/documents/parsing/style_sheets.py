"""Style sheets of pages: which declarations hold for which element."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

Declarations = dict[str, tuple[str, bool]]
"""By property: its value in small letters, and whether it is important."""

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_DECLARATION = re.compile(r"(-{0,2}[a-zA-Z][\w-]{0,60})\s*:\s*([^;{}]{1,400})")
_IMPORTANT = re.compile(r"!\s*important")
_STATES = re.compile(
    r"::|:(?:hover|focus|active|visited|target|checked|disabled|before|after|placeholder|selection|"
    r"first-l|focus-|has|host|lang|dir|any-link|enabled|invalid|valid|empty|-)"
)
"""What no page that lies still is in."""
_LINK = re.compile(r":link\b")
_UNCONDITIONAL = re.compile(r"@(?:layer|supports)\b|@media\s+(?:only\s+)?(?:all|screen)\s*$", re.I)
_NEVER = re.compile(r"@media[^{]*(?:\bprint\b|prefers-color-scheme\s*:\s*dark)|@(?!media)", re.I)
_LARGEST = 500_000
_MOST_RULES = 5_000
_MOST_SELECTORS = 1_000
_MOST_MATCHES = 200_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a style sheet."""

    selectors: tuple[str, ...]
    declarations: Declarations
    certain: bool
    """Whether it holds on every screen, and not only on some of a width."""


def declarations_of(text: str) -> Declarations:
    """The declarations of a ``style`` attribute or of a rule's body."""
    found: Declarations = {}
    for name, value in _DECLARATION.findall(text[:4_000]):
        value = value.strip().lower()
        important = _IMPORTANT.search(value) is not None
        key = name.lower()
        if key in found and found[key][1] and not important:
            continue
        found[key] = (_IMPORTANT.sub("", value).strip(), important)
    return found


def rules_of(css: str) -> list[Rule]:
    """The rules of a style sheet in their order, without those for print and for dark rooms."""
    css = _COMMENT.sub("", css[:_LARGEST])
    rules: list[Rule] = []
    conditions: list[str] = []  # of the blocks that are open: "yes", "maybe", "no", or a "rule"
    start = body = 0
    selector = ""
    for brace in re.finditer(r"[{}]", css):
        place = brace.start()
        if brace[0] == "{":
            prelude = css[start:place].rpartition(";")[2].strip()
            if "rule" in conditions:
                conditions.append("rule")
            elif prelude.startswith("@"):
                conditions.append(_condition(prelude))
            else:
                conditions.append("rule")
                selector, body = prelude, place + 1
        elif conditions:
            ended = conditions.pop()
            if ended == "rule" and "rule" not in conditions and "no" not in conditions:
                selectors = tuple(map(str.strip, selector[:2_000].split(",")))
                declared = declarations_of(css[body:place].partition("{")[0])
                rules.append(Rule(selectors, declared, "maybe" not in conditions))
                if len(rules) >= _MOST_RULES:
                    break
        start = place + 1
    return rules


def _condition(prelude: str) -> str:
    if _UNCONDITIONAL.match(prelude):
        return "yes"
    return "no" if _NEVER.match(prelude) else "maybe"


class Cascade:
    """The declarations of elements, of which the strongest counts."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self.complete = True
        """Whether every rule was applied: a page may have more than there is time for."""
        self._tree = tree
        self._found: dict[int, dict[str, tuple[tuple[int, ...], str]]] = {}
        self._order = 0
        self._selectors = self._matches = 0

    def of(self, node: LexborNode) -> dict[str, tuple[tuple[int, ...], str]]:
        """The values of an element's own declarations by property, each with its weight."""
        return self._found.get(node.mem_id, {})

    def apply(self, rules: Iterable[Rule], properties: frozenset[str], uncertain: str = "") -> None:
        """Give these properties to the elements that the rules select.

        ``uncertain`` is the value that a rule's property has if the rule holds on some screens
        only; without it such rules do not count.
        """
        for rule in rules:
            declared: Declarations = {
                name: value for name, value in rule.declarations.items() if name in properties
            }
            if not rule.certain:
                declared = dict.fromkeys(declared, (uncertain, False)) if uncertain else {}
            if declared:
                for selector in rule.selectors:
                    self._select(selector, declared)

    def _select(self, selector: str, declared: Declarations) -> None:
        self._order += 1
        if not selector or _STATES.search(selector):
            return
        self._selectors += 1
        if self._selectors > _MOST_SELECTORS or self._matches > _MOST_MATCHES:
            self.complete = False
            return
        selector = _LINK.sub("", selector)
        try:
            nodes = self._tree.css(selector)
        except (SelectolaxError, ValueError):
            return
        weight = _specificity(selector)
        self._matches += len(nodes)
        for node in nodes:
            self.declare(node, declared, (0, *weight, self._order))

    def declare(
        self, node: LexborNode, declared: Declarations, weight: tuple[int, ...] = (1, 0, 0, 0, 0)
    ) -> None:
        """Give an element declarations of a weight; by default, those of its own attribute."""
        own = self._found.setdefault(node.mem_id, {})
        for name, (value, important) in declared.items():
            whole = (int(important), *weight)
            if name not in own or own[name][0] <= whole:
                own[name] = (whole, value)


def _specificity(selector: str) -> tuple[int, int, int]:
    names = selector.count("#")
    classes = len(re.findall(r"\.[\w-]|\[|:(?!not|is|where)", selector))
    elements = len(re.findall(r"(?:^|[\s>+~(])[a-zA-Z]", selector))
    return names, classes, elements
