"""The one place where what a cell holds becomes an exact number, and an exact number what a cell can hold."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import chain
from typing import Any, Final, TypeAlias

from xl_conversion.core.rounding import RoundingType, exact, shorten

NULL, DIV0, VALUE, REF, NAME, NUM, NA = ERROR_CODES = (
    "#NULL!",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
    "#N/A",
)
"""Excel's classic error codes; newer ones (#SPILL!, #CALC!, ...) are handed on like these."""

MAX_MESSAGE = 255
"""A longer text inside an array makes Excel show #VALUE! in its place."""


@dataclass(frozen=True, slots=True)
class CellError:
    """An error in a cell: Excel's `code`, and for a reader which argument broke which rule."""

    code: str
    message: str = ""

    def __str__(self) -> str:
        return shorten(f"{self.code} {self.message}".strip(), MAX_MESSAGE)


class _Missing(Enum):
    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing.MISSING
"""An optional argument that was left out."""

Cell: TypeAlias = float | int | str | bool | date | Decimal | CellError | _Missing | None
"""What a cell or a constant in a formula may hold; None is a blank cell."""

Range: TypeAlias = Sequence[Sequence[Cell]]
"""Rows of cells."""


class Doubles(Sequence[Sequence[Cell]]):
    """A range of several cells that hold a double each, and all of them in one list, row by row.

    A host that looks at every cell once hands it on so, that nobody need look again.
    """

    __slots__ = ("flat", "rows")

    def __init__(self, rows: Sequence[Sequence[float]], flat: list[float]) -> None:
        self.rows, self.flat = rows, flat

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        return self.rows[place]


class Numbers(list[Any]):
    """Rows of results that are numbers and nothing else, so that nobody need look for an error."""


def doubles(rows: Sequence[Sequence[Any]]) -> Doubles | None:
    """A rectangular range as doubles, or None where a cell holds anything else.

    >>> doubles(((1.0,), (2.0,))).flat
    [1.0, 2.0]
    >>> doubles(((1.0,), (True,))) is None
    True
    """
    flat = flattened(rows)
    return Doubles(rows, flat) if set(map(type, flat)) == {float} else None


def flattened(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The cells of a rectangular range, row by row; a column, which is what comes most, in the fastest way."""
    return [cell for (cell,) in rows] if len(rows[0]) == 1 else list(chain.from_iterable(rows))


def sizes_differ(name: str) -> CellError:
    """What stands in the elements of a result that one of the ranges does not have."""
    return CellError(NA, f"{name}: the ranges differ in size")


class WorksheetError(Exception):
    """Ends a worksheet function with the error that its cell shows."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.error = CellError(code, message)

    def __str__(self) -> str:
        return str(self.error)


def number(cell: Cell) -> Fraction:
    """The number that a cell shows: a double is read as the 15 significant digits that Excel displays.

    >>> number(0.1 + 0.2)
    Fraction(3, 10)

    Raises WorksheetError: #VALUE! for a blank, text, a date or a boolean; #NUM! for a number that no cell can
    hold; the error itself for a cell with an error.
    """
    match cell:
        case CellError():
            raise WorksheetError(cell.code, f"is {cell.code}; an error is handed on")
        case None | _Missing.MISSING | "":
            raise WorksheetError(VALUE, "is blank; a number is required")
        case bool():
            raise WorksheetError(VALUE, f"is {str(cell).upper()}; a number is required, not a boolean")
        case Decimal():
            return _from_decimal(cell)
        case float() | int():
            return _from_double(cell)
        case str():
            raise WorksheetError(VALUE, f"is the text {shorten(cell)!r}; a number is required")
        case date():
            raise WorksheetError(VALUE, f"is the date {cell:%Y-%m-%d}; a number is required")
    raise WorksheetError(VALUE, f"is of type {type(cell).__name__}; a number is required")


def whole_number(cell: Cell, least: int, most: int) -> int:
    """The whole number from `least` to `most` that a cell shows; errors as :func:`number`'s."""
    value = number(cell)
    if value.denominator != 1 or not least <= value <= most:
        raise WorksheetError(NUM, f"is {show(cell)}; it must be a whole number from {least} to {most}")
    return int(value)


def rounding_type(cell: Cell) -> RoundingType:
    """The rounding type that a cell names, in any letter case, else a WorksheetError (#VALUE!)."""
    if isinstance(cell, CellError):
        raise WorksheetError(cell.code, f"is {cell.code}; an error is handed on")
    names = ", ".join(RoundingType)
    try:
        return RoundingType.parse(cell if isinstance(cell, str) else "")
    except ValueError:
        raise WorksheetError(VALUE, f"is {told(cell)}; it must be one of {names}") from None


def word(cell: Cell, words: Sequence[str]) -> str:
    """The one of `words` that a cell names, in any letter case, else a WorksheetError (#VALUE!)."""
    names = ", ".join(words)
    named = text(cell, f"it must be one of {names}").strip().lower().replace(" ", "_")
    if named not in words:
        raise WorksheetError(VALUE, f"is {told(cell)}; it must be one of {names}")
    return named


def text(cell: Cell, rule: str = "a text is required") -> str:
    """The text in a cell, else a WorksheetError (#VALUE!)."""
    if isinstance(cell, CellError):
        raise WorksheetError(cell.code, f"is {cell.code}; an error is handed on")
    if not isinstance(cell, str) or not cell.strip():
        raise WorksheetError(VALUE, f"is {told(cell)}; {rule}")
    return cell


def flag(cell: Cell) -> bool:
    """TRUE or FALSE, which some hosts hand over as 1 or 0, else a WorksheetError (#VALUE!)."""
    if isinstance(cell, CellError):
        raise WorksheetError(cell.code, f"is {cell.code}; an error is handed on")
    if isinstance(cell, bool | int | float) and cell in (0, 1):
        return bool(cell)
    if isinstance(cell, str) and cell.strip().upper() in ("TRUE", "FALSE"):
        return cell.strip().upper() == "TRUE"
    raise WorksheetError(VALUE, f"is {told(cell)}; it must be TRUE or FALSE")


def is_blank(cell: Cell) -> bool:
    """Whether an optional argument was left out or points at a blank cell: then its default applies."""
    return cell is None or cell is MISSING or cell == ""


def to_double(value: Fraction) -> float:
    """The double nearest to `value`.

    >>> to_double(Fraction(1, 3))
    0.3333333333333333

    Raises WorksheetError (#NUM!) where a cell would show infinity, or 0 for a figure that is not 0.
    """
    try:
        result = float(value)
    except OverflowError:
        raise WorksheetError(NUM, "the result is too large for a cell") from None
    if value and abs(result) < sys.float_info.min:
        raise WorksheetError(NUM, "the result is too close to 0 for a cell")
    return result


def show(cell: Cell) -> str:
    """A cell's content as a person would type it.

    >>> show(2.0), show(0.1 + 0.2), show(None), show(True)
    ('2', '0.3', 'blank', 'TRUE')
    """
    match cell:
        case None | _Missing.MISSING:
            return "blank"
        case bool():
            return str(cell).upper()
        case float():
            return f"{cell:.15g}"
    return shorten(str(cell))


def told(cell: Cell) -> str:
    """A cell in a message: a text in quotation marks, so that it is seen to be one."""
    return repr(shorten(cell)) if isinstance(cell, str) and cell else show(cell) if cell != "" else "blank"


def _from_decimal(cell: Decimal) -> Fraction:
    # Exact, as a currency cell is; but a double must be able to hold it, as the cell does.
    if cell.is_nan() or _from_double(float(cell)) == 0 != cell:
        raise WorksheetError(NUM, f"is {_not_finite(math.nan)}; a number that a cell can hold is required")
    try:
        return exact(cell)
    except ValueError as problem:
        raise WorksheetError(NUM, f"is {problem}") from None


def _from_double(cell: float) -> Fraction:
    try:
        double = float(cell)
    except OverflowError:
        double = math.inf
    if not math.isfinite(double):
        raise WorksheetError(NUM, f"is {_not_finite(double)}; a number that a cell can hold is required")
    return Fraction(f"{double:.15g}")


def _not_finite(double: float) -> str:
    return "not a number" if math.isnan(double) else "beyond what a cell can hold"
