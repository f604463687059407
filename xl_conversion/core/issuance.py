"""An issuance as the company counts it, and what it does to one series by the weighted average clause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction

from xl_conversion.core.adjustments import conversion_ratio, weighted_average_charter
from xl_conversion.core.explanations import explain_conversion_ratio, explain_weighted_average_charter
from xl_conversion.core.steps import Step
from xl_conversion.core.terms import Basis, Series


class SecurityKind(StrEnum):
    """What was issued: shares, or a right to shares, which counts its maximum."""

    SHARES = "shares"
    OPTION = "option"
    WARRANT = "warrant"
    CONVERTIBLE_NOTE = "convertible_note"
    PREFERRED = "preferred"


@dataclass(frozen=True, slots=True)
class Security:
    """One security of an issuance: the common it is or can at most become, and what is paid for all of it,
    the minimum further consideration included."""

    name: str
    kind: SecurityKind
    shares: Fraction
    consideration: Fraction
    source: str = ""
    calculable: bool = True
    """False while the consideration cannot be known: then it moves nothing yet."""
    category: str = ""
    """What a charter may exempt by: plan, lender, acquisition and the like; `pool` is granted out of the pool."""

    @property
    def labels(self) -> frozenset[str]:
        """What an exemption or a listed base may name it by, in small letters."""
        return frozenset({self.name.casefold(), self.kind.value, self.category.casefold()})

    def part(self, shares: Fraction) -> Security:
        """So many of its shares, with their part of the consideration."""
        if not self.shares:
            return self
        return replace(self, shares=shares, consideration=self.consideration * shares / self.shares)


@dataclass(frozen=True, slots=True)
class Conversion:
    """A chain from money to common: a note's principal buys preferred, which converts into common.

    One row for each holder, or one for all of them when the holders are not known.
    """

    security: str
    principal: Fraction
    """With the accrued interest that converts with it."""
    preferred_price: Fraction
    """Principal for one share of preferred."""
    common_per_preferred: Fraction
    holder: str = ""
    source: str = ""

    @property
    def conversion_price(self) -> Fraction:
        """Principal for one share of common."""
        return self.preferred_price / self.common_per_preferred

    @property
    def preferred(self) -> Fraction:
        """Shares of preferred, unrounded."""
        return self.principal / self.preferred_price

    @property
    def common(self) -> Fraction:
        """Shares of common, unrounded."""
        return self.principal / self.conversion_price


@dataclass(frozen=True, slots=True)
class Issuance:
    """Securities issued at one time, and the capitalization before and after, as the company counts it."""

    event: str
    date: date
    outstanding_before: Fraction
    other_before: Fraction
    securities: tuple[Security, ...]
    outstanding_after: Fraction
    other_after: Fraction
    conversions: tuple[Conversion, ...] = ()
    description: str = ""
    clause: str = ""
    source: str = ""

    @property
    def consideration(self) -> Fraction:
        """Of all securities together."""
        return sum((security.consideration for security in self.securities), Fraction(0))

    @property
    def listed(self) -> Fraction:
        """Common of all securities together."""
        return sum((security.shares for security in self.securities), Fraction(0))

    @property
    def issued(self) -> Fraction:
        """Common issued by the company's own count, before to after."""
        return self.outstanding_after - self.outstanding_before


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What one issuance did to one series. `price` and `ratio` are rounded as its charter says."""

    series: Series
    issuance: Issuance
    price_before: Fraction
    price_unrounded: Fraction
    price: Fraction
    ratio_unrounded: Fraction
    ratio: Fraction
    price_steps: tuple[Step, ...]
    ratio_steps: tuple[Step, ...]


def adjust(series: Series, issuance: Issuance) -> Adjustment:
    """The conversion price and ratio of `series` after `issuance`, by its weighted average clause.

    Raises ImpossibleArgument as :func:`~xl_conversion.core.adjustments.weighted_average_charter`.
    """
    cp1 = series.conversion_price
    letters = (
        cp1,
        issuance.outstanding_before,
        issuance.consideration,
        issuance.other_before,
        issuance.outstanding_after,
        issuance.other_after,
        # The trigger is what was paid for the securities listed, whatever the company's counts say.
        issuance.listed or None,
    )
    unrounded = weighted_average_charter(*letters)
    price = series.price.price(unrounded, not_above=cp1)
    taken = unrounded if series.ratio_basis is Basis.UNROUNDED else price
    ratio = conversion_ratio(series.original_issue_price, taken)
    return Adjustment(
        series,
        issuance,
        cp1,
        unrounded,
        price,
        ratio,
        series.ratio.price(ratio),
        explain_weighted_average_charter(
            *letters,
            decimals=series.price.decimals,
            rounding_type=series.price.rounding_type,
            source=issuance.clause or series.clause,
        ),
        explain_conversion_ratio(
            series.original_issue_price,
            taken,
            decimals=series.ratio.decimals,
            rounding_type=series.ratio.rounding_type,
            source=series.clause,
        ),
    )
