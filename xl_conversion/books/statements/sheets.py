"""Designs of statements: sheets in the house style whose cells hold placeholders, and whose formulas say by which
placeholder their value is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart

from xl_conversion import __version__
from xl_conversion.books.native import rounded
from xl_conversion.books.page import FONT, INK, OPEN_FILL, OPEN_INK, Book, Look, Page, places
from xl_conversion.books.saving import CellKey, put_text, workbook_bytes
from xl_conversion.books.statements.series_design import LOOKS, MOST_PLACES, STYLES, variant
from xl_conversion.books.streaming import Formula, Row, Styled
from xl_conversion.books.streaming.values import Value
from xl_conversion.books.widths import lines
from xl_conversion.books.wording import rounding_words
from xl_conversion.core.rounding import RoundingType
from xl_conversion.core.terms import Rounding, Series, SharesPer

COUNT = "[<1000000000000]#,##0;0.0000E+00"
"""Shares, some of which may have more digits than a column shows."""
EXACT_COUNT = "[<1000000000]#,##0.000000;[<1000000000000]#,##0.00;0.0000E+00"
"""Shares that are not whole."""
PRICE = "[>=100000]0.0000E+00;[<0.00001]0.0000E+00;0.00########"
"""All the digits that a price usually has, and no zeros behind them: of one that is not rounded."""
PER_SHARE = "money per share"
"""The unit of a price. No input names a currency, so no figure has the sign of one."""
FRACTION = "0.000000"
DIFFERENCE = "0.0E+00"
LINK_INK = "0563C1"
STATUS = "status"
"""The placeholder of the value of the corner."""
AGREE = "Formulas agree: OK"
OK, CHECK, INCOMPLETE = "OK", "CHECK", "INCOMPLETE"
PER_CERTIFICATE = ", per certificate"
"""After the words for a rounding, where each certificate is made whole: no formula knows these."""
SMALLER = 10 / 9
"""A column of small letters is as wide as one that is wider by this."""
WIDEST_PRICE = 10**9
"""From here on a figure is shown by its first digits."""
LINE, LEAST = 12.75, 15.0
"""Points of a line and of the lowest row."""
LONGEST_LINK = 255
"""Characters of the address in HYPERLINK()."""
_MADE_ON = date(1980, 1, 1)
_PLACEHOLDER_DATE = "{{as_of_words}}"

NO_DAY = "beginning"
AS_IT_IS = Rounding()
"""Of a price that no charter rounds."""

Design: TypeAlias = tuple[bytes, dict[CellKey, str]]
Values: TypeAlias = dict[str, Value]
Tables: TypeAlias = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what stands above it, and how its cells look."""

    name: str
    """Of the placeholder in its cells."""
    heading: str
    width: float
    unit: str = ""
    number_format: str = ""
    """Of figures and days; texts have none."""
    look: Look = "plain"
    align: str = ""
    """To the right for figures and to the left for texts, unless it says otherwise."""
    total: str = ""
    """The placeholder of the value of its sum; "" for none."""

    @property
    def side(self) -> str:
        """Where its cells and its heading are aligned to."""
        return self.align or ("right" if self.number_format else "left")


@dataclass(frozen=True)
class Table:
    """A table that is the last of its sheet: its columns, and the row that is repeated."""

    sheet: str
    name: str
    """Of the table in the placeholders."""
    first: int
    columns: Sequence[Column]
    letters: Mapping[str, str] = field(init=False)
    """Of the columns, by name."""
    room: Mapping[str, float] = field(init=False)
    """Characters of 10 points that each column has room for, by name."""

    def __post_init__(self) -> None:
        letters = {one.name: get_column_letter(place) for place, one in enumerate(self.columns, start=1)}
        room = {one.name: one.width * (SMALLER if one.look == "muted" else 1) for one in self.columns}
        object.__setattr__(self, "letters", letters)
        object.__setattr__(self, "room", room)

    @property
    def widths(self) -> list[float]:
        """Of the columns."""
        return [one.width for one in self.columns]

    def at(self, name: str, row: int) -> str:
        """A cell as formulas of other sheets name it, such as the total in the row above the first."""
        return f"{quote_sheetname(self.sheet)}!${self.letters[name]}${row}"

    def all(self, name: str) -> str:
        """A column, from the first row to the last, as formulas of other sheets name it."""
        letter = self.letters[name]
        return f"{quote_sheetname(self.sheet)}!{letter}{self.first}:{letter}{self.first}"

    def linked(self, name: str) -> str:
        """What stands in that column, in the row whose number is in the column `no` of another table."""
        place = f"${self.letters[name]}${self.first}"
        return f"INDEX({quote_sheetname(self.sheet)}!{place}:{place},{{no}})"

    def high(self, values: Sequence[Value], **texts: str) -> Row:
        """A row as high as the wrapped `texts` need, which are given by the names of their columns."""
        return high(values, [(text, self.room[name]) for name, text in texts.items()])


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

    def table(
        self,
        page: Page,
        table: Table,
        formulas: Mapping[str, str] = MappingProxyType({}),
        links: Mapping[str, str] = MappingProxyType({}),
        *,
        total: str = "",
    ) -> None:
        """The rows of the header, of the units if there are any, and of totals, which is called `total`, above the
        row that is repeated. `formulas` has those of columns that are computed, in which columns are named in
        braces; `links` the cell with the path of the file that a column opens.
        """
        columns, first, letters = table.columns, table.first, table.letters
        own = {name: f"{letter}{first}" for name, letter in letters.items()}
        numeric, centred = (
            "".join(letters[one.name] for one in columns if one.side == side) for side in ("right", "center")
        )
        units = [one.unit for one in columns]
        page.row = first - 1 - any(units) - bool(total)
        page.header([one.heading for one in columns], numeric=numeric, centred=centred)
        if any(units):
            self.units(page, units, numeric, centred)
        label = next(one for one in columns if not one.number_format)
        for one in columns:
            letter, cell, name = letters[one.name], own[one.name], f"{table.name}.{one.name}"
            if total:
                self._total(page, f"{letter}{first - 1}", f"{cell}:{cell}", one, total if one is label else "")
            if one.name in links:
                self.link(page, cell, links[one.name].format_map(own), name)
            elif one.name in formulas:
                formula, align = f"={formulas[one.name].format_map(own)}", "" if one.number_format else one.side
                self.formula(page, cell, formula, name, one.number_format or "General", one.look, align)
            else:
                self.value(page, cell, name, one.number_format, one.look, one.side)

    def _total(self, page: Page, coordinate: str, cells: str, column: Column, label: str) -> None:
        if column.total:
            self.formula(page, coordinate, f"=SUM({cells})", column.total, column.number_format, "result")
        else:
            page.text(coordinate, label, "result")

    def line(self, page: Page, row: int, text: str, font: Font, height: float = LEAST, name: str = "") -> None:
        """A line of a letter, made smaller where it is too long; a formula whose value is the value `name`, if
        there is one."""
        coordinate = f"A{row}"
        if name:
            self.formula(page, coordinate, text, name, align="left")
        else:
            put_text(page.sheet[coordinate], text)
        cell = page.sheet[coordinate]
        cell.font, cell.border = font, Border()
        cell.alignment = Alignment(vertical="center", shrink_to_fit=True)
        page.sheet.merge_cells(f"A{row}:{page.last_column}{row}")
        page.sheet.row_dimensions[row].height = height

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

    def master(self, page: Page, first: int, incomplete: str = "") -> str:
        """The row under the checks that says whether all of them are good, and nothing is left out, which is what
        the condition `incomplete` says; its address."""
        row = page.row
        results = f"I{first}:I{row - 1}"
        good = f'IF({incomplete},"{INCOMPLETE}","{OK}")' if incomplete else f'"{OK}"'
        formula = f'=IF(COUNTIF({results},"{OK}")=ROWS({results}),{good},"{CHECK}")'
        page.mark(f"I{first}:I{row}", OK, CHECK, INCOMPLETE)
        label = "All checks: the formulas agree" + (", and nothing is left out" if incomplete else "")
        page.text(f"A{row}", label, "result")
        page.sheet.merge_cells(f"A{row}:D{row}")
        for column in "EFGH":
            page.text(f"{column}{row}", "", "result")
        self.formula(page, f"I{row}", formula, "master", look="result", align="center")
        page.row += 1
        master = page.address(f"I{row}")
        self.book.name("chk_all", master)
        return master

    def finish(self, master: str, incomplete: str = "") -> Design:
        """The file, with the master check at `master` in the corner of every sheet, the words `incomplete` where
        that is what it says, and the placeholders of its formulas."""
        if master:
            self.book.show_status(master, AGREE)
            for page in self.book.pages:
                corner = f"{page.last_column}1"
                self.cached[page.sheet.title, corner] = STATUS
                if incomplete:
                    agree = page.sheet[corner].value.removeprefix("=")
                    page.sheet[corner].value = f'=IF({master}="{INCOMPLETE}","{incomplete}",{agree})'
        self._styles()
        return workbook_bytes(self.book.workbook, self.book.cached, as_of=_MADE_ON), self.cached

    def _styles(self) -> None:
        """The styles of prices and ratios, by look and decimals."""
        sheet = self.book.workbook.create_sheet(STYLES)
        page = Page(self.book, sheet, "", (20,), landscape=True)
        for coordinate in ("A1", "A2", "A3"):
            sheet[coordinate].value = None
        for look in LOOKS:
            for decimals in range(MOST_PLACES + 1):
                coordinate = f"A{page.row}"
                page.text(coordinate, variant(look, decimals), look)
                sheet[coordinate].number_format = places(decimals)
                sheet[coordinate].alignment = _figure("right")
                page.row += 1


def priced(value: Fraction, rounding: Rounding, look: Look = "plain", cell: str = "") -> Value:
    """A price or a ratio for a cell, with the decimals that it is rounded to; with its own ones where it has more
    or is not rounded. It is linked to `cell`, if there is one.

    >>> priced(Fraction(2), Rounding(2)), priced(Fraction(1, 8), Rounding(2)), priced(Fraction(2), Rounding())
    (Styled(value=2.0, variant='plain 2'), 0.125, 2.0)
    """
    number = value.numerator / value.denominator
    content = Formula(cell, number) if cell else number
    if rounding.decimals is None or abs(value.numerator) >= WIDEST_PRICE * value.denominator:
        return content
    decimals = min(MOST_PLACES, max(0, rounding.decimals))
    return Styled(content, variant(look, decimals)) if 10**decimals % value.denominator == 0 else content


def warn(page: Page, cells: str, condition: str, ink: str = OPEN_INK, fill: str = OPEN_FILL) -> None:
    """Colours the cells of which the condition, put for the first of them, is true."""
    style = DifferentialStyle(font=Font(color=ink, bold=True), fill=PatternFill(bgColor=fill))
    page.sheet.conditional_formatting.add(cells, Rule(type="expression", dxf=style, formula=[condition]))


def _figure(align: str) -> Alignment:
    """One with more digits than usual is written smaller: it must not become ###."""
    return Alignment(horizontal=align, vertical="top", shrink_to_fit=True)


def print_area(page: Page, last_row: int) -> None:
    """Prints the sheet down to that row, which a table continues."""
    page.sheet.print_area = f"A1:{page.last_column}{last_row}"


def whole_shares(value: str, rounding: str, decimals: str, otherwise: str) -> str:
    """The formula of whole shares by the words for the rounding in a cell, and `otherwise` for other words.

    >>> whole_shares("I9", "J9", "$B$5", "K9")[:61]
    'IF(J9="down",ROUNDDOWN(ROUND(I9,$B$5+6),$B$5),IF(J9="up",ROUN'
    """
    formula = otherwise
    for kind in reversed((RoundingType.FLOOR, RoundingType.CEILING, RoundingType.HALF_UP, RoundingType.HALF_EVEN)):
        formula = f'IF({rounding}="{rounding_words(kind)}",{rounded(kind, value, decimals)},{formula})'
    return formula


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
