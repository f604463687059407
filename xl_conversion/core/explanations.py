"""The explanation twin of each function in :mod:`xl_conversion.core.adjustments`.

Each returns the ordered steps of one figure; the value of the last step is the figure, rounded when
`decimals` are given. The figures come from the adjustment itself, so the two cannot differ.
"""

from __future__ import annotations

from fractions import Fraction

from xl_conversion.core import adjustments
from xl_conversion.core.adjustments import round_price
from xl_conversion.core.rounding import Exact, RoundingType, exact, round_to, round_whole
from xl_conversion.core.steps import Step, Working

PER_SHARE = "money per share"
COMMON = "shares of common"
MONEY = "money"
RATIO = "common per preferred"

_BEFORE = ("CP1", "conversion price before")
_AFTER = ("CP2", "conversion price after, unrounded")
_ROUNDED = ("CP2_rounded", "conversion price after")


def explain_weighted_average(
    conversion_price: Exact,
    outstanding: Exact,
    consideration: Exact,
    issued: Exact,
    other_securities: Exact = 0,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "NVCA model charter, 4.4.4",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.weighted_average`.

    >>> for step in explain_weighted_average("1.00", 7_000_000, 1_000_000, 2_000_000, decimals=2):
    ...     print(step.symbol, "=", step.with_numbers or step.shown)
    CP1 = 1
    outstanding = 7000000
    other = 0
    A = 7000000 + 0
    K = 1000000
    C = 2000000
    P = 1000000 / 2000000
    B = 1000000 / 1
    CP2 = min(1, 1 * (7000000 + 1000000) / (7000000 + 2000000))
    decimals = 2
    CP2_rounded = when(0.8888888888... < 1, min(half_up(0.8888888888..., 2), 1), 1)
    """
    result = adjustments.weighted_average(conversion_price, outstanding, consideration, issued, other_securities)
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    common = work.given("outstanding", "common outstanding before", exact(outstanding), COMMON)
    other = work.given("other", "common underlying other securities", exact(other_securities), COMMON)
    work.then("A", "common outstanding on the charter's base", "outstanding + other", common + other, COMMON)
    paid = work.given("K", "aggregate consideration", exact(consideration), MONEY)
    new = work.given("C", "shares issued", exact(issued), COMMON)
    work.then("P", "consideration per share; an adjustment if below CP1", "K / C", paid / new, PER_SHARE)
    work.then("B", "shares that the consideration would buy at CP1", "K / CP1", paid / cp1, COMMON)
    work.then(*_AFTER, "min(CP1, CP1 * (A + B) / (A + C))", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_weighted_average_charter(
    conversion_price: Exact,
    outstanding_before: Exact,
    consideration: Exact,
    other_before: Exact,
    outstanding_after: Exact,
    other_after: Exact,
    issued: Exact | None = None,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "weighted average clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.weighted_average_charter`."""
    result = adjustments.weighted_average_charter(
        conversion_price,
        outstanding_before,
        consideration,
        other_before,
        outstanding_after,
        other_after,
        issued,
    )
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    a = work.given("A", "common outstanding before", exact(outstanding_before), COMMON)
    paid = work.given("K", "aggregate consideration", exact(consideration), MONEY)
    b = work.then("B", "shares that the consideration would buy at CP1", "K / CP1", paid / cp1, COMMON)
    c = work.given("C", "common underlying other securities before", exact(other_before), COMMON)
    work.then("N", "numerator", "A + B + C", a + b + c, COMMON)
    x = work.given("X", "common outstanding after", exact(outstanding_after), COMMON)
    y = work.given("Y", "common underlying other securities after", exact(other_after), COMMON)
    work.then("D", "denominator", "X + Y", x + y, COMMON)
    if issued is None:
        work.then(*_AFTER, "min(CP1, CP1 * N / D)", result, PER_SHARE)
    else:
        new = work.given("I", "shares that the consideration was paid for", exact(issued), COMMON)
        work.then("P", "consideration per share; an adjustment if below CP1", "K / I", paid / new, PER_SHARE)
        work.then(*_AFTER, "when(P < CP1, min(CP1, CP1 * N / D), CP1)", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_full_ratchet(
    conversion_price: Exact,
    issue_price: Exact,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "full ratchet clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.full_ratchet`."""
    result = adjustments.full_ratchet(conversion_price, issue_price)
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    work.given("P", "issue price", exact(issue_price), PER_SHARE)
    work.then(*_AFTER, "min(CP1, P)", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_split(
    conversion_price: Exact,
    split_new: Exact,
    split_old: Exact,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "splits and combinations clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.split`."""
    result = adjustments.split(conversion_price, split_new, split_old)
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    work.given("new", "shares after, for the old ones", exact(split_new), COMMON)
    work.given("old", "shares before", exact(split_old), COMMON)
    work.then(*_AFTER, "CP1 * old / new", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=False)


def explain_stock_dividend(
    conversion_price: Exact,
    outstanding: Exact,
    dividend_shares: Exact,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "stock dividends clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.stock_dividend`."""
    result = adjustments.stock_dividend(conversion_price, outstanding, dividend_shares)
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    work.given("outstanding", "common outstanding before", exact(outstanding), COMMON)
    work.given("dividend", "common paid as dividend", exact(dividend_shares), COMMON)
    work.then(*_AFTER, "CP1 * outstanding / (outstanding + dividend)", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_cash_dividend(
    conversion_price: Exact,
    dividend: Exact,
    market_price: Exact,
    threshold: Exact = 0,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "cash dividends clause, ratio form",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.cash_dividend`."""
    result = adjustments.cash_dividend(conversion_price, dividend, market_price, threshold)
    work, cp1 = _cash_dividend(conversion_price, dividend, threshold, source)
    work.given("M", "market price", exact(market_price), PER_SHARE)
    work.then(*_AFTER, "when(T < dividend, CP1 * (M - dividend) / (M - T), CP1)", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_cash_dividend_excess(
    conversion_price: Exact,
    dividend: Exact,
    market_price: Exact,
    threshold: Exact = 0,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "cash dividends clause, excess form",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.cash_dividend_excess`."""
    result = adjustments.cash_dividend_excess(conversion_price, dividend, market_price, threshold)
    work, cp1 = _cash_dividend(conversion_price, dividend, threshold, source)
    work.given("M", "market price", exact(market_price), PER_SHARE)
    work.then(*_AFTER, "min(CP1, CP1 * (M - (dividend - T)) / M)", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_cash_dividend_subtracted(
    conversion_price: Exact,
    dividend: Exact,
    threshold: Exact = 0,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "cash dividends clause, subtracted form",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.cash_dividend_subtracted`."""
    result = adjustments.cash_dividend_subtracted(conversion_price, dividend, threshold)
    work, cp1 = _cash_dividend(conversion_price, dividend, threshold, source)
    work.then(*_AFTER, "when(T < dividend, CP1 - dividend, CP1)", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_rights(
    conversion_price: Exact,
    outstanding: Exact,
    offered: Exact,
    offer_price: Exact,
    market_price: Exact,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "rights offerings clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.rights`."""
    result = adjustments.rights(conversion_price, outstanding, offered, offer_price, market_price)
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    work.given("N", "common outstanding before", exact(outstanding), COMMON)
    work.given("R", "common offered", exact(offered), COMMON)
    work.given("offer", "offer price", exact(offer_price), PER_SHARE)
    work.given("M", "market price", exact(market_price), PER_SHARE)
    work.then(*_AFTER, "min(CP1, CP1 * (N + R * offer / M) / (N + R))", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_spin_off(
    conversion_price: Exact,
    distributed_value: Exact,
    market_price: Exact,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "distributions clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.spin_off`."""
    result = adjustments.spin_off(conversion_price, distributed_value, market_price)
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    work.given("V", "value distributed", exact(distributed_value), PER_SHARE)
    work.given("M", "market price after the distribution", exact(market_price), PER_SHARE)
    work.then(*_AFTER, "CP1 * M / (M + V)", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_spin_off_over_market(
    conversion_price: Exact,
    distributed_value: Exact,
    market_price: Exact,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "distributions clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.spin_off_over_market`."""
    result = adjustments.spin_off_over_market(conversion_price, distributed_value, market_price)
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    work.given("V", "value distributed", exact(distributed_value), PER_SHARE)
    work.given("M", "market price before the distribution", exact(market_price), PER_SHARE)
    work.then(*_AFTER, "CP1 * (M - V) / M", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_tender_offer(
    conversion_price: Exact,
    consideration: Exact,
    outstanding_before: Exact,
    outstanding_after: Exact,
    market_price: Exact,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "tender offers clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.tender_offer`."""
    result = adjustments.tender_offer(
        conversion_price, consideration, outstanding_before, outstanding_after, market_price
    )
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    work.given("AC", "aggregate consideration paid", exact(consideration), MONEY)
    work.given("OS0", "common outstanding before", exact(outstanding_before), COMMON)
    work.given("OS1", "common outstanding after", exact(outstanding_after), COMMON)
    work.given("SP", "market price", exact(market_price), PER_SHARE)
    work.then(*_AFTER, "min(CP1, CP1 * (SP * OS0) / (AC + SP * OS1))", result, PER_SHARE)
    return _price_after(work, result, cp1, decimals, rounding_type, capped=True)


def explain_conversion_ratio(
    original_issue_price: Exact,
    conversion_price: Exact,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "conversion clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.conversion_ratio`."""
    result = adjustments.conversion_ratio(original_issue_price, conversion_price)
    work = Working(source)
    work.given("OIP", "original issue price", exact(original_issue_price), PER_SHARE)
    work.given("CP", "conversion price", exact(conversion_price), PER_SHARE)
    work.then("CR", "conversion ratio, unrounded", "OIP / CP", result, RATIO)
    rounded = round_price(result, decimals, rounding_type)
    work.rounded("CR_rounded", "conversion ratio", "CR", rounded, RATIO, decimals, rounding_type)
    return work.steps


def explain_conversion_shares(
    preferred_shares: Exact,
    original_issue_price: Exact,
    conversion_price: Exact,
    *,
    rounding_type: RoundingType = RoundingType.FLOOR,
    source: str = "conversion clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.conversion_shares`, made whole shares."""
    work, shares = _conversion(preferred_shares, original_issue_price, conversion_price, source)
    whole = Fraction(round_whole(shares, rounding_type))
    work.rounded("whole", "whole shares of common", "S", whole, COMMON, 0, rounding_type)
    return work.steps


def explain_cash_in_lieu(
    preferred_shares: Exact,
    original_issue_price: Exact,
    conversion_price: Exact,
    market_price: Exact,
    *,
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "fractional shares clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.adjustments.cash_in_lieu`."""
    result = adjustments.cash_in_lieu(preferred_shares, original_issue_price, conversion_price, market_price)
    work, shares = _conversion(preferred_shares, original_issue_price, conversion_price, source)
    work.given("zero", "decimals of whole shares", Fraction(0), "digits")
    whole = Fraction(round_whole(shares, RoundingType.FLOOR))
    work.then("whole", "whole shares of common", "floor(S, zero)", whole, COMMON)
    work.then("F", "fraction of a share", "S - whole", shares - whole, COMMON)
    work.given("M", "market price", exact(market_price), PER_SHARE)
    work.then("cash", "cash in lieu, unrounded", "F * M", result, MONEY)
    rounded = result if decimals is None else round_to(result, decimals, rounding_type)
    work.rounded("cash_rounded", "cash in lieu", "cash", rounded, MONEY, decimals, rounding_type)
    return work.steps


def explain_round(
    number: Exact,
    *,
    decimals: int,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    source: str = "rounding clause",
) -> tuple[Step, ...]:
    """Steps of :func:`~xl_conversion.core.rounding.round_to`."""
    value = exact(number)
    work = Working(source)
    work.given("V", "number", value, "number")
    rounded = round_to(value, decimals, rounding_type)
    work.rounded("V_rounded", "rounded", "V", rounded, "number", decimals, rounding_type)
    return work.steps


def _price_after(
    work: Working,
    result: Fraction,
    before: Fraction,
    decimals: int | None,
    rounding_type: RoundingType,
    *,
    capped: bool,
) -> tuple[Step, ...]:
    if decimals is None:
        return work.steps
    rounded = round_price(result, decimals, rounding_type, not_above=before if capped else None)
    cap = "CP1" if capped else None
    work.rounded(*_ROUNDED, "CP2", rounded, PER_SHARE, decimals, rounding_type, not_above=cap)
    return work.steps


def _cash_dividend(
    conversion_price: Exact, dividend: Exact, threshold: Exact, source: str
) -> tuple[Working, Fraction]:
    work = Working(source)
    cp1 = work.given(*_BEFORE, exact(conversion_price), PER_SHARE)
    work.given("dividend", "cash dividend", exact(dividend), PER_SHARE)
    work.given("T", "threshold, at or below which nothing moves", exact(threshold), PER_SHARE)
    return work, cp1


def _conversion(
    preferred_shares: Exact, original_issue_price: Exact, conversion_price: Exact, source: str
) -> tuple[Working, Fraction]:
    shares = adjustments.conversion_shares(preferred_shares, original_issue_price, conversion_price)
    work = Working(source)
    work.given("preferred", "preferred shares converted", exact(preferred_shares), "shares of preferred")
    work.given("OIP", "original issue price", exact(original_issue_price), PER_SHARE)
    work.given("CP", "conversion price", exact(conversion_price), PER_SHARE)
    work.then("S", "common on conversion, unrounded", "preferred * OIP / CP", shares, COMMON)
    return work, shares
