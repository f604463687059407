"""One text for each formula: written in symbols, it becomes the cell's formula and the value it will have.

The text is Excel's own syntax with symbols for cells, ``MIN(CP1, CP1*N/D)``. Numbers as constants are refused: a
model keeps them in labelled cells. Values are computed in doubles, as a host does; ``CP_`` functions by
:func:`~xl_conversion.functions.evaluate.evaluate`.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from openpyxl.utils import quote_sheetname

from xl_conversion.core.rounding import RoundingType, round_to
from xl_conversion.functions.boundary import CellError, number
from xl_conversion.functions.catalogue import FUNCTIONS
from xl_conversion.functions.evaluate import evaluate

Value: TypeAlias = float | str | bool | date | None
Operand: TypeAlias = Value | tuple[Value, ...]

LAST_BITS = 2.0**-48
"""Excel and Calc take figures that are this close, relative to their size, as equal, and their difference as 0."""

_TOKEN = re.compile(r'"[^"]*"|[A-Za-z_]\w*(?P<call>\()?|<>|<=|>=|=|\^|\s+')
_PYTHON = {"<>": "!=", "=": "==", "^": "**"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a symbol stands: a cell, or a range in one row or column."""

    sheet: str
    first: str
    last: str = ""

    def address(self, sheet: str = "") -> str:
        """As a formula on `sheet` names it; without one, as a formula anywhere does.

        >>> Place("What if", "B5").address("What if"), Place("What if", "B5", "B9").address()
        ('B5', "'What if'!$B$5:$B$9")
        """
        ends = [end for end in (self.first, self.last) if end]
        if sheet == self.sheet:
            return ":".join(ends)
        fixed = ":".join(re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", end) for end in ends)
        return f"{quote_sheetname(self.sheet)}!{fixed}"


def written(expression: str, places: Mapping[str, Place], sheet: str) -> str:
    """The formula of a cell of `sheet`.

    >>> written("MIN(CP1, CP1*N/D)", {"CP1": Place("In", "C5"), "N": Place("S", "E9"), "D": Place("S", "F9")}, "S")
    "=MIN('In'!$C$5,'In'!$C$5*E9/F9)"

    Raises KeyError for a symbol that has no place.
    """

    def token(match: re.Match[str]) -> str:
        text = match[0]
        if text.isspace():
            return ""
        return places[text].address(sheet) if text[0].isidentifier() and not match["call"] else text

    return "=" + _TOKEN.sub(token, expression)


def computed(expression: str, values: Callable[[str], Operand]) -> Value:
    """The value of `expression`, in which a symbol has the value that `values` gives.

    >>> computed('IF(B*N < CP1, "below", "above")', {"B": 2.0, "N": 3.0, "CP1": 6.41}.__getitem__)
    'below'

    Raises ValueError for a constant number, for syntax that is not used here, and where the cell would show an
    error.
    """

    def token(match: re.Match[str]) -> str:
        text = match[0]
        return " " if text.isspace() else _PYTHON.get(text, text)

    result = _value(ast.parse(_TOKEN.sub(token, expression), mode="eval").body, values)
    if isinstance(result, tuple):
        raise ValueError(f"{expression}: a range where one value is wanted")
    return result


def _value(node: ast.expr, values: Callable[[str], Operand]) -> Operand:
    match node:
        case ast.Name(id=symbol):
            return values(symbol)
        case ast.Constant(value=str() as text):
            return text
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            return _text(_value(left, values)) + _text(_value(right, values))
        case ast.BinOp(left=left, op=operation, right=right):
            return _ARITHMETIC[type(operation)](_number(_value(left, values)), _number(_value(right, values)))
        case ast.Compare(left=left, ops=[operation], comparators=[right]):
            return _COMPARISONS[type(operation)](_compared(_value(left, values), _value(right, values)), 0)
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            return _value(then if _value(condition, values) else otherwise, values)
        case ast.Call(func=ast.Name(id="IFERROR"), args=[tried, otherwise]):
            try:
                return _value(tried, values)
            except ValueError:
                return _value(otherwise, values)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _called(name, [_value(argument, values) for argument in arguments])
    raise ValueError(f"not used in a formula here: {ast.unparse(node)}")


def _called(name: str, arguments: list[Operand]) -> Value:
    if name not in FUNCTIONS:
        return _FUNCTIONS[name](*arguments)
    cells = [argument if not isinstance(argument, tuple) else [argument] for argument in arguments]
    result = evaluate(FUNCTIONS[name], cells)
    if isinstance(result, CellError | list):
        raise ValueError(f"{name}: {result}")
    return result


def difference(left: float, right: float) -> float:
    """`left` less `right` as a spreadsheet has it: 0 where they differ in the last bits only.

    >>> difference(0.1 + 0.2, 0.3), 0.1 + 0.2 - 0.3
    (0.0, 5.551115123125783e-17)
    """
    return 0.0 if math.isclose(left, right, rel_tol=LAST_BITS, abs_tol=0) else left - right


def _compared(left: Operand, right: Operand) -> float:
    """Below, at or above 0, as `left` is to `right`; texts without regard to letter case."""
    if isinstance(left, str) and isinstance(right, str):
        a, b = left.casefold(), right.casefold()
        return (a > b) - (a < b)
    if isinstance(left, str) or isinstance(right, str):
        return math.nan
    return difference(_number(left), _number(right))


def _number(value: Operand) -> float:
    if isinstance(value, tuple | str | date):
        raise ValueError(f"not a number: {value!r}")
    return float(value or 0)


def _numbers(operands: tuple[Operand, ...]) -> list[float]:
    """The numbers among `operands`: in a range, blanks and texts do not count."""
    flat = [cell for operand in operands for cell in (operand if isinstance(operand, tuple) else (operand,))]
    return [float(cell) for cell in flat if isinstance(cell, float | int) and not isinstance(cell, bool)]


def _range(operand: Operand) -> tuple[Value, ...]:
    return operand if isinstance(operand, tuple) else (operand,)


def _day(value: Operand) -> date:
    if not isinstance(value, date):
        raise ValueError(f"not a date: {value!r}")
    return value


def _text(value: Operand) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    return "" if value is None else str(value)


def _divided(left: float, right: float) -> float:
    if right == 0:
        raise ValueError("division by zero")
    return left / right


def _rounded(rounding_type: RoundingType) -> Callable[[Operand, Operand], float]:
    def rounded(value: Operand, decimals: Operand) -> float:
        return float(round_to(number(_number(value)), int(_number(decimals)), rounding_type))

    return rounded


def _matched(wanted: Operand, among: Operand, _: Operand) -> float:
    for place, cell in enumerate(_range(among), start=1):
        if _compared(wanted, cell) == 0:
            return float(place)
    raise ValueError(f"no match: {wanted!r}")


def _sum_of_products(*ranges: Operand) -> float:
    rows = zip(*map(_range, ranges), strict=True)
    return math.fsum(math.prod(cell if isinstance(cell, float) else 0.0 for cell in row) for row in rows)


_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: difference,
    ast.Mult: operator.mul,
    ast.Div: _divided,
    ast.Pow: operator.pow,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
# Prices and counts are not negative, so down is towards zero and up away from it.
_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "ABS": lambda value: abs(_number(value)),
    "AVERAGE": lambda *values: math.fsum(_numbers(values)) / len(_numbers(values)),
    "COUNT": lambda *values: float(len(_numbers(values))),
    "COUNTIF": lambda cells, wanted: float(sum(_compared(cell, wanted) == 0 for cell in _range(cells))),
    "DAY": lambda day: float(_day(day).day),
    "INDEX": lambda cells, place: _range(cells)[int(_number(place)) - 1],
    "ISERROR": lambda _: False,  # where a cell would show one, ValueError was raised before
    "ISEVEN": lambda value: int(_number(value)) % 2 == 0,
    "ISNUMBER": lambda value: isinstance(value, float | int) and not isinstance(value, bool),
    "MATCH": _matched,
    "MAX": lambda *values: max(_numbers(values)),
    "MIN": lambda *values: min(_numbers(values)),
    "MONTH": lambda day: float(_day(day).month),
    "ROUND": _rounded(RoundingType.HALF_UP),
    "ROUNDDOWN": _rounded(RoundingType.FLOOR),
    "ROUNDUP": _rounded(RoundingType.CEILING),
    "ROWS": lambda cells: float(len(_range(cells))),
    "SUBSTITUTE": lambda text, old, new: _text(text).replace(_text(old), _text(new)),
    "SUM": lambda *values: math.fsum(_numbers(values)),
    "SUMPRODUCT": _sum_of_products,
    "TEXT": lambda value, zeros: f"{int(_number(value)):0{len(_text(zeros))}}",
    "TRIM": lambda text: " ".join(_text(text).split()),
    "YEAR": lambda day: float(_day(day).year),
}
