"""Looks of cells that depend on what they hold."""

from __future__ import annotations

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat

from xl_conversion.books.page import OPEN_FILL, OPEN_INK, Page
from xl_conversion.books.templates.model import SHARES

SHARES_UNROUNDED = "#,##0.00##"
"""Of shares that may have a fraction; :func:`whole_as_whole` for those that have none."""
_SHARES_ID = 3
"""The number that every workbook has for the format SHARES."""


def whole_as_whole(page: Page, cells: str) -> None:
    """Shows no decimals where there are none, which no number format does without leaving a point."""
    first = cells.partition(":")[0]
    plain = DifferentialStyle(numFmt=NumberFormat(numFmtId=_SHARES_ID, formatCode=SHARES))
    page.sheet.conditional_formatting.add(
        cells, Rule(type="expression", dxf=plain, formula=[f"ROUND({first},4)=ROUND({first},0)"])
    )


def amber(page: Page, cell: str, condition: str) -> None:
    """Colours a cell where a `condition`, as a worksheet formula, holds."""
    style = DifferentialStyle(font=Font(color=OPEN_INK, bold=True), fill=PatternFill(bgColor=OPEN_FILL))
    page.sheet.conditional_formatting.add(cell, Rule(type="expression", dxf=style, formula=[condition]))
