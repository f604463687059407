"""The module that Excel's VBA names to xlwings: the catalogue's functions, cells in and cells out.

Outside Windows xlwings registers nothing and the functions here are plain ones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from inspect import Parameter, Signature
from typing import Any, Final, cast

import xlwings as xw
from xlwings.conversion import Accessor, Pipeline

from xl_conversion.core.rounding import shorten
from xl_conversion.functions.boundary import (
    MISSING,
    NUM,
    VALUE,
    Cell,
    CellError,
    Doubles,
    Numbers,
    Range,
    WorksheetError,
    doubles,
)
from xl_conversion.functions.catalogue import CATALOGUE, Argument, Function
from xl_conversion.functions.evaluate import MAX_SPILL, Value, evaluate
from xl_conversion.hosts.excel.errors import ERRORS

CATEGORY: Final = "Conversion price"
MAX_HELP: Final = 255
"""Excel shows no more of a description."""

_ARRAY = (list, tuple)
_CODES = frozenset(ERRORS.values())
_FIRST_ERROR = 0x800A0000 - 2**32  # COM passes CVErr(n) as this + n
_LAST_ERROR = _FIRST_ERROR + 0xFFFF

_log = logging.getLogger(__name__)


class _AsTheyAre(Accessor):  # type: ignore[misc]
    """Keeps xlwings' own conversion away: it is slow, blanks out errors and reads currency with 4 decimals.

    A range is read no sooner than in :func:`_call`, so that a failure there becomes a cell's error too.
    """

    @classmethod
    def reader(cls, options: object) -> Any:
        return Pipeline([cls._take])

    @classmethod
    def writer(cls, options: object) -> Any:
        return Pipeline([cls._give])

    @staticmethod
    def _take(context: Any) -> None:
        if context.range is not None:
            context.value = context.range

    @staticmethod
    def _give(context: Any) -> None:
        if not isinstance(context.value, list):
            context.value = [[context.value]]


def _register(function: Function) -> Callable[..., Any]:
    def wrapper(*arguments: Any) -> Any:
        return _call(function, arguments)

    wrapper.__name__ = wrapper.__qualname__ = function.name
    wrapper.__doc__ = shorten(function.summary, MAX_HELP)
    wrapper.__annotations__ = {}  # xlwings would take them for converters
    wrapper.__signature__ = Signature(  # type: ignore[attr-defined]
        [_parameter(argument) for argument in function.arguments]
    )
    registered = xw.ret(_AsTheyAre)(wrapper)
    for argument in function.arguments:
        registered = xw.arg(argument.name, _AsTheyAre, doc=shorten(argument.help, MAX_HELP))(registered)
    result: Callable[..., Any] = xw.func(category=CATEGORY)(registered)  # last: the others reset the category
    return result


def _parameter(argument: Argument) -> Parameter:
    default = MISSING if argument.optional else Parameter.empty
    return Parameter(argument.name, Parameter.POSITIONAL_OR_KEYWORD, default=default)


def _call(function: Function, arguments: Sequence[Any]) -> float | str | list[list[float | str]]:
    try:
        names = [argument.name for argument in function.arguments]
        value = evaluate(function, [_read(*named) for named in zip(names, arguments, strict=False)])
        if not isinstance(value, list):
            return _shown(value)
        if isinstance(value, Numbers):
            return cast("list[list[float | str]]", value)
        return [[_shown(one) for one in row] for row in value]
    except WorksheetError as problem:
        return str(CellError(problem.error.code, f"{function.name}: {problem.error.message}"))
    except Exception as problem:
        # xlwings would write the traceback into the cell; it belongs in the log.
        _log.exception("%s failed", function.name)
        cause = " ".join(f"{type(problem).__name__}: {problem}".split())
        return str(CellError(VALUE, f"{function.name}: internal error: {cause}"))


def _shown(value: Value) -> float | str:
    return str(value) if isinstance(value, CellError) else value


def _read(name: str, argument: Any) -> Range:
    rows = _range(name, argument) if isinstance(argument, xw.Range) else _rows(argument)
    if isinstance(rows, Doubles):
        return rows
    return [[cell if type(cell) is float else _cell(cell) for cell in row] for row in rows]


def _range(name: str, argument: xw.Range) -> Sequence[Sequence[Any]]:
    height, width = argument.shape
    if height * width > MAX_SPILL:  # asked first: to read so many would keep Excel busy for minutes
        raise WorksheetError(NUM, f"{name} is a range of {height} x {width} cells; at most {MAX_SPILL}")
    com = argument.api
    if com.Count != height * width:  # Value would leave out every area but the first
        raise WorksheetError(VALUE, f"{name} is a reference of several areas; it must be one range")
    value = com.Value
    rows = value if height * width > 1 else ((value,),)
    numbers = doubles(rows)
    if numbers is not None:
        return numbers
    if not any(isinstance(cell, Decimal) for row in rows for cell in row):
        return rows
    # A cell in currency format comes with 4 decimals. Value2 has them all, but shows dates as numbers.
    value = com.Value2
    pairs = zip(rows, value if height * width > 1 else ((value,),), strict=True)
    return [
        [full if isinstance(cell, Decimal) else cell for cell, full in zip(*pair, strict=True)] for pair in pairs
    ]


def _rows(value: Any) -> Sequence[Sequence[Any]]:
    if not isinstance(value, _ARRAY):
        return ((value,),)
    if all(isinstance(row, _ARRAY) for row in value):
        return value
    return (value,)  # so VBA passes {1,2,3}


def _cell(cell: Any) -> Cell:
    if type(cell) is int and _FIRST_ERROR <= cell <= _LAST_ERROR:
        return CellError(ERRORS.get(cell - _FIRST_ERROR, VALUE))
    if isinstance(cell, str) and cell.startswith("#"):
        # An error of one of these functions is text in Excel, and an error to the next one all the same.
        code = cell.partition(" ")[0]
        return CellError(code) if code in _CODES else cell
    result: Cell = cell
    return result


WRAPPERS: Final[Mapping[str, Callable[..., Any]]] = {f.name: _register(f) for f in CATALOGUE}
globals().update(WRAPPERS)  # where xlwings looks for them
