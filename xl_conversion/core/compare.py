"""The same events under other charters, and the next round at other prices and sizes: who ends up with what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from xl_conversion.core.capitalization import ZERO, State
from xl_conversion.core.events import Issued
from xl_conversion.core.history import Company, history
from xl_conversion.core.issuance import Security, SecurityKind
from xl_conversion.core.rounding import Exact, exact, shown
from xl_conversion.core.terms import Method

NEXT_ROUND = "next round"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where one class of holders ends up in one variant. `price` and `ratio` are of a series, else None."""

    variant: str
    holder: str
    price: Fraction | None
    ratio: Fraction | None
    common: Fraction
    """As converted."""
    part: Fraction | None
    """Of everything, fully diluted; None where the common outstanding is not known."""


def outcomes(variant: str, state: State, next_round: Fraction = ZERO) -> tuple[Outcome, ...]:
    """Every class of a state, in its reading order; `next_round` of the common is shown apart, last."""
    holdings = {name: common for name, common in state.holdings().items() if common or name in state.positions}
    if next_round:
        holdings |= {"common": holdings["common"] - next_round, NEXT_ROUND: next_round}
    everything = sum(holdings.values(), ZERO)
    found = []
    for name, common in holdings.items():
        position = state.positions.get(name)
        price = position.price if position else None
        ratio = None
        if position is not None:
            ratio = position.series.ratio.price(position.series.original_issue_price / position.ratio_price)
        part = common / everything if everything and state.common is not None else None
        found.append(Outcome(variant, name, price, ratio, common, part))
    return tuple(found)


def compare_methods(company: Company, methods: Sequence[Method], as_of: date | None = None) -> tuple[Outcome, ...]:
    """The events of a company with every series on each of `methods` in turn."""
    found: list[Outcome] = []
    for method in methods:
        series = tuple(replace(s, method=method, ratchet_until=None) for s in company.series)
        state = history(replace(company, series=series), as_of).state
        found.extend(outcomes(method.value, state))
    return tuple(found)


def compare_rounds(
    company: Company, prices: Sequence[Exact], sizes: Sequence[Exact], as_of: date | None = None
) -> tuple[Outcome, ...]:
    """The events of a company, then a round of common at each of `prices` and each of `sizes` (shares)."""
    day = as_of or max((event.date for event in company.events), default=date.max)
    found: list[Outcome] = []
    for price in prices:
        for size in sizes:
            shares, each = exact(size), exact(price)
            state = _with_round(company, shares, each, day)
            bought = ZERO if state.common is None else shares
            found.extend(outcomes(f"{shown(shares)} at {shown(each)}", state, bought))
    return tuple(found)


def _with_round(company: Company, size: Fraction, price: Fraction, day: date) -> State:
    security = Security(NEXT_ROUND, SecurityKind.SHARES, size, size * price)
    names = {event.event for event in company.events}
    name = NEXT_ROUND
    while name in names:
        name += "'"
    round_ = Issued(event=name, date=day, securities=(security,))
    return history(replace(company, events=(*company.events, round_)), day).state
