"""The house style: sheets with a title, a status line, tables, and print set-up, drawn with openpyxl.

Inputs are blue on a light fill, formulas black, texts of the user always text. Every formula is written with
the value that it will have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import count
from typing import Literal

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from xl_conversion import __version__
from xl_conversion.books.saving import CachedValue, CachedValues, put_text
from xl_conversion.books.widths import lines

FONT = "Calibri"
INK, PALE, LINE = "1F3A5F", "EAF0F7", "C9D3DF"
INPUT_INK, INPUT_FILL = "0000FF", "FFF9E5"
GOOD_INK, GOOD_FILL = "1E6B34", "DFF2E3"
BAD_INK, BAD_FILL = "9C1C1C", "FBE3E1"
OPEN_INK, OPEN_FILL = "8A5A00", "FDF0D5"

SHARES = "#,##0"
MONEY = "#,##0.00"
UNROUNDED = "0.0000000000"
DAY = "yyyy-mm-dd"
TEXT = "@"
LONGEST_FOOTER = 48
"""Characters in a part of the footer, so that it does not reach the next part."""
HIGHEST_ROW = 409
"""Points; Excel allows no more."""
PRINTED_WIDTH = {"landscape": 1026, "portrait": 697}
"""Pixels between the margins of a sheet of A4; a column takes seven for a character and five."""


def places(decimals: int) -> str:
    """The number format with that many decimals: never Currency, which Excel hands on with four digits.

    >>> places(2), places(0)
    ('0.00', '0')
    """
    return "0." + "0" * decimals if decimals else "0"


Look = Literal["plain", "input", "label", "header", "result", "muted", "symbol"]
_THIN = Side(style="thin", color=LINE)
_LOOKS: dict[Look, tuple[Font, PatternFill | None, Border | None]] = {
    "plain": (Font(FONT, 10), None, Border(bottom=_THIN)),
    "label": (Font(FONT, 10, bold=True), None, Border(bottom=_THIN)),
    "symbol": (Font(FONT, 10, bold=True, color=INK), None, Border(bottom=_THIN)),
    "muted": (Font(FONT, 9, color="5B6673"), None, Border(bottom=_THIN)),
    "input": (Font(FONT, 10, color=INPUT_INK), PatternFill("solid", INPUT_FILL), Border(bottom=_THIN)),
    "header": (Font(FONT, 10, bold=True, color="FFFFFF"), PatternFill("solid", INK), None),
    "result": (Font(FONT, 10, bold=True), PatternFill("solid", PALE), Border(top=_THIN, bottom=_THIN)),
}
_SUBTITLE, _STATUS = Font(FONT, 10, color="5B6673"), Font(FONT, 9, color="5B6673")


@dataclass
class Book:
    """A workbook in the making: its sheets, and the value of every formula."""

    title: str
    as_of: date
    digest: str = ""
    overwritten: bool = False
    """Whether a reader overwrites the inputs: then nothing that follows from them is printed as a constant."""
    workbook: Workbook = field(default_factory=Workbook)
    cached: CachedValues = field(default_factory=CachedValues)
    pages: list[Page] = field(default_factory=list)
    _started: bool = False

    def page(self, title: str, purpose: str, widths: Sequence[float], *, landscape: bool = True) -> Page:
        """A new sheet with `purpose` under its title and columns of `widths` characters."""
        if self._started:
            sheet = self.workbook.create_sheet(title)
        else:
            sheet = self.workbook.worksheets[0]
            sheet.title, self._started = title, True
        page = Page(self, sheet, purpose, widths, landscape=landscape)
        self.pages.append(page)
        return page

    def name(self, name: str, address: str) -> None:
        """Names a cell of the interface: ``in_``, ``out_`` or ``chk_``."""
        self.workbook.defined_names[name] = DefinedName(name, attr_text=address)

    def show_status(self, master: str, value: str, exceptions: str = "", count: int = 0) -> None:
        """Puts the master check, whose address and value are given, in the corner of every sheet, and under it how
        many stated figures do not tie, where there is a tie-out."""
        for page in self.pages:
            page.master_check(master, value)
            if exceptions:
                page.tie_out_line(exceptions, count)


class Page:
    """One sheet. Rows are written from top to bottom; `row` is the next free one."""

    def __init__(
        self, book: Book, sheet: Worksheet, purpose: str, widths: Sequence[float], *, landscape: bool
    ) -> None:
        self.book, self.sheet, self.purpose, self.widths = book, sheet, purpose, tuple(widths)
        self.last_column = get_column_letter(len(widths))
        for place, width in enumerate(widths, start=1):
            sheet.column_dimensions[get_column_letter(place)].width = width
        sheet.sheet_view.showGridLines = False
        self._heading("A1", sheet.title, Font(FONT, 16, bold=True, color=INK), 24)
        self._heading("A2", f"{book.title}. {purpose}", _SUBTITLE, 15)
        digest = f" Input SHA-256 {book.digest[:12]}." if book.digest else ""
        self._heading("A3", f"As of {book.as_of.isoformat()}. xl_conversion {__version__}.{digest}", _STATUS, 15)
        sheet.page_setup.orientation = "landscape" if landscape else "portrait"
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        sheet.print_options.horizontalCentered = True
        sheet.page_margins.left = sheet.page_margins.right = 0.5
        sheet.page_margins.top, sheet.page_margins.bottom = 0.6, 0.7
        left = sheet.title if book.overwritten else book.title
        center = "" if book.overwritten else f"{sheet.title}, as of {book.as_of.isoformat()}"
        sheet.oddFooter = HeaderFooterItem(
            left=_HeaderFooterPart(_footer(left)),
            center=_HeaderFooterPart(_footer(center)) if center else None,
            right=_HeaderFooterPart("Page &P of &N"),
        )
        self.row = 4
        self.inputs: set[str] = set()
        """Cells that a reader overwrites."""

    def address(self, coordinate: str) -> str:
        """A cell of this sheet, as a formula on any sheet names it.

        >>> Book("Series A", date(2002, 2, 5)).page("Tie-out", "", [10]).address("B5")
        "'Tie-out'!$B$5"
        """
        column = coordinate.rstrip("0123456789")
        return f"{quote_sheetname(self.sheet.title)}!${column}${coordinate[len(column) :]}"

    def section(self, title: str, gap: int = 1) -> None:
        """A heading over what follows, `gap` rows below what came before."""
        if self.row > 4:
            self.row += gap
        self._heading(f"A{self.row}", title, Font(FONT, 12, bold=True, color=INK), 20)
        self.row += 1

    def header(self, names: Sequence[str], *, numeric: str = "", centred: str = "", freeze: bool = False) -> None:
        """A table's header row, over the columns of `numeric` and `centred` (letters) aligned as what they hold;
        with `freeze` it stays in sight and is repeated on each printed page."""
        for column, name in zip(map(get_column_letter, count(1)), names, strict=False):
            align = "right" if column in numeric else "center" if column in centred else "left"
            self.text(f"{column}{self.row}", name, "header", align=align)
        self.height([(name, width) for name, width in zip(names, self.widths, strict=False)], 20)
        if freeze:
            self.sheet.freeze_panes = f"A{self.row + 1}"
            self.sheet.print_title_rows = f"{self.row}:{self.row}"
        self.row += 1

    def text(self, coordinate: str, text: str, look: Look = "plain", *, align: str = "left") -> None:
        """A text, whatever it begins with."""
        cell = self._styled(coordinate, look, align)
        cell.number_format = TEXT if look == "input" else "General"
        if text:
            put_text(cell, text)

    def number(self, coordinate: str, value: Fraction, number_format: str, look: Look = "input") -> None:
        """A number; what a double cannot hold is stated in full elsewhere."""
        cell = self._styled(coordinate, look, "right", wrap=False)
        cell.value = int(value) if value.denominator == 1 and abs(value) < 10**15 else float(value)
        cell.number_format = number_format

    def day(self, coordinate: str, value: date, look: Look = "input") -> None:
        """A date."""
        cell = self._styled(coordinate, look, "right", wrap=False)
        cell.value = value
        cell.number_format = DAY

    def formula(
        self,
        coordinate: str,
        formula: str,
        value: Fraction | CachedValue,
        number_format: str = "General",
        look: Look = "plain",
        *,
        align: str = "",
    ) -> None:
        """A formula and the value that it has."""
        known = float(value) if isinstance(value, Fraction) else value
        is_text = isinstance(known, str)
        cell = self._styled(coordinate, look, align or ("left" if is_text else "right"), wrap=is_text)
        cell.value = formula
        cell.number_format = number_format
        self.book.cached[self.sheet.title, coordinate] = known

    def height(self, texts: Sequence[tuple[str, float]], least: float = 15) -> None:
        """Makes the next row as high as its wrapped `texts` need in columns of the given widths."""
        most = max((lines(text, width) for text, width in texts), default=1)
        self.sheet.row_dimensions[self.row].height = min(HIGHEST_ROW, max(least, 12.75 * most + 0.75))

    def mark(self, cells: str, good: str, bad: str, *undecided: str) -> None:
        """Colours cells that say `good` green, `bad` red and what is `undecided` amber."""
        rules = self.sheet.conditional_formatting
        first = cells.partition(":")[0]
        rules.add(cells, _rule(f'{first}="{good}"', GOOD_INK, GOOD_FILL))
        rules.add(cells, _rule(f'{first}="{bad}"', BAD_INK, BAD_FILL))
        for text in undecided:
            rules.add(cells, _rule(f'{first}="{text}"', OPEN_INK, OPEN_FILL))

    def heading_formulas(self, subtitle: tuple[str, str], status: tuple[str, str]) -> None:
        """Formulas, each with its value, in place of the two lines under the title."""
        for coordinate, (formula, value) in (("A2", subtitle), ("A3", status)):
            self.sheet[coordinate].value = formula
            self.sheet[coordinate].data_type = "f"
            self.book.cached[self.sheet.title, coordinate] = value

    def master_check(self, address: str, value: str) -> None:
        """The corner: whether the formulas agree, which says nothing of the figures that are stated."""
        text = "Formulas agree: "
        self._corner(1, f'="{text}"&{address}', f"{text}{value}", f'{address}="OK"', f'{address}="CHECK"')

    def tie_out_line(self, address: str, count: int) -> None:
        """Under the corner: how many stated figures do not tie."""
        words = " exception" if count == 1 else " exceptions"
        # The rows of a cell are the number one, which is no constant in a formula.
        formula = f'="Tie-out: "&{address}&IF({address}=ROWS({address})," exception"," exceptions")'
        self._corner(2, formula, f"Tie-out: {count}{words}", f"{address}=0", f"{address}<>0")

    def break_before(self) -> None:
        """A printed page ends above the next row. Excel knows such breaks only where it does not fit the sheet to
        pages itself, so the scale is set."""
        self.sheet.row_breaks.append(Break(id=self.row - 1))
        wide = sum(7 * width + 5 for width in self.widths)
        self.sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=False)
        self.sheet.page_setup.fitToWidth = self.sheet.page_setup.fitToHeight = None
        self.sheet.page_setup.scale = min(
            100, int(94 * PRINTED_WIDTH[str(self.sheet.page_setup.orientation)] / wide)
        )

    def _corner(self, row: int, formula: str, value: str, good: str, bad: str) -> None:
        corner = f"{self.last_column}{row}"
        self.formula(corner, formula, value, look="label", align="right")
        cell = self.sheet[corner]
        cell.border = Border()
        cell.alignment = Alignment(horizontal="right", vertical="center", wrap_text=False)
        rules = self.sheet.conditional_formatting
        for formula, ink in ((good, GOOD_INK), (bad, BAD_INK), (f"NOT(OR({good},{bad}))", OPEN_INK)):
            rules.add(corner, _rule(formula, ink))

    def _heading(self, coordinate: str, text: str, font: Font, height: float) -> None:
        cell = self.sheet[coordinate]
        cell.font = font
        cell.alignment = Alignment(vertical="center")
        put_text(cell, text)
        self.sheet.row_dimensions[cell.row].height = height

    def _styled(self, coordinate: str, look: Look, align: str, *, wrap: bool = True) -> Cell:
        cell: Cell = self.sheet[coordinate]
        if look == "input":
            self.inputs.add(coordinate)
        font, fill, border = _LOOKS[look]
        cell.font = font
        if fill is not None:
            cell.fill = fill
        if border is not None:
            cell.border = border
        # So that a figure and the text beside it do not touch. Figures have none: LibreOffice forgets some.
        indent = int(align == "left" and cell.column > 1)
        cell.alignment = _alignment(align, "center" if look == "header" else "top", indent, wrap)
        return cell


@cache
def _alignment(horizontal: str, vertical: str, indent: int, wrap: bool) -> Alignment:
    return Alignment(horizontal=horizontal, vertical=vertical, wrap_text=wrap, indent=indent)


def _rule(formula: str, ink: str, fill: str = "") -> Rule:
    style = DifferentialStyle(font=Font(color=ink, bold=True), fill=PatternFill(bgColor=fill) if fill else None)
    return Rule(type="expression", dxf=style, formula=[formula])


def _footer(text: str) -> str:
    return " ".join(text.split())[:LONGEST_FOOTER].replace("&", "&&")
