"""What happens in the life of a series: one record for each kind of event.

Events of one day happen in the order in which they are given. An event may concern every series of a company, or
only those that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from xl_conversion.core.issuance import Conversion, Security


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have; `series` is empty for all series of the company."""

    event: str
    date: date
    description: str = ""
    clause: str = ""
    source: str = ""
    series: frozenset[str] = frozenset()

    def concerns(self, series: str) -> bool:
        """Whether the event is one of that series."""
        return not self.series or series in self.series


@dataclass(frozen=True, slots=True)
class Counts:
    """Common and common underlying other securities, before and after an issuance, as the company counts them."""

    outstanding_before: Fraction
    other_before: Fraction
    outstanding_after: Fraction
    other_after: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued(Event):
    """Shares issued, or rights to shares, which are deemed issued at once. With `counts` the company's own figures
    are taken, else those of the capitalization. `closing_of` is the first closing of the same issuance."""

    securities: tuple[Security, ...]
    counts: Counts | None = None
    conversions: tuple[Conversion, ...] = ()
    closing_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended(Event):
    """A security's terms have changed, or become calculable. Where its issuance moved the price, that is what it
    would have been with these terms from the start; where it did not, the security counts as issued now. `shares`
    are all that it could ever become, in the shares of today, with what has been exercised."""

    security: str
    shares: Fraction | None = None
    consideration: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Event):
    """A security has expired or ended unexercised, all that is left of it or so many shares: the price is what it
    would have been without them."""

    security: str
    shares: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercised(Event):
    """A security has become common. It counted when it was issued, so the price does not move again."""

    security: str
    shares: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Event):
    """A split or combination of the common: `new` shares for every `old`."""

    new: Fraction
    old: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDividend(Event):
    """Common paid on common."""

    shares: Fraction
    outstanding: Fraction | None = None


class CashForm(StrEnum):
    """How a charter counts a cash dividend."""

    RATIO = "ratio"
    EXCESS = "excess"
    SUBTRACT = "subtract"


@dataclass(frozen=True, slots=True, kw_only=True)
class CashDividend(Event):
    """Cash paid on each share of common."""

    dividend: Fraction
    market_price: Fraction | None = None
    threshold: Fraction = Fraction(0)
    method: CashForm = CashForm.RATIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights(Event):
    """Rights offered to all holders of common to buy more of it below the market price."""

    offered: Fraction
    offer_price: Fraction
    market_price: Fraction
    outstanding: Fraction | None = None


class SpinOffForm(StrEnum):
    """How a charter counts a distribution."""

    OVER_SUM = "over_sum"
    OVER_MARKET = "over_market"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpinOff(Event):
    """Other property distributed on each share of common."""

    distributed_value: Fraction
    market_price: Fraction
    method: SpinOffForm = SpinOffForm.OVER_SUM


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderOffer(Event):
    """Common bought back above the market price, for `consideration` in all."""

    consideration: Fraction
    shares: Fraction
    market_price: Fraction
    outstanding: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Event):
    """The common has become other property, so much of it for each share; the price stays."""

    property_name: str
    per_common: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived(Event):
    """The required holders have waived the adjustment that the event `of` makes."""

    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Event):
    """The event `of`, a dividend declared or a record date set, has not taken place in the end: from now on the
    price is what it would have been."""

    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted(Event):
    """Preferred of a series has become common: by choice, or because its holders did not take part in a round
    (pay-to-play). With `price` at that price instead of the one in force."""

    shares: Fraction
    price: Fraction | None = None
    pay_to_play: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed(Event):
    """Preferred of a series has been redeemed."""

    shares: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Event):
    """The record of the event `of` was wrong; `right` is what really happened, from its own date on."""

    of: str
    right: Event


READJUSTING = (Amended, Expired, Waived, Cancelled)
"""Events after which the price is what it would have been, had the past been another."""
