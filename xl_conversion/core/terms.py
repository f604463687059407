"""What a charter says of one series of convertible preferred."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from xl_conversion.core.adjustments import round_price
from xl_conversion.core.rounding import RoundingType


class Method(StrEnum):
    """How an issuance below the price moves it: by which base the average is weighted, or fully, or not."""

    BROAD = "broad"
    """Weighted average on common, preferred as converted, options, warrants and convertible notes."""
    BROAD_WITH_POOL = "broad_with_pool"
    """As broad, and the options not yet granted."""
    NARROW = "narrow"
    """Weighted average on common and preferred as converted only."""
    COMMON = "common"
    """Weighted average on common only."""
    LISTED = "listed"
    """Weighted average on the classes that the charter lists."""
    FULL_RATCHET = "full_ratchet"
    NONE = "none"


class Basis(StrEnum):
    """Which of two prices is taken: the rounded or the unrounded one."""

    ROUNDED = "rounded"
    UNROUNDED = "unrounded"


class Others(StrEnum):
    """What a series sees of the other series that adjust from the same issuance."""

    BEFORE = "before"
    """They count as converted before it; automatic adjustments do not feed back (the circularity cut-off)."""
    SOLVED = "solved"
    """The common that their adjustments add counts as issued, for nothing; the circle is solved exactly."""


class Closings(StrEnum):
    """How the later closings of one issuance count."""

    AS_FIRST = "as_first"
    """As if all had happened at the first."""
    SEPARATELY = "separately"


class SharesPer(StrEnum):
    """What is made whole shares: all that a holder has, or each certificate."""

    HOLDER = "holder"
    CERTIFICATE = "certificate"


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
    method: Method = Method.BROAD
    base_classes: frozenset[str] = frozenset()
    """The classes of a listed base, by name or kind, in small letters."""
    ratchet_until: date | None = None
    """Up to this day a full ratchet applies, and `method` after it."""
    exempted: frozenset[str] = frozenset()
    """Categories, kinds or names of securities whose issuance moves nothing, in small letters."""
    minimum: Fraction | None = None
    """A change of the price by less is not made but carried forward."""
    minimum_percent: Fraction | None = None
    """The same, in percent of the price in force."""
    floor: Fraction | None = None
    downward_only: bool = False
    """Nothing but a combination raises the price, no readjustment either."""
    others: Others = Others.BEFORE
    closings: Closings = Closings.AS_FIRST
    shares_per: SharesPer = SharesPer.HOLDER
    preferred_shares: Fraction = Fraction(0)
    """Outstanding before the first event."""

    def ratchets_on(self, day: date) -> bool:
        """Whether a full ratchet applies that day."""
        return self.method is Method.FULL_RATCHET or (self.ratchet_until is not None and day <= self.ratchet_until)
