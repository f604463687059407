"""Calls a worksheet function as a cell does: cells and ranges in; a value, an error or a range out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar, cast

from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, shorten
from xl_conversion.core.steps import Step
from xl_conversion.functions.boundary import (
    MAX_MESSAGE,
    MISSING,
    NUM,
    VALUE,
    Cell,
    CellError,
    Doubles,
    Range,
    WorksheetError,
    flag,
    is_blank,
    number,
    rounding_type,
    sizes_differ,
    text,
    to_double,
    told,
    whole_number,
    word,
)
from xl_conversion.functions.definition import HOW_TO_ROUND, Argument, Figure, Function, Kind, Rows
from xl_conversion.functions.sheet_tables import SheetTable

T = TypeVar("T")
Value = float | str | CellError
Exactly = Fraction | str | CellError
Input: TypeAlias = Cell | SheetTable
MAX_SPILL = 5_000_000
MANY = 32
"""Fewer elements are done sooner one by one."""


def evaluate(function: Function, cells: Sequence[Cell | Range]) -> Value | list[list[Value]]:
    """The value of `function` for `cells`, one for each argument in order, trailing optional ones left out.

    A range for a single argument spills: a column against a row gives a grid, and an error stands in the element
    that it concerns. A table is taken whole.

    >>> from xl_conversion.functions.catalogue import FUNCTIONS
    >>> evaluate(FUNCTIONS["CP_SPLIT"], [50.0, 2.0, 1.0])
    25.0
    >>> evaluate(FUNCTIONS["CP_SPLIT"], [[[50.0], [None]], 2.0, 1.0])[0]
    [25.0]
    >>> print(evaluate(FUNCTIONS["CP_SPLIT"], [50.0, 0.0, 1.0]))
    #NUM! CP_SPLIT: split_new is 0; it must be above 0
    """
    return _evaluate(function, cells, _value, _shown)


def evaluate_exact(function: Function, cells: Sequence[Cell | Range]) -> Exactly | list[list[Exactly]]:
    """As :func:`evaluate`, but the exact figures before rounding."""
    return _evaluate(function, cells, _exact, lambda figure: "" if figure is None else figure)


def steps_of(function: Function, cells: Sequence[Cell]) -> tuple[Step, ...]:
    """The steps of a function for the cells that it takes, the last of them its figure.

    Raises WorksheetError where the function gives an error.
    """
    arguments, result = _compute(function, cells)
    if function.explain is None or not isinstance(result, Fraction):
        raise TypeError(f"{function.name} has no steps")
    _finished(function, result, arguments)  # an error of the rounding first
    options = {a.name: arguments[a.name] for a in function.arguments if a.kind in HOW_TO_ROUND}
    return function.explain(*_of_computation(function, arguments), **options)


def _value(function: Function, cells: Sequence[Input]) -> Value:
    try:
        arguments, result = _compute(function, cells)
        return to_double(_finished(function, result, arguments)) if isinstance(result, Fraction) else result
    except WorksheetError as problem:
        return _named(function, problem)


def _exact(function: Function, cells: Sequence[Input]) -> Exactly:
    try:
        arguments, result = _compute(function, cells)
        if isinstance(result, Fraction):
            _finished(function, result, arguments)  # an error of the rounding is an error here too
        return result
    except WorksheetError as problem:
        return _named(function, problem)


def _compute(function: Function, cells: Sequence[Input]) -> tuple[dict[str, Any], Fraction | str]:
    arguments, result = _called(function, cells)
    if not isinstance(result, Fraction | str):
        raise TypeError(f"{function.name} gave a table")
    return arguments, result


def _called(function: Function, cells: Sequence[Input]) -> tuple[dict[str, Any], Fraction | str | Rows]:
    arguments = {
        argument.name: _read(argument, cells[place] if place < len(cells) else MISSING)
        for place, argument in enumerate(function.arguments)
    }
    try:
        return arguments, function.compute(*_of_computation(function, arguments))
    except ImpossibleArgument as problem:
        raise WorksheetError(VALUE if problem.value == "blank" else NUM, str(problem)) from None


def _of_computation(function: Function, arguments: Mapping[str, Any]) -> Iterator[Any]:
    # By position: the catalogue's argument order is the core's. How to round is no part of the computation, but
    # what has nothing to finish it takes all.
    return (arguments[a.name] for a in function.arguments if a.kind not in HOW_TO_ROUND)


def _finished(function: Function, result: Fraction, arguments: dict[str, Any]) -> Fraction:
    if function.finish is None:
        return result
    try:
        return function.finish(result, arguments)
    except ImpossibleArgument as problem:
        raise WorksheetError(NUM, str(problem)) from None


def _read(argument: Argument, cell: Input) -> Any:
    try:
        if isinstance(cell, SheetTable) or argument.kind is Kind.CELL:
            return cell
        if argument.default is not None and is_blank(cell):
            return _default(argument, argument.default)
        return _READ[argument.kind](argument, cell)
    except WorksheetError as problem:
        raise WorksheetError(problem.error.code, f"{argument.name} {problem.error.message}") from None


_READ: Mapping[Kind, Callable[[Argument, Cell], Any]] = {
    Kind.NUMBER: lambda _, cell: number(cell),
    Kind.DECIMALS: lambda argument, cell: whole_number(cell, argument.least, MAX_DECIMALS),
    Kind.ROUNDING_TYPE: lambda _, cell: rounding_type(cell),
    Kind.CHOICE: lambda argument, cell: word(cell, argument.choices),
    Kind.FLAG: lambda _, cell: flag(cell),
    Kind.TEXT: lambda _, cell: text(cell),
}


def _default(argument: Argument, default: str) -> Fraction | RoundingType | str | bool | None:
    match argument.kind:
        case Kind.NUMBER:
            return Fraction(default) if default else None
        case Kind.ROUNDING_TYPE:
            return RoundingType(default)
        case Kind.CHOICE | Kind.TEXT:
            return default
        case Kind.FLAG:
            return default == "TRUE"
    return None


def _named(function: Function, problem: WorksheetError) -> CellError:
    return CellError(problem.error.code, f"{function.name}: {problem.error.message}")


def _shown(figure: Figure) -> Value:
    match figure:
        case None:
            return ""
        case Fraction():
            return to_double(figure)
    return shorten(figure, MAX_MESSAGE)


def _evaluate(
    function: Function,
    cells: Sequence[Cell | Range],
    one: Callable[[Function, Sequence[Input]], T],
    shown: Callable[[Figure], T],
) -> T | list[list[T]] | CellError:
    if len(cells) > len(function.arguments):
        raise TypeError(f"{function.name} takes {len(function.arguments)} arguments, not {len(cells)}")
    try:
        left_out = [MISSING] * (len(function.arguments) - len(cells))
        whole = [_whole(*pair) for pair in zip(function.arguments, [*cells, *left_out], strict=True)]
        if function.spills:
            return _spilled(function, whole, shown)
    except WorksheetError as problem:
        return _named(function, problem)
    return _broadcast(function, whole, one)


def _whole(argument: Argument, cell: Cell | Range) -> Input | Range:
    """A table as such, or None for an optional one that is not given; anything else as it is."""
    if argument.kind is not Kind.TABLE:
        return cell
    grid = _grid(cell)
    last = next((place for place in range(len(grid), 0, -1) if not all(map(is_blank, grid[place - 1]))), 0)
    if last == 0 and argument.optional:
        return None
    only = grid[0][0]
    if isinstance(only, CellError) and len(grid) == len(grid[0]) == 1:
        raise WorksheetError(only.code, f"{argument.name} is {only.code}; an error is handed on")
    grid = grid[: max(last, 1)]  # a reference to whole columns is blank for the most part
    if len(grid) < 2:
        raise WorksheetError(
            VALUE, f"{argument.name} is {'a row' if len(grid[0]) > 1 else told(only)}; {argument.rule}"
        )
    if len(grid) * len(grid[0]) > MAX_SPILL:
        raise WorksheetError(NUM, f"{argument.name} has {len(grid)} x {len(grid[0])} cells; at most {MAX_SPILL}")
    return SheetTable(argument.name, grid)


def _spilled(function: Function, cells: Sequence[Input | Range], shown: Callable[[Figure], T]) -> list[list[T]]:
    single: list[Input] = []
    for argument, cell in zip(function.arguments, cells, strict=False):
        if isinstance(cell, SheetTable):
            single.append(cell)
            continue
        grid = _grid(cell)
        if argument.kind is Kind.CELL and (len(grid) > 1 or len(grid[0]) > 1):
            single.append(SheetTable(argument.name, grid))  # whether it may be one is for the function to say
            continue
        if len(grid) > 1 or len(grid[0]) > 1:
            size = f"{len(grid)} x {len(grid[0])}"
            raise WorksheetError(VALUE, f"{argument.name} is a range of {size} cells; it must be a single value")
        single.append(grid[0][0])
    _, rows = _called(function, single)
    return [[shown(figure) for figure in row] for row in cast("Rows", rows)]


def _broadcast(
    function: Function, cells: Sequence[Input | Range], one: Callable[[Function, Sequence[Input]], T]
) -> T | list[list[T]] | CellError:
    grids: list[Sequence[Sequence[Input]]] = [_grid(cell) for cell in cells]
    rows = max((len(grid) for grid in grids), default=1)
    columns = max((len(grid[0]) for grid in grids), default=1)
    if rows * columns > MAX_SPILL:
        return CellError(NUM, f"{function.name}: a result of {rows} x {columns} cells; at most {MAX_SPILL}")
    if rows == columns == 1:
        return one(function, [grid[0][0] for grid in grids])
    if one is _value and rows * columns >= MANY and (arrays := _arrays()) is not None:
        table = arrays(function, grids, lambda picked: _value(function, picked))
        if table is not None:
            return cast("list[list[T]]", table)

    def element(row: int, column: int) -> T | CellError:
        picked = [_pick(grid, row, column) for grid in grids]
        inside = [cell for cell in picked if cell is not _OUTSIDE]
        if len(inside) < len(picked):
            return sizes_differ(function.name)
        return one(function, inside)

    return cast("list[list[T]]", [[element(row, column) for column in range(columns)] for row in range(rows)])


@cache
def _arrays() -> Callable[..., list[list[Value]] | None] | None:
    """What computes many elements at once; None where there is no numpy for it."""
    try:
        from xl_conversion.functions.arrays import evaluate_arrays
    except ImportError:
        return None
    return evaluate_arrays


class _Outside(Enum):
    OUTSIDE = "outside"


_OUTSIDE: Final = _Outside.OUTSIDE


def _grid(cell: Any) -> Any:
    if isinstance(cell, Doubles):
        return cell
    if not isinstance(cell, list | tuple):
        return ((cell,),)
    width = max((len(row) for row in cell), default=0)
    if width == 0:
        return ((None,),)
    if all(len(row) == width for row in cell):
        return cell
    return [[*row, *[None] * (width - len(row))] for row in cell]


def _pick(grid: Sequence[Sequence[Input]], row: int, column: int) -> Any:
    # One row or column serves all of them, as in Excel's own arithmetic on ranges.
    row = 0 if len(grid) == 1 else row
    column = 0 if len(grid[0]) == 1 else column
    return grid[row][column] if row < len(grid) and column < len(grid[0]) else _OUTSIDE
