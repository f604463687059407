"""What each holder gets on conversion, in whole shares as the charter makes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from xl_conversion.core.adjustments import ImpossibleArgument, conversion_ratio
from xl_conversion.core.rounding import round_whole
from xl_conversion.core.terms import Series, SharesPer


@dataclass(frozen=True, slots=True)
class Holding:
    """Preferred of one series on one certificate of one holder."""

    holder: str
    shares: Fraction
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class HolderShares:
    """What one holder gets: `common` in whole shares, and the `unrounded` figure that it comes from."""

    holder: str
    preferred: Fraction
    unrounded: Fraction
    common: int

    @property
    def fraction(self) -> Fraction:
        """Left over, and paid in cash; below 0 where shares are rounded up."""
        return self.unrounded - self.common


def convert(series: Series, price: Fraction, holdings: Iterable[Holding]) -> tuple[HolderShares, ...]:
    """Every holder in the order of first mention; shares are made whole for all that a holder has, or for each
    certificate.

    >>> from xl_conversion.core.terms import Series
    >>> a = Series("A", "", Fraction("6.41"), Fraction(2))
    >>> held = [Holding("Ann", Fraction(101), "1"), Holding("Ann", Fraction(101), "2")]
    >>> [got.common for got in convert(a, Fraction(2), held)]
    [647]
    """
    by_holder: dict[str, list[Fraction]] = {}
    for holding in holdings:
        if holding.shares < 0:
            raise ImpossibleArgument("preferred_shares", str(holding.shares), "it must be 0 or above")
        by_holder.setdefault(holding.holder, []).append(holding.shares)
    rate = conversion_ratio(series.original_issue_price, price)  # once for all
    found = []
    for holder, held in by_holder.items():
        preferred = sum(held[1:], held[0])
        lots = [preferred] if series.shares_per is SharesPer.HOLDER else held
        common = [lot * rate for lot in lots]
        whole = sum(round_whole(shares, series.share_rounding_type) for shares in common)
        found.append(HolderShares(holder, preferred, sum(common[1:], common[0]), whole))
    return tuple(found)
