"""Calls a worksheet function as a cell does: cells and ranges in; a value, an error or a range out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from fractions import Fraction
from typing import Any, Final, TypeVar, cast

from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType
from xl_conversion.functions.boundary import (
    MISSING,
    NA,
    NUM,
    Cell,
    CellError,
    Range,
    WorksheetError,
    is_blank,
    number,
    rounding_type,
    to_double,
    whole_number,
)
from xl_conversion.functions.catalogue import Argument, Function, Kind

T = TypeVar("T")
Value = float | str | CellError
MAX_SPILL = 5_000_000


def evaluate(function: Function, cells: Sequence[Cell | Range]) -> Value | list[list[Value]]:
    """The value of `function` for `cells`, one for each argument in order, trailing optional ones left out.

    A range for an argument spills: a column against a row gives a grid, and an error stands in the element
    that it concerns.

    >>> from xl_conversion.functions.catalogue import FUNCTIONS
    >>> evaluate(FUNCTIONS["CP_SPLIT"], [50.0, 2.0, 1.0])
    25.0
    >>> evaluate(FUNCTIONS["CP_SPLIT"], [[[50.0], [None]], 2.0, 1.0])[0]
    [25.0]
    >>> print(evaluate(FUNCTIONS["CP_SPLIT"], [50.0, 0.0, 1.0]))
    #NUM! CP_SPLIT: split_new is 0; it must be above 0
    """
    return _broadcast(function, cells, _value, lambda error: error)


def evaluate_exact(
    function: Function, cells: Sequence[Cell | Range]
) -> Fraction | str | CellError | list[list[Fraction | str | CellError]]:
    """As :func:`evaluate`, but the exact figure before rounding."""
    return _broadcast(function, cells, _exact, lambda error: error)


def _value(function: Function, cells: Sequence[Cell]) -> Value:
    try:
        arguments, result = _compute(function, cells)
        if isinstance(result, str):
            return result
        return to_double(_finished(function, result, arguments))
    except WorksheetError as problem:
        return _named(function, problem)


def _exact(function: Function, cells: Sequence[Cell]) -> Fraction | str | CellError:
    try:
        arguments, result = _compute(function, cells)
        if isinstance(result, Fraction):
            _finished(function, result, arguments)  # an error of the rounding is an error here too
        return result
    except WorksheetError as problem:
        return _named(function, problem)


def _compute(function: Function, cells: Sequence[Cell]) -> tuple[dict[str, Any], Fraction | str]:
    arguments = {
        argument.name: _read(argument, cells[place] if place < len(cells) else MISSING)
        for place, argument in enumerate(function.arguments)
    }
    # By position: the catalogue's argument order is the core's. How to round is no part of the computation.
    numbers = (arguments[argument.name] for argument in function.arguments if argument.kind is Kind.NUMBER)
    try:
        return arguments, function.compute(*numbers)
    except ImpossibleArgument as problem:
        raise WorksheetError(NUM, str(problem)) from None


def _finished(function: Function, result: Fraction, arguments: dict[str, Any]) -> Fraction:
    if function.finish is None:
        return result
    try:
        return function.finish(result, arguments)
    except ImpossibleArgument as problem:
        raise WorksheetError(NUM, str(problem)) from None


def _read(argument: Argument, cell: Cell) -> Fraction | int | RoundingType | None:
    try:
        if argument.default is not None and is_blank(cell):
            return _default(argument, argument.default)
        match argument.kind:
            case Kind.NUMBER:
                return number(cell)
            case Kind.DECIMALS:
                return whole_number(cell, argument.least, MAX_DECIMALS)
            case Kind.ROUNDING_TYPE:
                return rounding_type(cell)
    except WorksheetError as problem:
        raise WorksheetError(problem.error.code, f"{argument.name} {problem.error.message}") from None


def _default(argument: Argument, default: str) -> Fraction | RoundingType | None:
    match argument.kind:
        case Kind.NUMBER:
            return Fraction(default)
        case Kind.DECIMALS:
            return None
        case Kind.ROUNDING_TYPE:
            return RoundingType(default)


def _named(function: Function, problem: WorksheetError) -> CellError:
    return CellError(problem.error.code, f"{function.name}: {problem.error.message}")


def _broadcast(
    function: Function,
    cells: Sequence[Cell | Range],
    one: Callable[[Function, Sequence[Cell]], T],
    fail: Callable[[CellError], T],
) -> T | list[list[T]]:
    if len(cells) > len(function.arguments):
        raise TypeError(f"{function.name} takes {len(function.arguments)} arguments, not {len(cells)}")
    grids = [_grid(cell) for cell in cells]
    rows = max((len(grid) for grid in grids), default=1)
    columns = max((len(grid[0]) for grid in grids), default=1)
    if rows * columns > MAX_SPILL:
        message = f"{function.name}: a result of {rows} x {columns} cells; at most {MAX_SPILL}"
        return fail(CellError(NUM, message))
    if rows == columns == 1:
        return one(function, [grid[0][0] for grid in grids])

    def element(row: int, column: int) -> T:
        picked = [_pick(grid, row, column) for grid in grids]
        inside = [cell for cell in picked if cell is not _OUTSIDE]
        if len(inside) < len(picked):
            return fail(CellError(NA, f"{function.name}: the ranges differ in size"))
        return one(function, inside)

    return [[element(row, column) for column in range(columns)] for row in range(rows)]


class _Outside(Enum):
    OUTSIDE = "outside"


_OUTSIDE: Final = _Outside.OUTSIDE


def _grid(cell: Cell | Range) -> Range:
    if not isinstance(cell, list | tuple):
        return ((cast(Cell, cell),),)
    width = max((len(row) for row in cell), default=0)
    if width == 0:
        return ((None,),)
    if all(len(row) == width for row in cell):
        return cast(Range, cell)
    return [[*row, *[None] * (width - len(row))] for row in cell]


def _pick(grid: Range, row: int, column: int) -> Cell | _Outside:
    # One row or column serves all of them, as in Excel's own arithmetic on ranges.
    row = 0 if len(grid) == 1 else row
    column = 0 if len(grid[0]) == 1 else column
    return grid[row][column] if row < len(grid) and column < len(grid[0]) else _OUTSIDE
