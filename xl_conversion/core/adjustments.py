"""How a conversion price moves: one function per clause of a charter. Start reading here.

Every function takes and returns exact numbers (text, int, Decimal or Fraction in; Fraction out) and rounds
nothing: rounding happens once, at the end, as the charter says (:mod:`xl_conversion.core.rounding`). Prices
are money per share of common, share counts are shares of common unless another class is named. An argument
that cannot be (a price of zero, a negative count) raises :class:`ImpossibleArgument`, which names the
argument, its value and the rule.

In the formulas CP1 is the conversion price before, CP2 the one after.
"""

from __future__ import annotations

from fractions import Fraction

from xl_conversion.core.rounding import Exact, RoundingType, brief, exact, round_to, round_whole

ZERO = Fraction(0)


class ImpossibleArgument(ValueError):
    """An argument of the right type whose value cannot be: which one, its value, and the rule it breaks."""

    def __init__(self, argument: str, value: str, rule: str) -> None:
        super().__init__(argument, value, rule)
        self.argument = argument
        self.value = value
        self.rule = rule

    def __str__(self) -> str:
        return f"{self.argument} is {self.value}; {self.rule}"


def weighted_average(
    conversion_price: Exact,
    outstanding: Exact,
    consideration: Exact,
    issued: Exact,
    other_securities: Exact = 0,
) -> Fraction:
    """The price after an issuance below it, weighted average formula (NVCA model charter, 4.4.4).

        CP2 = CP1 x (A + B) / (A + C)

    A: common outstanding on the charter's base, `outstanding` + `other_securities`. B: the shares that the
    aggregate `consideration` would buy at CP1. C: the shares `issued`. At or above CP1 nothing moves.

    >>> weighted_average("1.00", 7_000_000, 1_000_000, 2_000_000)
    Fraction(8, 9)
    """
    cp1 = above_zero("conversion_price", conversion_price)
    base = above_zero("outstanding", outstanding) + _not_negative("other_securities", other_securities)
    paid = _not_negative("consideration", consideration)
    new = above_zero("issued", issued)
    # B is never formed alone: one fraction, one division.
    return min(cp1, (cp1 * base + paid) / (base + new))


def weighted_average_charter(
    conversion_price: Exact,
    outstanding_before: Exact,
    consideration: Exact,
    other_before: Exact,
    outstanding_after: Exact,
    other_after: Exact,
    issued: Exact | None = None,
) -> Fraction:
    """The price after an issuance below it, in the five letters of a charter (Vsource, Section 7d(6)).

        CP2 = CP1 x (A + B + C) / (X + Y)

    A, X: common outstanding before and after. C, Y: common underlying other securities, before and after.
    B: the shares that `consideration` would buy at CP1. The trigger is the consideration for each share
    `issued`, at or above CP1 nothing moves; left out, so many were issued as the counts say, (X + Y) - (A + C).
    The same number as :func:`weighted_average` when X = A + issued and Y = C.

    >>> weighted_average_charter("6.41", 33_831_184, "8187842.70", 1_411_724, 115_559_617, 1_411_724)
    Fraction(3901581383, 1949522350)
    """
    cp1 = above_zero("conversion_price", conversion_price)
    before = above_zero("outstanding_before", outstanding_before) + _not_negative("other_before", other_before)
    after = above_zero("outstanding_after", outstanding_after) + _not_negative("other_after", other_after)
    paid = _not_negative("consideration", consideration)
    if issued is not None and paid >= cp1 * above_zero("issued", issued):
        return cp1
    return min(cp1, (cp1 * before + paid) / after)


def full_ratchet(conversion_price: Exact, issue_price: Exact) -> Fraction:
    """The price after an issuance below it under a full ratchet: the issue price.

        CP2 = min(CP1, issue price)

    For nothing there is no issue price, and no price would be left: it must be above 0.

    >>> full_ratchet(10, 5), full_ratchet(10, 12)
    (Fraction(5, 1), Fraction(10, 1))
    """
    return min(above_zero("conversion_price", conversion_price), above_zero("issue_price", issue_price))


def split(conversion_price: Exact, split_new: Exact, split_old: Exact) -> Fraction:
    """The price after a split or combination: `split_new` shares for every `split_old`.

        CP2 = CP1 x old / new

    >>> split(50, 2, 1), split(2, 1, 20)
    (Fraction(25, 1), Fraction(40, 1))
    """
    cp1 = above_zero("conversion_price", conversion_price)
    new = above_zero("split_new", split_new)
    return cp1 * above_zero("split_old", split_old) / new


def stock_dividend(conversion_price: Exact, outstanding: Exact, dividend_shares: Exact) -> Fraction:
    """The price after a dividend of common paid on common.

        CP2 = CP1 x outstanding / (outstanding + dividend shares)

    >>> stock_dividend("12.28", 10, 1)
    Fraction(614, 55)
    """
    cp1 = above_zero("conversion_price", conversion_price)
    before = above_zero("outstanding", outstanding)
    return cp1 * before / (before + _not_negative("dividend_shares", dividend_shares))


def cash_dividend(conversion_price: Exact, dividend: Exact, market_price: Exact, threshold: Exact = 0) -> Fraction:
    """The price after a cash dividend per share of common, ratio form.

        CP2 = CP1 x (market - dividend) / (market - threshold)

    At or below the `threshold` nothing moves.

    >>> cash_dividend(10, 1, 20), cash_dividend(10, "0.50", 20, threshold="0.50")
    (Fraction(19, 2), Fraction(10, 1))
    """
    cp1 = above_zero("conversion_price", conversion_price)
    paid = _not_negative("dividend", dividend)
    market = above_zero("market_price", market_price)
    least = _not_negative("threshold", threshold)
    if paid <= least:
        return cp1
    _below("dividend", paid, "market_price", market)
    return cp1 * (market - paid) / (market - least)


def cash_dividend_excess(
    conversion_price: Exact, dividend: Exact, market_price: Exact, threshold: Exact = 0
) -> Fraction:
    """The price after a cash dividend per share of common, of which only the part above `threshold` counts.

        CP2 = CP1 x (market - (dividend - threshold)) / market

    >>> cash_dividend_excess(10, 3, 20, threshold=1)
    Fraction(9, 1)
    """
    cp1 = above_zero("conversion_price", conversion_price)
    paid = _not_negative("dividend", dividend)
    market = above_zero("market_price", market_price)
    least = _not_negative("threshold", threshold)
    counted = max(ZERO, paid - least)
    _below("dividend", paid, "market_price and threshold together", market + least)
    return cp1 * (market - counted) / market


def cash_dividend_subtracted(conversion_price: Exact, dividend: Exact, threshold: Exact = 0) -> Fraction:
    """The price after a cash dividend per share of common, taken off the price; nothing at the `threshold`.

        CP2 = CP1 - dividend

    >>> cash_dividend_subtracted("5.67", "0.07")
    Fraction(28, 5)
    """
    cp1 = above_zero("conversion_price", conversion_price)
    paid = _not_negative("dividend", dividend)
    if paid <= _not_negative("threshold", threshold):
        return cp1
    _below("dividend", paid, "conversion_price", cp1)
    return cp1 - paid


def rights(
    conversion_price: Exact, outstanding: Exact, offered: Exact, offer_price: Exact, market_price: Exact
) -> Fraction:
    """The price after rights to buy common below the market price were given to all holders of common.

        CP2 = CP1 x (N + n x offer / market) / (N + n)

    N: common outstanding; n: common offered. At or above the market price nothing moves.

    >>> rights(12, 100, 20, 5, 10)
    Fraction(11, 1)
    """
    cp1 = above_zero("conversion_price", conversion_price)
    common = above_zero("outstanding", outstanding)
    new = above_zero("offered", offered)
    offer = _not_negative("offer_price", offer_price)
    market = above_zero("market_price", market_price)
    return min(cp1, cp1 * (common * market + new * offer) / ((common + new) * market))


def spin_off(conversion_price: Exact, distributed_value: Exact, market_price: Exact) -> Fraction:
    """The price after other property was distributed on the common, market price after the distribution.

        CP2 = CP1 x market / (market + value distributed per share)

    >>> spin_off(10, 5, 20)
    Fraction(8, 1)
    """
    cp1 = above_zero("conversion_price", conversion_price)
    value = _not_negative("distributed_value", distributed_value)
    market = above_zero("market_price", market_price)
    return cp1 * market / (market + value)


def spin_off_over_market(conversion_price: Exact, distributed_value: Exact, market_price: Exact) -> Fraction:
    """The price after other property was distributed on the common, market price before the distribution.

        CP2 = CP1 x (market - value distributed per share) / market

    >>> spin_off_over_market(10, 5, 20)
    Fraction(15, 2)
    """
    cp1 = above_zero("conversion_price", conversion_price)
    value = _not_negative("distributed_value", distributed_value)
    market = above_zero("market_price", market_price)
    _below("distributed_value", value, "market_price", market)
    return cp1 * (market - value) / market


def tender_offer(
    conversion_price: Exact,
    consideration: Exact,
    outstanding_before: Exact,
    outstanding_after: Exact,
    market_price: Exact,
) -> Fraction:
    """The price after common was bought back above the market price.

        CP2 = CP1 x (SP x OS0) / (AC + SP x OS1)

    AC: aggregate `consideration` paid; OS0, OS1: common outstanding before and after; SP: market price. It is
    the rate form CR x (AC + SP x OS1) / (SP x OS0) turned over. At or below the market price nothing moves.

    >>> tender_offer(10, 300, 100, 80, 10)
    Fraction(100, 11)
    """
    cp1 = above_zero("conversion_price", conversion_price)
    paid = _not_negative("consideration", consideration)
    before = above_zero("outstanding_before", outstanding_before)
    after = above_zero("outstanding_after", outstanding_after)
    market = above_zero("market_price", market_price)
    if after > before:
        raise ImpossibleArgument(
            "outstanding_after", brief(after), f"it must not be above outstanding_before, {brief(before)}"
        )
    return min(cp1, cp1 * market * before / (paid + market * after))


def conversion_ratio(original_issue_price: Exact, conversion_price: Exact) -> Fraction:
    """Common per share of preferred.

        ratio = original issue price / CP

    >>> conversion_ratio("6.41", "2.00")
    Fraction(641, 200)
    """
    return above_zero("original_issue_price", original_issue_price) / above_zero(
        "conversion_price", conversion_price
    )


def conversion_shares(preferred_shares: Exact, original_issue_price: Exact, conversion_price: Exact) -> Fraction:
    """Common on conversion of `preferred_shares`, before it is made whole shares.

        shares = preferred shares x original issue price / CP

    >>> conversion_shares(100, "6.41", "2.00")
    Fraction(641, 2)
    """
    held = _not_negative("preferred_shares", preferred_shares)
    return held * conversion_ratio(original_issue_price, conversion_price)


def cash_in_lieu(
    preferred_shares: Exact, original_issue_price: Exact, conversion_price: Exact, market_price: Exact
) -> Fraction:
    """Cash paid for the fraction of a share that conversion leaves over, the whole shares rounded down.

        cash = (shares - whole shares) x market price

    >>> cash_in_lieu(101, "6.41", "2.00", "0.50")
    Fraction(141, 400)
    """
    shares = conversion_shares(preferred_shares, original_issue_price, conversion_price)
    return (shares - round_whole(shares, RoundingType.FLOOR)) * above_zero("market_price", market_price)


def round_price(
    price: Fraction, decimals: int | None, rounding_type: RoundingType, *, not_above: Fraction | None = None
) -> Fraction:
    """A price as the charter writes it: rounded to `decimals`, or left alone when there are none.

    Rounding does not undo an adjustment: with `not_above` (the price before it) the result is never higher,
    and a price that did not move is not rounded.

    >>> round_price(Fraction("2.00130"), 2, RoundingType.HALF_UP)
    Fraction(2, 1)
    >>> round_price(Fraction("1.0059"), 2, RoundingType.HALF_UP, not_above=Fraction("1.006"))
    Fraction(503, 500)

    Raises ImpossibleArgument when nothing would be left of the price.
    """
    if not_above is not None and price >= not_above:
        return not_above
    if decimals is None:
        return price
    rounded = round_to(price, decimals, rounding_type)
    if rounded.numerator <= 0 < price.numerator:
        raise ImpossibleArgument(
            "decimals", str(decimals), f"{brief(price)} rounds to zero there; more decimals are needed"
        )
    return rounded if not_above is None else min(rounded, not_above)


def above_zero(argument: str, value: Exact) -> Fraction:
    """`value` as a number above 0; ImpossibleArgument names `argument` otherwise."""
    number = exact(value)
    if number.numerator <= 0:
        raise ImpossibleArgument(argument, brief(number), "it must be above 0")
    return number


def _not_negative(argument: str, value: Exact) -> Fraction:
    number = exact(value)
    if number.numerator < 0:
        raise ImpossibleArgument(argument, brief(number), "it must be 0 or above")
    return number


def _below(argument: str, value: Fraction, bound: str, limit: Fraction) -> None:
    if value >= limit:
        raise ImpossibleArgument(argument, brief(value), f"it must be below {bound}, {brief(limit)}")
