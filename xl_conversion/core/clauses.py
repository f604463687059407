"""Which formula a charter's form of a clause means, its arguments, and its explanation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from xl_conversion.core import adjustments, explanations
from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.events import CashForm, SpinOffForm
from xl_conversion.core.rounding import Exact, RoundingType, exact
from xl_conversion.core.steps import Step


class Clause(NamedTuple):
    """A formula, its explanation twin, and what both of them take."""

    compute: Callable[..., Fraction]
    explain: Callable[..., tuple[Step, ...]]
    arguments: tuple[Fraction, ...]


def cash_dividend_clause(
    method: CashForm, conversion_price: Exact, dividend: Exact, market_price: Exact | None, threshold: Exact
) -> Clause:
    """The clause for a cash dividend by `method`; ImpossibleArgument without the market price that it needs."""
    before, paid, least = exact(conversion_price), exact(dividend), exact(threshold)
    method = CashForm(method)  # its text would do too, but never as another form
    if method is CashForm.SUBTRACT:
        return Clause(
            adjustments.cash_dividend_subtracted,
            explanations.explain_cash_dividend_subtracted,
            (before, paid, least),
        )
    if market_price is None:
        raise ImpossibleArgument("market_price", "blank", f"the {method.value} form needs it")
    arguments = (before, paid, exact(market_price), least)
    if method is CashForm.EXCESS:
        return Clause(adjustments.cash_dividend_excess, explanations.explain_cash_dividend_excess, arguments)
    return Clause(adjustments.cash_dividend, explanations.explain_cash_dividend, arguments)


def spin_off_clause(
    method: SpinOffForm, conversion_price: Exact, distributed_value: Exact, market_price: Exact
) -> Clause:
    """The clause for a distribution by `method`."""
    arguments = (exact(conversion_price), exact(distributed_value), exact(market_price))
    if SpinOffForm(method) is SpinOffForm.OVER_MARKET:
        return Clause(adjustments.spin_off_over_market, explanations.explain_spin_off_over_market, arguments)
    return Clause(adjustments.spin_off, explanations.explain_spin_off, arguments)


def cash_dividend_price(
    conversion_price: Exact,
    dividend: Exact,
    market_price: Exact | None = None,
    threshold: Exact = 0,
    method: CashForm = CashForm.RATIO,
) -> Fraction:
    """The price after a cash dividend, by the `method` of the charter.

    >>> cash_dividend_price(10, 1, 20), cash_dividend_price("5.67", "0.07", method=CashForm.SUBTRACT)
    (Fraction(19, 2), Fraction(28, 5))
    """
    clause = cash_dividend_clause(method, conversion_price, dividend, market_price, threshold)
    return clause.compute(*clause.arguments)


def explain_cash_dividend_price(
    conversion_price: Exact,
    dividend: Exact,
    market_price: Exact | None = None,
    threshold: Exact = 0,
    method: CashForm = CashForm.RATIO,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "cash dividends clause",
) -> tuple[Step, ...]:
    """Steps of :func:`cash_dividend_price`."""
    clause = cash_dividend_clause(method, conversion_price, dividend, market_price, threshold)
    return clause.explain(*clause.arguments, decimals=decimals, rounding_type=rounding_type, source=source)


def spin_off_price(
    conversion_price: Exact,
    distributed_value: Exact,
    market_price: Exact,
    method: SpinOffForm = SpinOffForm.OVER_SUM,
) -> Fraction:
    """The price after a distribution of other property, by the `method` of the charter.

    >>> spin_off_price(10, 5, 20), spin_off_price(10, 5, 20, SpinOffForm.OVER_MARKET)
    (Fraction(8, 1), Fraction(15, 2))
    """
    clause = spin_off_clause(method, conversion_price, distributed_value, market_price)
    return clause.compute(*clause.arguments)


def explain_spin_off_price(
    conversion_price: Exact,
    distributed_value: Exact,
    market_price: Exact,
    method: SpinOffForm = SpinOffForm.OVER_SUM,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "distributions clause",
) -> tuple[Step, ...]:
    """Steps of :func:`spin_off_price`."""
    clause = spin_off_clause(method, conversion_price, distributed_value, market_price)
    return clause.explain(*clause.arguments, decimals=decimals, rounding_type=rounding_type, source=source)
