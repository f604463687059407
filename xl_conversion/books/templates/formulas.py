"""One text for each formula: written in symbols, it becomes the cell's formula and the value it will have.

The text is Excel's own syntax with symbols for cells, ``MIN(CP1, CP1*N/D)``. Numbers as constants are refused: a
model keeps them in labelled cells. Values are computed in doubles, as a host does; ``CP_`` functions by
:func:`~xl_conversion.functions.evaluate.evaluate`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from openpyxl.utils import quote_sheetname

from xl_conversion.books.templates.evaluation import Evaluator
from xl_conversion.books.templates.syntax import Name, NotUsedHere, Reference, parsed
from xl_conversion.books.templates.values import LAST_BITS, Area, FormulaError, Held, Value, difference
from xl_conversion.functions.boundary import VALUE

__all__ = ["LAST_BITS", "Operand", "Place", "Value", "computed", "difference", "written"]

Operand: TypeAlias = Held | tuple[Held, ...] | tuple[tuple[Held, ...], ...]
"""What a symbol stands for: a cell, the cells of one row or column, or the rows of a range."""

_TOKEN = re.compile(
    r'"[^"]*"|#[A-Z/0]+[!?]?|\d[\d.]*(?:[eE][+-]?\d+)?|(?P<name>(?:_xlfn\.)?[A-Za-z_]\w*)(?P<call>\()?|\s+'
)
_NEWER = {"NUMBERVALUE"}
"""Functions that are stored under a longer name, because they came after the file format."""


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
        text, name = match[0], match["name"]
        if text.isspace():
            return ""
        if match["call"]:
            return f"_xlfn.{text}" if name in _NEWER else text
        return places[name].address(sheet) if name and name not in ("TRUE", "FALSE") else text

    return "=" + _TOKEN.sub(token, expression)


def computed(expression: str, values: Callable[[str], Operand], *, constants: bool = False) -> Value:
    """The value of `expression`, in which a symbol has the value that `values` gives.

    >>> computed('IF(B*N < CP1, "below", "above")', {"B": 2.0, "N": 3.0, "CP1": 6.41}.__getitem__)
    'below'
    >>> computed("SUM(R)/2", {"R": (1.0, 4.0)}.__getitem__, constants=True)
    2.5

    A symbol whose cell shows an error is a CellError, or `values` raises ValueError for it: IFERROR and its like
    see that. A date is its serial number, and a blank 0, where the cell would show them.

    Raises ValueError for a number written out, unless `constants` says that there may be some, for syntax that is
    not used here, and where the cell would show an error.
    """

    def look_up(node: Name | Reference) -> Area:
        try:
            return _area(values(cast("Name", node).text))
        except FormulaError:
            raise
        except ValueError as problem:
            raise FormulaError(VALUE, str(problem)) from problem

    try:
        return Evaluator(look_up, constants=constants).result(parsed(expression))
    except NotUsedHere as problem:
        raise ValueError(f"{expression}: {problem}") from None


def _area(operand: Operand) -> Area:
    if not isinstance(operand, tuple):
        return Area(((operand,),))
    if operand and isinstance(operand[0], tuple):
        return Area(operand)
    return Area(tuple((cell,) for cell in cast("tuple[Held, ...]", operand)), line=True)
