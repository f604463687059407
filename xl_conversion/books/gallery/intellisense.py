"""The sheet that Excel-DNA's IntelliSense reads, so that Excel shows help while a formula is typed.

It reads the sheet of this name in every open workbook, by its used range: so the sheet has no title and nothing
is formatted beside the rows. It is the last one, and visible, as everything in a workbook of ours is.
"""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from xl_conversion.books.page import FONT, INK
from xl_conversion.books.saving import put_text
from xl_conversion.books.widths import lines
from xl_conversion.functions.pages import intellisense_rows

SHEET = "_IntelliSense_"
FIRST = (28, 44, 8)
"""Widths of function, description and help topic; then pairs of an argument and its description."""
PAIR = (22, 40)
PRINTED = "B"
"""The last column that is printed: the arguments stand on the sheets of the functions."""
_SMALLER = 10 / 9


def append_intellisense(workbook: Workbook) -> Worksheet:
    """Adds the sheet behind all others of `workbook`, which has none yet."""
    sheet: Worksheet = workbook.create_sheet(SHEET)
    rows = intellisense_rows()
    most = max(map(len, rows))
    widths = [*FIRST, *(PAIR * ((most - len(FIRST)) // len(PAIR)))]
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    for number, texts in enumerate(rows, start=1):
        for column, text in enumerate(texts, start=1):
            if text:
                cell = sheet.cell(number, column)
                named = number == 1 or column == 1
                cell.font = Font(FONT, 9, bold=named, color=INK if named else None)
                cell.alignment = Alignment(vertical="top", wrap_text=True)
                put_text(sheet[cell.coordinate], text)
        needed = max(lines(text, _SMALLER * width) for text, width in zip(texts, widths, strict=False))
        sheet.row_dimensions[number].height = 12 * needed + 3
    _print_set_up(sheet)
    return sheet


def _print_set_up(sheet: Worksheet) -> None:
    """One page of the functions and their descriptions."""
    sheet.freeze_panes = "B2"
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = sheet.page_setup.fitToHeight = 1
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left = sheet.page_margins.right = 0.5
    sheet.print_title_rows = "1:1"
    sheet.print_area = f"A1:{PRINTED}{sheet.max_row}"
    footer = _HeaderFooterPart(sheet.title), _HeaderFooterPart("Page &P of &N")
    sheet.oddFooter = HeaderFooterItem(left=footer[0], right=footer[1])
