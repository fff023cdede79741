"""What a page hides from the eye: no reader of the page has read it, so no answer may cite it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rag_platform.documents.parsing.colours import BLACK, WHITE, Colour, of_css, shows
from rag_platform.documents.parsing.hiding_styles import (
    HIDING,
    HIDING_PROPERTIES,
    hides_box,
    size_of,
)
from rag_platform.documents.parsing.style_sheets import (
    Cascade,
    Declarations,
    Rule,
    declarations_of,
    rules_of,
)

NOTE = "Hidden text was left out."

_PAINT = frozenset(
    {"color", "-webkit-text-fill-color", "text-shadow", "position", "background"}
    | {"background-color", "background-image", "background-clip", "-webkit-background-clip"}
)
_BACKGROUNDS = ("background", "background-color", "background-image")
_PICTURE = re.compile(r"(?:url|gradient|image|image-set|element|paint)\(")
_NO_PAINT = re.compile(r"(?:none|transparent|initial|unset|inherit|revert|0|)\s*")
_PAINTED = re.compile(r"#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^()]*\)|[a-z]{3,25}")
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*))?\)")
_INHERITED = frozenset(("inherit", "currentcolor", "unset", "revert"))
_PICTURES = "img,picture,video,svg,canvas,object,iframe"
_LINK_COLOUR: Colour = (0, 0, 238)
_SMALLEST = 1.4
"""Pixels; one point is 1.33."""
_WORD = re.compile(r"[^\W\d_]{3}")


def remove_hidden(tree: LexborHTMLParser, sheets: Sequence[str] = ()) -> bool:
    """Take hidden elements and texts out of the tree; whether they held words.

    ``sheets`` are the style sheets that the page links to, as far as they are at hand.
    """
    page = _Page(tree, sheets)
    if not page.worth_looking:
        return False
    held = False
    for node in page.hidden():
        text = node.text_content if node.tag == "-text" else node.text(deep=True, separator=" ")
        held = held or _WORD.search(text or "") is not None
        node.decompose()
    return held


@dataclass(frozen=True, slots=True)
class _Seen:
    """How text is seen that stands in an element. Colours are ``None`` where nobody can tell."""

    gone: bool = False
    visible: bool = True
    size: float = 16.0
    colour: Colour | None = BLACK
    cover: float = 1.0
    background: Colour | None = WHITE

    @property
    def unseen(self) -> bool:
        """Whether nobody sees the text."""
        if not self.visible or self.size <= _SMALLEST:
            return True
        if self.colour is None or self.background is None:
            return False
        return not shows(self.colour, self.cover, self.background)


class _Page:
    """The styles of a page's elements, and what follows from them for its texts."""

    def __init__(self, tree: LexborHTMLParser, sheets: Sequence[str]) -> None:
        self._tree = tree
        self._pictured: dict[int, bool] = {}
        linked = tree.css("link[rel~='stylesheet']")
        rules: list[Rule] = [rule for sheet in sheets for rule in rules_of(sheet)]
        self._unknown_sheets = bool(linked) and not sheets
        for sheet in tree.css("style"):
            if (sheet.attributes.get("media") or "all") in ("all", "screen"):
                css = sheet.text(deep=True) or ""
                self._unknown_sheets = self._unknown_sheets or "@import" in css
                rules += rules_of(css)
        inline = [
            (node, declarations_of(node.attributes.get("style") or ""))
            for node in tree.css("[style]")
        ]
        declared = [*(rule.declarations for rule in rules), *(own for _, own in inline)]
        self._variables = {
            name: value
            for declarations in declared
            for name, (value, _) in declarations.items()
            if name.startswith("--")
        }
        self._marked = {
            node.mem_id
            for node in tree.css("[hidden],[aria-hidden='true']")
            if node.attributes.get("hidden") != "until-found"
        }
        hides = any(HIDING.search(f"{name}:{value}") for name, value in _values(declared))
        self._paints = self._may_hide_by_colour(declared)
        self.worth_looking = hides or self._paints or bool(self._marked)
        self._cascade = Cascade(tree)
        if hides:
            self._cascade.apply(rules, HIDING_PROPERTIES)
        if self._paints:
            self._cascade.apply(rules, _PAINT, uncertain="unknown")
            self._paints = self._cascade.complete
        wanted = HIDING_PROPERTIES | _PAINT
        for node, own in inline:
            if mine := {name: value for name, value in own.items() if name in wanted}:
                self._cascade.declare(node, mine)

    def hidden(self) -> list[LexborNode]:
        """The outermost elements and the texts that nobody sees."""
        found: list[LexborNode] = []
        states: dict[int, _Seen] = {}
        root = self._tree.root
        for node in root.traverse(include_text=True) if root is not None else ():
            parent = node.parent
            above = (states.get(parent.mem_id) if parent is not None else None) or _Seen()
            if node.tag == "-text":
                if above.unseen and not above.gone:
                    found.append(node)
                continue
            state = above if above.gone else self._seen(node, above)
            states[node.mem_id] = state
            if state.gone and not above.gone:
                found.append(node)
        return found

    def _may_hide_by_colour(self, declared: list[Declarations]) -> bool:
        """Whether any text's colour is one that could be behind it."""
        texts = {value for name, value in _values(declared) if name == "color"}
        texts |= {value for name, value in _values(declared) if name == "-webkit-text-fill-color"}
        behind = {value for name, value in _values(declared) if name in _BACKGROUNDS}
        for node in self._tree.css("font[color],body[text],[bgcolor]"):
            texts |= {node.attributes.get("color") or "", node.attributes.get("text") or ""}
            behind.add(node.attributes.get("bgcolor") or "")
        inks = [found for found in map(self._paint_of, list(texts)[:300]) if found]
        papers = [found[0] for found in map(self._paint_of, list(behind)[:300]) if found]
        papers.append(WHITE)
        inks.append((BLACK, 1.0))
        return any(not shows(ink, cover, paper) for ink, cover in inks for paper in papers)

    def _seen(self, node: LexborNode, above: _Seen) -> _Seen:
        own = {name: value for name, (_, value) in self._cascade.of(node).items()}
        outermost = node.tag in ("html", "body")
        attributes = node.attributes
        if not outermost and (
            node.mem_id in self._marked
            or (own and hides_box(own, attributes.get("class") or "", attributes))
        ):
            return replace(above, gone=True)
        state = above
        if "visibility" in own and not outermost:
            shown = own["visibility"] not in ("hidden", "collapse")
            state = replace(
                state, visible=above.visible if own["visibility"] == "inherit" else shown
            )
        if ("font-size" in own or "font" in own) and not outermost:
            state = replace(state, size=size_of(own, above.size))
        return self._painted(node, own, state) if self._paints else state

    def _painted(self, node: LexborNode, own: dict[str, str], state: _Seen) -> _Seen:
        attributes = node.attributes
        state = self._on_paper(node, own, state)
        ink = own.get("-webkit-text-fill-color") or own.get("color")
        attribute = attributes.get("color") if node.tag == "font" else None
        attribute = attributes.get("text") if node.tag == "body" else attribute
        ink = ink or attribute
        if ink is not None and ink not in _INHERITED:
            paint = self._paint_of(ink)
            state = (
                replace(state, colour=None)
                if paint is None
                else replace(state, colour=paint[0], cover=paint[1])
            )
        elif ink is None and node.tag == "a" and "href" in attributes:
            state = replace(state, colour=_LINK_COLOUR, cover=1.0)
        elif ink is None and node.tag == "mark":
            state = replace(state, colour=BLACK, cover=1.0)
        clipped = "text" in (own.get("background-clip") or own.get("-webkit-background-clip") or "")
        if clipped or own.get("text-shadow", "none") not in ("none", "inherit", "unset"):
            state = replace(state, colour=None)
        return state

    def _on_paper(self, node: LexborNode, own: dict[str, str], state: _Seen) -> _Seen:
        attributes = node.attributes
        if self._unknown_sheets and ("class" in attributes or "id" in attributes):
            state = replace(state, colour=None, background=None)
        if own.get("position") in ("absolute", "fixed", "unknown") and self._over_pictures(node):
            state = replace(state, background=None)
        if attributes.get("background"):
            return replace(state, background=None)
        weights = self._cascade.of(node)
        named = [name for name in _BACKGROUNDS if name in own]
        if not named:
            paper = attributes.get("bgcolor") or ("yellow" if node.tag == "mark" else "")
        else:
            paper = own[max(named, key=lambda name: weights[name][0])]
            if any(_PICTURE.search(own[name]) for name in named):
                return replace(state, background=None)
        if _NO_PAINT.fullmatch(paper):
            return state
        paint = self._paint_of(paper)
        if paint is None:
            return replace(state, background=None)
        if paint[1] > 0.9:
            return replace(state, background=paint[0])
        # Half-transparent paint over what is known would have to be mixed; nobody hides so.
        return state if paint[1] < 0.1 else replace(state, background=None)

    def _over_pictures(self, node: LexborNode) -> bool:
        """Whether an element that is taken out of the flow may lie on a picture beside it."""
        around = node.parent
        for _ in range(2):
            if around is None or around.tag in ("body", "html"):
                return False
            key = around.mem_id
            if key not in self._pictured:
                self._pictured[key] = around.css_first(_PICTURES) is not None
            if self._pictured[key]:
                return True
            around = around.parent
        return False

    def _paint_of(self, value: str) -> tuple[Colour, float] | None:
        """The first colour of a value, its variables resolved."""
        value = value.strip().lower()[:200]
        for _ in range(5):
            resolved = _VARIABLE.sub(
                lambda found: self._variables.get(found[1], found[2] or "unknown"), value
            )[:400]
            if resolved == value:
                break
            value = resolved
        if re.fullmatch(r"[0-9a-f]{6}", value):
            value = f"#{value}"  # as old pages write it
        return next((paint for item in _PAINTED.findall(value) if (paint := of_css(item))), None)


def _values(declared: list[Declarations]) -> list[tuple[str, str]]:
    return [(name, value) for own in declared for name, (value, _) in own.items()]
