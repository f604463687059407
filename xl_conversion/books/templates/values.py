"""What cells hold, as a formula takes it: numbers, texts, conditions, dates, and how two of them compare."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import TypeAlias

from xl_conversion.books.templates.syntax import NotUsedHere
from xl_conversion.functions.boundary import DIV0, NA, NUM, VALUE, CellError

Value: TypeAlias = float | str | bool | date | None
Held: TypeAlias = Value | CellError

LAST_BITS = 2.0**-48
"""Excel and Calc take figures that are this close, relative to their size, as equal, and their difference as 0."""

MOST_TEXT = 32_767
"""Characters; no cell holds more."""

_FIRST_OF_MARCH_1900, _LAST_DAY = 61, 2_958_465
_PLAIN = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_OF_DATES = re.compile(r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|am|pm|e")
_ORDERED = re.compile(r"[A-Za-z0-9 ]*")


class FormulaError(ValueError):
    """The error that a cell with such a formula would show."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code} {message}".strip())
        self.error = CellError(code, message)


@dataclass(frozen=True, slots=True)
class Area:
    """What a reference stands for, row by row: a cell or a range."""

    rows: tuple[tuple[Held, ...], ...]
    line: bool = False
    """One row or one column, whichever a function asks for: nobody has said which. It is kept as a column."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.rows[0])

    def cells(self) -> Iterator[Held]:
        """Row by row."""
        return (cell for row in self.rows for cell in row)


Term: TypeAlias = Value | Area
"""What a part of a formula comes to; errors are raised."""


def difference(left: float, right: float) -> float:
    """`left` less `right` as a spreadsheet has it: 0 where they differ in the last bits only.

    >>> difference(0.1 + 0.2, 0.3), 0.1 + 0.2 - 0.3
    (0.0, 5.551115123125783e-17)
    """
    return 0.0 if math.isclose(left, right, rel_tol=LAST_BITS, abs_tol=0) else left - right


def known(cell: Held) -> Value:
    """The cell; raises the error that is in it."""
    if isinstance(cell, CellError):
        raise FormulaError(cell.code, cell.message)
    return cell


def number(value: Value) -> float:
    """The number that arithmetic takes: 0 for a blank, 1 for TRUE, the serial number of a date.

    >>> number(date(2002, 2, 5)), number(" 12.5 ")
    (37292.0, 12.5)

    A text with a plain number is that number, any other is #VALUE!; where that depends on the language of the
    host, NotUsedHere is raised.
    """
    if isinstance(value, str):
        if _PLAIN.fullmatch(value):
            return finite(float(value))
        if _depends_on_language(value):
            raise NotUsedHere(f"the text {value!r} where a number is wanted")
        raise FormulaError(VALUE, f"not a number: {value!r}")
    return serial(value) if isinstance(value, date) else float(value or 0)


def _depends_on_language(text: str) -> bool:
    """Whether a host may take it for a date, a time, a percentage or an amount of money."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return any(map(str.isdigit, text)) and all(map(_OF_DATES.fullmatch, words))


def finite(value: float) -> float:
    """`value`; raises #NUM! where no cell can hold it."""
    if not math.isfinite(value):
        raise FormulaError(NUM, "the result is too large for a cell")
    return value


def decimal(value: float) -> Fraction:
    """The number that a cell shows: 15 significant digits."""
    return Fraction(f"{value:.15g}")


def floor(value: float) -> int:
    """The whole number at or below what a cell shows.

    >>> floor((0.1 + 0.7) * 10)
    8
    """
    return math.floor(decimal(value))


def whole(value: Value) -> int:
    """The whole number that a function takes, cut towards 0."""
    return int(number(value))


def condition(value: Value) -> bool:
    """TRUE or FALSE, by name or as a number that is not 0.

    >>> condition(2.0), condition("false"), condition(None)
    (True, False, False)
    """
    if isinstance(value, str):
        if value.upper() not in ("TRUE", "FALSE"):
            raise FormulaError(VALUE, f"neither TRUE nor FALSE: {value!r}")
        return value.upper() == "TRUE"
    return number(value) != 0


def text(value: Value) -> str:
    """What ``&`` takes.

    >>> text(0.1 + 0.2), text(1e20), text(True), text(None)
    ('0.3', '1E+20', 'TRUE', '')
    """
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).upper()
    shown = f"{number(value) + 0.0:.15g}".upper()
    mantissa, _, exponent = shown.partition("E-")
    if exponent and int(exponent) < 10 and len(mantissa.replace(".", "").strip("-")) + int(exponent) <= 20:
        shown = f"{number(value):.{len(mantissa.replace('.', '').strip('-')) + int(exponent) - 1}f}"
    return shown


def short(value: str) -> str:
    """A text that a cell can hold."""
    if len(value) > MOST_TEXT:
        raise FormulaError(VALUE, f"a text of {len(value)} characters; at most {MOST_TEXT}")
    return value


def compared(left: Value, right: Value) -> float:
    """Below, at or above 0, as `left` is to `right`: numbers come before texts, texts before FALSE and TRUE.

    A blank is 0, "" or FALSE, as the other one asks. Letter case does not count.

    >>> compared(None, ""), compared(None, 0.0), compared("A", "a"), compared(9.0, "1") < 0
    (0, 0.0, 0, True)
    """
    if left is None:
        left = _blank_as(right)
    if right is None:
        right = _blank_as(left)
    ranks = _rank(left) - _rank(right)
    if ranks:
        return ranks
    if isinstance(left, str) and isinstance(right, str):
        a, b = left.casefold(), right.casefold()
        return (a > b) - (a < b)
    return difference(number(left), number(right))


def ordered(left: Value, right: Value) -> float:
    """As :func:`compared`, for ``<`` and its like; texts whose order depends on the language are refused."""
    result = compared(left, right)
    if isinstance(left, str) and isinstance(right, str) and result and not _ORDERED.fullmatch(left + right):
        raise NotUsedHere(f"the order of the texts {left!r} and {right!r}")
    return result


def _blank_as(other: Value) -> Value:
    return "" if isinstance(other, str) else False if isinstance(other, bool) else 0.0


def _rank(value: Value) -> int:
    return 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


def same(cell: Held, wanted: Value) -> bool:
    """Whether a cell of a range is what MATCH looks for: of the same kind, and equal."""
    if isinstance(cell, CellError) or cell is None:
        return False
    return _rank(cell) == _rank(wanted) and compared(cell, wanted) == 0


def criterion(wanted: Value) -> Value:
    """What COUNTIF and its like look for; raises NotUsedHere for anything but a value."""
    if wanted is None:
        return 0.0
    if not isinstance(wanted, str) or not wanted:
        return wanted
    if (
        wanted[0] in "<>="
        or re.search(r"[*?~]", wanted)
        or wanted.upper() in ("TRUE", "FALSE")
        or wanted[0] == "#"
    ):
        raise NotUsedHere(f"the criterion {wanted!r}: a value is known here, no comparison and no pattern")
    if _PLAIN.fullmatch(wanted):
        return float(wanted)
    if _depends_on_language(wanted):
        raise NotUsedHere(f"the criterion {wanted!r}, which a host may take for a number or a date")
    return wanted


def meets(cell: Held, wanted: Value) -> bool:
    """Whether a cell is what a :func:`criterion` looks for: "" finds blanks too, 5 finds the text "5" too."""
    if wanted == "":
        return cell is None or cell == ""
    if isinstance(wanted, float) and isinstance(cell, str) and _PLAIN.fullmatch(cell):
        return compared(float(cell), wanted) == 0
    return same(cell, wanted)


def serial(day: date) -> float:
    """The number that a cell holds for a date.

    >>> serial(date(1900, 1, 1)), serial(date(1900, 3, 1))
    (1.0, 61.0)
    """
    days = day.toordinal() - date(1899, 12, 30).toordinal()
    days -= days < _FIRST_OF_MARCH_1900  # Excel counts a 29 February 1900 that never was
    if days < 1:
        raise FormulaError(NUM, f"the date {day:%Y-%m-%d} is before those that a cell can hold")
    return float(days)


def day_of(value: Value) -> tuple[int, int, int]:
    """Year, month and day of a date or of its serial number.

    >>> day_of(date(2002, 2, 5)), day_of(37292.0), day_of(60.0)
    ((2002, 2, 5), (2002, 2, 5), (1900, 2, 29))
    """
    if isinstance(value, date):
        return value.year, value.month, value.day
    days = math.floor(number(value))
    if not 0 <= days <= _LAST_DAY:
        raise FormulaError(NUM, f"{days} is no day")
    if days in (0, _FIRST_OF_MARCH_1900 - 1):
        return (1900, 1, 0) if days == 0 else (1900, 2, 29)
    day = date(1899, 12, 30) + timedelta(days + (days < _FIRST_OF_MARCH_1900))
    return day.year, day.month, day.day


def dated(year: Value, month: Value, day: Value) -> float:
    """The serial number of a day; months and days beyond the calendar run on, as in Excel.

    >>> dated(2001.0, 14.0, 5.0) == number(date(2002, 2, 5))
    True
    """
    years, months, days = whole(year), whole(month), whole(day)
    years += 1900 * (0 <= years < 1900)
    years, months = years + (months - 1) // 12, (months - 1) % 12 + 1
    if not 1900 <= years <= 9999:
        raise FormulaError(NUM, f"the year {years}")
    result = serial(date(years, months, 1)) + days - 1
    if not 0 <= result <= _LAST_DAY:
        raise FormulaError(NUM, f"{result:.0f} is no day")
    return result


def divided(left: float, right: float) -> float:
    """A quotient; raises #DIV/0!."""
    if right == 0:
        raise FormulaError(DIV0, "division by zero")
    return left / right


def raised(left: float, right: float) -> float:
    """A power, as Excel has it: 0^0 is #NUM!."""
    if left == 0 and right <= 0:
        raise FormulaError(NUM if right == 0 else DIV0, f"0^{right:g}")
    try:
        result = math.pow(left, right)
    except (OverflowError, ValueError):
        raise FormulaError(NUM, f"{left:g}^{right:g}") from None
    return result


def not_available() -> Value:
    """Raises #N/A."""
    raise FormulaError(NA)
