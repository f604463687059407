"""Calls with ranges give in each element what a call of its own gives: to the last bit, with the same errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_conversion.core.rounding import RoundingType
from xl_conversion.functions import finishing
from xl_conversion.functions.arrays import BLOCK, compute_columns, evaluate_arrays
from xl_conversion.functions.boundary import MISSING, CellError, doubles
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, Function, Kind
from xl_conversion.functions.evaluate import evaluate, evaluate_exact
from xl_conversion.functions.kernels import KERNELS

Columns = dict[str, list[float]]
Key = tuple[str, str]

every_kernel = pytest.mark.parametrize("key", KERNELS, ids=lambda key: "-".join(filter(None, key)))


def _seeded(*of: object) -> np.random.Generator:
    return np.random.default_rng(crc32(repr(of).encode()))


def _same(got: Any, alone: Any) -> bool:
    if type(got) is float and type(alone) is float:
        return got.hex() == alone.hex()
    return isinstance(alone, CellError) and got == alone


def _pick(grid: Sequence[Sequence[Any]], row: int, column: int) -> Any:
    line = grid[row if len(grid) > 1 else 0]
    return line[column if len(line) > 1 else 0]


def _check(function: Function, grids: Sequence[Sequence[Sequence[Any]]]) -> int:
    """Compares every element with a call of its own; how many figures were left to such a call."""
    left = 0

    def one(cells: list[Any]) -> Any:
        nonlocal left
        value = evaluate(function, cells)
        left += isinstance(value, float)
        return value

    table = evaluate_arrays(function, grids, one)
    assert table is not None
    rows, columns = max(map(len, grids)), max(len(grid[0]) for grid in grids)
    assert [len(line) for line in table] == [columns] * rows
    for row, column in product(range(rows), range(columns)):
        got = table[row][column]
        if any(1 < len(g) <= row or 1 < len(g[0]) <= column for g in grids):
            assert got == CellError("#N/A", f"{function.name}: the ranges differ in size")
            continue
        cells = [_pick(grid, row, column) for grid in grids]
        alone = evaluate(function, cells)
        assert _same(got, alone), f"{function.name}{tuple(cells)} is {got!r} in a range, alone {alone!r}"
    return left


def _grids(key: Key, columns: Mapping[str, Sequence[Any]], decimals: Any, rounding_type: Any) -> list[Any]:
    """The arguments of a call, a column of one cell as a single one."""
    options = {"method": key[1] or None, "decimals": decimals, "rounding_type": rounding_type}
    cells = {**{name: [cell] for name, cell in options.items()}, **columns}
    return [[[cell] for cell in cells.get(a.name, [None])] for a in FUNCTIONS[key[0]].arguments]


def _ways(key: Key) -> list[tuple[int | None, str]]:
    """Decimals and rounding types."""
    least = {"CP_ROUND": -4}.get(key[0], 0)
    decimals: list[int | None] = [None] if key[0] != "CP_ROUND" else []
    if key[0] != "CP_CONVERSION_SHARES":
        decimals += range(least, 9)
    return [(places, kind.value) for places in decimals for kind in RoundingType]


# Numbers for the arguments of a function.

PRICES = ("price", "value", "dividend", "threshold")
ROUND_COUNTS = [1, 2, 3, 4, 5, 8, 10, 16, 20, 25, 40, 64, 80, 125, 1000, 1024, 8000, 10**6, 2 * 10**6, 16 * 10**6]


def _names(key: Key) -> list[str]:
    names = [a.name for a in FUNCTIONS[key[0]].arguments if a.kind is Kind.NUMBER]
    return [name for name in names if (name, key[1]) != ("market_price", "subtract")]


def _is_price(name: str) -> bool:
    return name != "dividend_shares" and any(word in name for word in PRICES)


def _possible(key: Key, columns: dict[str, Any], rng: np.random.Generator) -> Columns:
    """The columns, nearly always with the smaller number where it must be."""
    pairs = [("outstanding_after", "outstanding_before"), ("distributed_value", "market_price")]
    pairs.append(("dividend", "conversion_price" if key[1] == "subtract" else "market_price"))
    for small, large in pairs:
        if small in columns and large in columns:
            both = np.sort([columns[small], columns[large]], axis=0)
            swap = rng.random(len(both[0])) < 0.95
            columns[small] = np.where(swap, both[0], columns[small])
            columns[large] = np.where(swap, both[1], columns[large])
    return {name: column.tolist() for name, column in columns.items()}


def _written(key: Key, rng: np.random.Generator, size: int) -> Columns:
    """Prices in cents, or now and then in parts of them; whole shares; round ones too."""
    columns = {}
    for name in _names(key):
        counts = np.where(rng.random(size) < 0.5, rng.choice(ROUND_COUNTS, size), rng.integers(1, 10**9, size))
        if name == "number":
            columns[name] = rng.integers(-(10**7), 10**7, size) / rng.choice([1, 100, 10**4, 8], size)
        elif _is_price(name):
            columns[name] = rng.integers(1, 3000, size) / rng.choice([10, 100, 100, 100, 8, 1000], size)
        elif name == "consideration":
            columns[name] = np.round(counts * rng.uniform(0.01, 20, size), 2)
        else:
            columns[name] = counts.astype(float)
    return _possible(key, columns, rng)


def _noisy(key: Key, rng: np.random.Generator, size: int) -> Columns:
    """What is left of such numbers after some arithmetic in doubles."""
    columns = {}
    for name, numbers in _written(key, rng, size).items():
        column = np.array(numbers)
        for _ in range(int(rng.integers(1, 4))):
            column = np.nextafter(column, rng.choice([-math.inf, 0.0, math.inf], size))
        columns[name] = column
    return _possible(key, {name: np.abs(column) for name, column in columns.items()}, rng)


def _fifteen(key: Key, rng: np.random.Generator, size: int) -> Columns:
    """Numbers of 15 digits, and a little on either side of them."""
    columns = {}
    for name in _names(key):
        power = rng.integers(8, 16, size) if _is_price(name) else rng.integers(3, 14, size)
        column = rng.integers(1, 10**15, size) / 10.0**power
        columns[name] = np.nextafter(column, rng.choice([0.0, math.inf], size)) if rng.random() < 0.5 else column
    return _possible(key, columns, rng)


def _wide(key: Key, rng: np.random.Generator, size: int) -> Columns:
    """Doubles of any magnitude in which figures are computed together."""
    names = _names(key)
    return _possible(key, {name: 10.0 ** rng.uniform(-9, 16, size) for name in names}, rng)


def _any(key: Key, rng: np.random.Generator, size: int) -> Columns:
    """Doubles of all magnitudes, and the corners among them."""
    corners = [0.0, -0.0, 5e-324, 1e-308, 1e308, math.inf, -math.inf, math.nan, -1.0, 1.0, 1e15, 1e16, 1e22, 0.5]
    columns = {}
    for name in _names(key):
        column = 10.0 ** rng.uniform(-323, 308.2, size)
        column = np.where(rng.random(size) < 0.5, 10.0 ** rng.uniform(-3, 6, size), column)
        columns[name] = np.where(rng.random(size) < 0.2, rng.choice(corners, size), column).tolist()
    return columns


def _tie(key: Key, tie: Fraction, times: int, unit: Fraction, count: int) -> tuple[Fraction | int, ...]:
    """Arguments for which the figure is `tie`, from a price before that mostly is so many `times` as high."""
    price, more = tie * times, unit * (times - 1)
    match key:
        case "CP_WEIGHTED_AVERAGE", _:
            return 2 * tie, count, 2 * tie * count, 3 * count, 0
        case "CP_FULL_RATCHET", _:
            return price, tie
        case "CP_SPLIT", _:
            return price, times * count, count
        case "CP_STOCK_DIVIDEND", _:
            return price, count, count * (times - 1)
        case _, "ratio":
            return price, more, unit * times, 0
        case _, "excess":
            return price, more + 1, unit * times, 1
        case _, "subtract":
            return tie + unit, unit, 0
        case "CP_RIGHTS", _:
            return tie * 8 / 5, count, count, unit, 4 * unit
        case _, "over_sum":
            return price, more, unit
        case _, "over_market":
            return price, more, unit * times
        case "CP_TENDER_OFFER", _:
            return price, unit * count * (2 * times - 1), 2 * count, count, unit
        case "CP_RATIO", _:
            return tie * unit, unit
        case "CP_CONVERSION_SHARES", _:
            return 2 * count + 1, unit * times, 2 * unit
        case "CP_CASH_IN_LIEU", _:
            return 2 * count + 1, unit, 2 * unit, 2 * tie
    return (-tie if count % 2 else tie,)


def _ties(key: Key, rng: np.random.Generator, size: int, decimals: int) -> Columns:
    """Figures halfway between two numbers of so many decimals."""
    rows = []
    digits = rng.uniform(1, 7, size)
    for half, times, cents, count in zip(
        (10**digits).astype(int).tolist(),
        rng.choice([2, 4, 5, 8], size).tolist(),
        rng.integers(1, 4000, size).tolist(),
        (10 ** rng.uniform(0, 11 - digits)).astype(int).tolist(),
        strict=True,
    ):
        tie = Fraction(2 * half + 1, 2) / Fraction(10) ** decimals
        rows.append(_tie(key, tie, times, Fraction(cents, 100), count))
    return {name: [float(row[place]) for row in rows] for place, name in enumerate(_names(key))}


def _near_ties(key: Key, rng: np.random.Generator, size: int, decimals: int) -> Columns:
    """The same with one number changed by the least that can be: in its 15th digit, or a double's last bit."""
    columns = _ties(key, rng, size, decimals)
    names = list(columns)
    for row in range(size):
        name = names[rng.integers(len(names))]
        cell = columns[name][row]
        digits = Decimal(f"{cell:.14e}")
        step = Decimal(1).scaleb(digits.adjusted() - 14)
        near = [float(digits + step), float(digits - step), math.nextafter(cell, 0)]
        columns[name][row] = near[rng.integers(3)]
    return columns


def _at_the_price(key: Key, rng: np.random.Generator, size: int) -> Columns:
    """Where it is a hair whether anything moves."""
    source = [_written, _noisy, _fifteen][int(rng.integers(3))]
    columns = {name: np.array(column) for name, column in source(key, rng, size).items()}
    if key[0] == "CP_WEIGHTED_AVERAGE":
        columns["consideration"] = columns["conversion_price"] * columns["issued"]
        name = "consideration"
    elif key[0] == "CP_TENDER_OFFER":
        bought = columns["outstanding_before"] - columns["outstanding_after"]
        columns["consideration"] = bought * columns["market_price"]
        name = "consideration"
    elif kernel := KERNELS[key].unmoved:
        name = kernel[0]
        columns[name] = columns[kernel[1]].copy() if kernel[1] else columns[name] * 0
    else:
        name = _names(key)[-1]
    # The same, or a double or so off, or as much as tells in 15 digits.
    column = columns[name] * rng.choice([1, 1, 1 - 1e-14, 1 + 1e-14], size)
    away = np.nextafter(column, rng.choice([0.0, math.inf], size))
    columns[name] = np.abs(np.where(rng.random(size) < 0.4, away, column))
    if rng.random() < 0.5:
        single = _names(key)[0]
        columns[single] = columns[single][:1]
    return {name: column.tolist() for name, column in columns.items()}


PLAIN: Mapping[str, Callable[[Key, np.random.Generator, int], Columns]] = {
    "written": _written,
    "noisy": _noisy,
    "fifteen digits": _fifteen,
    "wide": _wide,
    "at the price": _at_the_price,
    "any": _any,
}
TIED: Mapping[str, Callable[[Key, np.random.Generator, int, int], Columns]] = {
    "ties": _ties,
    "near ties": _near_ties,
}


@every_kernel
@pytest.mark.parametrize("data", PLAIN)
def test_every_element_is_what_it_is_alone(key: Key, data: str) -> None:
    rng = _seeded(key, data)
    for decimals, rounding_type in _ways(key):
        columns = PLAIN[data](key, rng, 17)
        _check(FUNCTIONS[key[0]], _grids(key, columns, decimals, rounding_type))


@every_kernel
def test_ties_are_ties(key: Key) -> None:
    for decimals in (0, 3):
        columns = _ties(key, _seeded(key), 20, decimals)
        half = Fraction(1, 2 * 10**decimals) if key[0] != "CP_CONVERSION_SHARES" else Fraction(1, 2)
        found = []
        for row in range(20):
            cells = [grid[row if len(grid) > 1 else 0][0] for grid in _grids(key, columns, decimals, None)]
            found.append(evaluate_exact(FUNCTIONS[key[0]], cells) / half)
        assert all(figure.denominator == 1 for figure in found)
        assert any(figure % 2 for figure in found)


@pytest.mark.parametrize("rounding_type", RoundingType)
def test_ties_of_too_many_digits(rounding_type: str) -> None:
    rng = _seeded("many digits")
    odd = rng.integers(95 * 10**12, 10**14, (50, 1)) * 10 + rng.choice([1, 3, 5, 7, 9], (50, 1))
    # Halfway between two of 6 decimals; and, unrounded, between two doubles.
    _check(FUNCTIONS["CP_SPLIT"], [(odd / 1e14).tolist(), [[1.0]], [[5e7]], [[6.0]], [[rounding_type]]])
    times = [[11e10], [13e10], [15e10], [17e10], [1e10]] * 10
    _check(FUNCTIONS["CP_SPLIT"], [(odd / 1e10).tolist(), [[1.0]], times])
    assert Fraction(float(odd[0, 0] * 11)) != int(odd[0, 0]) * 11
    # With nine decimals, and more than 100 bits when they are made whole.
    offer, half, count = (rng.integers(10 ** (n - 1), 2 * 10 ** (n - 1), (50, 1)) for n in (14, 12, 9))
    prices, shares = ((2 * half + 1) * 8 / 1e9).tolist(), count.astype(float).tolist()
    offers, markets = (offer / 1e9).tolist(), (4 * offer / 1e9).tolist()
    _check(FUNCTIONS["CP_RIGHTS"], [prices, shares, shares, offers, markets, [[8.0]], [[rounding_type]]])


@every_kernel
def test_ties_of_whole_numbers_that_are_too_large(key: Key) -> None:
    """By a few numbers with nine decimals in the same columns, others become large when all are made whole."""
    rng = _seeded(key, "large")
    for decimals, rounding_type in _ways(key)[-8:]:
        columns = _ties(key, rng, 30, decimals or 0)
        for name, column in columns.items():
            columns[name] = [column[row] if row % 10 else round(column[row] + 1e-9, 9) for row in range(30)]
        _check(FUNCTIONS[key[0]], _grids(key, columns, decimals, rounding_type))


@every_kernel
@pytest.mark.parametrize("data", TIED)
def test_ties_are_what_they_are_alone(key: Key, data: str) -> None:
    rng = _seeded(key, data)
    for decimals, rounding_type in _ways(key):
        columns = TIED[data](key, rng, 17, decimals or 0)
        _check(FUNCTIONS[key[0]], _grids(key, columns, decimals, rounding_type))


@every_kernel
def test_ranges_that_say_how_to_round(key: Key) -> None:
    rng = _seeded(key, "ranges")
    size = 400
    odd = [None, "", 2.0, 2, 3.0, 0.0, 1.5, -1.0, 16.0, True, "2", math.nan, CellError("#REF!"), date(2026, 1, 2)]
    kinds = [None, "", "half_up", "HALF_EVEN", "Normal", "floor", "ceiling", "up", 1.0, True, CellError("#N/A")]
    methods = [None, key[1], key[1].upper(), *(m for name, m in KERNELS if name == key[0]), "none", 1.0, True]
    columns: dict[str, list[Any]] = dict(_written(key, rng, size))
    columns["decimals"] = [odd[i] for i in rng.integers(len(odd), size=size)]
    columns["rounding_type"] = [kinds[i] for i in rng.integers(len(kinds), size=size)]
    columns["method"] = [methods[i] for i in rng.integers(len(methods), size=size)]
    if key[1]:
        columns.setdefault("market_price", [[20.0, None, "x", 0.0, 2][i % 5] for i in range(size)])
    assert _check(FUNCTIONS[key[0]], _grids(key, columns, None, None)) < size


@every_kernel
@pytest.mark.parametrize("decimals", [None, 0, 2])
@pytest.mark.parametrize("data", ["written", "noisy"])
def test_only_errors_are_left_to_calls_alone(key: Key, decimals: int | None, data: str) -> None:
    rng = _seeded(key, data, decimals)
    for rounding_type in RoundingType:
        columns = PLAIN[data](key, rng, 60)
        if pair := KERNELS[key].below:
            # Where hardly anything remains figures are too rare to be served.
            small, large = (columns[name] for name in pair)
            columns[pair[0]] = [min(less, more / 2) for less, more in zip(small, large, strict=True)]
        columns.update({"threshold": [0.25]} if "threshold" in columns else {})
        places = 3 if decimals is None and key[0] == "CP_ROUND" else decimals
        assert _check(FUNCTIONS[key[0]], _grids(key, columns, places, rounding_type.value)) == 0


@every_kernel
@pytest.mark.parametrize("left_out", [MISSING, None, ""], ids=repr)
def test_what_is_left_out_is_no_reason_to_go_alone(key: Key, left_out: Any) -> None:
    """Excel hands over every argument, those left out too."""
    function = FUNCTIONS[key[0]]
    grids = _grids(key, _written(key, _seeded(key), 60), 2, None)
    for argument, place in zip(function.arguments, range(len(function.arguments)), strict=True):
        if place == len(grids):
            grids.append(((left_out,),))
        elif argument.optional and argument.name in ("other_securities", "threshold", "rounding_type"):
            grids[place] = ((left_out,),)
    figures = _check(function, grids)
    assert figures <= (60 if KERNELS[key].below else 0) / 4


def test_what_has_a_kernel() -> None:
    """Every function of single numbers, by every method; and no kernel is left over."""
    found = []
    for function in CATALOGUE:
        kinds = {argument.kind for argument in function.arguments}
        if Kind.NUMBER in kinds and kinds <= {Kind.NUMBER, Kind.DECIMALS, Kind.ROUNDING_TYPE, Kind.CHOICE}:
            methods = [a.choices for a in function.arguments if a.kind is Kind.CHOICE] or [("",)]
            assert len(methods) == 1
            found += [(function.name, method) for method in methods[0]]
            given = {"method", "decimals", "rounding_type"}
            assert {a.name for a in function.arguments if a.kind is not Kind.NUMBER} <= given
    assert found == list(KERNELS)


@every_kernel
def test_kernels_take_arguments_of_their_function(key: Key) -> None:
    kernel = KERNELS[key]
    arguments = {a.name: a for a in FUNCTIONS[key[0]].arguments if a.kind is Kind.NUMBER}
    taken = [*kernel.arguments, *([kernel.rest_at] if kernel.rest_at else [])]
    assert sorted(taken) == sorted(_names(key))
    for pair in (kernel.unmoved, kernel.below, kernel.not_above):
        assert {name for name in pair or () if name} <= set(taken)
    finishes = (finishing.adjusted_price, finishing.price, finishing.amount, finishing.shares)
    assert FUNCTIONS[key[0]].finish in finishes
    rules = {arguments[name].rule for name in taken}
    assert rules <= ({"it must be a number"} if kernel.signed else {"it must be above 0", "it must be 0 or above"})


# Many more elements, with figures that are quick to compute anew.


def _digits(number: float) -> Fraction:
    return Fraction(f"{number:.15g}")


ROUNDINGS = {
    RoundingType.HALF_UP: ROUND_HALF_UP,
    RoundingType.HALF_EVEN: ROUND_HALF_EVEN,
    RoundingType.FLOOR: ROUND_FLOOR,
    RoundingType.CEILING: ROUND_CEILING,
}


def _many_doubles(rng: np.random.Generator, size: int) -> np.ndarray[Any, Any]:
    parts = [
        10.0 ** rng.uniform(-8, 15, size),
        rng.integers(1, 10**15, size) / 10.0 ** rng.integers(0, 16, size),
        rng.integers(1, 10**6, size) / 10.0 ** rng.integers(0, 6, size),
        # Ties of the 15th digit itself.
        rng.integers(10**13, 10**15, size) + rng.choice([0.5, 0.25, 0.75], size),
        rng.integers(10**7, 10**9, size) + rng.integers(0, 2**22, size) / 2**22,
        10.0 ** rng.integers(-8, 15, size),
    ]
    numbers = np.concatenate(parts)
    moved = np.nextafter(numbers, rng.choice([0.0, math.inf], len(numbers)))
    return np.where(rng.random(len(numbers)) < 0.3, moved, numbers)


def test_a_double_means_its_15_digits() -> None:
    numbers = _many_doubles(_seeded("digits"), 8000)
    function, above = FUNCTIONS["CP_FULL_RATCHET"], np.array([1e15])
    for decimals in (None, 2):
        values, unsure = compute_columns(function, {"conversion_price": numbers, "issue_price": above}, decimals)
        expected = [float(f"{number:.15g}") for number in numbers.tolist()]
        assert values[~unsure].tolist() == [
            value for value, open_ in zip(expected, unsure, strict=True) if not open_
        ]
        assert unsure.sum() < len(numbers) / 100


@pytest.mark.parametrize("rounding_type", RoundingType)
def test_many_numbers_are_rounded(rounding_type: RoundingType) -> None:
    rng = _seeded("round", rounding_type)
    numbers = np.concatenate([_many_doubles(rng, 500), rng.integers(-(10**9), 10**9, 3000) / 2000])
    numbers *= rng.choice([-1, 1], len(numbers))
    for decimals in range(-2, 9):
        values, unsure = compute_columns(FUNCTIONS["CP_ROUND"], {"number": numbers}, decimals, rounding_type)
        assert unsure.sum() < len(numbers) / 3
        step = Decimal(1).scaleb(-decimals)
        for number, value, open_ in zip(numbers.tolist(), values.tolist(), unsure.tolist(), strict=True):
            if not open_:
                digits = Decimal(f"{number:.15g}").quantize(step, ROUNDINGS[rounding_type])
                assert value.hex() == (float(digits) + 0.0).hex()


@pytest.mark.parametrize("tied", [False, True])
def test_many_weighted_averages(tied: bool) -> None:
    rng = _seeded("average", tied)
    size = 2 * BLOCK + 1000
    price = rng.integers(100, 2000, size)
    issued = rng.integers(1, 10**7, size) * 4
    base = issued * rng.choice([1, 3], size) if tied else rng.integers(1, 10**9, size)
    half = (1.5 * price + rng.uniform(0, 0.5, size) * price).astype(int) | 1
    # The price goes to so many half cents, or as near to it as a cent of the consideration can tell, or anywhere.
    tie = half * (base + issued) // 2 - price * base + rng.integers(-1, 2, size)
    paid = np.maximum(tie, 0) if tied else issued * rng.integers(1, 2100, size)
    columns = {"outstanding": base, "issued": issued, "conversion_price": price / 100, "consideration": paid / 100}
    columns = {name: column.astype(float) for name, column in columns.items()}
    rounded, unsure = compute_columns(FUNCTIONS["CP_WEIGHTED_AVERAGE"], columns, 2)
    unrounded, unsure_too = compute_columns(FUNCTIONS["CP_WEIGHTED_AVERAGE"], columns)
    assert not unsure.any()
    assert not unsure_too.any()
    rows = zip(*(column.tolist() for column in (price, base, paid, issued, rounded, unrounded)), strict=True)
    for cp1, before, money, new, cents, figure in rows:
        top, bottom = cp1 * before + money, before + new
        moved = top < cp1 * bottom
        assert figure == (top / (100 * bottom) if moved else cp1 / 100)
        assert cents == (min((2 * top + bottom) // (2 * bottom), cp1) / 100 if moved else cp1 / 100)


# Whatever a range holds.

NUMBERS: list[Any] = [1.0, 2, 3.5, 0.1 + 0.2, 2.0000000000000004, 100.0, 7000000.0, 1e6]
OTHERS: list[Any] = [
    *[
        None,
        "",
        MISSING,
        "abc",
        "2",
        True,
        False,
        0.0,
        -0.0,
        -1.0,
        0,
        -3,
        math.nan,
        math.inf,
        1e308,
        5e-324,
        10**400,
    ],
    *[2**70, Decimal("1.005"), Decimal("sNaN"), date(2026, 1, 2), CellError("#REF!"), CellError("#N/A", "x")],
    *[Fraction(1, 3), np.float64(2.5)],
]
numbers = st.one_of(*[st.sampled_from(NUMBERS)] * 4, st.sampled_from(OTHERS))
CELLS = {
    Kind.NUMBER: numbers,
    Kind.DECIMALS: st.one_of(st.sampled_from([None, 2.0, 0.0, 4, 15.0]), st.sampled_from(OTHERS)),
    Kind.ROUNDING_TYPE: st.one_of(st.sampled_from([None, *RoundingType, "Floor"]), st.sampled_from(OTHERS)),
    Kind.CHOICE: st.one_of(
        st.sampled_from([None, "ratio", "Excess", "SUBTRACT", "over_sum", "over market"]), st.sampled_from(OTHERS)
    ),
}


@cache
def _range(kind: Kind, rows: int, columns: int) -> st.SearchStrategy[Any]:
    row = st.lists(CELLS[kind], min_size=columns, max_size=columns)
    return st.lists(row, min_size=rows, max_size=rows)


@pytest.mark.parametrize("name", sorted({name for name, _ in KERNELS}))
@settings(max_examples=25)
@given(data=st.data(), rows=st.integers(1, 5), columns=st.integers(1, 5))
def test_any_cells_in_any_shape(name: str, data: st.DataObject, rows: int, columns: int) -> None:
    function = FUNCTIONS[name]
    given = data.draw(st.integers(1, len(function.arguments)), "arguments")
    grids = []
    for argument in function.arguments[:given]:
        height = data.draw(st.sampled_from([1, 1, rows, rows, rows, rows + 1]))
        width = data.draw(st.sampled_from([1, 1, columns, columns, columns, columns + 1]))
        grids.append(data.draw(_range(argument.kind, height, width), argument.name))
    _check(function, grids)


class TestShapes:
    def test_column_against_row_is_a_grid(self) -> None:
        prices = [[number / 100] for number in range(101, 161)]
        rows = [[float(number) for number in range(1, 41)]]
        assert _check(FUNCTIONS["CP_SPLIT"], [prices, rows, ((3.0,),), [[2.0]]]) == 0
        assert _check(FUNCTIONS["CP_SPLIT"], [prices, rows, ((3.0,),), [[2.0] * 20 + [4.0] * 20]]) == 0

    @pytest.mark.parametrize("shape", [(30, 1), (1, 30), (5, 9)])
    def test_sizes_that_differ(self, shape: tuple[int, int]) -> None:
        rows, columns = shape
        prices = [[float(row * 10 + column + 1) for column in range(10)] for row in range(30)]
        counts = [[float(row + column + 1) for column in range(columns)] for row in range(rows)]
        _check(FUNCTIONS["CP_SPLIT"], [prices, counts, [[3.0]]])
        _check(FUNCTIONS["CP_SPLIT"], [counts, [[2.0]], prices, [[2.0]] * 12])

    def test_rows_are_lists_of_their_own(self) -> None:
        table = evaluate_arrays(
            FUNCTIONS["CP_SPLIT"], [((5.0,),) * 3, ((2.0, 4.0),), ((1.0,),) * 2], lambda cells: 0.0
        )
        assert table is not None
        outside = CellError("#N/A", "CP_SPLIT: the ranges differ in size")
        assert table == [[2.5, 1.25], [2.5, 1.25], [outside, outside]]
        assert all(type(line) is list for line in table)
        assert len({id(line) for line in table}) == 3

    def test_ranges_that_are_known_to_be_doubles(self) -> None:
        for rows in (((1.5,), (2.5,), (3.5,)), ((1.5, 2.5, 3.5),), ((1.5, 2.5), (3.5, 4.5))):
            known = doubles(rows)
            assert known is not None
            assert _check(FUNCTIONS["CP_SPLIT"], [known, [[2.0]], known]) == 0

    def test_more_rows_than_a_block(self) -> None:
        size = BLOCK + 77
        columns = {"number": np.arange(size) / 8}
        values, unsure = compute_columns(FUNCTIONS["CP_ROUND"], columns, 2, RoundingType.HALF_EVEN)
        assert not unsure.any()
        assert values.tolist() == [
            float(Decimal(n).scaleb(-3).quantize(Decimal("0.01"))) for n in range(0, size * 125, 125)
        ]

    def test_all_but_how_to_round_may_be_single(self) -> None:
        cells = [
            ((6.41,),),
            ((2.0,),),
            [[float(places)] for places in range(15)],
            [[kind.value for kind in RoundingType]],
        ]
        assert _check(FUNCTIONS["CP_RATIO"], cells) == 0

    def test_functions_without_a_kernel(self) -> None:
        assert evaluate_arrays(FUNCTIONS["CP_OUTSTANDING"], [[[1.0]] * 50], lambda cells: 0.0) is None
        assert evaluate_arrays(FUNCTIONS["CP_VERSION"], [], lambda cells: 0.0) is None


def test_what_is_not_certain_is_left_to_the_call_alone() -> None:
    """Errors and corners come from `one`, whatever it says, and nothing else does."""
    grids = [[[50.0], [None], [0.0], [1e300], [40.0], [True]], [[2.0]], [[1.0]], [[2.0]]]
    table = evaluate_arrays(FUNCTIONS["CP_SPLIT"], grids, lambda cells: f"alone: {cells[0]}")
    assert table == [[25.0], ["alone: None"], ["alone: 0.0"], ["alone: 1e+300"], [20.0], ["alone: True"]]
