"""The steps of a calculation: what is given, what follows, in symbols and in numbers."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from xl_conversion.core.rounding import RoundingType, shown

_SYMBOL = re.compile(r"([A-Za-z_]\w*)(?!\w*\()")
"""Of a step; a name with a bracket behind it is a function's."""


class Step(NamedTuple):
    """One line of an explanation.

    `formula` is in the symbols of earlier steps, with ``+ - * /``, brackets, ``min(a, b)``, ``max(a, b)``,
    ``when(a < b, then, otherwise)`` and, for a rounding, ``half_up(value, decimals)`` and the like; it is empty
    for a figure that is given. It can be computed, and spreadsheets are written from it.
    """

    symbol: str
    label: str
    formula: str
    with_numbers: str
    value: Fraction
    shown: str
    unit: str
    source: str


class Working:
    """Collects steps; the numbers in a formula are put in from the steps before it.

    >>> work = Working("4.4.4")
    >>> paid = work.given("K", "consideration", Fraction(10), "money")
    >>> cp1 = work.given("CP1", "conversion price before", Fraction(4), "per share")
    >>> _ = work.then("B", "shares that K buys at CP1", "K / CP1", paid / cp1, "shares")
    >>> work.steps[-1].with_numbers, work.steps[-1].shown
    ('10 / 4', '2.5')
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._steps: dict[str, Step] = {}
        self._numbers: dict[str, str] = {}
        """What goes into formulas of each step."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far, in order."""
        return tuple(self._steps.values())

    def resume(self, step: Step) -> None:
        """Adds a step that another explanation has made, as it is: the steps that it follows from must be here
        already, and with the same figures."""
        self._new(step)

    def given(self, symbol: str, label: str, value: Fraction, unit: str) -> Fraction:
        """Adds a figure that the calculation starts from, and returns it."""
        return self._add(symbol, label, "", value, unit)

    def then(self, symbol: str, label: str, formula: str, value: Fraction, unit: str) -> Fraction:
        """Adds a figure that follows from earlier ones by `formula`, and returns it."""
        return self._add(symbol, label, formula, value, unit)

    def rounded(
        self,
        symbol: str,
        label: str,
        of: str,
        value: Fraction,
        unit: str,
        decimals: int | None,
        rounding_type: RoundingType,
        *,
        not_above: str | None = None,
    ) -> Fraction:
        """Adds the rounding of step `of` to `value`; adds nothing without decimals."""
        if decimals is None:
            return value
        self.given("decimals", f"decimals, rounded {rounding_type.value}", Fraction(decimals), "digits")
        formula = f"{rounding_type.value}({of}, decimals)"
        if not_above:
            # A price that does not move is not rounded, and rounding raises none above the one before.
            formula = f"when({of} < {not_above}, min({formula}, {not_above}), {not_above})"
        return self.then(symbol, label, formula, value, unit)

    def _add(self, symbol: str, label: str, formula: str, value: Fraction, unit: str) -> Fraction:
        with_numbers = self._with_numbers(formula) if formula else ""
        self._new(Step(symbol, label, formula, with_numbers, value, shown(value), unit, self._source))
        return value

    def _new(self, step: Step) -> None:
        symbol = step.symbol
        if symbol in self._steps:
            raise ValueError(f"the symbol {symbol} is used twice")
        self._steps[symbol] = step
        self._numbers[symbol] = f"({step.shown})" if step.value.numerator < 0 else step.shown

    def _with_numbers(self, formula: str) -> str:
        template, symbols = _frame(formula)
        return template % tuple([self._numbers[symbol] for symbol in symbols])


@lru_cache(maxsize=4096)
def _frame(formula: str) -> tuple[str, tuple[str, ...]]:
    """A formula with a place for each symbol in it, and the symbols. A batch has the same few formulas all the
    time."""
    parts = _SYMBOL.split(formula.replace("%", "%%"))
    return "%s".join(parts[::2]), tuple(parts[1::2])
