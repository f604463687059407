"""Reads the text of a formula, in Excel's own syntax, with symbols or with addresses for cells.

What is not read is refused: references to other workbooks, to whole rows and columns and into tables,
intersections, unions, arrays in braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

MOST_CHARACTERS = 8192
"""Excel takes no longer formula."""


class NotUsedHere(Exception):
    """Syntax, a function or a use of one that is not known here; no error that a cell would show."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, TRUE or FALSE; None is an argument left empty between two commas."""

    value: float | str | bool | None


@dataclass(frozen=True, slots=True)
class Error:
    """An error written out, ``#N/A``."""

    code: str


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol, or a defined name."""

    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A cell, or a range from `first` to `last`, without dollar signs; `sheet` is "" for the formula's own."""

    sheet: str
    first: str
    last: str = ""


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign in front, or a per cent sign behind."""

    sign: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what is between them."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: tuple[Node, ...]


Node: TypeAlias = Constant | Error | Name | Reference | Unary | Binary | Call

_CELL = r"\$?[A-Za-z]{1,3}\$?[1-9]\d{0,6}"
_SHEET = r"(?:'(?:[^']|'')+'|[^\W\d][\w.]*)!"
_COMMON = r"""
    (?P<space>\s+)
  | (?P<text>"(?:[^"]|"")*")
  | (?P<error>\#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A))
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
"""
_REST = r"""
  | (?P<name>[^\W\d][\w.]*)
  | (?P<sign><>|<=|>=|[-+*/^&=<>%(),])
"""
_SYMBOLS = re.compile(_COMMON + _REST, re.VERBOSE)
_ADDRESSES = re.compile(
    _COMMON
    + rf"| (?P<cell>(?:{_SHEET})?{_CELL}(?::{_CELL})?(?![\w.(!:\[])) | (?P<of>{_SHEET}(?={_CELL}))"
    + _REST,
    re.VERBOSE,
)
# The further down, the tighter; signs in front bind tighter still, so that -2^2 is 4.
_BINDING = (("=", "<>", "<", "<=", ">", ">="), ("&",), ("+", "-"), ("*", "/"), ("^",))


@lru_cache(maxsize=4096)
def parsed(formula: str, *, addresses: bool = False) -> Node:
    """The formula, without its ``=``, as a tree; with `addresses`, ``A1`` is a cell and no symbol.

    >>> parsed("A1^2", addresses=True)
    Binary(sign='^', left=Reference(sheet='', first='A1', last=''), right=Constant(value=2.0))

    Raises NotUsedHere for what is not read here.
    """
    if len(formula) > MOST_CHARACTERS:
        raise NotUsedHere(f"a formula of {len(formula)} characters; at most {MOST_CHARACTERS}")
    try:
        reader = _Reader(formula, list(_tokens(formula, _ADDRESSES if addresses else _SYMBOLS)))
        node = reader.expression()
    except RecursionError:
        raise NotUsedHere("a formula that is nested too deeply") from None
    reader.expect("")
    return node


def _tokens(formula: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(formula):
        match = pattern.match(formula, place)
        if match is None:
            raise NotUsedHere(f"not used in a formula here: {formula[place : place + 30]}")
        place = match.end()
        if match.lastgroup != "space":
            yield str(match.lastgroup), match[0]
    yield "end", ""


class _Reader:
    def __init__(self, formula: str, tokens: list[tuple[str, str]]) -> None:
        self._formula, self._tokens, self._place = formula, tokens, 0

    def expression(self, level: int = 0) -> Node:
        if level == len(_BINDING):
            return self._signed()
        node = self.expression(level + 1)
        while self._next() in _BINDING[level]:
            node = Binary(self._take(), node, self.expression(level + 1))
        return node

    def expect(self, sign: str) -> None:
        if self._next() != sign or self._tokens[self._place][0] not in ("sign", "end"):
            raise NotUsedHere(f"not used in a formula here: {self._next() or 'its end'} in {self._formula[:60]}")
        self._place += 1

    def _next(self) -> str:
        kind, text = self._tokens[self._place]
        return text if kind in ("sign", "end") else f"{kind} {text}"

    def _take(self) -> str:
        self._place += 1
        return self._tokens[self._place - 1][1]

    def _signed(self) -> Node:
        if self._next() in ("-", "+"):
            sign = self._take()
            return Unary(sign, self._signed())
        node = self._operand()
        while self._next() == "%":
            node = Unary(self._take(), node)
        return node

    def _operand(self) -> Node:
        kind, text = self._tokens[self._place]
        if kind == "sign":
            self.expect("(")
            node = self.expression()
            self.expect(")")
            return node
        if kind == "end":
            self.expect("an operand")
        self._place += 1
        match kind:
            case "text":
                return Constant(text[1:-1].replace('""', '"'))
            case "number":
                return Constant(float(text))
            case "error":
                return Error(text)
            case "cell":
                return _reference(text)
        if self._next() == "(":
            return self._call(text)
        return Constant(text.upper() == "TRUE") if text.upper() in ("TRUE", "FALSE") else Name(text)

    def _call(self, name: str) -> Node:
        self.expect("(")
        arguments: list[Node] = []
        if self._next() != ")":
            arguments.append(self._argument())
            while self._next() == ",":
                self._place += 1
                arguments.append(self._argument())
        self.expect(")")
        return Call(name.upper().removeprefix("_XLFN."), tuple(arguments))

    def _argument(self) -> Node:
        return Constant(None) if self._next() in (",", ")") else self.expression()


def _reference(text: str) -> Reference:
    sheet, _, cells = text.rpartition("!")
    first, _, last = cells.replace("$", "").upper().partition(":")
    return Reference(sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet, first, last)
