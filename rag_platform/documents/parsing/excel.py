"""Excel workbooks (.xlsx): every sheet a heading, every row a line with its header.

Read cell by cell from the XML: a sheet is as large as what it holds, whatever size it claims, and a
million empty rows with a colour cost no memory.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.blocks import Blocks
from rag_platform.documents.parsing.excel_parts import SheetReader, TextReader, listen
from rag_platform.documents.parsing.excel_sight import Painted, hidden_styles
from rag_platform.documents.parsing.number_formats import built_in, shown
from rag_platform.documents.parsing.ooxml import OfficePackage
from rag_platform.documents.parsing.records import Records, Row
from rag_platform.documents.parsing.xml_tree import children, first, value_of
from rag_platform.errors import UnreadableDocument

HIDDEN = "Text that the author has hidden was left out."


def extract(data: bytes) -> ParsedDocument:
    """Read an Excel workbook. Hidden sheets are left out, and noted."""
    package = OfficePackage(data, "Excel workbook", ".xlsx", "xl/workbook.xml")
    workbook = package.xml(package.main)
    parts = package.relationships(package.main)
    reader = _Workbook(package, workbook, parts)
    blocks = Blocks()
    records = Records(blocks)
    notes: list[str] = []
    for sheet in children(first(workbook, "sheets"), "sheet"):
        name = value_of(sheet, "name") or ""
        kind, path = parts.get(value_of(sheet, "id") or "", ("", ""))
        if kind != "worksheet" or path not in package.archive:
            continue
        if value_of(sheet, "state") in ("hidden", "veryHidden"):
            notes.append(f"The hidden sheet “{name}” was left out.")
            continue
        records.write(reader.rows(path), title=name)
    if reader.uncalculated:
        notes.append(
            f"Formulas without a stored result: {reader.uncalculated}. To have the results read, "
            "open the file in a spreadsheet program, save it, and drop it again."
        )
    if reader.hidden:
        notes.append(HIDDEN)
    if not blocks.text and notes:
        raise UnreadableDocument(f"The file has no text. {' '.join(notes)}")
    return ParsedDocument(
        text=blocks.text,
        headings=tuple(blocks.headings),
        notes=tuple(notes),
        **package.properties(),
    )


class _Workbook:
    """Reads sheets with the texts and formats that they share."""

    def __init__(
        self,
        package: OfficePackage,
        workbook: Element | None,
        parts: dict[str, tuple[str, str]],
    ) -> None:
        self.uncalculated = 0
        self.hidden = False
        """Whether there are cells with text that nobody sees."""
        self._package = package
        self._archive = package.archive
        paths = dict(parts.values())
        styles = package.xml(paths.get("styles"))
        self._formats = _formats(styles)
        self._unseen = hidden_styles(styles, self._formats)
        self._painted = Painted(())
        properties = first(workbook, "workbookPr")
        dated = value_of(properties, "date1904") if properties is not None else None
        self._from_1904 = dated in ("1", "true")
        self._texts: list[str] = []
        if (path := paths.get("sharedStrings")) and path in self._archive:
            texts = TextReader()
            for _ in listen(self._archive, path, texts):
                self._texts += texts.taken()

    def rows(self, path: str) -> Iterator[tuple[int, Row]]:
        """The rows with something in them, with their numbers from 1."""
        sheet = SheetReader(self._shown, self._hides)
        if self._unseen:
            tables = self._package.related(path, "table")
            self._painted = Painted(map(self._package.xml, tables))
            for _ in listen(self._archive, path, self._painted):
                pass
        for _ in listen(self._archive, path, sheet):
            yield from sheet.taken()
        self.uncalculated += sheet.uncalculated
        self.hidden = self.hidden or sheet.hidden

    def _hides(self, style: str, row: int, column: int) -> bool:
        if not self._unseen or not style.isdecimal() or len(style) > 9:
            return False
        return int(style) in self._unseen and not self._painted.covers(row, column)

    def _shown(self, kind: str, style: str, value: str) -> str:
        if kind == "s":
            number = int(value) if value.isdecimal() and len(value) < 10 else -1
            return self._texts[number] if 0 <= number < len(self._texts) else ""
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if kind not in ("", "n"):
            return value
        number = int(style) if style.isdecimal() and len(style) < 10 else 0
        code = self._formats[number] if number < len(self._formats) else "General"
        try:
            return shown(float(value), code, self._from_1904)
        except (ValueError, OverflowError):
            return value


def _formats(styles: Element | None) -> list[str]:
    """The number formats by the number of the style."""
    own = {
        value_of(item, "numFmtId") or "": value_of(item, "formatCode") or "General"
        for item in children(first(styles, "numFmts"), "numFmt")
    }
    codes: list[str] = []
    for item in children(first(styles, "cellXfs"), "xf"):
        key = value_of(item, "numFmtId") or "0"
        codes.append(own.get(key) or built_in(int(key) if key.isdecimal() else 0))
    return codes
