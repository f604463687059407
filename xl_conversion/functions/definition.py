"""What can be said of a worksheet function: the shape of a row of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

from xl_conversion.core.steps import Step
from xl_conversion.functions import finishing

SINCE = "0.1.0"
"""The first version that has a function, where nothing else is said."""


class Kind(Enum):
    """What an argument takes."""

    NUMBER = "number"
    DECIMALS = "whole number"
    ROUNDING_TYPE = "text"
    CHOICE = "one of some words"
    FLAG = "TRUE or FALSE"
    TEXT = "some text"
    TABLE = "table"
    """A range with a header row, taken whole."""
    CELL = "anything"


HOW_TO_ROUND = frozenset({Kind.DECIMALS, Kind.ROUNDING_TYPE})
"""These arguments say how a figure is rounded, and are no part of its computation."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: `rule` is what a value must fulfil, `default` what applies when it is left out."""

    name: str
    help: str
    unit: str
    rule: str
    kind: Kind = Kind.NUMBER
    default: str | None = None
    """None: it is required; "": without it there is nothing in its place."""
    least: int = 0
    choices: tuple[str, ...] = ()

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self.default is not None


Figure = Fraction | str | None
Rows = Sequence[Sequence[Figure]]


@dataclass(frozen=True, slots=True)
class Function:
    """One worksheet function. `compute` gives the exact figure, `finish` rounds it, `explain` its steps."""

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    returns: str
    unit: str
    source: str
    example: tuple[str, ...]
    """Arguments as typed into a formula; with `example_result` they show the function at work."""
    example_result: str
    compute: Callable[..., Fraction | str | Rows]
    finish: Callable[[Fraction, Mapping[str, Any]], Fraction] | None = None
    explain: Callable[..., tuple[Step, ...]] | None = None
    spills: bool = False
    """Whether the result is a table; else it is one figure, and ranges for single arguments give one for each."""
    remarks: str = ""
    since: str = SINCE

    @property
    def signature(self) -> str:
        """The function as its help shows it, optional arguments in brackets."""
        names = ", ".join(f"[{a.name}]" if a.optional else a.name for a in self.arguments)
        return f"{self.name}({names})"

    @property
    def example_formula(self) -> str:
        """The example as a formula."""
        return f"={self.name}({','.join(self.example)})"

    def as_dict(self) -> dict[str, Any]:
        """All that is said about the function, for programs."""
        return {
            "name": self.name,
            "signature": self.signature,
            "summary": self.summary,
            "arguments": [
                {
                    "name": argument.name,
                    "help": argument.help,
                    "kind": argument.kind.value,
                    "unit": argument.unit,
                    "rule": argument.rule,
                    "default": argument.default,
                    "choices": list(argument.choices),
                }
                for argument in self.arguments
            ],
            "returns": self.returns,
            "unit": self.unit,
            "spills": self.spills,
            "errors": list(self.errors),
            "remarks": self.remarks,
            "source": self.source,
            "example": self.example_formula,
            "example_result": self.example_result,
            "since": self.since,
        }

    @property
    def errors(self) -> tuple[str, ...]:
        """Which error a cell shows, and why."""
        if not self.arguments:
            return ()
        kinds = {argument.kind for argument in self.arguments}
        wrong = ["a required argument is blank"]
        if kinds & {Kind.NUMBER, Kind.DECIMALS}:
            wrong.append("text, a boolean or a date stands for a number")
        if Kind.ROUNDING_TYPE in kinds:
            wrong.append("the rounding type is unknown")
        words = [a for a in self.arguments if a.kind in (Kind.CHOICE, Kind.FLAG, Kind.TEXT)]
        wrong += [f"{a.name} breaks its rule ({a.rule})" for a in words]
        if Kind.TABLE in kinds:
            wrong.append(
                "a table has no header row, lacks a column or has one too many, or a cell breaks its rule"
            )
        if self.spills:
            wrong.append("a range stands for a single value")
        found = [f"#VALUE!: {', or '.join(wrong)}"]
        numbers = [a for a in self.arguments if a.kind in (Kind.NUMBER, Kind.DECIMALS)]
        broken = (
            [f"a number breaks its rule ({'; '.join(f'{a.name}: {a.rule}' for a in numbers)})"] if numbers else []
        )
        if Kind.TABLE in kinds:
            broken.append("a number in a table cannot be")
        if Kind.CELL in kinds:
            broken.append("the function that is explained gives it")
        if broken:
            broken.append("the result does not fit into a cell")
            if self.finish in (finishing.adjusted_price, finishing.price):
                broken.append("a price or ratio rounds to zero")
            found.append(f"#NUM!: {', or '.join(broken)}")
        if not self.spills:
            found.append("#N/A: ranges differ in size, in the elements that one of them does not have")
        return (*found, "any error in an argument is handed on")
