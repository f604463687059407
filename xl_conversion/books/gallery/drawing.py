"""How the gallery draws: fields across several columns, cells of any type, results of array formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from openpyxl.formatting.rule import Rule
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from xl_conversion.books.page import MONEY, SHARES, Look, Page
from xl_conversion.functions.boundary import Cell, CellError, Range, number
from xl_conversion.functions.evaluate import Value

MUTED = 10 / 9
"""Muted text is that much smaller, so that more of it fits."""
GENERAL = "General"
PRICE = "#,##0.00########"
UNROUNDED = "#,##0.0000000000"
TRUTH = '"TRUE";"TRUE";"FALSE"'
"""LibreOffice would show some as 1; to Excel no format matters to them."""
_CARRIED = "#,##0.0000######"
"""What the history of the gallery rounds to four digits."""
_DIGITS = 10
_OF_PARTS = 200
"""The number of a format that no other format of the workbook has."""
_OF_UNITS: Mapping[str, str] = {
    "money per share": PRICE,
    "common per preferred": PRICE,
    "shares of common": SHARES,
    "shares of preferred": SHARES,
    "money": "#,##0.00######",
    "digits": "0",
}
_OF_COLUMNS: Mapping[str, str] = {
    "shares": SHARES,
    "preferred_shares": SHARES,
    "consideration": MONEY,
    "unrounded price": UNROUNDED,
    "price before": _CARRIED,
    "price carried": _CARRIED,
    "price in force": _CARRIED,
    "ratio": _CARRIED,
    "recomputed": PRICE,
    "difference": PRICE,
    "tolerance": PRICE,
    "price per share": PRICE,
    "original_issue_price": PRICE,
    "conversion_price": PRICE,
    "consideration_per_share": PRICE,
}


def format_of_unit(unit: str) -> str:
    """The number format of a figure; never Currency, which Excel hands on with four digits."""
    return _OF_UNITS.get(unit, GENERAL)


def format_of_rounded(unit: str, decimals: int) -> str:
    """The number format of a figure rounded to `decimals`: it shows as many digits, and no fewer than there are.

    >>> format_of_rounded("money", 4), format_of_rounded("money", 0), format_of_rounded("shares of common", 0)
    ('#,##0.0000######', 'General', '#,##0')
    """
    shown = format_of_unit(unit)
    if shown == SHARES or decimals < 1:
        return SHARES if shown == SHARES else GENERAL
    return f"#,##0.{'0' * decimals}{'#' * (_DIGITS - decimals)}"


def format_of_column(header: Cell) -> str:
    """The number format of a column of a table."""
    return _OF_COLUMNS.get(str(header), GENERAL)


@dataclass
class Row:
    """One row of fields, each over one or more columns, as high as its texts need."""

    page: Page
    _texts: list[tuple[str, float]] = field(default_factory=list)

    def text(self, columns: str, text: str, look: Look = "plain", *, align: str = "left") -> None:
        """A text in the columns ``B`` or ``B:D``."""
        first, _, last = columns.partition(":")
        if last:
            for column in _letters(first, last):
                self.page.text(f"{column}{self.page.row}", "", look)
            self.page.sheet.merge_cells(f"{first}{self.page.row}:{last}{self.page.row}")
        self.page.text(f"{first}{self.page.row}", text, look, align=align)
        self.note(columns, text, look)

    def cell(self, column: str, cell: Cell, number_format: str, look: Look, *, align: str = "") -> None:
        """What a cell holds, by its type; text is text whatever it begins with."""
        coordinate = f"{column}{self.page.row}"
        match cell:
            case bool():
                self.page.text(coordinate, "", look, align="right")
                self.page.sheet[coordinate].value = cell
                self.page.sheet[coordinate].number_format = TRUTH
            case float() | int():
                self.page.number(coordinate, number(cell), number_format, look)
            case date():
                self.page.day(coordinate, cell, look)
            case str():
                self.page.text(coordinate, cell, look, align=align or ("right" if is_figure(cell) else "left"))
                self.note(column, cell, look)
            case None:
                self.page.text(coordinate, "", look)
            case _:
                raise TypeError(f"{coordinate}: {cell!r}")

    def note(self, columns: str, text: str, look: Look = "plain") -> None:
        """Counts a text that something else has written."""
        first, _, last = columns.partition(":")
        places = [column_index_from_string(letter) - 1 for letter in _letters(first, last or first)]
        width = sum(self.page.widths[place] for place in places)
        self._texts.append((text, width * (MUTED if look == "muted" else 0.94 if look == "label" else 1)))

    def end(self) -> None:
        """Goes to the next row."""
        self.page.height(self._texts)
        self.page.row += 1


def is_figure(text: str) -> bool:
    """Whether a text stands for a figure, as a stated one does: those are aligned as numbers are."""
    return text.lstrip("$")[:1].isdigit()


def table(page: Page, rows: Range, look: Look) -> str:
    """A table with its header row from the first column on; its range."""
    top = page.row
    for place, row in enumerate(rows):
        drawn = Row(page)
        for column, cell in enumerate(row, start=1):
            letter = get_column_letter(column)
            if place:
                drawn.cell(letter, cell, format_of_column(rows[0][column - 1]), look)
            else:
                align = "right" if any(_right(r[column - 1]) for r in rows[1:]) else "left"
                drawn.text(letter, str(cell), "header" if look == "input" else "label", align=align)
        drawn.end()
    return f"A{top}:{get_column_letter(len(rows[0]))}{page.row - 1}"


def _right(cell: Cell) -> bool:
    return isinstance(cell, float | int | date) or (isinstance(cell, str) and is_figure(cell))


def array(
    page: Page,
    first: str,
    formula: str,
    values: Sequence[Sequence[Value]],
    formats: Sequence[str],
    *,
    header: bool = False,
) -> str:
    """An array formula over a range as large as its `values`, which every one of its cells carries; the range.

    Excel and LibreOffice both recalculate it, and neither can change a part of it. A column that holds
    numbers is aligned to the right; with `header` the first row is a header.
    """
    left = column_index_from_string(first)
    top = page.row
    letters = [get_column_letter(left + place) for place in range(len(values[0]))]
    reference = f"{first}{top}:{letters[-1]}{top + len(values) - 1}"
    numeric = [any(isinstance(row[place], float) for row in values[header:]) for place in range(len(letters))]
    for line, row in enumerate(values):
        drawn = Row(page)
        heads = header and line == 0
        for letter, value, number_format, figures in zip(letters, row, formats, numeric, strict=True):
            if isinstance(value, CellError):
                raise ValueError(f"{page.sheet.title}!{letter}{page.row}: {value}")
            align = "right" if figures else "left"
            look: Look = "header" if heads else "plain"
            page.formula(
                f"{letter}{page.row}", formula, value, GENERAL if heads else number_format, look, align=align
            )
            page.sheet[f"{letter}{page.row}"].value = None
            if isinstance(value, str):
                drawn.note(letter, value, "label" if heads else "plain")
        drawn.end()
    page.sheet[f"{first}{top}"].value = ArrayFormula(reference, formula)
    return reference


def show_parts_of_shares(sheet: Worksheet) -> None:
    """Lets cells that show whole shares show the digits of what is none, as a reader may put it in."""
    style = DifferentialStyle(numFmt=NumberFormat(numFmtId=_OF_PARTS, formatCode=PRICE))
    for place, column in enumerate(sheet.iter_cols(), start=1):
        letter = get_column_letter(place)
        rows = [row for row, cell in enumerate(column, start=1) if cell.number_format == SHARES]
        for first in (row for row in rows if row - 1 not in rows):
            last = next(row for row in rows if row >= first and row + 1 not in rows)
            at = f"{letter}{first}"
            rule = Rule(type="expression", dxf=style, formula=[f"{at}<>INT({at})"])
            sheet.conditional_formatting.add(f"{at}:{letter}{last}", rule)


def _letters(first: str, last: str) -> list[str]:
    return [
        get_column_letter(place)
        for place in range(column_index_from_string(first), column_index_from_string(last) + 1)
    ]
