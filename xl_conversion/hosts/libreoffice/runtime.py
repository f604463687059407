"""What runs inside LibreOffice Calc: UNO values in, :func:`evaluate`, UNO values out. Standard library only.

Where Calc differs from Excel, because of what it hands to an add-in:

- A reference to a single blank cell arrives as 0 and nothing in the call tells it from a 0. Where 0 is no answer
  to an optional argument (a word, a table, a price above 0) it is taken as the blank that it must be. Elsewhere a
  blank required number is not refused, blank `decimals` round to whole numbers and a blank `adjustment_in_price`
  is FALSE. Where such a cell may be blank, write ``IF(A3="","",A3)``. A blank in a range does arrive as a blank.
- TRUE arrives as 1, FALSE as 0 and a date as its serial number, so none is refused where a number is required.
  In a table they are what their column says: 46037 is a day in a column of days, 1 is yes in one of yes and no.
  In a column of texts a date is 46037 too: write names and stated figures as text.
- A single cell with an error is handed on, as in Excel. A range or table with an error in it is refused by Calc
  (Err:504) for every element of the result; ``IFERROR(A1:A9,"error")`` confines it to its own element, as #VALUE!.
- A required argument left out in the middle, as in ``CP_SPLIT(50,,1)``, is Err:502, and one left out at the end
  Err:504; an .xlsx shows both as #VALUE!.
- A result spills only where the formula was entered as an array formula (Ctrl+Shift+Enter), over the cells that
  were selected: too few show a part of it, and those beyond it show #N/A. A formula that spilled in Excel comes so
  from the .xlsx. Entered in one cell, a formula shows the first element.
- Whole columns (A:D) are a table as well, but Calc takes seconds to hand over every cell of them.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from xl_conversion.functions.boundary import DIV0, MISSING, NA, NAME, NULL, NUM, REF, VALUE, Cell, CellError, Range
from xl_conversion.functions.catalogue import ABOVE_ZERO, CATALOGUE, FUNCTIONS, Function, Kind
from xl_conversion.functions.evaluate import Value, evaluate

INTERFACE = "xlconversion.calc.XFunctions"
IMPLEMENTATION = "xlconversion.calc.Functions"
"""An .ods file holds a formula under this name and the method's: neither ever changes."""
SERVICE = "com.sun.star.sheet.AddIn"

ERROR_CODES: Final[Mapping[str, int]] = {
    NULL: 521,
    DIV0: 532,
    VALUE: 519,
    REF: 524,
    NAME: 525,
    NUM: 503,
    NA: 32767,
}
"""Calc's number for each of Excel's errors."""

ZERO_IS_AN_ANSWER: Final = frozenset({Kind.NUMBER, Kind.DECIMALS, Kind.FLAG, Kind.CELL})


def uno_name(name: str) -> str:
    """A function's or an argument's name as UNO allows it, which is without underscores.

    >>> uno_name("CP_FULL_RATCHET"), uno_name("conversion_price")
    ('cpFullRatchet', 'conversionPrice')
    """
    first, *rest = name.lower().split("_")
    return first + "".join(map(str.capitalize, rest))


def call(function: Function, arguments: Sequence[object]) -> tuple[tuple[float | str, ...], ...]:
    """What Calc shows for `arguments`, always as rows: a single value is one row of one.

    >>> from xl_conversion.functions.catalogue import FUNCTIONS
    >>> call(FUNCTIONS["CP_SPLIT"], [((50.0,), (30.0,)), 2.0, 1.0, None, None])
    ((25.0,), (15.0,))
    """
    try:
        result = evaluate(function, _cells(function, arguments))
    except Exception:  # a defect of ours must not show as a traceback, nor leave an old value standing
        result = CellError(VALUE)
    rows = result if isinstance(result, list) else [[result]]
    return tuple(tuple(map(_to_uno, row)) for row in rows)


def implementation_helper() -> Any:
    """What Calc's Python loader asks a component for: here, the one object with a method for each function."""
    uno: Any = importlib.import_module("uno")  # exists only inside LibreOffice
    unohelper: Any = importlib.import_module("unohelper")
    bases = (unohelper.Base, *map(uno.getClass, (INTERFACE, "com.sun.star.lang.XServiceInfo")))
    component = type("Functions", bases, {**_service_info(), **{uno_name(f.name): _method(f) for f in CATALOGUE}})
    helper = unohelper.ImplementationHelper()
    helper.addImplementation(component, IMPLEMENTATION, (SERVICE,))
    return helper


def _service_info() -> dict[str, Callable[..., Any]]:
    return {
        "__init__": lambda self, context: None,
        "getImplementationName": lambda self: IMPLEMENTATION,
        "supportsService": lambda self, name: name == SERVICE,
        "getSupportedServiceNames": lambda self: (SERVICE,),
    }


def _method(function: Function) -> Callable[..., tuple[tuple[float | str, ...], ...]]:
    return lambda self, *arguments: call(function, arguments)


def _cells(function: Function, arguments: Sequence[object]) -> list[Cell | Range]:
    tables = {place for place, argument in enumerate(function.arguments) if argument.kind is Kind.TABLE}
    cells = [
        _from_uno(_filled(argument) if place in tables else argument) for place, argument in enumerate(arguments)
    ]
    return [
        None if cell == 0 and takes_no_zero else cell
        for cell, takes_no_zero in zip(cells, _takes_no_zero(function, cells), strict=True)
    ]


def _takes_no_zero(function: Function, cells: Sequence[Cell | Range]) -> list[bool]:
    arguments = list(function.arguments)
    match cells:
        case [[[str(name)]], *_] if arguments[-1].kind is Kind.CELL:  # those of the function that is explained
            explained = FUNCTIONS.get(name.strip().upper())
            arguments[1:] = (*(explained.arguments if explained else ()), *arguments[1:])
    return [
        a.optional and (a.kind not in ZERO_IS_AN_ANSWER or a.rule == ABOVE_ZERO) for a in arguments[: len(cells)]
    ]


def _filled(table: Any) -> Any:
    """Without the blank rows at its end, of which whole columns have a million."""
    if not isinstance(table, tuple):
        return table
    end = len(table)
    while end > 1 and all(cell == "" for cell in table[end - 1]):
        end -= 1
    return table[:end]


def _from_uno(argument: Any) -> Cell | Range:
    if argument is None:
        return MISSING
    if isinstance(argument, tuple):
        return [[None if cell == "" else cell for cell in row] for row in argument]
    cell: Cell = argument
    return cell


def _to_uno(value: Value) -> float | str:
    return _error(value.code) if isinstance(value, CellError) else value


def _error(code: str) -> float:
    """Calc carries an error as a NaN with the error's number in its low half."""
    number = ERROR_CODES.get(code, ERROR_CODES[VALUE])
    nan: float = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000000 | number))[0]
    return nan
