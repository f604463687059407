"""The price of a round that triggers anti-dilution, when what it triggers counts in the number that sets it.

The price is pre-money over a fully diluted number, which holds the common that the adjustments of the preferred
add and the pool's top-up, which depend on the price. With q = 1 / price every one of them is linear in q:

    shares sold          new money x q
    weighted average     V x (A + new money x q) / (CP1 x A + new money)      V = preferred x original issue price
    full ratchet         V x q
    pool after closing   percent x everything after closing

so that q = a / (pre-money - b) exactly, once it is known which series adjust and which of them are at their floor.
That turns only at a few values of q, which are known too: a series adjusts from where the price is below its own,
or its minimum is reached, up to where it meets its floor. Between two turns there is one line, and the first
price that fits is the one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from xl_conversion.core.adjustments import ImpossibleArgument, above_zero
from xl_conversion.core.capitalization import ZERO, Base, ClassKind, Position, State
from xl_conversion.core.changes import Change, settle
from xl_conversion.core.effects import issuance_effects
from xl_conversion.core.events import Issued
from xl_conversion.core.issuance import Security, SecurityKind
from xl_conversion.core.rounding import Exact, brief, exact
from xl_conversion.core.terms import Method, Others, Series


@dataclass(frozen=True, slots=True)
class Linear:
    """a + b q, exactly."""

    a: Fraction = ZERO
    b: Fraction = ZERO

    def __add__(self, other: Linear) -> Linear:
        return Linear(self.a + other.a, self.b + other.b)

    def __mul__(self, factor: Fraction) -> Linear:
        return Linear(self.a * factor, self.b * factor)

    def at(self, q: Fraction) -> Fraction:
        """Its value at `q`."""
        return self.a + self.b * q


@dataclass(frozen=True, slots=True)
class RoundAdjustment:
    """What the round does to one series."""

    series: str
    price_before: Fraction
    price_unrounded: Fraction
    price: Fraction
    common_before: Fraction
    common_after: Fraction

    @property
    def added(self) -> Fraction:
        """Common on conversion that the adjustment adds."""
        return self.common_after - self.common_before


@dataclass(frozen=True, slots=True)
class Round:
    """A solved round. `price` is exact, `shares` are whole and rounded down, `paid` is their price."""

    price: Fraction
    shares: int
    paid: Fraction
    fully_diluted_before: Fraction
    counted: Fraction
    """The number that the price divides the pre-money value by."""
    pool_top_up: Fraction
    adjustments: tuple[RoundAdjustment, ...]
    """From the shares really issued."""
    holdings_before: Mapping[str, Fraction]
    holdings_after: Mapping[str, Fraction]


def solve_round(
    state: State,
    new_money: Exact,
    pre_money: Exact,
    pool_percent: Exact = 0,
    *,
    adjustment_in_price: bool = True,
    day: date | None = None,
) -> Round:
    """The round that brings `new_money` at a `pre_money` value, and what it does to each series of `state`.

    `pool_percent` (0 to below 100) of everything after closing is to be options not yet granted; the top-up counts
    in the price, and so do the adjustments unless `adjustment_in_price` is False. `day` decides whether a ratchet
    for a period still applies; without it, it does not.

    Raises ImpossibleArgument for an argument that cannot be, and where there is no such price.
    """
    money = above_zero("new_money", new_money)
    pre = above_zero("pre_money", pre_money)
    percent = exact(pool_percent)
    if not 0 <= percent < 100:
        raise ImpossibleArgument("pool_percent", brief(percent), "it must be from 0 to below 100")
    solver = _Solver(state, money, percent / 100, adjustment_in_price, day)
    if not solver.before:
        raise ImpossibleArgument("capitalization", "0", "there are no shares that a price could be of")
    q = solver.solve(pre)
    return solver.result(1 / q)


@dataclass(frozen=True, slots=True)
class _Span:
    """The q from which the price of a series moves, and the one from which it is at its floor."""

    begins: Fraction
    ends: Fraction | None = None
    at_once: bool = False
    """Whether it moves at `begins` already, and not just above it."""


class _Solver:
    def __init__(
        self, state: State, money: Fraction, pool_part: Fraction, in_price: bool, day: date | None
    ) -> None:
        self.state, self.money, self.pool_part, self.in_price, self.day = state, money, pool_part, in_price, day
        state.known_common()  # without it there is no fully diluted number
        self.before = sum(state.holdings().values(), ZERO)
        self.pool = sum((c.shares for c in state.classes.values() if c.kind is ClassKind.POOL), ZERO)
        base = Base(state)
        self.bases = {
            name: base.of(p.series).total
            for name, p in state.positions.items()
            if not self._ratchets(p.series) and p.series.method is not Method.NONE
        }
        self.sold = Security("new money", SecurityKind.SHARES, Fraction(1), money)
        self.adjusting: frozenset[str] = frozenset()
        self.at_floor: frozenset[str] = frozenset()

    def solve(self, pre: Fraction) -> Fraction:
        """The first q, from 0 up, at which what is counted is worth `pre`."""
        spans = {name: span for name, p in self.state.positions.items() if (span := self._span(p)) is not None}
        turns = sorted({q for span in spans.values() for q in (span.begins, span.ends) if q is not None})
        after = ZERO
        for until in [*turns, None]:
            self.adjusting = frozenset(name for name, span in spans.items() if span.begins <= after)
            self.at_floor = frozenset(n for n, s in spans.items() if s.ends is not None and s.ends <= after)
            counted = self._counted()
            with_top_up = counted + self._top_up() if self.pool_part else counted
            if pre > with_top_up.b:
                q = max(line.a / (pre - line.b) for line in (counted, with_top_up))
                at_begin = any(span.begins == until and span.at_once for span in spans.values())
                if until is None or q < until or (q == until and not at_begin):
                    return q
            after = until or after
        rule = f"there is no price: at any price the round adds more than it ({brief(with_top_up.b)}) is worth"
        raise ImpossibleArgument("pre_money", brief(pre), rule)

    def _span(self, position: Position) -> _Span | None:
        """Between which q the round moves the price of a series; None where it does nowhere."""
        series, floor, start = position.series, position.floor, position.start
        protected = position.series.name in self.bases or self._ratchets(series)
        if not position.preferred or not protected or self.sold.labels & series.exempted:
            return None
        if series.others is Others.SOLVED and series.name in self.bases:
            return _Span(1 / start)
        least = max(series.minimum or ZERO, position.price * (series.minimum_percent or 0) / 100)
        highest = min(start, position.price - least)
        if highest <= 0 or highest < (floor or 0):
            return None
        ends = None if floor is None else self._where(position, floor)
        return _Span(self._where(position, highest), ends, at_once=highest < start)

    def _where(self, position: Position, price: Fraction) -> Fraction:
        """The q at which the round takes a series to `price`."""
        base = self.bases.get(position.series.name)
        if base is None:
            return 1 / price
        return ((position.start * base + self.money) / price - base) / self.money

    def _counted(self) -> Linear:
        return Linear(self.before) + self._added() if self.in_price else Linear(self.before)

    def _top_up(self) -> Linear:
        """What brings the pool to its part of everything after closing, the top-up itself included."""
        part = self.pool_part
        others = Linear(self.before) + self._added() + Linear(b=self.money)
        return (others * part + Linear(-self.pool)) * (1 / (1 - part))

    def _added(self) -> Linear:
        """Common that the adjustments add: all preferred as converted after the round, those that see one another
        solved together, and before it."""
        positions = self.state.positions
        had = sum((p.as_converted for p in positions.values()), ZERO)
        total, per_sum = Linear(), ZERO
        for name, position in positions.items():
            value = position.value
            if name not in self.adjusting:
                total += Linear(position.as_converted)
            elif name in self.at_floor and position.floor is not None:
                total += Linear(value / position.floor)
            elif name not in self.bases:
                total += Linear(b=value)
            else:
                base, start = self.bases[name], position.start
                after = Linear(base, self.money)
                weight = start * base + self.money
                if position.series.others is Others.SOLVED:
                    weight += value
                    after += Linear(position.as_converted - had)
                    per_sum += value / weight
                total += after * (value / weight)
        if per_sum >= 1:
            raise ImpossibleArgument(
                "others", "solved", "the adjustments of the series feed each other without end"
            )
        return total * (1 / (1 - per_sum)) + Linear(-had)

    def result(self, price: Fraction) -> Round:
        shares = int(self.money / price)
        paid = shares * price
        if not shares:
            raise ImpossibleArgument("new_money", brief(self.money), f"it buys no share at {brief(price)}")
        adjusted = self._adjusted(price, shares, paid)
        adding = sum((a.added for a in adjusted), ZERO)
        top_up = ZERO
        if self.pool_part:
            everything = self.before + adding + shares
            top_up = max(ZERO, (everything * self.pool_part - self.pool) / (1 - self.pool_part))
        q = 1 / price
        before = dict(self.state.holdings())
        after = dict(before) | {a.series: a.common_after for a in adjusted}
        after |= {"new money": Fraction(shares)} | ({"pool top-up": top_up} if top_up else {})
        counted = self._counted().at(q)
        if self.pool_part:
            counted += max(ZERO, self._top_up().at(q))
        return Round(price, shares, paid, self.before, counted, top_up, tuple(adjusted), before, after)

    def _adjusted(self, price: Fraction, shares: int, paid: Fraction) -> list[RoundAdjustment]:
        """The adjustments, from the whole shares really issued."""
        sold = replace(self.sold, shares=Fraction(shares), consideration=paid)
        event = Issued(event=sold.name, date=self.day or date.max, securities=(sold,))
        seen = dict.fromkeys(self.state.positions, event.securities)
        effects = issuance_effects(seen, None, event.date, self.state)
        rows: list[Change] = []
        found = []
        for name, position in self.state.positions.items():
            if position.series.others is Others.SOLVED and effects[name].moves:
                self._check_limits(position, effects[name].price)
            settle(position.copy(), effects[name], event, rows)
            after = position.value / rows[-1].price if position.preferred else ZERO
            found.append(
                RoundAdjustment(
                    name, position.price, rows[-1].unrounded, rows[-1].price, position.as_converted, after
                )
            )
        return found

    def _check_limits(self, position: Position, price: Fraction) -> None:
        series = position.series
        if position.floor is not None and price < position.floor:
            rule = f"{series.name} would fall below it, and that is not solved together with the others"
            raise ImpossibleArgument("floor", brief(position.floor), rule)
        least = max(series.minimum or ZERO, position.price * (series.minimum_percent or 0) / 100)
        if position.price - price < least:
            rule = f"{series.name} would stay below it, and that is not solved together with the others"
            raise ImpossibleArgument("minimum", brief(least), rule)

    def _ratchets(self, series: Series) -> bool:
        return series.ratchets_on(self.day or date.max)
