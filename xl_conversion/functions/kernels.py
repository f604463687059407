"""The formula of each function as one fraction, for whole columns of numbers at once.

A kernel says what its function in :mod:`xl_conversion.core.adjustments` says, with + - and * alone, so that one
expression serves doubles and exact wide numbers alike (:mod:`xl_conversion.functions.arrays`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

ONE: Final = 1
"""A denominator by which nothing need be divided."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One function by one method: `fraction` gives a numerator and a denominator for its `arguments`."""

    arguments: tuple[str, ...]
    fraction: Callable[..., tuple[Any, Any]]
    unmoved: tuple[str, str] | tuple[str, None] | None = None
    """Nothing moves just where the first is not above the second, or not above 0."""
    below: tuple[str, str] | None = None
    """The first is subtracted from the second; it is an error where it is not below it, unless nothing moves."""
    not_above: tuple[str, str] | None = None
    """It is an error where the first is above the second."""
    rest_at: str | None = None
    """Not the fraction counts but what it leaves over whole units, at this price."""
    signed: bool = False
    """Whether numbers below 0 are possible."""


def _weighted_average(cp1: Any, outstanding: Any, paid: Any, issued: Any, other: Any) -> tuple[Any, Any]:
    base = outstanding + other
    return cp1 * base + paid, base + issued


KERNELS: Mapping[tuple[str, str], Kernel] = {
    ("CP_WEIGHTED_AVERAGE", ""): Kernel(
        ("conversion_price", "outstanding", "consideration", "issued", "other_securities"),
        _weighted_average,
    ),
    ("CP_FULL_RATCHET", ""): Kernel(
        ("conversion_price", "issue_price"),
        lambda cp1, issue_price: (issue_price, ONE),
        unmoved=("conversion_price", "issue_price"),
    ),
    ("CP_SPLIT", ""): Kernel(
        ("conversion_price", "split_new", "split_old"),
        lambda cp1, new, old: (cp1 * old, new),
    ),
    ("CP_STOCK_DIVIDEND", ""): Kernel(
        ("conversion_price", "outstanding", "dividend_shares"),
        lambda cp1, before, paid: (cp1 * before, before + paid),
        unmoved=("dividend_shares", None),
    ),
    ("CP_CASH_DIVIDEND", "ratio"): Kernel(
        ("conversion_price", "dividend", "market_price", "threshold"),
        lambda cp1, paid, market, least: (cp1 * (market - paid), market - least),
        unmoved=("dividend", "threshold"),
        below=("dividend", "market_price"),
    ),
    ("CP_CASH_DIVIDEND", "excess"): Kernel(
        ("conversion_price", "dividend", "market_price", "threshold"),
        lambda cp1, paid, market, least: (cp1 * (market + least - paid), market),
        unmoved=("dividend", "threshold"),
        # Above the market price it may still be possible; so rare a figure is left to the core.
        below=("dividend", "market_price"),
    ),
    ("CP_CASH_DIVIDEND", "subtract"): Kernel(
        ("conversion_price", "dividend", "threshold"),
        lambda cp1, paid, least: (cp1 - paid, ONE),
        unmoved=("dividend", "threshold"),
        below=("dividend", "conversion_price"),
    ),
    ("CP_RIGHTS", ""): Kernel(
        ("conversion_price", "outstanding", "offered", "offer_price", "market_price"),
        lambda cp1, common, new, offer, market: (cp1 * (common * market + new * offer), (common + new) * market),
        unmoved=("market_price", "offer_price"),
    ),
    ("CP_SPIN_OFF", "over_sum"): Kernel(
        ("conversion_price", "distributed_value", "market_price"),
        lambda cp1, value, market: (cp1 * market, market + value),
        unmoved=("distributed_value", None),
    ),
    ("CP_SPIN_OFF", "over_market"): Kernel(
        ("conversion_price", "distributed_value", "market_price"),
        lambda cp1, value, market: (cp1 * (market - value), market),
        unmoved=("distributed_value", None),
        below=("distributed_value", "market_price"),
    ),
    ("CP_TENDER_OFFER", ""): Kernel(
        ("conversion_price", "consideration", "outstanding_before", "outstanding_after", "market_price"),
        lambda cp1, paid, before, after, market: (cp1 * market * before, paid + market * after),
        not_above=("outstanding_after", "outstanding_before"),
    ),
    ("CP_RATIO", ""): Kernel(
        ("original_issue_price", "conversion_price"),
        lambda original, price: (original, price),
    ),
    ("CP_CONVERSION_SHARES", ""): Kernel(
        ("preferred_shares", "original_issue_price", "conversion_price"),
        lambda held, original, price: (held * original, price),
    ),
    ("CP_CASH_IN_LIEU", ""): Kernel(
        ("preferred_shares", "original_issue_price", "conversion_price"),
        lambda held, original, price: (held * original, price),
        rest_at="market_price",
    ),
    ("CP_ROUND", ""): Kernel(("number",), lambda number: (number, ONE), signed=True),
}
"""By the name of the function and the method, "" where it has one only."""
