"""What a charter says of one series of convertible preferred."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from xl_conversion.core.adjustments import round_price
from xl_conversion.core.rounding import RoundingType


class Basis(StrEnum):
    """Which of two prices is taken: the rounded or the unrounded one."""

    ROUNDED = "rounded"
    UNROUNDED = "unrounded"


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a figure is rounded; with no `decimals` it is not.

    >>> Rounding(2, RoundingType.HALF_UP).price(Fraction("2.00130"))
    Fraction(2, 1)
    """

    decimals: int | None = None
    rounding_type: RoundingType = RoundingType.HALF_UP

    def price(self, value: Fraction, *, not_above: Fraction | None = None) -> Fraction:
        """`value` rounded as :func:`~xl_conversion.core.adjustments.round_price` does."""
        return round_price(value, self.decimals, self.rounding_type, not_above=not_above)


@dataclass(frozen=True, slots=True)
class Series:
    """A series and its terms. Three settings are separate, since real notices differ in each: how the price
    is rounded, which price (rounded or not) the next adjustment starts from, and which one the ratio is
    taken from."""

    name: str
    company: str
    original_issue_price: Fraction
    conversion_price: Fraction
    """In force before the first event."""
    clause: str = ""
    price: Rounding = Rounding()
    carried_price: Basis = Basis.ROUNDED
    ratio: Rounding = Rounding()
    ratio_basis: Basis = Basis.UNROUNDED
    share_rounding_type: RoundingType = RoundingType.FLOOR
    source: str = ""
