"""Calls of a worksheet function with ranges: many elements at once, and each to the same last bit as alone.

A cell holds a double and means its 15 significant digits (:mod:`xl_conversion.functions.boundary`). A row goes
through up to three stages, each for what the one before could not be certain of:

1. In doubles, with a bound on all that can be wrong. Where a figure is farther than that from where its rounding
   turns, the rounded digits are certain, and a whole number over a power of ten gives the nearest double.
2. In whole numbers of up to 100 bits, each held as the sum of two doubles: exact, ties included. Figures of too
   many digits for that are good to 94 bits, which tells the nearest double and all rounding but ties.
3. Cell by cell, with fractions: all that is no number, every error, and what is still open.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from math import nan
from operator import countOf
from sys import float_info
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType
from xl_conversion.functions import boundary, finishing
from xl_conversion.functions.boundary import (
    MISSING,
    CellError,
    Doubles,
    WorksheetError,
    flattened,
    is_blank,
    sizes_differ,
)
from xl_conversion.functions.catalogue import ZERO_OR_ABOVE
from xl_conversion.functions.definition import Argument, Function, Kind
from xl_conversion.functions.kernels import KERNELS, ONE, Kernel

Value: TypeAlias = float | str | CellError
Grid: TypeAlias = Sequence[Sequence[Any]]
Shape: TypeAlias = tuple[int, int]
Floats: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

BLOCK = 16384
"""Rows that stay in the processor's cache from one operation to the next."""

_TINY, _HUGE = 1e-60, 1e60
"""Between them no kernel overflows or loses digits."""

_READING = 1.2e-14
"""Doubles farther apart than this part of themselves mean different numbers: each is within 5e-15 of its own."""

_ESTIMATE, _ESTIMATE_BELOW = 3e-14, 2e-13
"""How much of an estimate may be wrong: five readings and a dozen operations; and with subtractions that take no
more than _TAKEN of a number."""

_TAKEN = 0.875

_PAIR = 2.0**-94
"""How much of a sum of two doubles may be wrong where it is not exact: 2**-103 an operation, and subtractions."""

_WHOLE, _EXACT = 2.0**53, 2.0**100
"""Whole numbers below these are exact in one double, and in two with all that is still to be computed of them."""

_MOST_UNITS = 2.0**50
"""The estimate of a quotient up to this is wrong by less than a half."""

_TENS: Floats = np.array([float(f"1e{power}") for power in range(23)])
"""The powers of ten that a double holds."""

_MOST_SCALE = 9
"""A number with more decimals is taken for computed, and not made whole."""

_TURNS: Mapping[RoundingType, tuple[np.ufunc, float]] = {
    RoundingType.HALF_UP: (np.rint, 0.0),
    RoundingType.HALF_EVEN: (np.rint, 0.0),
    RoundingType.FLOOR: (np.floor, 0.5),
    RoundingType.CEILING: (np.ceil, -0.5),
}
"""How a double that is not too near to where its rounding turns becomes whole, and what is left in the middle."""

_EVERYWHERE: Mask = np.ones(1, np.bool_)
_ZERO: Floats = np.zeros(1)


def evaluate_arrays(
    function: Function, grids: Sequence[Grid], one: Callable[[list[Any]], Value]
) -> list[list[Value]] | None:
    """The values of `function` for a grid of cells for each argument, as `one` gives them element by element.

    None where there is no kernel for it.
    """
    if not any(name == function.name for name, _ in KERNELS):
        return None
    height, width = max(map(len, grids), default=1), max((len(grid[0]) for grid in grids), default=1)
    # Elements end where the shortest range does that is more than a single row or column.
    rows = min((len(grid) for grid in grids if len(grid) > 1), default=1)
    columns = min((len(grid[0]) for grid in grids if len(grid[0]) > 1), default=1)
    shape = (rows, columns)
    given = {a.name: _cut(grid, shape) for a, grid in zip(function.arguments, grids, strict=False)}
    numbers = {
        a.name: _spread(_numbers(a, given[a.name]), given[a.name], shape)
        for a in function.arguments
        if a.kind is Kind.NUMBER and a.name in given
    }
    values, left = np.zeros(rows * columns), np.ones(rows * columns, np.bool_)
    for way, places in _ways(function, given, shape):
        if (function.name, way.get("method", "")) in KERNELS:
            picked = {name: _picked(column, places) for name, column in numbers.items()}
            values[places], left[places] = compute_columns(function, picked, **way)

    table = _table(values.reshape(shape))
    for place in np.flatnonzero(left).tolist():
        row, column = divmod(place, columns)
        table[row][column] = one([_cell(grid, row, column) for grid in grids])
    if shape == (height, width):
        return table if left.any() else boundary.Numbers(table)
    outside = sizes_differ(function.name)
    for line in table:
        line.extend([outside] * (width - columns))
    table.extend([outside] * width for _ in range(height - rows))
    return table


def compute_columns(
    function: Function,
    columns: Mapping[str, Floats],
    decimals: int | None = None,
    rounding_type: RoundingType = RoundingType.HALF_UP,
    method: str = "",
) -> tuple[Floats, Mask]:
    """The values for columns by the names of their arguments, and the rows in which they are not certain.

    A column of one row serves all of them; an optional one that is left out has its default.
    """
    arguments = {a.name: a for a in function.arguments if a.kind is Kind.NUMBER}
    taken = {name: columns.get(name, np.array([_default(a)])) for name, a in arguments.items()}
    job = _Job(
        KERNELS[function.name, method],
        taken,
        decimals=0 if function.finish is finishing.shares else decimals,
        rounding_type=rounding_type,
        capped=function.finish is finishing.adjusted_price,
        above_0=function.finish in (finishing.adjusted_price, finishing.price),
        may_be_0=frozenset(name for name, a in arguments.items() if a.rule == ZERO_OR_ABOVE),
    )
    with np.errstate(all="ignore"):
        return job.done()


@dataclass(frozen=True)
class _Job:
    """A kernel, the columns for it, and how its figures are finished."""

    kernel: Kernel
    columns: Mapping[str, Floats]
    decimals: int | None
    rounding_type: RoundingType
    capped: bool
    """Whether a figure never is above the conversion price, which itself is not rounded."""
    above_0: bool
    may_be_0: frozenset[str]
    scales: dict[str, int] = field(default_factory=dict)
    """The decimals that the numbers of a column were found to be written with."""

    def done(self) -> tuple[Floats, Mask]:
        """The values, and where they are not certain."""
        size = max(map(len, self.columns.values()))
        values, unsure, impossible = np.empty(size), np.ones(size, np.bool_), np.zeros(size, np.bool_)
        for start in range(0, size, BLOCK):
            block = slice(start, start + BLOCK)
            part = self._part(block)
            if self.decimals is not None:
                unsure[block] = self._estimated(part, self.decimals, values[block])
            for found in self._impossible(part):
                impossible[block] |= found
        # Few of these rows are in each block, and many of them together cost less.
        rows = np.flatnonzero(unsure & ~impossible)
        for start in range(0, len(rows), BLOCK):
            some: Any = rows[start : start + BLOCK]
            if len(some) == some[-1] + 1 - some[0]:
                some = slice(some[0], some[-1] + 1)
            values[some], sure = self._settled(self._part(some))
            unsure[some] = ~sure
        return values, unsure | impossible

    def _part(self, rows: Any) -> dict[str, Floats]:
        return {name: _picked(column, rows) for name, column in self.columns.items()}

    @cached_property
    def work(self) -> Floats:
        """Room for a block of intermediate results: memory that was used just before is the quickest."""
        return np.empty((3, BLOCK))

    @property
    def wrong(self) -> float:
        """How much of an estimate may be wrong."""
        return _ESTIMATE_BELOW if self.kernel.below else _ESTIMATE

    @property
    def nearest(self) -> bool:
        """Whether the rounding turns halfway between two digits, or at each."""
        return self.rounding_type in (RoundingType.HALF_UP, RoundingType.HALF_EVEN)

    def _impossible(self, part: Mapping[str, Floats]) -> Iterator[Mask]:
        """Where a number breaks its rule, or is too large or too small for the stages."""
        for name, column in part.items():
            least, most = 0.0 if name in self.may_be_0 else _TINY, _HUGE
            if name not in self.kernel.arguments and name != self.kernel.rest_at:
                least, most = -float_info.max, float_info.max  # it only must be a number
            elif self.kernel.signed:
                least = -_HUGE
            if not (column.min() >= least and column.max() <= most):
                yield ~((column >= least) & (column <= most))
        if self.kernel.not_above:
            first, second = (part[name] for name in self.kernel.not_above)
            yield first > second

    def _unmoved(self, part: Mapping[str, Floats], first: str, second: str | None) -> tuple[Floats, Floats]:
        return part[first], part[second] if second else _ZERO

    # The first stage.

    def _estimated(self, part: Mapping[str, Floats], decimals: int, values: Floats) -> Mask:
        """Puts the values in, and says where they are not certain."""
        kernel, wrong, work = self.kernel, self.wrong, self.work[:, : len(values)]
        top, bottom = kernel.fraction(*(part[name] for name in kernel.arguments))
        figure = size = top if bottom is ONE else np.divide(top, bottom, out=work[0])
        if kernel.rest_at:
            rest = np.subtract(figure, np.floor(figure, out=work[2]), out=work[1])
            unsure_units = ~(np.abs(rest - 0.5) < 0.5 - wrong * figure)
            size = figure * part[kernel.rest_at]
            figure = rest * part[kernel.rest_at]

        ten = _TENS.item(abs(decimals))
        scaled = figure
        if decimals:
            scaled = (np.multiply if decimals > 0 else np.divide)(figure, ten, out=work[1])
        # All of these turn halfway between two whole numbers, two of them after half a step.
        turn, half = _TURNS[self.rounding_type]
        digits = turn(scaled, out=work[2] if decimals else values)
        off = np.subtract(scaled, digits, out=work[1])
        if half:
            off -= half
        np.abs(off, out=off)
        wrong_digits = wrong * 10.0**decimals
        bound: Any = wrong_digits * (max(-size.min(), size.max()) if kernel.signed else size.max())
        if not bound < 0.01:
            bound = wrong_digits * np.abs(size)
        unsure: Mask = ~(off < 0.5 - bound)
        if kernel.rest_at:
            unsure |= unsure_units
        if kernel.below:
            first, second = (part[name] for name in kernel.below)
            unsure |= first > _TAKEN * second
        if self.above_0 and not digits.min() >= 1:
            unsure |= digits < 1

        if decimals:
            (np.divide if decimals > 0 else np.multiply)(digits, ten, out=values)
        if not self.above_0:
            values += 0.0  # -0.0 becomes 0.0
        if self.capped:
            self._cap(part, figure, values, unsure)
        return unsure

    def _cap(self, part: Mapping[str, Floats], figure: Floats, values: Floats, unsure: Mask) -> None:
        """Puts the price before where nothing moves, or where a rounded price would be above it."""
        before, room = part["conversion_price"], self.work[1, : len(values)]
        if self.kernel.unmoved:
            first, second = self._unmoved(part, *self.kernel.unmoved)
            touched = first <= np.multiply(second, 1 + _READING, out=room)
        else:
            touched = figure > np.multiply(before, 1 - self.wrong, out=room)
        touched |= values > before
        if not touched.any():
            return
        rows = np.flatnonzero(touched & (values != before))
        before = _picked(before, rows)
        if self.kernel.unmoved:
            stays = _picked(first, rows) <= _picked(second, rows)
        else:
            stays = figure[rows] > before * (1 + self.wrong)
        # Where it is open whether the price moved, the rounded one may be as high: then it is the same.
        low = values[rows] < before
        digits, ten, _ = _digits(before)
        values[rows] = digits / ten
        unsure[rows] = (~stays & (unsure[rows] | low)) | np.isnan(digits)

    # The second stage.

    def _settled(self, part: Mapping[str, Floats]) -> tuple[Floats, Mask]:
        """The values, and where they are certain."""
        kernel, size = self.kernel, max(map(len, part.values()))
        read = {name: self._read(name, part[name]) for name in (*kernel.arguments, kernel.rest_at) if name}
        doubles = {name: reading.double for name, reading in read.items()}
        whole, known = _EVERYWHERE, _EVERYWHERE
        for reading in read.values():
            whole, known = whole & reading.whole, known & reading.known
        quotient = _quotient(*kernel.fraction(*(read[name].wide for name in kernel.arguments)), whole)
        sure = known
        if kernel.below:
            first, second = (doubles[name] for name in kernel.below)
            sure = sure & (first < second) & (quotient.exact | (first <= _TAKEN * second))
        finished = quotient
        if kernel.rest_at:
            finished, certain = _rest_at(quotient, read[kernel.rest_at].wide)
            sure = sure & certain

        values, certain = self._finished(finished, size)
        sure = sure & certain
        if self.capped:
            before = doubles["conversion_price"]
            if kernel.unmoved:
                first, second = self._unmoved(doubles, *kernel.unmoved)
                stays = first <= second
                sure = sure | (stays & known)
            else:
                stays, certain = _reaches(quotient, read["conversion_price"].wide)
                sure = known & certain & (sure | stays)
            values = np.minimum(np.broadcast_to(values, size), before)
            rows = np.flatnonzero(np.broadcast_to(stays, size))
            values[rows] = _picked(before, rows)
        return values, sure

    def _read(self, name: str, column: Floats) -> _Reading:
        """What a column means, over a power of ten that makes the written numbers in it whole."""
        scale = self.scales.get(name, 0)
        while True:
            ten = _TENS[scale]
            whole = np.rint(column * ten if scale else column)
            # No double is nearest to two numbers of up to 15 digits.
            written = (whole / ten if scale else whole) == column
            written &= np.abs(whole) <= 1e15
            if written.all():
                return _Reading(column, Wide(whole, None, scale), _EVERYWHERE, _EVERYWHERE)
            rows = np.flatnonzero(~written)
            digits, ten, index = _digits(column[rows])
            places = _PLACES.take(index)
            finer = np.flatnonzero(_divides(places - _MOST_SCALE, digits) & ~_divides(places - scale, digits))
            if not finer.size:
                break
            scale = max(scale + 1, *map(_decimals, column[rows[finer[:64]]].tolist()))
            self.scales[name] = scale

        double, low = column.copy(), np.zeros(len(column))
        exact, known = np.ones((2, len(column)), np.bool_)
        double[rows] = digits / ten
        known[rows] = ~np.isnan(digits)
        whole[rows], low[rows] = _over(digits, places - scale)
        exact[rows] = _divides(places - scale, digits)
        return _Reading(double, Wide(whole, low, scale), exact, known)

    def _finished(self, quotient: _Quotient, size: int) -> tuple[Floats, Mask]:
        """The value of a quotient, and where it is certain."""
        shift = (self.decimals or 0) + quotient.bottom.scale - quotient.top.scale
        if abs(shift) >= len(_TENS):
            return np.zeros(size), np.zeros(size, np.bool_)
        top, bottom = quotient.top.raised(max(shift, 0)), quotient.bottom.raised(max(-shift, 0))
        quotient = _quotient(top.over_1(), bottom.over_1(), quotient.exact, quotient.doubt)
        if self.decimals is None:
            values, sure = _nearest_double(quotient)
        else:
            digits, sure = self._rounded(quotient)
            ten = _TENS[abs(self.decimals)]
            values = digits / ten if self.decimals >= 0 else digits * ten
        if self.above_0:
            return values, sure & (values > 0)
        return values + 0.0, sure

    def _rounded(self, quotient: _Quotient) -> tuple[Floats, Mask]:
        """A quotient as a whole number, and where that is certain."""
        top, bottom, exact, doubt = quotient
        estimate = top.high / bottom.high
        near = np.floor(estimate) if self.nearest else np.rint(estimate)
        rest = top - bottom * Wide(near)
        if self.nearest:
            past = (rest.times(2.0) - bottom).high
            turns = past > 0
            ties = past == 0
            if ties.any():
                up = near >= 0 if self.rounding_type is RoundingType.HALF_UP else 2 * np.rint(near / 2) != near
                turns |= ties & up
        else:
            past = rest.high
            turns = past < 0 if self.rounding_type is RoundingType.FLOOR else past > 0
        step = -1.0 if self.rounding_type is RoundingType.FLOOR else 1.0
        sure = np.abs(estimate) < _MOST_UNITS
        if not exact.all():
            sure = sure & (exact | (np.abs(past) > 2 * doubt * (np.abs(top.high) + bottom.high)))
        return near + step * turns.astype(np.float64), sure


class _Quotient(NamedTuple):
    """What is still to be divided."""

    top: Wide
    bottom: Wide
    exact: Mask
    """Where both are exact, and will be in what is computed of them."""
    doubt: Any
    """How much of it may be wrong elsewhere."""


def _quotient(top: Wide, bottom: Any, exact: Mask, doubt: Any = _PAIR) -> _Quotient:
    if bottom is ONE:
        bottom = Wide(np.ones(1))
    return _Quotient(top, bottom, exact & top.exact & bottom.exact, doubt)


def _rest_at(quotient: _Quotient, price: Wide) -> tuple[_Quotient, Mask]:
    """What a quotient leaves over whole units, times a price; and where that is certain."""
    top, bottom = _aligned(quotient.top, quotient.bottom)
    exact = quotient.exact & top.exact & bottom.exact
    units = np.floor(top.high / bottom.high)
    rest = top - bottom * Wide(units)
    # The estimate may be one unit too high or too low.
    rest = rest + bottom * Wide((rest.high < 0).astype(np.float64) - ((rest - bottom).high >= 0))
    inside = np.minimum(rest.high, bottom.high - rest.high) > _PAIR * top.high
    doubt = _PAIR if exact.all() else np.where(exact, _PAIR, _PAIR * top.high / rest.high)
    return _quotient(rest * price, bottom, exact, doubt), (exact | inside) & (units < _MOST_UNITS)


def _reaches(quotient: _Quotient, price: Wide) -> tuple[Mask, Mask]:
    """Where a quotient is not below a price, and where that is certain."""
    left, right = _aligned(quotient.top, price * quotient.bottom)
    gap = (left - right).high
    return gap >= 0, (quotient.exact & left.exact) | (np.abs(gap) > quotient.doubt * left.high)


def _nearest_double(quotient: _Quotient) -> tuple[Floats, Mask]:
    """The double nearest to a quotient, and where that is certain."""
    top, bottom, _, doubt = quotient
    estimate = top.high / bottom.high
    if top.low is None and bottom.low is None:
        return estimate, _EVERYWHERE  # both are exact as doubles
    correction = (top - bottom * Wide(estimate, _ZERO)).high / bottom.high
    wrong = doubt * np.abs(estimate)
    values = estimate + (correction - wrong)
    return values, values == estimate + (correction + wrong)


# Numbers of two doubles.


@dataclass(frozen=True, slots=True)
class Wide:
    """Numbers as sums of two doubles, over a power of ten; without `low` they are whole and below 2**53."""

    high: Floats
    low: Floats | None = None
    scale: int = 0

    @property
    def exact(self) -> Mask:
        """Where whole numbers are exact."""
        return _EVERYWHERE if self.low is None else np.abs(self.high) < _EXACT

    def __add__(self, other: Wide) -> Wide:
        left, right = _aligned(self, other)
        total = left.high + right.high
        if left.low is None and right.low is None and _are_whole(total):
            return Wide(total, None, left.scale)
        back = total - left.high
        error = (left.high - (total - back)) + (right.high - back)
        for low in (left.low, right.low):
            error = error if low is None else error + low
        return _wide(total, error, left.scale)

    def __sub__(self, other: Wide) -> Wide:
        return self + other.times(-1.0)

    def __mul__(self, other: Wide) -> Wide:
        product = self.high * other.high
        if self.low is None and other.low is None and _are_whole(product):
            return Wide(product, None, self.scale + other.scale)
        error = _product_error(self.high, other.high, product)
        if self.low is not None:
            error = error + self.low * other.high
        if other.low is not None:
            error = error + self.high * other.low
        return _wide(product, error, self.scale + other.scale)

    def times(self, factor: float) -> Wide:
        """The product with a power of two or its negative."""
        return Wide(self.high * factor, None if self.low is None else self.low * factor, self.scale)

    def raised(self, places: int) -> Wide:
        """The same numbers over a higher power of ten."""
        raised = self * Wide(_TENS[places : places + 1]) if places else self
        return Wide(raised.high, raised.low, self.scale + places)

    def over_1(self) -> Wide:
        """The same digits as whole numbers."""
        return Wide(self.high, self.low)


def _wide(total: Floats, error: Floats, scale: int) -> Wide:
    high = total + error
    return Wide(high, error - (high - total), scale)


def _aligned(left: Wide, right: Wide) -> tuple[Wide, Wide]:
    scale = max(left.scale, right.scale)
    return left.raised(scale - left.scale), right.raised(scale - right.scale)


def _are_whole(numbers: Floats) -> bool:
    """Whether sums or products of whole numbers have not been rounded."""
    return bool(numbers.max() < _WHOLE and numbers.min() > -_WHOLE)


def _product_error(left: Floats, right: Floats, product: Floats) -> Floats:
    """What a product of doubles lacks (Dekker)."""
    left_high, left_low = _halves(left)
    right_high, right_low = _halves(right)
    error = left_high * right_high - product
    error += left_high * right_low
    error += left_low * right_high
    error += left_low * right_low
    return error


def _halves(numbers: Floats) -> tuple[Floats, Floats]:
    """Numbers as sums of two with half as many digits (Veltkamp)."""
    large = numbers * 134217729.0
    high = large - (large - numbers)
    return high, numbers - high


# What doubles mean.


class _Reading(NamedTuple):
    """What the doubles of a column mean."""

    double: Floats
    """The nearest doubles to it."""
    wide: Wide
    whole: Mask
    """Where the wide number is a whole one."""
    known: Mask


def _over(digits: Floats, places: Places) -> tuple[Floats, Floats]:
    """Whole numbers over powers of ten, as sums of two doubles."""
    up, down = _power(-places), _power(places)  # one of them is 1
    raised = digits * up
    high = raised / down
    product = high * down
    rest = ((raised - product) - _product_error(high, down, product)) + _product_error(digits, up, raised)
    return high, rest / down


def _divides(places: Places, digits: Floats) -> Mask:
    """Where a power of ten divides whole numbers of up to 15 digits."""
    parts: Floats = digits / _power(places)
    return np.equal(np.rint(parts), parts)


def _power(places: Places) -> Floats:
    """The powers of ten, at least 1."""
    return _TENS.take(np.clip(places, 0, len(_TENS) - 1))


def _digits(numbers: Floats) -> tuple[Floats, Floats, Places]:
    """The 15 digits of numbers as whole ones, the power of ten that these are over, and its place in _PLACES.

    NaN where that is not from 10**0 to 10**22.
    """
    size = np.abs(numbers)
    exponent = (size.view(np.int64) >> 52).astype(np.intp, copy=False)
    index = 2 * exponent + (size >= _NEXT_TEN.take(exponent))
    ten = _FIFTEEN.take(index)
    scaled = numbers * ten
    digits = np.rint(scaled)
    # Only a product halfway between two whole numbers may have been rounded across.
    half = np.flatnonzero(np.abs(scaled - digits) == 0.5)
    if half.size:
        error = _product_error(numbers[half], ten[half], scaled[half])
        digits[half] = np.rint(scaled[half] + np.sign(error) / 4)
    return digits, ten, index


# For the exponent of a double, which power of ten its number is at least, and which one is the next; then, below
# that and from there on, how many decimals 15 digits have.
_DECADES = [(exponent - 1023) * 30103 // 100000 for exponent in range(2048)]
_NEXT_TEN: Floats = np.array([float(f"1e{decade + 1}") for decade in _DECADES])
_PLACES: Places = np.array([14 - decade - above for decade in _DECADES for above in (0, 1)], np.intp)
_FIFTEEN: Floats = np.array([_TENS[p] if 0 <= p < len(_TENS) else nan for p in _PLACES.tolist()])


def _decimals(number: float) -> int:
    """The decimals of a number."""
    return max(0, -int(Decimal(f"{number:.15g}").as_tuple().exponent))


# Grids of cells.


def _cut(grid: Grid, shape: Shape) -> Grid:
    """The part of a grid that has elements."""
    rows, columns = shape
    if len(grid) <= rows and len(grid[0]) <= columns:
        return grid
    return [line[:columns] for line in grid[:rows]]


def _cells(grid: Grid) -> list[Any]:
    if isinstance(grid, Doubles):
        return grid.flat
    return flattened(grid)


def _cell(grid: Grid, row: int, column: int) -> Any:
    return grid[row if len(grid) > 1 else 0][column if len(grid[0]) > 1 else 0]


def _spread(column: npt.NDArray[Any], grid: Grid, shape: Shape) -> npt.NDArray[Any]:
    """The cells of a grid for every element; a single one stays single."""
    if len(column) == 1:
        return column
    return np.broadcast_to(column.reshape(len(grid), len(grid[0])), shape).reshape(-1)


def _picked(column: Floats, rows: Any) -> Floats:
    return column if len(column) == 1 else column[rows]


def _table(values: Floats) -> list[list[Value]]:
    # A list for every row: to look through them for garbage again and again takes longer than to make them.
    collects = gc.isenabled()
    gc.disable()
    try:
        table: list[list[Value]] = values.tolist()
    finally:
        if collects:
            gc.enable()
    return table


def _numbers(argument: Argument, grid: Grid) -> Floats:
    """The cells of an argument as doubles, NaN where a cell is no number."""
    cells = _cells(grid)
    if not isinstance(grid, Doubles) and countOf(map(type, cells), float) < len(cells):
        blank = _default(argument)
        cells = [_number(cell, blank) for cell in cells]
    return np.fromiter(cells, np.float64, len(cells))


def _number(cell: Any, blank: float) -> float:
    # By the very type: TRUE is an int too.
    if type(cell) is float:
        return cell
    if type(cell) is int and abs(cell) < _HUGE:
        return float(cell)
    return blank if is_blank(cell) else nan


def _default(argument: Argument) -> float:
    return nan if argument.default is None else float(argument.default or 0)


_OPEN = object()
"""A way to round that is none."""


def _ways(function: Function, given: Mapping[str, Grid], shape: Shape) -> Iterator[tuple[dict[str, Any], Any]]:
    """The ways to compute and to round that the cells ask for, and the elements for each."""
    ways: list[dict[str, Any]] = [{}]
    codes = np.zeros(1, np.intp)
    for argument in function.arguments:
        if argument.kind is Kind.NUMBER:
            continue
        grid = given.get(argument.name, ((None,),))
        settings: list[Any] = []
        known: dict[Any, int] = {}
        for cell in (cells := _cells(grid)):
            if (key := _key(cell)) not in known:
                setting = _setting(argument, cell)
                if setting not in settings:
                    settings.append(setting)
                known[key] = settings.index(setting)
        column = np.array([known[_key(cell)] for cell in cells], np.intp)
        codes = codes * len(settings) + _spread(column, grid, shape)
        ways = [{**way, argument.name: setting} for way in ways for setting in settings]
    for code in np.unique(codes).tolist():
        if _OPEN not in ways[code].values():
            yield ways[code], slice(None) if len(codes) == 1 else np.flatnonzero(codes == code)


def _key(cell: Any) -> Any:
    # 1 and TRUE are equal, and not the same; what else a cell may hold is not a way to round.
    if cell is None or cell is MISSING or isinstance(cell, bool | int | float | str):
        return type(cell), cell
    return None


def _setting(argument: Argument, cell: Any) -> Any:
    """What the cell for an argument other than a number says, or _OPEN."""
    if _key(cell) is None:
        return _OPEN
    blank = argument.default is not None and is_blank(cell)
    try:
        match argument.kind:
            case Kind.DECIMALS:
                return None if blank else boundary.whole_number(cell, argument.least, MAX_DECIMALS)
            case Kind.ROUNDING_TYPE:
                return boundary.rounding_type(argument.default if blank else cell)
            case Kind.CHOICE:
                return boundary.word(argument.default if blank else cell, argument.choices)
    except WorksheetError:
        pass
    return _OPEN
