"""How a worksheet function rounds its figure: once, at the end, by its own arguments."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from xl_conversion.core.adjustments import round_price
from xl_conversion.core.rounding import exact, round_to, round_whole

Arguments = Mapping[str, Any]


def adjusted_price(value: Fraction, arguments: Arguments) -> Fraction:
    """A price that an adjustment has moved, never above the one before it."""
    before = exact(arguments["conversion_price"])
    return round_price(value, arguments["decimals"], arguments["rounding_type"], not_above=before)


def price(value: Fraction, arguments: Arguments) -> Fraction:
    """A price or ratio."""
    return round_price(value, arguments["decimals"], arguments["rounding_type"])


def amount(value: Fraction, arguments: Arguments) -> Fraction:
    """An amount of money or another number; it may be 0."""
    decimals = arguments["decimals"]
    return value if decimals is None else round_to(value, decimals, arguments["rounding_type"])


def shares(value: Fraction, arguments: Arguments) -> Fraction:
    """Whole shares."""
    return Fraction(round_whole(value, arguments["rounding_type"]))
