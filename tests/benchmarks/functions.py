"""What the worksheet functions cost, against the least that the same work can cost; run it to print the table.

    python tests/benchmarks/functions.py [--rows 100000] [--kernel-rows 1000000]

Each figure is a median of five, the two sides of a ratio taken in turn. Calls go through xlwings' own
dispatcher and converters as Excel's would, behind a stand-in for the Windows interfaces, which makes Python's
numbers of a block of doubles on every read, and a block of doubles of a result, as COM has to (and as fast as
numpy does, which COM is not). "raw pass" is the cheapest call that xlwings can make with the same ranges:
values in as they are, a result that is ready out as it is, and nothing computed. "naive float64" is the
formula as one would write it in numpy, with np.round, which is wrong wherever doubles are.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import excel as fake

fake.install()

import xlwings as xw  # noqa: E402

from xl_conversion.core.rounding import RoundingType  # noqa: E402
from xl_conversion.functions.arrays import compute_columns  # noqa: E402
from xl_conversion.functions.catalogue import FUNCTIONS  # noqa: E402

Column = Any
TIMES = 5
DECIMALS = 2
RAW = "raw_pass"

# The formulas in doubles, as one would write them.
NAIVE: dict[str, Callable[..., Column]] = {
    "CP_WEIGHTED_AVERAGE": lambda cp, a, k, n, o: np.round(np.minimum(cp, (cp * (a + o) + k) / (a + o + n)), 2),
    "CP_FULL_RATCHET": lambda cp, p: np.round(np.minimum(cp, p), 2),
    "CP_SPLIT": lambda cp, new, old: np.round(cp * old / new, 2),
    "CP_STOCK_DIVIDEND": lambda cp, a, d: np.round(cp * a / (a + d), 2),
    "CP_CASH_DIVIDEND": lambda cp, d, m, t: np.round(np.where(d <= t, cp, cp * (m - d) / (m - t)), 2),
    "CP_RIGHTS": lambda cp, n, r, p, m: np.round(np.minimum(cp, cp * (n + r * p / m) / (n + r)), 2),
    "CP_SPIN_OFF": lambda cp, v, m: np.round(cp * m / (m + v), 2),
    "CP_TENDER_OFFER": lambda cp, k, b, a, m: np.round(np.minimum(cp, cp * m * b / (k + m * a)), 2),
    "CP_RATIO": lambda oip, cp: np.round(oip / cp, 2),
    "CP_CONVERSION_SHARES": lambda s, oip, cp: np.floor(s * oip / cp),
    "CP_CASH_IN_LIEU": lambda s, oip, cp, m: np.round((s * oip / cp - np.floor(s * oip / cp)) * m, 2),
    "CP_ROUND": lambda x: np.round(x, 2),
}
# What a column of a realistic book holds, by the name of the argument: least, most, decimals. Most rows move the
# price; those that do not take longer than in doubles, and exact ties take longest.
REALISTIC: dict[str, tuple[float, float, int]] = {
    "conversion_price": (2, 20, 2),
    "original_issue_price": (1, 20, 2),
    "issue_price": (0.1, 2.5, 2),
    "offer_price": (1, 20, 2),
    "market_price": (20, 60, 2),
    "dividend": (0.5, 4, 2),
    "threshold": (0, 1, 2),
    "distributed_value": (0.5, 10, 2),
    "consideration": (1e6, 5e7, 0),
    "CP_TENDER_OFFER consideration": (3e9, 6e9, 0),
    "outstanding": (1e7, 9e7, 0),
    "outstanding_before": (6e7, 9e7, 0),
    "outstanding_after": (1e7, 5e7, 0),
    "issued": (1e6, 5e7, 0),
    "offered": (1e6, 5e7, 0),
    "other_securities": (0, 5e6, 0),
    "dividend_shares": (1e5, 5e6, 0),
    "preferred_shares": (100, 9e5, 0),
    "split_new": (2, 20, 0),
    "split_old": (1, 9, 0),
    "number": (1, 5000, 4),
}


class FastRange(fake.FakeRange):
    """A reference to a column of doubles, which are made Python's on every read, as COM's have to be."""

    def cells(self, _convert: Callable[[Any], Any]) -> Any:
        return tuple(zip(self.block.tolist(), strict=False))

    @property
    def block(self) -> Column:
        column: Column = self.content
        return column

    @property
    def rows(self) -> Any:
        return _Shape(len(self.block))


class _Shape:
    """Stands for so many rows of one cell."""

    def __init__(self, rows: int) -> None:
        self.count = rows

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> tuple[float]:
        return (0.0,)


def columns_of(name: str, rows: int, seed: int = 7) -> dict[str, Column]:
    """Realistic columns for the numbers that a function takes."""
    chance = np.random.default_rng(seed)
    found = {}
    for argument in (a.name for a in FUNCTIONS[name].arguments if a.name in REALISTIC):
        least, most, decimals = REALISTIC.get(f"{name} {argument}", REALISTIC[argument])
        found[argument] = np.round(chance.uniform(least, most, rows), decimals)
    return found


def raw_module(width: int) -> str:
    """Registers the cheapest function of `width` arguments that xlwings can call; the name of its module."""
    name = f"{RAW}_{width}"
    module = ModuleType(name)
    module.__file__ = __file__  # xlwings looks for one
    names = ", ".join(f"x{n}" for n in range(width))
    space: dict[str, Any] = {}
    exec(f"def {RAW}({names}):\n    return x0", space)  # noqa: S102
    function = xw.ret("raw")(space[RAW])
    for n in range(width):
        function = xw.arg(f"x{n}", "raw")(function)
    module.__dict__[RAW] = xw.func(function)
    sys.modules[name] = module
    return name


def as_variants(rows: Sequence[Sequence[float]]) -> Column:
    """A result as a block of doubles, which is the least that COM does with it."""
    return np.array(list(chain.from_iterable(rows)))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(*works: Callable[[], object]) -> list[float]:
    """The median time of each, taken in turn so that a busy machine slows all of them."""
    for work in works:
        work()
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(TIMES):
        for times, work in zip(taken, works, strict=True):
            times.append(timed(work))
    return [median(times) for times in taken]


def arguments_of(name: str, columns: dict[str, Any]) -> list[Any]:
    """The arguments of a call, with so many decimals as the benchmark rounds to."""
    settings = {"decimals": float(DECIMALS)}
    return [columns.get(a.name, settings.get(a.name, fake.OMITTED)) for a in FUNCTIONS[name].arguments]


def through_xlwings(name: str, rows: int, scalars: int) -> tuple[float, float, float]:
    """Seconds of a scalar call, of one call with `rows` rows, and of the raw pass with the same ranges."""
    columns = columns_of(name, rows)
    ranges = {argument: FastRange(column) for argument, column in columns.items()}
    whole = arguments_of(name, ranges)
    first = arguments_of(name, {a: float(column[0]) for a, column in columns.items()})
    module = raw_module(len(whole))

    def array() -> object:
        return as_variants(fake.call_here(name, whole))

    def raw() -> object:
        return as_variants(fake.call_here(RAW, whole, module=module))

    def scalar() -> None:
        for _ in range(scalars):
            fake.call_here(name, first)

    of_array, of_raw, of_scalars = in_turn(array, raw, scalar)
    return of_scalars / scalars, of_array, of_raw


def kernel(name: str, rows: int) -> float:
    """The exact way in units of the naive one, for columns of doubles."""
    columns = columns_of(name, rows)
    method = {"CP_CASH_DIVIDEND": "ratio", "CP_SPIN_OFF": "over_sum"}.get(name, "")
    decimals = None if name == "CP_CONVERSION_SHARES" else DECIMALS
    rounding = {"rounding_type": RoundingType.FLOOR} if name == "CP_CONVERSION_SHARES" else {}
    function, values = FUNCTIONS[name], list(columns.values())
    exact, naive = in_turn(
        lambda: compute_columns(function, columns, decimals, method=method, **rounding),
        lambda: NAIVE[name](*values),
    )
    return exact / naive


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="of an array call")
    parser.add_argument("--kernel-rows", type=int, default=1_000_000, help="of the comparison with float64")
    parser.add_argument("--scalars", type=int, default=1_000, help="scalar calls to time")
    options = parser.parse_args(arguments)
    heads = ("scalar calls/s", "array rows/s", "array / raw pass", "scalars / array", "exact / naive float64")
    print(f"{options.rows:,} rows in a call, {options.kernel_rows:,} against float64, {DECIMALS} decimals\n")
    print(f"{'function':<22}" + "".join(f"{head:>23}" for head in heads))
    for name in NAIVE:
        scalar, array, raw = through_xlwings(name, options.rows, options.scalars)
        figures = (
            f"{1 / scalar:,.0f}",
            f"{options.rows / array:,.0f}",
            f"{array / raw:.2f}",
            f"{scalar * options.rows / array:,.0f}",
            f"{kernel(name, options.kernel_rows):.2f}",
        )
        print(f"{name:<22}" + "".join(f"{figure:>23}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
