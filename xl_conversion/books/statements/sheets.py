"""Designs of statements: sheets in the house style whose cells hold placeholders, and whose formulas say by which
placeholder their value is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TypeAlias

from openpyxl.styles import Alignment, Border, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart

from xl_conversion import __version__
from xl_conversion.books.native import rounded
from xl_conversion.books.page import FONT, INK, Book, Look, Page
from xl_conversion.books.saving import CellKey, put_text, workbook_bytes
from xl_conversion.books.streaming import Row
from xl_conversion.books.streaming.values import Value
from xl_conversion.books.widths import lines
from xl_conversion.books.wording import rounding_words
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.terms import Series, SharesPer

COUNT = "[<1000000000000]#,##0;0.0000E+00"
"""Shares, some of which may have more digits than a column shows."""
EXACT_COUNT = "[<1000000000]#,##0.000000;[<1000000000000]#,##0.00;0.0000E+00"
"""Shares that are not whole."""
PRICE = "[>=100000]0.0000E+00;[<0.00001]0.0000E+00;0.00########"
"""All the digits that a price usually has, and no zeros behind them."""
FRACTION = "0.000000"
DIFFERENCE = "0.0E+00"
LINK_INK = "0563C1"
STATUS = "status"
"""The placeholder of the value of the corner."""
AGREE = "Formulas agree: OK"
OK, CHECK = "OK", "CHECK"
PER_CERTIFICATE = ", per certificate"
"""After the words for a rounding, where each certificate is made whole: no formula knows these."""
LINE, LEAST = 12.75, 15.0
"""Points of a line and of the lowest row."""
LONGEST_LINK = 255
"""Characters of the address in HYPERLINK()."""
_MADE_ON = date(1980, 1, 1)
_PLACEHOLDER_DATE = "{{as_of_words}}"

NO_DAY = "beginning"

Design: TypeAlias = tuple[bytes, dict[CellKey, str]]
Values: TypeAlias = dict[str, Value]
Tables: TypeAlias = dict[str, list[Row]]


@dataclass
class Draft:
    """A design in the making. `about` stands under each title and in the footer: text with placeholders."""

    about: str
    document: str
    short: str = "{{about_short}}"
    """What the footer says."""
    book: Book = field(init=False)
    cached: dict[CellKey, str] = field(default_factory=dict)
    """The placeholder that gives the value of each formula."""

    def __post_init__(self) -> None:
        self.book = Book(self.about, _MADE_ON)
        self.book.workbook.properties.title = self.document

    def page(self, title: str, purpose: str, widths: Sequence[float], *, landscape: bool = True) -> Page:
        """A new sheet, dated and numbered by placeholders."""
        page = self.book.page(title, purpose, widths, landscape=landscape)
        put_text(page.sheet["A3"], f"As of {_PLACEHOLDER_DATE}. xl_conversion {__version__}.")
        page.sheet.oddFooter = HeaderFooterItem(
            left=_HeaderFooterPart(self.short),
            center=_HeaderFooterPart(f"{title}, as of {_PLACEHOLDER_DATE}"),
            right=_HeaderFooterPart("Page &P of &N"),
        )
        return page

    def value(
        self,
        page: Page,
        coordinate: str,
        name: str,
        number_format: str = "",
        look: Look = "plain",
        align: str = "",
    ) -> None:
        """A cell that takes the value `name`: a number in `number_format`, else a text."""
        align = align or ("right" if number_format else "left")
        page.text(coordinate, f"{{{{{name}}}}}", look, align=align)
        if number_format:
            cell = page.sheet[coordinate]
            cell.number_format = number_format
            cell.alignment = _figure(align)

    def formula(
        self,
        page: Page,
        coordinate: str,
        formula: str,
        name: str,
        number_format: str = "General",
        look: Look = "plain",
        align: str = "",
    ) -> None:
        """A formula whose value is the value `name`; a text where it is aligned to the left or centred."""
        stand_in: str | int = "" if align in ("left", "center") else 0
        page.formula(coordinate, formula, stand_in, number_format, look, align=align)
        if stand_in == 0:
            page.sheet[coordinate].alignment = _figure(align or "right")
        self.cached[page.sheet.title, coordinate] = name

    def link(self, page: Page, coordinate: str, file: str, name: str) -> None:
        """Opens the file whose path is in the cell `file`, if it is: # and % mean something else in an address."""
        address = f'SUBSTITUTE(SUBSTITUTE({file},"%","%25"),"#","%23")'
        self.formula(page, coordinate, f'=IF({file}="","",HYPERLINK({address},"open"))', name, align="center")
        page.sheet[coordinate].font = Font(FONT, 10, color=LINK_INK, underline="single")

    def linked(self, page: Page, coordinate: str, cell: str, number: str, name: str, number_format: str) -> None:
        """What stands in the column of `cell`, which a table repeats on another sheet, in its row `number`."""
        sheet, _, at = cell.partition("!")
        column, row = at.rstrip("0123456789"), at.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        place = f"{sheet}!${column}${row}:${column}${row}"
        align = "" if number_format else "left"
        self.formula(page, coordinate, f"=INDEX({place},{number})", name, number_format or "General", align=align)

    def banner(self, page: Page, row: int, text: str) -> None:
        """A name across the sheet, on two lines if it is long."""
        cell = page.sheet[f"A{row}"]
        put_text(cell, text)
        cell.font = Font(FONT, 12, bold=True, color=INK)
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        page.sheet.merge_cells(f"A{row}:{page.last_column}{row}")
        page.sheet.row_dimensions[row].height = 34

    def paragraph(self, page: Page, row: int, text: str, name: str = "", longest: int = 0) -> None:
        """Text across the sheet; a formula whose value is the value `name`, of `longest` characters, if there is
        one."""
        coordinate = f"A{row}"
        if name:
            self.formula(page, coordinate, text, name, align="left")
        else:
            page.text(coordinate, text)
        cell = page.sheet[coordinate]
        cell.border = Border()
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        page.sheet.merge_cells(f"A{row}:{page.last_column}{row}")
        page.sheet.row_dimensions[row].height = LINE * lines("x" * longest or text, sum(page.widths)) + 4

    def units(self, page: Page, names: Sequence[str], numeric: str, centred: str = "") -> None:
        """The row of units under a header."""
        for place, name in enumerate(names, start=1):
            column = get_column_letter(place)
            align = "right" if column in numeric else "center" if column in centred else "left"
            page.text(f"{column}{page.row}", name, "muted", align=align)
        page.height(list(zip(names, page.widths, strict=True)))
        page.row += 1

    def labelled(self, page: Page, label: str, name: str, number_format: str, look: Look, known: str) -> None:
        """A label across four columns and a value in the fifth, named ``in_`` and `known`."""
        row = page.row
        page.text(f"A{row}", label, "label")
        page.sheet.merge_cells(f"A{row}:D{row}")
        self.value(page, f"E{row}", name, number_format, look)
        self.book.name(f"in_{known}", page.address(f"E{row}"))
        page.row += 1

    def check_header(self, page: Page) -> None:
        """Of the table that :meth:`check` adds to: its columns are those from the fifth on."""
        names = ["Check", "", "", "", "Exact figure", "This workbook", "Difference", "Tolerance", "Result"]
        page.header(names, numeric="EFGH", centred="I")

    def check(
        self,
        page: Page,
        label: str,
        name: str,
        formula: str,
        number_format: str,
        tolerance: str = "zero",
        relative: str = "",
        scale: str = "",
    ) -> None:
        """One check: the exact figure `name` against what `formula` gives. A tolerance is given, or a part of the
        figure or of the cell `scale`."""
        row = page.row
        page.text(f"A{row}", label)
        page.sheet.merge_cells(f"A{row}:D{row}")
        self.value(page, f"E{row}", name, number_format)
        self.formula(page, f"F{row}", formula, name, number_format)
        self.difference(page, row, "GFE", "zero", "H", tolerance, relative, scale)
        result = f'=IF(ISERROR(G{row}),"CHECK",IF(ABS(G{row})<=H{row},"OK","CHECK"))'
        self.formula(page, f"I{row}", result, "ok", align="center")
        page.height([(label, sum(page.widths[:4]))])
        page.row += 1

    def difference(
        self,
        page: Page,
        row: int,
        columns: str,
        name: str,
        tolerance_column: str,
        tolerance: str,
        relative: str = "",
        scale: str = "",
    ) -> None:
        """The difference of two columns in a third, and the tolerance: given, or a part of the exact figure."""
        result, here, exact = tuple(columns)
        number_format = DIFFERENCE if relative else "0"
        self.formula(page, f"{result}{row}", f"={here}{row}-{exact}{row}", name, number_format)
        if relative:
            formula = f"=ABS({scale or f'{exact}{row}'})*{relative}"
            self.formula(page, f"{tolerance_column}{row}", formula, tolerance, DIFFERENCE)
        else:
            self.value(page, f"{tolerance_column}{row}", tolerance, "0")

    def master(self, page: Page, formula: str, first: int) -> str:
        """The row under the checks that says whether all of them are good; its address."""
        row = page.row
        page.mark(f"I{first}:I{row}", OK, CHECK)
        page.text(f"A{row}", "All checks: the formulas agree", "result")
        page.sheet.merge_cells(f"A{row}:D{row}")
        for column in "EFGH":
            page.text(f"{column}{row}", "", "result")
        self.formula(page, f"I{row}", formula, "ok", look="result", align="center")
        page.row += 1
        master = page.address(f"I{row}")
        self.book.name("chk_all", master)
        return master

    def finish(self, master: str) -> Design:
        """The file, with the master check at `master` in the corner of every sheet, and the placeholders of its
        formulas."""
        if master:
            self.book.show_status(master, AGREE)
            for page in self.book.pages:
                self.cached[page.sheet.title, f"{page.last_column}1"] = STATUS
        return workbook_bytes(self.book.workbook, self.book.cached, as_of=_MADE_ON), self.cached


def _figure(align: str) -> Alignment:
    """One with more digits than usual is written smaller: it must not become ###."""
    return Alignment(horizontal=align, vertical="top", shrink_to_fit=True)


def print_area(page: Page, last_row: int) -> None:
    """Prints the sheet down to that row, which a table continues."""
    page.sheet.print_area = f"A1:{page.last_column}{last_row}"


def whole_shares(value: str, rounding: str, decimals: str, otherwise: str) -> str:
    """The formula of whole shares by the words for the rounding in a cell, and `otherwise` for other words.

    >>> whole_shares("I9", "J9", "$B$5", "K9")[:61]
    '=IF(J9="down",ROUNDDOWN(ROUND(I9,$B$5+6),$B$5),IF(J9="up",ROU'
    """
    formula = otherwise
    for kind in reversed((RoundingType.FLOOR, RoundingType.CEILING, RoundingType.HALF_UP, RoundingType.HALF_EVEN)):
        formula = f'IF({rounding}="{rounding_words(kind)}",{rounded(kind, value, decimals)},{formula})'
    return f"={formula}"


def rounding_of(series: Series) -> str:
    """How its common is made whole, in the words that the formula knows if it is for all that a holder has."""
    each = PER_CERTIFICATE if series.shares_per is SharesPer.CERTIFICATE else ""
    return f"{rounding_words(series.share_rounding_type)}{each}"


def link_text(path: str) -> str:
    """The path as a cell has it from which a link is made; "" where the link would be too long for Excel."""
    return path if len(path) + 2 * (path.count("%") + path.count("#")) <= LONGEST_LINK else ""


def day_words(day: date | None) -> str:
    """The day of the last event, for the line under a title."""
    return f"the {NO_DAY}" if day is None else day.isoformat()


def high(values: Sequence[Value], texts: Sequence[tuple[str, float]]) -> Row:
    """A row as high as its wrapped `texts` need in columns of the given widths."""
    most = max((lines(text, width) for text, width in texts), default=1)
    return Row(values, min(409.0, max(LEAST, LINE * most + 0.75)))


def heights_of(width: float) -> Callable[[str], float]:
    """The height of a row for a text in a column, remembered for the texts that come again."""

    @lru_cache(maxsize=65_536)
    def height(text: str) -> float:
        return high((), ((text, width),)).height or LEAST

    return height


def short(text: str, limit: int) -> str:
    """A text on one line, cut to `limit` characters.

    >>> short("Ada  Ventures", 20), short("Ada Ventures", 6)
    ('Ada Ventures', 'Ada...')
    """
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
