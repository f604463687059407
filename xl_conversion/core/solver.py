"""The price of a round that triggers anti-dilution, when what it triggers counts in the number that sets it.

The price is pre-money over a fully diluted number, which holds the common that the adjustments of the preferred
add and the pool's top-up, which depend on the price. With q = 1 / price every one of them is linear in q:

    shares sold          new money x q
    weighted average     V x (A + new money x q) / (CP1 x A + new money)      V = preferred x original issue price
    full ratchet         V x q
    pool after closing   percent x everything after closing

so that q = a / (pre-money - b) exactly, once it is known which series adjust. A series adjusts when the price is
below its own; each that does lowers the price, so they are added until no more do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from xl_conversion.core.adjustments import ImpossibleArgument, above_zero
from xl_conversion.core.capitalization import ZERO, Base, ClassKind, State
from xl_conversion.core.effects import issuance_effects
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
    q = solver.solve(pre)
    return solver.result(1 / q)


class _Solver:
    def __init__(
        self, state: State, money: Fraction, pool_part: Fraction, in_price: bool, day: date | None
    ) -> None:
        self.state, self.money, self.pool_part, self.in_price, self.day = state, money, pool_part, in_price, day
        self.before = sum(state.holdings().values(), ZERO)
        self.pool = sum((c.shares for c in state.classes.values() if c.kind is ClassKind.POOL), ZERO)
        base = Base(state)
        self.bases = {
            name: base.of(p.series)
            for name, p in state.positions.items()
            if not self._ratchets(p.series) and p.series.method is not Method.NONE
        }
        self.topped_up = False

    def solve(self, pre: Fraction) -> Fraction:
        adjusting: frozenset[str] = frozenset()
        while True:
            counted = self._counted(adjusting)
            if pre <= counted.b:
                rule = f"there is no price: at any price the round adds more than it ({brief(counted.b)}) is worth"
                raise ImpossibleArgument("pre_money", brief(pre), rule)
            q = counted.a / (pre - counted.b)
            below = frozenset(
                name
                for name, p in self.state.positions.items()
                if p.preferred and p.start * q > 1 and (name in self.bases or self._ratchets(p.series))
            )
            needs_pool = self._top_up(adjusting).at(q) > 0
            if below <= adjusting and (self.topped_up or not needs_pool):
                return q
            adjusting, self.topped_up = adjusting | below, self.topped_up or needs_pool

    def _counted(self, adjusting: Iterable[str]) -> Linear:
        counted = Linear(self.before)
        if self.in_price:
            counted += self._added(adjusting)
        return counted + self._top_up(adjusting) if self.topped_up else counted

    def _top_up(self, adjusting: Iterable[str]) -> Linear:
        """What brings the pool to its part of everything after closing, the top-up itself included."""
        part = self.pool_part
        if not part:
            return Linear()
        others = Linear(self.before) + self._added(adjusting) + Linear(b=self.money)
        return (others * part + Linear(-self.pool)) * (1 / (1 - part))

    def _added(self, adjusting: Iterable[str]) -> Linear:
        """Common that the adjustments add."""
        had = sum((p.as_converted for p in self.state.positions.values()), ZERO)
        return self._as_converted(frozenset(adjusting)) + Linear(-had)

    def _as_converted(self, adjusting: frozenset[str]) -> Linear:
        """All preferred as converted after the round; those that see one another solved together."""
        positions = self.state.positions
        had = sum((p.as_converted for p in positions.values()), ZERO)
        total, per_sum = Linear(), ZERO
        for name, position in positions.items():
            value = position.value
            if name not in adjusting:
                total += Linear(position.as_converted)
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
        return total * (1 / (1 - per_sum))

    def result(self, price: Fraction) -> Round:
        shares = int(self.money / price)
        paid = shares * price
        if not shares:
            raise ImpossibleArgument("new_money", brief(self.money), f"it buys no share at {brief(price)}")
        adjusted = self._adjusted(price, shares, paid)
        adding = sum((a.added for a in adjusted), ZERO)
        top_up = ZERO
        if self.topped_up:
            everything = self.before + adding + shares
            top_up = max(ZERO, (everything * self.pool_part - self.pool) / (1 - self.pool_part))
        q = 1 / price
        before = dict(self.state.holdings())
        after = dict(before) | {a.series: a.common_after for a in adjusted}
        after |= {"new money": Fraction(shares)} | ({"pool top-up": top_up} if top_up else {})
        names = frozenset(a.series for a in adjusted if a.price_unrounded != a.price_before)
        return Round(
            price, shares, paid, self.before, self._counted(names).at(q), top_up, tuple(adjusted), before, after
        )

    def _adjusted(self, price: Fraction, shares: int, paid: Fraction) -> list[RoundAdjustment]:
        """The adjustments, from the whole shares really issued."""
        sold = Security("new money", SecurityKind.SHARES, Fraction(shares), paid)
        day = self.day or date.max
        effects = issuance_effects({name: [sold] for name in self.state.positions}, None, day, self.state)
        found = []
        for name, position in self.state.positions.items():
            unrounded = effects[name].price
            rounded = position.series.price.price(unrounded, not_above=position.price)
            after = position.value / rounded if position.preferred else ZERO
            found.append(RoundAdjustment(name, position.price, unrounded, rounded, position.as_converted, after))
        return found

    def _ratchets(self, series: Series) -> bool:
        return series.ratchets_on(self.day or date.max)
