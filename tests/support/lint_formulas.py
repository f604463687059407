"""Formulas as a file writes them, taken apart: functions with their arguments, references, names and constants.

Only the shape is of interest, so operators have no precedence here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from openpyxl.utils import column_index_from_string, get_column_letter

LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384
ERRORS: Final = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA")


class FormulaError(ValueError):
    """A formula that does not parse, and why."""


@dataclass(frozen=True)
class Area:
    """A rectangle of cells, corners included; `sheet` is "" where none is named.

    >>> str(Area("Tie-out", 1, 2, 3, 4)), str(Area("", 1, 2, 1, 2))
    ('Tie-out!A2:C4', 'A2')
    """

    sheet: str
    left: int
    top: int
    right: int
    bottom: int

    def __str__(self) -> str:
        first = f"{get_column_letter(self.left)}{self.top}"
        last = f"{get_column_letter(self.right)}{self.bottom}"
        return (f"{self.sheet}!" if self.sheet else "") + (first if first == last else f"{first}:{last}")

    @property
    def size(self) -> int:
        return (self.right - self.left + 1) * (self.bottom - self.top + 1)

    def cells(self) -> Iterator[tuple[int, int]]:
        """Row and column of each cell, row by row."""
        for row in range(self.top, self.bottom + 1):
            for column in range(self.left, self.right + 1):
                yield row, column

    def holds(self, row: int, column: int) -> bool:
        return self.top <= row <= self.bottom and self.left <= column <= self.right

    def meets(self, other: Area) -> bool:
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )


@dataclass(frozen=True)
class Number:
    text: str


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Truth:
    value: bool


@dataclass(frozen=True)
class ErrorCode:
    code: str


@dataclass(frozen=True)
class Name:
    """A defined name, or a table's with what stands in its brackets; `sheet` as in ``Sheet1!rate``."""

    name: str
    sheet: str = ""


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple[Node | None, ...]
    """None: an argument that is left empty."""


@dataclass(frozen=True)
class Many:
    """What operators, brackets or braces join."""

    parts: tuple[Node, ...]
    operators: tuple[str, ...] = ()


Node: TypeAlias = Area | Number | Text | Truth | ErrorCode | Name | Call | Many

_CELL = r"\$?[A-Za-z]{1,3}\$?[0-9]{1,7}"
_END = r"(?![\w.(!])"
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \n\r\t]+)
    | (?P<text>"(?:[^"]|"")*")
    | (?P<error>{"|".join(map(re.escape, ERRORS))})
    | (?P<sheet>(?:'(?:[^']|'')+'|[^\W\d][\w.]*(?::[\w.]+)?|\[\d+\][\w. ]*)!)
    | (?P<area>{_CELL}:{_CELL}{_END}|\$?[A-Za-z]{{1,3}}:\$?[A-Za-z]{{1,3}}{_END}|\$?\d+:\$?\d+{_END}|{_CELL}{_END})
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?)
    | (?P<call>[^\W\d][\w.]*\()
    | (?P<name>[^\W\d\\][\w.\\?]*|\\[\w.\\?]*)(?P<brackets>\[)?
    | (?P<sign><=|>=|<>|[-+*/^&=<>%:,;(){{}}@])
    """,
    re.VERBOSE,
)
_BINARY: Final = frozenset({"<=", ">=", "<>", "=", "<", ">", "+", "-", "*", "/", "^", "&", ":"})


def parse(formula: str) -> Node:
    """The formula, without its equals sign, as a tree. Raises FormulaError.

    >>> parse('IF(A1>0,"x",Inputs!$B$2)').arguments[2]
    Area(sheet='Inputs', left=2, top=2, right=2, bottom=2)
    """
    parser = _Parser(_tokens(formula))
    node = parser.expression()
    if parser.kind:
        raise FormulaError(f"unexpected {parser.text!r}")
    return node


def walk(node: Node | None) -> Iterator[Node]:
    """The node and all below it."""
    if node is None:
        return
    yield node
    parts = node.parts if isinstance(node, Many) else node.arguments if isinstance(node, Call) else ()
    for part in parts:
        yield from walk(part)


def nesting(node: Node | None) -> int:
    """How many functions stand one inside the other.

    >>> nesting(parse("IF(ABS(A1)>ROUND(MAX(A1,A2),A3),A1,A2)"))
    3
    """
    if isinstance(node, Call):
        return 1 + max(map(nesting, node.arguments), default=0)
    return max(map(nesting, node.parts), default=0) if isinstance(node, Many) else 0


def area(text: str, sheet: str = "") -> Area:
    """The rectangle that an address without sheet names. Raises FormulaError if it is outside the grid.

    >>> str(area("$B$3:A2")), area("C:C").bottom
    ('A2:B3', 1048576)
    """
    corners = [re.fullmatch(r"([A-Za-z]*)([0-9]*)", part) for part in text.replace("$", "").split(":")]
    if len(corners) > 2 or not all(corner and corner[0] for corner in corners):
        raise FormulaError(f"{text} is no address")
    columns = [column_of(corner[1]) for corner in corners if corner and corner[1]] or [1, LAST_COLUMN]
    rows = [int(corner[2]) for corner in corners if corner and corner[2]] or [1, LAST_ROW]
    if max(columns) > LAST_COLUMN or max(rows) > LAST_ROW or min(rows) < 1:
        raise FormulaError(f"{text} is outside the grid")
    return Area(sheet, min(columns), min(rows), max(columns), max(rows))


def column_of(letters: str) -> int:
    """The column's number, which is beyond the last one where there is no such column."""
    try:
        return int(column_index_from_string(letters.upper()))
    except ValueError:
        return LAST_COLUMN + 1


def _tokens(formula: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(formula):
        match = _TOKEN.match(formula, place)
        if match is None:
            raise FormulaError(f"unexpected {formula[place : place + 10]!r}")
        place = match.end()
        kind = match.lastgroup or ""
        text = match[0]
        if kind == "brackets":  # a table's name: up to the bracket that closes
            depth = 1
            while depth:
                if place == len(formula):
                    raise FormulaError("a bracket [ is not closed")
                depth += {"[": 1, "]": -1}.get(formula[place], 0)
                text, place = text + formula[place], place + 1
            kind = "name"
        if kind != "space":
            found.append((kind, text))
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [*tokens, ("", "")]
        self._place = 0
        self._depth = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._place][0]

    @property
    def text(self) -> str:
        return self._tokens[self._place][1]

    def expression(self, union: bool = False) -> Node:
        """Operands with operators between; `union`: a comma is one too, as it is in brackets."""
        self._depth += 1
        if self._depth > 200:
            raise FormulaError("too many brackets one inside the other")
        parts, operators = [self._operand()], []
        while True:
            if self.text in _BINARY or (union and self.text == ","):
                operators.append(self._next()[1])
            elif self.kind in ("area", "sheet", "name") and isinstance(parts[-1], Area | Name):
                operators.append(" ")  # an intersection
            else:
                break
            parts.append(self._operand())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Many(tuple(parts), tuple(operators))

    def _operand(self) -> Node:
        signs = []
        while self.kind == "sign" and self.text in ("+", "-", "@"):
            signs.append(self._next()[1])
        node = self._value()
        while self.kind == "sign" and self.text == "%":
            signs.append(self._next()[1])
        return Many((node,), tuple(signs)) if signs else node

    def _value(self) -> Node:
        kind, text = self._next()
        match kind:
            case "text":
                return Text(text[1:-1].replace('""', '"'))
            case "number":
                return Number(text)
            case "error":
                return ErrorCode(text)
            case "area":
                return area(text)
            case "sheet":
                return self._of_sheet(text[:-1])
            case "name":
                truth = {"TRUE": True, "FALSE": False}.get(text.upper())
                return Name(text) if truth is None else Truth(truth)
            case "call":
                return Call(text[:-1], self._arguments())
        if text == "(":
            inside = self.expression(union=True)
            self._expect(")")
            return Many((inside,), ("()",))
        if text == "{":
            return self._array()
        raise FormulaError(f"unexpected {text!r}" if text else "ends where a value is missing")

    def _of_sheet(self, sheet: str) -> Node:
        if sheet.startswith("'"):
            sheet = sheet[1:-1].replace("''", "'")
        kind, text = self._next()
        if kind == "area":
            return area(text, sheet)
        if kind == "name":
            return Name(text, sheet)
        if kind == "error":
            return ErrorCode(text)
        raise FormulaError(f"no cell after the sheet {sheet!r}")

    def _arguments(self) -> tuple[Node | None, ...]:
        if self.text == ")" and self.kind == "sign":
            self._next()
            return ()
        found: list[Node | None] = []
        while True:
            empty = self.kind == "sign" and self.text in (",", ")")
            found.append(None if empty else self.expression())
            kind, text = self._next()
            if kind != "sign" or text not in (",", ")"):
                raise FormulaError("a bracket ( is not closed" if not kind else f"unexpected {text!r}")
            if text == ")":
                return tuple(found)

    def _array(self) -> Node:
        rows: list[list[Node]] = [[]]
        while True:
            element = self._operand()
            if not all(isinstance(part, Number | Text | Truth | ErrorCode | Many) for part in walk(element)):
                raise FormulaError("only constants stand in braces")
            rows[-1].append(element)
            _, text = self._next()
            if text == ";":
                rows.append([])
            elif text == "}":
                break
            elif text != ",":
                raise FormulaError("braces { are not closed")
        if len({len(row) for row in rows}) > 1:
            raise FormulaError("the rows in braces differ in length")
        return Many(tuple(element for row in rows for element in row), ("{}",))

    def _expect(self, text: str) -> None:
        kind, found = self._next()
        if kind != "sign" or found != text:
            raise FormulaError("a bracket ( is not closed" if not kind else f"unexpected {found!r}")

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._place]
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token
