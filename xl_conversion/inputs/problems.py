"""What is wrong with an input: where, which value, which rule, and what to do."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from xl_conversion.core.rounding import shorten


class Broken(NamedTuple):
    """A column and the rule that its cell breaks, what may have been meant, else what to do. Of rows that are
    wrong about the same thing, only the first is told. `impossible` as of a :class:`Problem`."""

    column: str
    rule: str
    known: Iterable[str] = ()
    hint: str = ""
    same: Hashable = None
    impossible: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `row` counts as a spreadsheet does, the header being row 1; 0 is the table as a whole. `unit`
    is what a row is called: the objects of a JSON file count from 1. `impossible`: a value of the right type that
    cannot be, where others are missing, of another type or do not fit together."""

    file: str
    rule: str
    row: int = 0
    column: str = ""
    value: str = ""
    hint: str = ""
    unit: str = "row"
    impossible: bool = False

    def __str__(self) -> str:
        where = self.file + (f", {self.unit} {self.row}" if self.row else "")
        what = f"{self.column} is {shorten(self.value)!r}; " if self.column and self.value else ""
        blank = f"{self.column} is blank; " if self.column and not self.value and self.row else ""
        return f"{where}: {what or blank}{self.rule}"


class InputError(Exception):
    """The input cannot be used; nothing has been written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        return InputError, (self.problems,)  # so that it can come back from a worker process


def fail(file: str, rule: str, hint: str = "") -> InputError:
    """The error for one problem that concerns a whole file."""
    return InputError([Problem(file, rule, hint=hint)])


def suggestion(name: str, known: Iterable[str]) -> str:
    """Which known name may have been meant.

    >>> suggestion("conversion_prise", ["conversion_price", "clause"])
    'did you mean conversion_price?'
    """
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else ""
