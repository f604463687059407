"""The quotients of kernels for many rows at once, in whole numbers of 64 bits that wrap around.

A quotient is estimated in doubles, and what it leaves over is small, so that its last 64 bits are all of it: they
tell the last digit, and a tie. Where the numbers are too large for that, the quotient is not certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from xl_conversion.batch.columns import MOST, Int64s, Mask, Whole
from xl_conversion.core.rounding import RoundingType
from xl_conversion.functions.kernels import ONE, Kernel

Floats: TypeAlias = npt.NDArray[np.float64]

_MOST_UNITS = 2.0**48
"""Up to here a quotient in doubles, a dozen operations old, is wrong by less than a half."""
_MOST_BOTTOM = 2.0**60
"""Three times as much still fits into 64 bits."""
_NEAR = 2.0**-46
"""Doubles that differ by more than this part of themselves are different numbers."""
_MOST_CLOSE = 2.0**100
"""The difference of numbers up to here that are near each other fits into 64 bits."""


@dataclass(frozen=True, slots=True)
class Wide:
    """Whole numbers over a power of ten: their last 64 bits, and doubles near them once they may be longer."""

    bits: Int64s
    scale: int
    most: float
    near: Floats | None = None

    @classmethod
    def of(cls, numbers: Whole) -> Wide:
        """The numbers of a column, which all fit."""
        return cls(numbers.bits, numbers.scale, float(max(numbers.bits.max(), -numbers.bits.min())))

    def floats(self) -> Floats:
        """The numbers as doubles."""
        return self.bits.astype(np.float64) if self.near is None else self.near

    def __add__(self, other: Wide) -> Wide:
        left, right = _aligned(self, other)
        most = left.most + right.most
        near = None if most < MOST else left.floats() + right.floats()
        return Wide(left.bits + right.bits, left.scale, most, near)

    def __sub__(self, other: Wide) -> Wide:
        left, right = _aligned(self, other)
        most, near = left.most + right.most, None
        if most >= MOST:
            # A difference of doubles is no good; that of the last bits is, where both numbers are short.
            first, second = left.floats(), right.floats()
            short = (np.abs(first) < MOST / 2) & (np.abs(second) < MOST / 2)
            near = np.where(short, (left.bits - right.bits).astype(np.float64), np.nan)
        return Wide(left.bits - right.bits, left.scale, most, near)

    def __mul__(self, other: Wide) -> Wide:
        most = self.most * other.most
        near = None if most < MOST else self.floats() * other.floats()
        return Wide(self.bits * other.bits, self.scale + other.scale, most, near)

    def raised(self, places: int) -> Wide:
        """The same numbers over a power of ten that is higher by so many places."""
        if places == 0:
            return self
        ten = 10**places
        most = self.most * ten
        wrapped = np.int64((ten + 2**63) % 2**64 - 2**63)
        near = None if most < MOST else self.floats() * float(ten)
        return Wide(self.bits * wrapped, self.scale + places, most, near)


def _aligned(left: Wide, right: Wide) -> tuple[Wide, Wide]:
    scale = max(left.scale, right.scale)
    return left.raised(scale - left.scale), right.raised(scale - right.scale)


def _at_most(left: Wide, right: Wide) -> tuple[Mask, Mask | bool]:
    """Where numbers above 0 are not above others, and where that is certain."""
    left, right = _aligned(left, right)
    if left.near is None and right.near is None:
        return left.bits <= right.bits, True
    first, second = left.floats(), right.floats()
    gap = first - second
    close = np.abs(gap) <= _NEAR * second
    # The last bits of the difference of numbers that are close are all of it.
    return np.where(close, left.bits - right.bits <= 0, gap < 0), np.abs(second) < _MOST_CLOSE


@dataclass(frozen=True)
class Quotients:
    """A kernel, and how the quotients that it gives are finished."""

    kernel: Kernel
    decimals: int
    rounding_type: RoundingType
    capped: bool
    """Whether a figure never is above the conversion price, which itself is not rounded."""
    above_0: bool
    may_be_0: frozenset[str]

    def done(self, part: Mapping[str, Whole]) -> tuple[Int64s, Mask | bool, Mask | bool]:
        """The figures in units of their last digit; where the price before stays instead; what is certain."""
        kernel = self.kernel
        wide = {name: Wide.of(column) for name, column in part.items()}
        given = self._possible(part)
        stays: Mask | bool = False
        if kernel.unmoved:
            first, second = kernel.unmoved
            stays, known = _at_most(wide[first], wide[second]) if second else (part[first].bits <= 0, True)
            given = given & known
        if kernel.not_above:
            inside, known = _at_most(*(wide[name] for name in kernel.not_above))
            given = given & inside & known
        sure: Mask | bool = True
        if kernel.below:
            first, second = kernel.below
            reached, known = _at_most(wide[second], wide[first])
            sure = ~reached & known
        top, bottom = kernel.fraction(*(wide[name] for name in kernel.arguments))
        if bottom is ONE:
            bottom = Wide(np.ones(1, np.int64), 0, 1.0)
        if kernel.rest_at:
            top, bottom, certain = _rest(top, bottom)
            sure = sure & certain
            top = top * wide[kernel.rest_at]
        shift = self.decimals + bottom.scale - top.scale
        units, certain = self._rounded(top.raised(max(shift, 0)), bottom.raised(max(-shift, 0)))
        sure = sure & certain
        if self.capped:
            units, kept, known = self._capped(units, top, bottom, part["conversion_price"], wide)
            sure = sure & known
            stays = stays | (kept & sure)  # what is not certain is above nothing
        if self.above_0:
            sure = sure & (units > 0)
        return units, stays & given, given & (sure | stays)

    def _possible(self, part: Mapping[str, Whole]) -> Mask | bool:
        """Where the numbers keep their rules, and all of them have been read."""
        given: Mask | bool = True
        for name, column in part.items():
            if not column.sure.all():
                given = given & column.sure
            least = 0 if name in self.may_be_0 else 1
            if not self.kernel.signed and column.bits.min() < least:
                given = given & (column.bits >= least)
        return given

    def _rounded(self, top: Wide, bottom: Wide) -> tuple[Int64s, Mask]:
        """A quotient as a whole number, and where that is certain."""
        estimate, sure = _estimate(top, bottom)
        nearest = self.rounding_type in (RoundingType.HALF_UP, RoundingType.HALF_EVEN)
        units = (np.floor(estimate) if nearest else np.rint(estimate)).astype(np.int64)
        rest = top.bits - units * bottom.bits
        if not nearest:
            if self.rounding_type is RoundingType.FLOOR:
                return units - (rest < 0), sure
            return units + (rest > 0), sure
        past = 2 * rest - bottom.bits
        turns = past > 0
        ties = past == 0
        if ties.any():
            # A tie goes away from 0, and this is the whole number below it; or to the even one.
            turns |= ties & (
                units >= 0 if self.rounding_type is RoundingType.HALF_UP else (units & 1).astype(bool)
            )
        return units + turns, sure

    def _capped(
        self, units: Int64s, top: Wide, bottom: Wide, before: Whole, wide: Mapping[str, Wide]
    ) -> tuple[Int64s, Mask | bool, Mask | bool]:
        """The figures, never above the price before; where that stays; what is certain."""
        finer = before.scale - self.decimals
        if finer <= 0:
            # The price before is so many units itself, and what is above it is not rounded below it.
            ten = 10**-finer
            sure: Mask | bool = True
            if wide["conversion_price"].most * ten >= MOST:
                sure = before.bits < MOST // ten
            return np.minimum(units, before.bits * ten), False, sure
        if finer > 18:
            return units, False, False
        whole_units = before.bits // 10**finer
        stays = units > whole_units
        level = units == whole_units
        if not level.any() or self.kernel.unmoved:
            return units, stays, True
        # Only here a figure that is not below the price before may have been rounded below it.
        reaches, known = _at_most(wide["conversion_price"] * bottom, top)
        return units, stays | (level & reaches), known | ~level


def _estimate(top: Wide, bottom: Wide) -> tuple[Floats, Mask]:
    """A quotient, wrong by less than a half, and where it is not."""
    below = bottom.floats()
    estimate = top.floats() / below
    return estimate, (np.abs(estimate) < _MOST_UNITS) & (below < _MOST_BOTTOM) & (below > 0)


def _rest(top: Wide, bottom: Wide) -> tuple[Wide, Wide, Mask]:
    """What a quotient leaves over whole units, as another quotient, and where that is certain."""
    top, bottom = _aligned(top, bottom)
    estimate, sure = _estimate(top, bottom)
    rest = top.bits - np.floor(estimate).astype(np.int64) * bottom.bits
    # The estimate may be one unit too high or too low.
    rest = rest + np.where(rest < 0, bottom.bits, 0)
    rest = rest - np.where(rest >= bottom.bits, bottom.bits, 0)
    rest = np.where(sure, rest, 0)
    return Wide(rest, bottom.scale, min(bottom.most, _MOST_BOTTOM)), bottom, sure
