"""One row of a history: what an event did to the price of a series, and how it follows, step by step."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.capitalization import Position
from xl_conversion.core.effects import Effect
from xl_conversion.core.events import Event, Split, StockDividend
from xl_conversion.core.explanations import COMMON, PER_SHARE, explain_conversion_ratio
from xl_conversion.core.steps import Step, Working
from xl_conversion.core.terms import Basis, Series

MOST_BITS = 200_000
"""Of an unrounded price that is carried on. Where its own preferred counts as converted, each adjustment doubles
them."""


class Change(NamedTuple):
    """One event as one series sees it: one row of a history.

    `price_before` and `price` are in force before and after. `start` is what the adjustment was computed from (it
    differs from the price in force by what was carried forward), `unrounded` is what it gave, and `ratio_price`
    the price that the ratio is taken from after it.
    """

    event: Event
    series: Series
    price_before: Fraction
    start: Fraction
    unrounded: Fraction
    price: Fraction
    ratio_price: Fraction
    reason: str
    made: bool
    effect: Effect | None = None
    replayed: tuple[Change, ...] = ()
    """For a readjustment: the events since as they would have been, what is known now known from the start."""

    @property
    def factor(self) -> Fraction:
        """The exact factor: the unrounded price to the price that it was computed from."""
        return self.unrounded / self.start

    @property
    def ratio_unrounded(self) -> Fraction:
        """Common per preferred after the event."""
        return self.series.original_issue_price / self.ratio_price

    @property
    def ratio(self) -> Fraction:
        """The same, rounded as the charter says."""
        return self.series.ratio.price(self.ratio_unrounded)

    @property
    def clause(self) -> str:
        """Of the event, else of the series."""
        return self.event.clause or self.series.clause or "charter"

    def steps(self) -> tuple[Step, ...]:
        """How the price follows; the last step is the price in force after the event."""
        work = Working(self.clause)
        if self.effect is None or self.effect.explain is None:
            return self._replayed_steps(work)
        base = self.effect.parts
        for place, (name, shares) in enumerate(base.items(), start=1):
            work.given(f"H{place}", f"{name}, common as converted", shares, COMMON)
        for step in self.effect.explain(*self.effect.arguments, source=self.clause):
            if step.symbol == "outstanding" and base:
                names = " + ".join(f"H{place}" for place in range(1, len(base) + 1))
                label = f"common on the base: {self.series.method.value.replace('_', ' ')}"
                work.then("outstanding", label, names, step.value, COMMON)
            else:
                work.resume(step)
        last = "CP2"
        # Mostly it is the same figure, and fractions are slow to compare.
        if self.unrounded is not self.effect.price and self.unrounded > self.effect.price:
            at_floor = self.series.floor is not None and self.unrounded < self.start
            limit = "price_floor" if at_floor else "kept"
            work.given(limit, "the charter lets it fall no lower, or not rise", self.unrounded, PER_SHARE)
            last = "CP2_limited"
            work.then(last, "conversion price after, limited", f"max(CP2, {limit})", self.unrounded, PER_SHARE)
        if not self.made:
            if self.price != self.unrounded:
                work.given("CP2_rounded", f"conversion price in force: {self.reason}", self.price, PER_SHARE)
            return work.steps
        rounding = self.series.price
        cap, carried = "CP1", self.price_before is not self.start and self.price_before != self.start
        if carried:
            cap = "in_force"
            if rounding.decimals is not None:
                work.given("in_force", "price in force before", self.price_before, PER_SHARE)
        may_rise = self.effect.may_rise
        rounded = rounding.price(self.unrounded, not_above=None if may_rise else self.price_before)
        work.rounded(
            "CP2_rounded",
            "conversion price after",
            last,
            rounded,
            PER_SHARE,
            rounding.decimals,
            rounding.rounding_type,
            not_above=None if may_rise else cap,
        )
        if self.price > rounded:
            work.given("limit", "floor, which rounding does not pass", self.price, PER_SHARE)
            work.then("CP2_limit", "conversion price after", "max(CP2_rounded, limit)", self.price, PER_SHARE)
        return work.steps

    def _replayed_steps(self, work: Working) -> tuple[Step, ...]:
        """The price before, and for a readjustment the price after each event that was replayed."""
        work.given("CP1", "conversion price before", self.price_before, PER_SHARE)
        last = ""
        for place, change in enumerate(self.replayed, start=1):
            if place == 1:
                work.given("R0", f"before {change.event.event}", change.price_before, PER_SHARE)
            if change.price != change.price_before:
                last = f"R{place}"
                work.given(last, f"after {change.event.event}, replayed: {change.reason}", change.price, PER_SHARE)
        if last:
            work.then("CP2_rounded", f"conversion price after, {self.reason}", last, self.price, PER_SHARE)
        elif self.price != self.price_before:
            work.given("CP2_rounded", f"conversion price after, {self.reason}", self.price, PER_SHARE)
        return work.steps

    def ratio_steps(self) -> tuple[Step, ...]:
        """How the ratio follows."""
        return explain_conversion_ratio(
            self.series.original_issue_price,
            self.ratio_price,
            decimals=self.series.ratio.decimals,
            rounding_type=self.series.ratio.rounding_type,
            source=self.clause,
        )


def settle(
    position: Position, found: Effect, event: Event, changes: list[Change], *, catch_up: bool = False
) -> None:
    """Applies the charter's floor, direction, minimum and rounding to an effect, and adds the row to `changes`."""
    series, before, start = position.series, position.price, position.start
    if found.price.numerator.bit_length() > MOST_BITS:
        rule = f"the unrounded price of {series.name} has too many digits by now; give it the charter's decimals"
        raise ImpossibleArgument("price_decimals", "blank", rule)
    unrounded, reason, moves, made = found.price, found.reason, found.moves, False
    if position.floor is not None and unrounded < position.floor and not isinstance(event, Split | StockDividend):
        unrounded = min(start, position.floor)
        reason, moves = f"{reason}, not below the floor", unrounded != start
    if series.downward_only and unrounded > start and not found.may_rise:
        unrounded, reason, moves = start, f"{reason}, the charter lets it only fall", False
    if moves or (catch_up and position.carries_forward):
        # A split changes the common that the price buys: a minimum must not hold it back.
        may_wait = not catch_up and not isinstance(event, Split | StockDividend)
        if may_wait and _below_minimum(position, unrounded):
            position.start = unrounded
            reason = f"{reason}, below the minimum: carried forward"
        else:
            made = True
            price = series.price.price(unrounded)
            position.price = price if found.may_rise or price < before else before
            if position.floor is not None and position.price < position.floor <= unrounded:
                position.price = position.floor
            position.unrounded = unrounded
            position.start = position.price if series.carried_price is Basis.ROUNDED else unrounded
    changes.append(
        Change(event, series, before, start, unrounded, position.price, position.ratio_price, reason, made, found)
    )


def _below_minimum(position: Position, unrounded: Fraction) -> bool:
    if position.minimum is not None and abs(position.price - unrounded) < position.minimum:
        return True
    percent = position.series.minimum_percent
    return percent is not None and abs(position.price - unrounded) * 100 < position.price * percent
