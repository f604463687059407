"""How long a history takes beside the bare arithmetic in it: `python tests/benchmarks/history.py`.

1,000 issuances to 100 series are replayed, and computed again with nothing but fractions: a base, a comparison, a
weighted average and its rounding. Both keep every figure, and the figures are compared. Each time is the median of
five runs, taken in turns. The target is a ratio below 2 on a quiet machine, and times linear in the events.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction

from xl_conversion.core.capitalization import ClassKind, ShareClass
from xl_conversion.core.events import Issued
from xl_conversion.core.history import Company, history
from xl_conversion.core.issuance import Security, SecurityKind
from xl_conversion.core.rounding import RoundingType, round_to
from xl_conversion.core.terms import Method, Rounding, Series

DECIMALS = 4
COMMON, OPTIONS = Fraction(10**8), Fraction(10**7)
Figures = list[tuple[Fraction, Fraction]]
"""The unrounded and the rounded price of every series after every event."""


def company(method: Method, events: int, series: int) -> Company:
    """Rounds at prices from 0.01 to 0.60, for series at 1.00 to 9.00; nearly each of them moves every price."""
    chance = random.Random(1)  # noqa: S311
    terms = tuple(
        Series(
            f"Series {number}",
            "Company",
            Fraction(chance.randint(100, 900), 100),
            Fraction(chance.randint(100, 900), 100),
            price=Rounding(DECIMALS),
            ratio=Rounding(DECIMALS),
            method=method,
            preferred_shares=Fraction(chance.randint(10**4, 10**6)),
        )
        for number in range(series)
    )
    happened = []
    for number in range(events):
        shares = Fraction(chance.randint(1, 10**6))
        sold = Security(f"Round {number}", SecurityKind.SHARES, shares, shares * chance.randint(1, 60) / 100)
        day = date(2000, 1, 1) + timedelta(number)
        happened.append(Issued(event=f"Round {number}", date=day, securities=(sold,)))
    classes = (
        ShareClass("Common", ClassKind.COMMON, COMMON),
        ShareClass("Options", ClassKind.OPTION, OPTIONS),
    )
    return Company(terms, tuple(happened), classes)


def bare(of: Company) -> Figures:
    """The figures, by arithmetic alone."""
    method = of.series[0].method
    prices = [series.conversion_price for series in of.series]
    values = [series.preferred_shares * series.original_issue_price for series in of.series]
    common, figures = COMMON, []
    for event in of.events:
        if not isinstance(event, Issued):
            raise TypeError(event)
        shares, paid = event.securities[0].shares, event.securities[0].consideration
        base = common
        if method is not Method.COMMON:
            base += sum((value / price for value, price in zip(values, prices, strict=True)), Fraction(0))
        if method is Method.BROAD:
            base += OPTIONS
        for number, price in enumerate(prices):
            unrounded = price
            if paid < price * shares:
                unrounded = (price * base + paid) / (base + shares)
                prices[number] = round_to(unrounded, DECIMALS, RoundingType.HALF_UP)
            figures.append((unrounded, prices[number]))
        common += shares
    return figures


def replayed(of: Company) -> Figures:
    """The figures of the history."""
    return [(change.unrounded, change.price) for change in history(of).changes]


def seconds(compute: Callable[[Company], Figures], of: Company) -> float:
    """How long it takes, from a clean start."""
    gc.collect()
    started = time.process_time()
    compute(of)
    return time.process_time() - started


def measured(of: Company, runs: int) -> tuple[float, float]:
    """The medians of the history and of its bare arithmetic, in turns."""
    times = [(seconds(replayed, of), seconds(bare, of)) for _ in range(runs)]
    return statistics.median(t for t, _ in times), statistics.median(t for _, t in times)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[250, 500, 1000])
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    print(f"{'base':<8}{'events':>8}{'series':>8}{'history, s':>12}{'bare, s':>10}{'ratio':>8}{'us a figure':>13}")
    for method in (Method.COMMON, Method.NARROW, Method.BROAD):
        for events in options.events:
            of = company(method, events, options.series)
            if replayed(of) != bare(of):
                raise SystemExit(f"{method}: the history and its bare arithmetic differ")
            took, least = measured(of, options.runs)
            each = took / events / options.series * 1e6
            row = f"{method:<8}{events:>8}{options.series:>8}{took:>12.2f}{least:>10.2f}{took / least:>8.2f}"
            print(f"{row}{each:>13.1f}", flush=True)


if __name__ == "__main__":
    main()
