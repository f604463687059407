"""What the sheets of a template share: symbols and where they stand, cells and their values, checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal

from openpyxl.utils import cols_from_range
from openpyxl.worksheet.datavalidation import DataValidation

from xl_conversion.books.page import Book, Look, Page
from xl_conversion.books.templates.filling import Content, Filling
from xl_conversion.books.templates.formulas import Operand, Place, Value, computed, written

OK, CHECK, NO_ADDIN, OPEN = "OK", "CHECK", "NO ADD-IN", "OPEN"
READY = "READY"
"""The symbol of the cell that says whether every input that a result needs is there."""
NOT_AVAILABLE = "n/a"

WHOLE = "0"
PRICE = "0.00########"
UNROUNDED = "0.0000000000"
SHARES = "#,##0"
SHARES_UNROUNDED = "#,##0.0000"
AMOUNT = "#,##0.00######"
SMALL = "0E+00;-0E+00;0"
DIFFERENCE = "0.0E+00;-0.0E+00;0"
APART = "#,##0.00##;-#,##0.00##;0"

PER_SHARE = "money per share"
COMMON = "shares of common"
PREFERRED = "shares of preferred"
MONEY = "money"
RATIO = "common per preferred"


@dataclass(frozen=True, slots=True)
class Check:
    """One check, by the symbols of its cells; `expected` and `actual` are what a difference is taken of."""

    label: str
    sheet: str
    expected: str
    actual: str
    difference: str
    tolerance: str
    result: str
    number_format: str


@dataclass(frozen=True, slots=True)
class Group:
    """The checks of the rows of a table, by the symbol of their results."""

    label: str
    sheet: str
    results: str


@dataclass
class Model:
    """A template in the making."""

    book: Book
    filling: Filling = field(default_factory=Filling)
    places: dict[str, Place] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    _values: dict[tuple[str, str], Value] = field(default_factory=dict)

    def number(
        self,
        page: Page,
        coordinate: str,
        symbol: str,
        value: Fraction,
        number_format: str,
        *,
        look: Look = "input",
        name: str = "",
    ) -> None:
        """A given number; `name` makes it part of the interface."""
        page.number(coordinate, value, number_format, look)
        self._set(page, coordinate, float(value), symbol, name)

    def text(
        self, page: Page, coordinate: str, symbol: str, text: str, *, align: str = "right", name: str = ""
    ) -> None:
        """A given text that formulas read."""
        page.text(coordinate, text, "input", align=align)
        self._set(page, coordinate, text or None, symbol, name)

    def listed(self, page: Page, coordinate: str, symbol: str, text: str) -> None:
        """A text that formulas read and nobody overwrites."""
        page.text(coordinate, text)
        self._set(page, coordinate, text, symbol, "")

    def count(self, page: Page, coordinate: str, symbol: str, value: int) -> None:
        """A given whole number."""
        self.number(page, coordinate, symbol, Fraction(value), WHOLE)

    def day(self, page: Page, coordinate: str, symbol: str, value: date, *, name: str = "") -> None:
        """A given date."""
        page.day(coordinate, value)
        self._set(page, coordinate, value, symbol, name)

    def blank(self, page: Page, coordinate: str, symbol: str, number_format: str) -> None:
        """An input that is left empty."""
        page.text(coordinate, "", "input", align="right")
        page.sheet[coordinate].number_format = number_format
        self._set(page, coordinate, None, symbol, "")

    def content(
        self, page: Page, coordinate: str, symbol: str, content: Content, number_format: str, *, align: str = ""
    ) -> None:
        """An input cell with a number, a text, a date or nothing in it."""
        match content:
            case None:
                self.blank(page, coordinate, symbol, number_format)
            case Fraction() | float() | int():
                self.number(page, coordinate, symbol, Fraction(content), number_format)
            case date():
                self.day(page, coordinate, symbol, content)
            case str():
                self.text(page, coordinate, symbol, content, align=align or "left")

    def slot(
        self, page: Page, coordinate: str, name: str, symbol: str, number_format: str, *, align: str = "right"
    ) -> None:
        """The input cell `name` (``in_...``), with what the filling has for it."""
        self.content(page, coordinate, symbol, self.filling.given(name).value, number_format, align=align)
        self.name(name, symbol)

    def formula(
        self,
        page: Page,
        coordinate: str,
        expression: str,
        number_format: str = "General",
        *,
        symbol: str = "",
        look: Look = "plain",
        align: str = "",
        name: str = "",
    ) -> None:
        """A formula in symbols, such as ``MIN(CP1, CP1*N/D)``; its value follows from theirs."""
        title = page.sheet.title
        value = computed(expression, self.value)
        if value is None or isinstance(value, date):
            raise TypeError(f"{title}!{coordinate}: {value!r} is no value of a formula here")
        page.formula(coordinate, written(expression, self.places, title), value, number_format, look, align=align)
        self._set(page, coordinate, value, symbol, name)

    def heading(self, page: Page, subtitle: str, status: str) -> None:
        """The two lines under a sheet's title, as formulas in symbols."""
        title, values = page.sheet.title, [computed(expression, self.value) for expression in (subtitle, status)]
        texts = [(written(e, self.places, title), str(v)) for e, v in zip((subtitle, status), values, strict=True)]
        page.heading_formulas(*texts)

    def range(self, page: Page, symbol: str, first: str, last: str) -> None:
        """Gives a row or column of cells a symbol."""
        self._place(symbol, Place(page.sheet.title, first, last))

    def value(self, symbol: str) -> Operand:
        """What a cell holds, or the cells of a range hold."""
        place = self.places[symbol]
        if not place.last:
            return self._values.get((place.sheet, place.first))
        cells = [cell for column in cols_from_range(f"{place.first}:{place.last}") for cell in column]
        return tuple(self._values.get((place.sheet, cell)) for cell in cells)

    def texts(self, symbol: str) -> str:
        """The texts of a range, for a message."""
        value = self.value(symbol)
        return ", ".join(map(str, value if isinstance(value, tuple) else (value,)))

    def check(
        self,
        page: Page,
        columns: str,
        label: str,
        expected: str,
        actual: str,
        tolerance: str,
        number_format: str,
        *,
        symbol: str,
        native: bool = False,
        when: str = READY,
        otherwise: str = OPEN,
        listed: bool = True,
    ) -> None:
        """Difference, tolerance and result of one check, in three `columns` of the next row.

        Where a worksheet function is missing because there is no add-in, the result says so; any other error, one
        of a `native` check or of what is expected, and anything that is no number is CHECK. Unless the condition
        `when` holds there is nothing to check and the result is `otherwise`. One of a row of a table need not be
        `listed` on Checks: the table is, as a group.
        """
        row = page.row
        left, middle, right = tuple(columns)
        apart, allowed, result = f"{symbol}_APART", f"{symbol}_ALLOWED", f"{symbol}_RESULT"
        self.formula(
            page,
            f"{left}{row}",
            f'IF({when}, IF(ISERROR({actual}), "{NOT_AVAILABLE}", {actual}-{expected}), "")',
            DIFFERENCE,
            symbol=apart,
            align="right",
        )
        self.formula(
            page,
            f"{middle}{row}",
            f'IF({when}, {tolerance}, "")',
            SMALL,
            symbol=allowed,
            look="muted",
            align="right",
        )
        absent = f'"{CHECK}"'
        if not native:
            absent = f'IF(ISERROR({expected}), "{CHECK}", IF(ISERROR(VERSION), "{NO_ADDIN}", "{CHECK}"))'
        self.formula(
            page,
            f"{right}{row}",
            f'IF({when}, IF(ISNUMBER({apart}), IF(ABS({apart})<={allowed}, "{OK}", "{CHECK}"), {absent}), '
            f'"{otherwise}")',
            symbol=result,
            align="center",
            name=f"chk_{symbol.lower()}" if listed else "",
        )
        page.mark(f"{right}{row}", OK, CHECK, NO_ADDIN, OPEN)
        if listed:
            check = Check(label, page.sheet.title, expected, actual, apart, allowed, result, number_format)
            self.checks.append(check)

    def group(self, page: Page, label: str, symbol: str, first: str, last: str) -> None:
        """The results of the checks of a table, from `first` to `last`, of which Checks says how many hold."""
        self.range(page, symbol, first, last)
        self.groups.append(Group(label, page.sheet.title, symbol))

    def name(self, name: str, symbol: str) -> None:
        """Makes a cell part of the interface."""
        self.book.name(name, self.places[symbol].address())

    def validate(self, page: Page, coordinate: str, rule: DataValidation) -> None:
        """Lets a cell hold only what `rule` says."""
        page.sheet.add_data_validation(rule)
        rule.add(coordinate)

    def _set(self, page: Page, coordinate: str, value: Value, symbol: str, name: str) -> None:
        self._values[page.sheet.title, coordinate] = value
        place = Place(page.sheet.title, coordinate)
        if symbol:
            self._place(symbol, place)
        if name:
            self.book.name(name, place.address())

    def _place(self, symbol: str, place: Place) -> None:
        if symbol in self.places:
            raise ValueError(f"the symbol {symbol} is used twice")
        self.places[symbol] = place


def above_zero(label: str) -> DataValidation:
    """Refuses what is not a number above 0."""
    return _rule(label, "it must be above 0", "decimal", "greaterThan", "0")


def zero_or_above(label: str) -> DataValidation:
    """Refuses what is not a number from 0."""
    return _rule(label, "it must be 0 or above", "decimal", "greaterThanOrEqual", "0")


def whole(label: str, least: int, most: int) -> DataValidation:
    """Refuses what is not a whole number between two."""
    return _rule(
        label, f"it must be a whole number from {least} to {most}", "whole", "between", str(least), str(most)
    )


def one_of(label: str, cells: Place, names: str) -> DataValidation:
    """Refuses what is not in a list of cells."""
    rule = _rule(label, f"it must be one of {names}", "list", None, cells.address())
    rule.showDropDown = False  # which shows it: the attribute says the opposite of its name
    return rule


def _rule(
    label: str,
    rule: str,
    kind: Literal["decimal", "whole", "list"],
    operation: Literal["greaterThan", "greaterThanOrEqual", "between"] | None,
    first: str,
    second: str | None = None,
) -> DataValidation:
    return DataValidation(
        type=kind,
        operator=operation,
        formula1=first,
        formula2=second,
        allow_blank=True,
        showErrorMessage=True,
        errorTitle=label[:32],
        error=f"{label}: {rule}."[:255],
    )
