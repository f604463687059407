"""A workbook's parts as plain records, read from the XML itself: nothing here shares code with what wrote them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element  # the class only; parsing is left to defusedxml
from zipfile import BadZipFile, ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from openpyxl.formula.translate import Translator

from support.lint_formulas import Area, FormulaError, area

LARGEST_PART: Final = 100_000_000
EDGES: Final = ("oddHeader", "oddFooter")
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CHART: Final = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


class UnreadableError(ValueError):
    """A file that is no workbook, and why."""


@dataclass(frozen=True)
class Style:
    """What the lint asks of a cell's style."""

    font_color: str = ""
    fill: str = ""
    quoted: bool = False
    locked: bool = True


@dataclass(frozen=True)
class Content:
    """One cell: `kind` is n, s (a text), b or e; `value` is None without a value, `formula` without a formula."""

    row: int
    column: int
    kind: str
    value: str | None
    formula: str | None
    style: int

    @property
    def at(self) -> str:
        return str(Area("", self.column, self.row, self.column, self.row))

    @property
    def blank(self) -> bool:
        return self.value is None and self.formula is None


@dataclass(frozen=True)
class Validation:
    """One data validation."""

    kind: str
    operator: str
    areas: tuple[Area, ...]
    formulas: tuple[str, ...]
    error_title: str
    error: str
    prompt_title: str
    prompt: str

    @property
    def at(self) -> str:
        return " ".join(map(str, self.areas))


@dataclass(frozen=True)
class Table:
    """One table: `columns` are the names that it gives to its columns."""

    name: str
    ref: str
    columns: tuple[str, ...]
    header: bool


@dataclass(frozen=True)
class Chart:
    """One chart: `axes` says of each whether it is drawn."""

    part: str
    formulas: tuple[str, ...]
    axes: tuple[bool, ...]


@dataclass(frozen=True)
class Print:
    """How a sheet prints; a scale of 0 is one that is not set."""

    fit: bool
    wide: int
    high: int
    scale: int
    orientation: str


@dataclass
class Sheet:
    """One worksheet."""

    title: str
    state: str
    cells: dict[tuple[int, int], Content]
    arrays: tuple[Area, ...]
    """The cells of array formulas."""
    merged: tuple[str, ...]
    validations: tuple[Validation, ...]
    conditions: tuple[tuple[str, str], ...]
    hidden_rows: tuple[int, ...]
    hidden_columns: tuple[int, ...]
    frozen: bool
    protection: dict[str, str] | None
    printing: Print
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]
    margins: tuple[float, float]
    """Of the top and the bottom, in points."""
    edges: tuple[str, ...]
    """Header and footer, with their codes."""


@dataclass(frozen=True)
class Defined:
    """A defined name; `sheet` is "" where it holds in the whole workbook."""

    name: str
    formula: str
    sheet: str


@dataclass
class Workbook:
    """All of it."""

    sheets: list[Sheet]
    names: list[Defined]
    styles: list[Style]
    _by_title: dict[str, Sheet] = field(default_factory=dict)

    def sheet(self, title: str) -> Sheet | None:
        """The sheet of that title, without regard to case."""
        self._by_title = self._by_title or {sheet.title.casefold(): sheet for sheet in self.sheets}
        return self._by_title.get(title.casefold())


def read(path: Path) -> Workbook:
    """The workbook in a file. Raises UnreadableError."""
    try:
        with ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.file_size > LARGEST_PART:
                    raise UnreadableError(f"{entry.filename} is larger than {LARGEST_PART:,} bytes")
            return _Reader({name: archive.read(name) for name in archive.namelist()}).workbook()
    except (BadZipFile, ParseError, DefusedXmlException, FormulaError, KeyError, ValueError) as problem:
        raise UnreadableError(f"{path.name}: {type(problem).__name__}: {problem}") from problem


class _Reader:
    def __init__(self, parts: dict[str, bytes]) -> None:
        self._parts = parts
        shared = self._xml("xl/sharedStrings.xml")
        self._shared = [] if shared is None else [_text(item) for item in shared.findall(f"{_MAIN}si")]

    def workbook(self) -> Workbook:
        root = self._xml("xl/workbook.xml")
        if root is None:
            raise UnreadableError("there is no xl/workbook.xml")
        targets = dict(self._targets("xl/workbook.xml"))
        listed = list(root.iterfind(f"{_MAIN}sheets/{_MAIN}sheet"))
        titles = [sheet.get("name", "") for sheet in listed]
        sheets = [
            self._sheet(sheet.get("name", ""), sheet.get("state", "visible"), targets[sheet.get(_RELATION, "")])
            for sheet in listed
        ]
        names = [
            Defined(
                name.get("name", ""),
                name.text or "",
                titles[int(name.get("localSheetId", ""))] if name.get("localSheetId") else "",
            )
            for name in root.iterfind(f"{_MAIN}definedNames/{_MAIN}definedName")
        ]
        return Workbook(sheets, names, self._styles())

    def _sheet(self, title: str, state: str, part: str) -> Sheet:
        root = self._xml(part)
        if root is None:
            raise UnreadableError(f"there is no {part}")
        targets = dict(self._targets(part))
        drawings = [targets[drawing.get(_RELATION, "")] for drawing in root.findall(f"{_MAIN}drawing")]
        charts = [chart for drawing in drawings for _, chart in self._targets(drawing) if "/charts/" in chart]
        tables = [targets[entry.get(_RELATION, "")] for entry in root.iter(f"{_MAIN}tablePart")]
        protection = root.find(f"{_MAIN}sheetProtection")
        rows = root.findall(f"{_MAIN}sheetData/{_MAIN}row")
        return Sheet(
            title=title,
            state=state,
            cells={(cell.row, cell.column): cell for cell in self._cells(rows)},
            arrays=tuple(
                area(formula.get("ref", ""))
                for formula in root.iter(f"{_MAIN}f")
                if formula.get("t") in ("array", "dataTable")
            ),
            merged=tuple(merge.get("ref", "") for merge in root.iter(f"{_MAIN}mergeCell")),
            validations=tuple(map(_validation, root.iter(f"{_MAIN}dataValidation"))),
            conditions=tuple(
                (block.get("sqref", ""), formula.text or "")
                for block in root.iter(f"{_MAIN}conditionalFormatting")
                for formula in block.iter(f"{_MAIN}formula")
            ),
            hidden_rows=tuple(int(row.get("r", "0")) for row in rows if _true(row.get("hidden"))),
            hidden_columns=tuple(
                number
                for column in root.iter(f"{_MAIN}col")
                if _true(column.get("hidden"))
                for number in range(int(column.get("min", "1")), int(column.get("max", "1")) + 1)
            ),
            frozen=any(pane.get("state") == "frozen" for pane in root.iter(f"{_MAIN}pane")),
            protection=None if protection is None else dict(protection.attrib),
            printing=_printing(root),
            tables=tuple(map(self._table, tables)),
            charts=tuple(map(self._chart, charts)),
            margins=_margins(root),
            edges=tuple(root.findtext(f"{_MAIN}headerFooter/{_MAIN}{name}") or "" for name in EDGES),
        )

    def _cells(self, rows: list[Element]) -> Iterator[Content]:
        origins: dict[str, tuple[str, str]] = {}
        for row in rows:
            for cell in row.findall(f"{_MAIN}c"):
                at = cell.get("r", "")
                place = area(at)
                kind = cell.get("t", "n")
                value = cell.findtext(f"{_MAIN}v")
                if kind == "s" and value is not None:
                    value = self._shared[int(value)]
                elif kind == "inlineStr":
                    inline = cell.find(f"{_MAIN}is")
                    value = None if inline is None else _text(inline)
                elif kind == "b" and value is not None:
                    value = "TRUE" if _true(value) else "FALSE"
                elif kind == "str" and value is None and cell.find(f"{_MAIN}v") is not None:
                    value = ""
                element = cell.find(f"{_MAIN}f")
                formula = None if element is None else element.text or ""
                if element is not None and element.get("t") == "shared":
                    group = element.get("si", "")
                    if formula:
                        origins[group] = formula, at
                    elif group in origins:
                        text, origin = origins[group]
                        formula = Translator(f"={text}", origin=origin).translate_formula(at)[1:]
                yield Content(
                    place.top,
                    place.left,
                    "s" if kind in ("s", "str", "inlineStr") else kind,
                    value,
                    formula,
                    int(cell.get("s", "0")),
                )

    def _table(self, part: str) -> Table:
        root = self._xml(part)
        if root is None:
            raise UnreadableError(f"there is no {part}")
        columns = tuple(column.get("name", "") for column in root.iter(f"{_MAIN}tableColumn"))
        name = root.get("displayName", root.get("name", ""))
        return Table(name, root.get("ref", ""), columns, root.get("headerRowCount", "1") != "0")

    def _chart(self, part: str) -> Chart:
        root = self._xml(part)
        if root is None:
            raise UnreadableError(f"there is no {part}")
        deleted = [
            axis.find(f"{_CHART}delete")
            for kind in ("catAx", "valAx", "dateAx", "serAx")
            for axis in root.iter(f"{_CHART}{kind}")
        ]
        # Excel takes an axis for deleted where the file does not say that it is not.
        drawn = tuple(mark is not None and not _true(mark.get("val", "1")) for mark in deleted)
        return Chart(posixpath.basename(part), tuple(found.text or "" for found in root.iter(f"{_CHART}f")), drawn)

    def _styles(self) -> list[Style]:
        root = self._xml("xl/styles.xml")
        if root is None:
            return [Style()]
        fonts = [_color(font.find(f"{_MAIN}color")) for font in root.iterfind(f"{_MAIN}fonts/{_MAIN}font")]
        fills = [
            _color(fill.find(f"{_MAIN}patternFill/{_MAIN}fgColor"))
            for fill in root.iterfind(f"{_MAIN}fills/{_MAIN}fill")
        ]
        found = []
        for style in root.iterfind(f"{_MAIN}cellXfs/{_MAIN}xf"):
            protection = style.find(f"{_MAIN}protection")
            found.append(
                Style(
                    fonts[int(style.get("fontId", "0"))],
                    fills[int(style.get("fillId", "0"))],
                    _true(style.get("quotePrefix")),
                    protection is None or _true(protection.get("locked", "1")),
                )
            )
        return found

    def _xml(self, part: str) -> Element | None:
        data = self._parts.get(part)
        return None if data is None else fromstring(data)

    def _targets(self, part: str) -> Iterator[tuple[str, str]]:
        """Relations of a part: their id and the part that each leads to, external ones left out."""
        folder, name = posixpath.split(part)
        root = self._xml(f"{folder}/_rels/{name}.rels")
        for relation in [] if root is None else root:
            if relation.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "")))
                yield relation.get("Id", ""), target.lstrip("/")


def _validation(element: Element) -> Validation:
    formulas = (element.findtext(f"{_MAIN}{name}") for name in ("formula1", "formula2"))
    return Validation(
        element.get("type", "none"),
        element.get("operator", "between"),
        tuple(area(part) for part in element.get("sqref", "").split()),
        tuple(formula for formula in formulas if formula),
        *(element.get(name, "") for name in ("errorTitle", "error", "promptTitle", "prompt")),
    )


def _printing(root: Element) -> Print:
    fit = root.find(f"{_MAIN}sheetPr/{_MAIN}pageSetUpPr")
    page = root.find(f"{_MAIN}pageSetup")
    found = {} if page is None else dict(page.attrib)
    return Print(
        fit is not None and _true(fit.get("fitToPage")),
        int(found.get("fitToWidth", "1")),
        int(found.get("fitToHeight", "1")),
        int(found.get("scale", "0")),
        found.get("orientation", ""),
    )


def _margins(root: Element) -> tuple[float, float]:
    margins = root.find(f"{_MAIN}pageMargins")
    found = {} if margins is None else dict(margins.attrib)
    return 72 * float(found.get("top", "0.75")), 72 * float(found.get("bottom", "0.75"))


def _text(item: Element) -> str:
    """Runs of a text together; readings for the pronunciation are no part of it. Escapes are undone."""
    runs = [
        item.findtext(f"{_MAIN}t") or "",
        *(run.findtext(f"{_MAIN}t") or "" for run in item.findall(f"{_MAIN}r")),
    ]
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), "".join(runs))


def _color(element: Element | None) -> str:
    """The last six digits of the colour, for alpha is nothing to Excel."""
    return "" if element is None else element.get("rgb", "")[-6:].upper()


def _true(value: str | None) -> bool:
    return value in ("1", "true")
