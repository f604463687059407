"""What runs inside LibreOffice Calc: UNO values in, :func:`evaluate`, UNO values out. Standard library only.

Where Calc differs from Excel, because of what it hands to an add-in:

- A reference to a single blank cell arrives as 0 and nothing in the call tells it from a 0: a blank required
  number is not refused, and blank `decimals` round to whole numbers. Where a cell may be blank, write
  ``IF(A3="","",A3)``. A blank within a range does arrive as a blank.
- TRUE arrives as 1 and a date as its serial number, so neither is refused.
- A single cell with an error is handed on, as in Excel. A range with an error in it is refused by Calc (Err:504)
  for every element of the result; ``IFERROR(A1:A9,"error")`` confines it to its own element, as #VALUE!.
- A result spills only where the formula was entered as an array formula (Ctrl+Shift+Enter).
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from xl_conversion.functions.boundary import DIV0, MISSING, NA, NAME, NULL, NUM, REF, VALUE, Cell, CellError, Range
from xl_conversion.functions.catalogue import CATALOGUE, Function
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
        result = evaluate(function, [_from_uno(argument) for argument in arguments])
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
