"""Computes a formula in doubles, as a host does; ``CP_`` functions by the functions themselves."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from xl_conversion.books.templates import functions
from xl_conversion.books.templates.syntax import (
    Binary,
    Call,
    Constant,
    Error,
    Name,
    Node,
    NotUsedHere,
    Reference,
    Unary,
)
from xl_conversion.books.templates.values import (
    Area,
    FormulaError,
    Held,
    Term,
    Value,
    compared,
    condition,
    difference,
    divided,
    finite,
    known,
    number,
    ordered,
    raised,
    short,
    text,
    whole,
)
from xl_conversion.functions.boundary import MISSING, NA, VALUE, CellError
from xl_conversion.functions.catalogue import FUNCTIONS
from xl_conversion.functions.definition import Function, Kind
from xl_conversion.functions.evaluate import evaluate

Place: TypeAlias = tuple[int, int, int, int]
"""Where in an array formula: row and column from 0, and how many rows and columns the array has."""

Result: TypeAlias = float | str | CellError | list[list[float | str | CellError]]
"""What a ``CP_`` function gives."""


class Evaluator:
    """Computes formulas; `look_up` says what a name or a reference stands for.

    `constants` says whether numbers may be written out. In the cell of an array formula, `element` says which one
    it is: there a range of the array's size stands for its own element. The evaluators of one array formula may
    share `results`, so that a table is computed once for all its cells.
    """

    def __init__(
        self,
        look_up: Callable[[Name | Reference], Area],
        *,
        constants: bool = True,
        element: Place | None = None,
        results: dict[str, Result] | None = None,
    ) -> None:
        self._look_up, self._constants, self._element = look_up, constants, element
        self._results = {} if results is None else results

    def result(self, node: Node) -> float | str | bool:
        """What the cell shows; raises FormulaError for an error, NotUsedHere for what is not known here."""
        value = self.value(node)
        return value if isinstance(value, str | bool) else number(value)

    def value(self, node: Node) -> Value:
        """One value, None for a blank."""
        return self._only(self.term(node))

    def term(self, node: Node) -> Term:
        """A value, or the cells of a reference."""
        match node:
            case Constant(value):
                if not self._constants and isinstance(value, float):
                    raise NotUsedHere(f"the number {value:.15g}; numbers stand in cells with a label")
                return value
            case Error(code):
                raise FormulaError(code)
            case Name() | Reference():
                return self._look_up(node)
            case Unary(sign, operand):
                return self._signed(sign, self.value(operand))
            case Binary():
                return self._joined(node)
            case Call(name, arguments):
                return self._called(name, arguments)

    def _joined(self, node: Binary) -> Value:
        # A sum of many is nested to the left, more deeply than Python calls.
        chain, first = [node], node.left
        while isinstance(first, Binary):
            chain.append(first)
            first = first.left
        result = self.value(first)
        for part in reversed(chain):
            result = _between(part.sign, result, self.value(part.right))
        return result

    def _signed(self, sign: str, value: Value) -> Value:
        if sign == "+":
            return value
        return -number(value) if sign == "-" else number(value) / 100

    def _only(self, term: Term) -> Value:
        if not isinstance(term, Area):
            return term
        if term.size == (1, 1):
            return known(term.rows[0][0])
        return known(self._picked(term))

    def _picked(self, area: Area) -> Held:
        if self._element is None:
            raise NotUsedHere("a range where one value is wanted")
        row, column, rows, columns = self._element
        if area.size not in ((rows, columns), (rows, 1), (1, columns)):
            raise NotUsedHere(
                f"a range of {area.size[0]} x {area.size[1]} cells in an array of {rows} x {columns}"
            )
        return area.rows[row if area.size[0] == rows else 0][column if area.size[1] == columns else 0]

    def _called(self, name: str, arguments: tuple[Node, ...]) -> Term:
        if name in FUNCTIONS:
            return self._ours(FUNCTIONS[name], arguments)
        if name in CHOOSING:
            least, most, choose = CHOOSING[name]
            if not least <= len(arguments) <= most:
                raise NotUsedHere(f"{name} with {len(arguments)} arguments")
            return choose(self, arguments)
        if name not in functions.FUNCTIONS:
            raise NotUsedHere(f"the function {name}")
        function = functions.FUNCTIONS[name]
        kinds = function.kinds_of(len(arguments))
        if kinds is None:
            raise NotUsedHere(f"{name} with {len(arguments)} arguments")
        whole_ranges = self._counted if name in ("COUNT", "COUNTA") else self._whole
        lifted = self._element is not None or name == "SUMPRODUCT"
        terms = [
            self.value(argument) if kind == "v" else whole_ranges(argument, lifted)
            for kind, argument in zip(kinds, arguments, strict=True)
        ]
        return function.compute(*terms)

    def _whole(self, node: Node, lifted: bool) -> Term:
        """An argument of a function that takes ranges as a whole; `lifted`, an operation on ranges is one too."""
        rows, columns = self._size(node) if lifted and not isinstance(node, Name | Reference) else (1, 1)
        if rows == columns == 1:
            return self._at(None).term(node)
        return Area(
            tuple(
                tuple(self._at((row, column, rows, columns)).held(node) for column in range(columns))
                for row in range(rows)
            )
        )

    def _at(self, element: Place | None) -> Evaluator:
        return Evaluator(self._look_up, constants=self._constants, element=element, results=self._results)

    def _size(self, node: Node) -> tuple[int, int]:
        """Rows and columns of what an operation on ranges comes to."""
        match node:
            case Name() | Reference():
                return self._look_up(node).size
            case Unary(_, operand):
                return self._size(operand)
            case Binary(_, left, right):
                parts: tuple[Node, ...] = (left, right)
            case Call(name, arguments) if name in functions.FUNCTIONS:
                kinds = functions.FUNCTIONS[name].kinds_of(len(arguments)) or ""
                parts = tuple(part for kind, part in zip(kinds, arguments, strict=False) if kind == "v")
            case Call(name, arguments) if name not in FUNCTIONS or not FUNCTIONS[name].spills:
                parts = arguments
            case _:
                return 1, 1
        sizes = [self._size(part) for part in parts]
        rows, columns = max((size[0] for size in sizes), default=1), max((size[1] for size in sizes), default=1)
        if (rows, columns) != (1, 1) and isinstance(node, Call) and not self._lifts(node.name):
            raise NotUsedHere(f"{node.name} with a range where one value is wanted")
        return rows, columns

    def _lifts(self, name: str) -> bool:
        # Outside an array formula, IF and its like take one value even within SUMPRODUCT.
        return self._element is not None or name in functions.FUNCTIONS or name.startswith("IS")

    def _counted(self, node: Node, lifted: bool) -> Term:
        """As `_whole`, with an error as a cell that holds one."""
        try:
            return self._whole(node, lifted)
        except FormulaError as problem:
            return Area(((problem.error,),))

    def held(self, node: Node) -> Held:
        """As `value`, with an error as what a cell holds."""
        try:
            return self.value(node)
        except FormulaError as problem:
            return problem.error

    def _ours(self, function: Function, arguments: tuple[Node, ...]) -> Term:
        if len(arguments) > len(function.arguments):
            raise NotUsedHere(f"{function.name} with {len(arguments)} arguments")
        kinds = [argument.kind for argument in function.arguments]
        cells = [self._cells(node, kind, function) for node, kind in zip(arguments, kinds, strict=False)]
        key = f"{function.name} {cells!r}"
        if key not in self._results:
            self._results[key] = evaluate(function, cells)
        result = self._results[key]
        if isinstance(result, CellError):
            raise FormulaError(result.code, result.message)
        return Area(tuple(map(tuple, result))) if isinstance(result, list) else result

    def _cells(self, node: Node, kind: Kind, function: Function) -> Any:
        if node == Constant(None):
            return MISSING
        try:
            term = self.term(node)
            if not isinstance(term, Area):
                return term
            if term.size == (1, 1):
                return term.rows[0][0]
            if self._element and kind is not Kind.TABLE and not function.spills:
                return self._picked(term)
            return [list(term.cells())] if term.line else [list(row) for row in term.rows]
        except FormulaError as problem:
            return problem.error


def _between(sign: str, left: Value, right: Value) -> Value:
    if sign == "&":
        return short(text(left) + text(right))
    if sign in _EQUAL:
        return _EQUAL[sign](compared(left, right), 0)
    if sign in _ORDER:
        return _ORDER[sign](ordered(left, right), 0)
    return finite(_ARITHMETIC[sign](number(left), number(right)))


def _if(evaluator: Evaluator, arguments: Sequence[Node]) -> Term:
    if condition(evaluator.value(arguments[0])):
        return evaluator.term(arguments[1])
    return evaluator.term(arguments[2]) if len(arguments) > 2 else False


def _if_error(evaluator: Evaluator, arguments: Sequence[Node]) -> Term:
    try:
        return evaluator.value(arguments[0])
    except FormulaError:
        return evaluator.term(arguments[1])


def _choose(evaluator: Evaluator, arguments: Sequence[Node]) -> Term:
    place = whole(evaluator.value(arguments[0]))
    if not 1 <= place < len(arguments):
        raise FormulaError(VALUE, f"CHOOSE has no value {place}")
    return evaluator.term(arguments[place])


def _asks(holds: Callable[[Held], bool]) -> Callable[[Evaluator, Sequence[Node]], Term]:
    return lambda evaluator, arguments: holds(evaluator.held(arguments[0]))


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda left, right: difference(left, -right),
    "-": difference,
    "*": operator.mul,
    "/": divided,
    "^": raised,
}
_EQUAL: Mapping[str, Callable[[float, float], bool]] = {"=": operator.eq, "<>": operator.ne}
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CHOOSING: Mapping[str, tuple[int, int, Callable[[Evaluator, Sequence[Node]], Term]]] = {
    "CHOOSE": (2, 255, _choose),
    "IF": (2, 3, _if),
    "IFERROR": (2, 2, _if_error),
    "ISBLANK": (1, 1, _asks(lambda cell: cell is None)),
    "ISERROR": (1, 1, _asks(lambda cell: isinstance(cell, CellError))),
    "ISNA": (1, 1, _asks(lambda cell: isinstance(cell, CellError) and cell.code == NA)),
    "ISNUMBER": (1, 1, _asks(functions.is_number)),
    "ISTEXT": (1, 1, _asks(lambda cell: isinstance(cell, str))),
}
