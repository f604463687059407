"""What one event makes of the price of one series, before the charter's floor, minimum and rounding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from xl_conversion.core import adjustments, explanations
from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.capitalization import ZERO, Base, Position, State
from xl_conversion.core.clauses import cash_dividend_clause, spin_off_clause
from xl_conversion.core.events import (
    CashDividend,
    Counts,
    Event,
    Rights,
    SpinOff,
    Split,
    StockDividend,
    TenderOffer,
)
from xl_conversion.core.issuance import Security
from xl_conversion.core.steps import Step
from xl_conversion.core.terms import Method, Others

Explain = Callable[..., tuple[Step, ...]]


class Effect(NamedTuple):
    """An unrounded price, why it is that, and the explanation with its arguments; a price that stays has none."""

    price: Fraction
    reason: str
    explain: Explain | None = None
    arguments: tuple[Fraction, ...] = ()
    may_rise: bool = False
    """A combination is the one event that raises a price."""
    moves: bool = False
    """Whether it is another price than the one before."""
    parts: Mapping[str, Fraction] = MappingProxyType({})
    """What the base of a weighted average adds up, by class; empty for the company's own counts."""


def effect(event: Event, position: Position, state: State) -> Effect | None:
    """The effect of an event that is no issuance, or None for one that moves no price.

    Raises ImpossibleArgument as :mod:`xl_conversion.core.adjustments` does.
    """
    cp1 = position.start
    arguments: tuple[Fraction, ...]
    match event:
        case Split():
            return _effect(
                adjustments.split, explanations.explain_split, "split", (cp1, event.new, event.old), True
            )
        case StockDividend():
            common = state.known_common() if event.outstanding is None else event.outstanding
            arguments = (cp1, common, event.shares)
            return _effect(
                adjustments.stock_dividend, explanations.explain_stock_dividend, "stock dividend", arguments
            )
        case CashDividend():
            clause = cash_dividend_clause(event.method, cp1, event.dividend, event.market_price, event.threshold)
            return _effect(clause.compute, clause.explain, "cash dividend", clause.arguments)
        case Rights():
            common = state.known_common() if event.outstanding is None else event.outstanding
            arguments = (cp1, common, event.offered, event.offer_price, event.market_price)
            return _effect(adjustments.rights, explanations.explain_rights, "rights below market", arguments)
        case SpinOff():
            clause = spin_off_clause(event.method, cp1, event.distributed_value, event.market_price)
            return _effect(clause.compute, clause.explain, "distribution", clause.arguments)
        case TenderOffer():
            common = state.known_common() if event.outstanding is None else event.outstanding
            arguments = (cp1, event.consideration, common, common - event.shares, event.market_price)
            return _effect(
                adjustments.tender_offer, explanations.explain_tender_offer, "tender above market", arguments
            )
    return None


def _effect(
    compute: Callable[..., Fraction],
    explain: Explain,
    reason: str,
    arguments: tuple[Fraction, ...],
    may_rise: bool = False,
) -> Effect:
    price = compute(*arguments)
    if price == arguments[0]:
        return Effect(price, f"{reason}: nothing moves", explain, arguments, may_rise)
    return Effect(price, reason, explain, arguments, may_rise, moves=True)


@dataclass(slots=True)
class _Issue:
    """An issuance as one series counts it: weighted by `base`, or with the company's own counts after it."""

    position: Position
    base: Fraction
    parts: Mapping[str, Fraction]
    paid: Fraction
    new: Fraction
    counts: Counts | None
    reason: str


def issuance_effects(
    securities: Mapping[str, Sequence[Security]], counts: Counts | None, day: date, state: State
) -> dict[str, Effect]:
    """The effect of one issuance on each series, given the securities that each of them sees. All adjust at once,
    from the capitalization just before it; `counts`, where given, are after it but without these securities.

    Raises ImpossibleArgument where the circle of series that see one another's adjustments has no solution.
    """
    base, totals = Base(state), _Totals()
    effects: dict[str, Effect] = {}
    issues: dict[str, _Issue] = {}
    for name, seen in securities.items():
        position = state.positions[name]
        found = _seen(position, totals.of(seen, position.series.exempted), counts, day, base)
        if isinstance(found, Effect):
            effects[name] = found
        else:
            issues[name] = found
    if (
        any(issue.position.series.others is Others.SOLVED for issue in issues.values())
        and len(state.positions) > 1
    ):
        issues = _solved(issues, effects, state)
    for name, one in issues.items():
        effects[name] = _weighted(one)
    return effects


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a charter counts of an issuance, in one sum."""

    securities: Sequence[Security]
    paid: Fraction
    new: Fraction
    why_none: str


class _Totals:
    """Each sum once, however many series see the same securities with the same exemptions."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, frozenset[str]], _Counted] = {}

    def of(self, seen: Sequence[Security], exempted: frozenset[str]) -> _Counted:
        """What is left of `seen` without the exempted, and without what is not calculable yet."""
        key = (id(seen), exempted)
        if key not in self._known:
            counted = [s for s in seen if s.calculable and not s.labels & exempted]
            paid = sum((s.consideration for s in counted), ZERO)
            new = sum((s.shares for s in counted), ZERO)
            self._known[key] = _Counted(counted, paid, new, "" if counted else _why_none(seen))
        return self._known[key]


def _why_none(seen: Sequence[Security]) -> str:
    if not seen:
        return "nothing issued"
    return "exempted" if any(s.calculable for s in seen) else "consideration not calculable yet"


def _seen(position: Position, counted: _Counted, counts: Counts | None, day: date, base: Base) -> Effect | _Issue:
    """What stays is decided here, and a ratchet; a weighted average is left to be solved."""
    series, cp1 = position.series, position.start
    if counted.why_none:
        return Effect(cp1, counted.why_none)
    if series.ratchets_on(day):
        lowest = min(s.consideration / s.shares for s in counted.securities)
        if lowest <= 0:
            raise ImpossibleArgument("consideration", "0", "a full ratchet would leave no price")
        explain = explanations.explain_full_ratchet
        if lowest >= cp1:
            return Effect(cp1, _STAYS, explain, (cp1, lowest))
        return Effect(lowest, "full ratchet", explain, (cp1, lowest), moves=True)
    if series.method is Method.NONE:
        return Effect(cp1, "the charter has no such adjustment")
    if counts is None:
        counted_on = base.of(series)
        return _Issue(position, counted_on.total, counted_on.classes, counted.paid, counted.new, None, _AVERAGE)
    # What the company did not count as common outstanding it counted among the other securities.
    x = counts.outstanding_after + counted.new
    in_other = max(ZERO, counts.outstanding_before - x)
    after = replace(counts, outstanding_after=x + in_other, other_after=counts.other_after - in_other)
    return _Issue(position, ZERO, {}, counted.paid, counted.new, after, _AVERAGE)


_STAYS = "at or above the price: nothing moves"
_AVERAGE = "weighted average"


def _weighted(one: _Issue) -> Effect:
    cp1 = one.position.start
    if one.counts is None:
        arguments: tuple[Fraction, ...] = (cp1, one.base, one.paid, one.new, ZERO)
        price = adjustments.weighted_average(*arguments)
        moves = price is not cp1  # it is given back as it was where nothing moves
        reason = one.reason if moves else _STAYS
        return Effect(
            price, reason, explanations.explain_weighted_average, arguments, moves=moves, parts=one.parts
        )
    counts = one.counts
    arguments = (
        cp1,
        counts.outstanding_before,
        one.paid,
        counts.other_before,
        counts.outstanding_after,
        counts.other_after,
        one.new,
    )
    price = adjustments.weighted_average_charter(*arguments)
    moves = price != cp1
    explain = explanations.explain_weighted_average_charter
    return Effect(price, one.reason if moves else _STAYS, explain, arguments, moves=moves)


def _solved(issues: Mapping[str, _Issue], effects: Mapping[str, Effect], state: State) -> dict[str, _Issue]:
    """Each issue with the common that the other series' adjustments add to it.

    With V = preferred x original issue price and u = 1 / CP2, a series that sees the others has
    CP2 x (D + sum of V u of the others - what they had before) = n, where n = CP1 x A + K and D = A + C. That is
    u = (E + S) / (n + V), linear in S, the sum of all V u, so S has a closed form. A series at its floor adds a
    fixed V / floor. All that have one are taken to be there at first, which makes S too large if anything; then
    only those that are there even so, until none leaves.
    """
    value = {name: position.value for name, position in state.positions.items()}
    before = {name: position.as_converted for name, position in state.positions.items()}
    had = sum(before.values(), ZERO)
    lowest = {n: min(p.floor, p.start) for n, p in state.positions.items() if p.floor is not None}
    fixed = ZERO
    circle: dict[str, tuple[Fraction, Fraction]] = {}
    for name, position in state.positions.items():
        one = issues.get(name)
        triggered = one is not None and one.paid < one.new * position.start
        if one is not None and triggered and position.series.others is Others.SOLVED and one.counts is None:
            e = one.base + one.new - (had - before[name])
            circle[name] = e, position.start * one.base + one.paid + value[name]
            continue
        found = effects.get(name) if one is None else _weighted(one)
        moves = found is not None and found.moves
        fixed += value[name] / max(found.price, lowest.get(name, ZERO)) if found and moves else before[name]
    at_floor = circle.keys() & lowest.keys()
    while True:
        per_sum = sum((value[name] / w for name, (_, w) in circle.items() if name not in at_floor), ZERO)
        if per_sum >= 1:
            rule = "the adjustments of the series feed each other without end"
            raise ImpossibleArgument("others", "solved", rule)
        free = sum((value[name] * e / w for name, (e, w) in circle.items() if name not in at_floor), ZERO)
        total = (fixed + free + sum((value[name] / lowest[name] for name in at_floor), ZERO)) / (1 - per_sum)
        stay = {name for name in at_floor if (circle[name][0] + total) * lowest[name] >= circle[name][1]}
        if stay == at_floor:
            break
        at_floor = stay
    solved = dict(issues)
    for name, (e, w) in circle.items():
        own = value[name] / lowest[name] if name in at_floor else value[name] * (e + total) / w
        new = issues[name].new + (total - own) - (had - before[name])
        solved[name] = replace(issues[name], new=new, reason=f"{_AVERAGE}, circle solved")
    return solved
