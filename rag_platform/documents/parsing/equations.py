"""Equations of Word and PowerPoint on one line, as one would type them."""

import re
from xml.etree.ElementTree import Element

from rag_platform.documents.parsing.xml_tree import first, local_name, value_of

_ATOM = re.compile(r"\w*|\W|[(\[|][^()\[\]|]*[)\]|]")
_MARKS = {"sSup": "^", "sSub": "_"}


def equation(element: Element | None) -> str:
    """The equation's text: powers as ``x^2``, fractions as ``(a+b)/c``, roots as ``√(x)``."""
    if element is None:
        return ""
    name = local_name(element)
    if name == "t":
        return element.text or ""
    if name in _MARKS:
        index = first(element, "sup") if name == "sSup" else first(element, "sub")
        return f"{_part(element, 'e')}{_MARKS[name]}{_grouped(equation(index))}"
    if name == "sSubSup":
        return f"{_part(element, 'e')}_{_part(element, 'sub')}^{_part(element, 'sup')}"
    if name == "f":
        return f"{_part(element, 'num')}/{_part(element, 'den')}"
    if name == "rad":
        degree = equation(first(element, "deg"))
        return f"√{f'[{degree}]' if degree else ''}({equation(first(element, 'e'))})"
    if name == "nary":
        return _nary(element)
    if name == "d":
        return _delimited(element)
    if name == "func":
        return f" {equation(first(element, 'fName'))} {equation(first(element, 'e'))}"
    if name == "mr":
        return " ".join(map(equation, element)) + "; "
    return "".join(map(equation, element))


def _nary(element: Element) -> str:
    sign = first(element, "naryPr", "chr")
    text = (value_of(sign) if sign is not None else "∫") or ""
    for mark, name in (("_", "sub"), ("^", "sup")):
        if limit := equation(first(element, name)):
            text += f"{mark}{_grouped(limit)}"
    return f"{text} {equation(first(element, 'e'))}"


def _delimited(element: Element) -> str:
    properties = first(element, "dPr")
    ends: list[str] = []
    for name, usual in (("begChr", "("), ("endChr", ")")):
        sign = first(properties, name)
        ends.append(usual if sign is None else value_of(sign) or "")
    inner = ",".join(equation(item) for item in element if local_name(item) == "e")
    return f"{ends[0]}{inner}{ends[1]}"


def _part(element: Element, name: str) -> str:
    return _grouped(equation(first(element, name)))


def _grouped(text: str) -> str:
    text = text.strip()
    return text if _ATOM.fullmatch(text) else f"({text})"
