"""What exact results cost from Parquet to Parquet, against the same job in doubles; run it to print the table.

    python tests/benchmarks/compute.py [--rows 1000000] [--sample 100000]

The job is the weighted average with 2 decimals. "naive" reads the columns whole, casts them to float64, computes
with np.round, and writes all columns and a float64 column; "naive, streamed" does that in the same pieces and
with the same reading ahead as the exact job. All write Parquet alike. Each figure is a median of five, the jobs
taken in turn. The results of the exact job are compared with fractions: a sample of the realistic rows, and rows
that are all ties; rows in which the naive job gives another number are counted too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xl_conversion.batch import parquet
from xl_conversion.batch.columns import decimals, words
from xl_conversion.batch.compute import adjust
from xl_conversion.batch.parquet import WRITING, compute_file
from xl_conversion.batch.plan import Settings
from xl_conversion.core.adjustments import round_price, weighted_average
from xl_conversion.core.rounding import RoundingType

TIMES = 5
NAMES = ("conversion_price", "outstanding", "consideration", "issued", "other_securities")
RESULT = "conversion_price_after"
SETTINGS = Settings()
Numbers = dict[str, Any]


def realistic(rows: int, seed: int = 7) -> Numbers:
    """Prices of cents, share counts, money: whole numbers, and how many decimals they have."""
    chance = np.random.default_rng(seed)
    return {
        "conversion_price": (chance.integers(200, 2000, rows), 2),
        "outstanding": (chance.integers(10**7, 9 * 10**7, rows), 0),
        "consideration": (chance.integers(10**8, 5 * 10**9, rows), 2),
        "issued": (chance.integers(10**6, 5 * 10**7, rows), 0),
        "other_securities": (chance.integers(0, 5 * 10**6, rows), 0),
    }


def ties(rows: int, seed: int = 8) -> Numbers:
    """Rows whose unrounded price ends in exactly half a cent, below the price before."""
    chance = np.random.default_rng(seed)
    base, issued = chance.integers(10**6, 10**7, rows), chance.integers(10**6, 10**7, rows)
    after, before = chance.integers(100, 900, rows) * 10 + 5, chance.integers(1000, 2000, rows)
    # In thousandths, after x (base + issued) = before x base + consideration, which is not below 0.
    base = np.minimum(base, after * issued // (before * 10 - after))
    paid = after * (base + issued) - before * 10 * base
    return {
        "conversion_price": (before, 2),
        "outstanding": (base, 0),
        "consideration": (paid, 3),
        "issued": (issued, 0),
        "other_securities": (np.zeros(rows, np.int64), 0),
    }


def written(numbers: Numbers, path: Path, *, as_doubles: bool = False) -> Path:
    """The numbers as a file, with a number for each row besides."""
    columns = {"row": pa.array(np.arange(len(numbers["issued"][0])))}
    for name, (digits, scale) in numbers.items():
        columns[name] = decimals(words(digits), pa.decimal128(18, scale))
        if as_doubles:
            columns[name] = pa.array(digits / 10.0**scale)
    pq.write_table(pa.table(columns), path, **WRITING)
    return path


def formula(columns: Any) -> Any:
    """The formula in doubles, as one would write it."""
    cp, a, k, n, o = (columns.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False) for name in NAMES)
    return pa.array(np.round(np.minimum(cp, (cp * (a + o) + k) / (a + o + n)), 2))


def naive(source: Path, target: Path) -> None:
    """The whole job in doubles, as one would write it."""
    table = pq.read_table(source)
    flat = table.combine_chunks()
    pq.write_table(table.append_column(RESULT, _only(formula(flat))), target, **WRITING)


def _only(column: Any) -> Any:
    return pa.chunked_array([column])


def naive_streamed(source: Path, target: Path) -> None:
    """The same in the pieces of the exact job."""
    schema = pq.read_schema(source).append(pa.field(RESULT, pa.float64()))
    with pq.ParquetFile(source, pre_buffer=False) as file, pq.ParquetWriter(target, schema, **WRITING) as writer:

        def work(batch: Any) -> Any:
            return pa.RecordBatch.from_arrays([*batch.columns, formula(batch)], schema=schema)

        waiting: list[Any] = []
        with parquet._results(work, file.iter_batches(parquet.ROWS_IN_BATCH), "", 0) as results:
            for batch in results:
                waiting.append(batch)
                if len(waiting) == 4:
                    writer.write_table(pa.Table.from_batches(waiting))
                    waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))


def exact(source: Path, target: Path, workers: int = 0) -> None:
    """The job of the command."""
    compute_file(source, target, SETTINGS, force=True, workers=workers)


def in_turn(*works: Callable[[], object]) -> list[float]:
    """The median time of each, taken in turn so that a busy machine slows all of them."""
    for work in works:
        work()
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(TIMES):
        for times, work in zip(taken, works, strict=True):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return [median(times) for times in taken]


def wrong(source: Path, results: Path, sample: int) -> int:
    """In how many rows a file of results differs from fractions."""
    table, found = pq.read_table(source), pq.read_table(results, columns=[RESULT]).column(0)
    step = max(1, len(table) // sample)
    count = 0
    rows = zip(*(table.column(name).to_pylist()[::step] for name in NAMES), found.to_pylist()[::step], strict=True)
    for *values, result in rows:
        price = round_price(weighted_average(*values), 2, RoundingType.HALF_UP, not_above=Fraction(values[0]))
        count += Fraction(f"{result:.15g}" if isinstance(result, float) else result) != price
    return count


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=100_000, help="rows that are compared with fractions")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, tied = (
            written(realistic(options.rows), folder / "in"),
            written(ties(options.sample), folder / "ties"),
        )
        doubles = written(realistic(options.rows), folder / "doubles", as_doubles=True)
        out = {name: folder / name for name in ("naive", "streamed", "exact", "threads", "doubles out")}
        jobs = {
            "naive float64": partial(naive, plain, out["naive"]),
            "naive float64, streamed": partial(naive_streamed, plain, out["streamed"]),
            "exact": partial(exact, plain, out["exact"]),
            "exact, two workers": partial(exact, plain, out["threads"], 2),
            "exact, from float64": partial(exact, doubles, out["doubles out"]),
        }
        times = dict(zip(jobs, in_turn(*jobs.values()), strict=True))
        print(f"{options.rows:,} rows, Parquet to Parquet\n")
        print(f"{'job':<26}{'s':>8}{'million rows/s':>18}{'/ naive':>10}{'/ streamed':>12}")
        for job, taken in times.items():
            naively = [taken / times[other] for other in ("naive float64", "naive float64, streamed")]
            print(
                f"{job:<26}{taken:>8.3f}{options.rows / taken / 1e6:>18.2f}{naively[0]:>10.2f}{naively[1]:>12.2f}"
            )

        batches = [b for b in pq.read_table(plain).to_batches(parquet.ROWS_IN_BATCH) if b.num_rows]
        alone, floats = in_turn(
            lambda: [adjust(batch, SETTINGS) for batch in batches], lambda: [formula(batch) for batch in batches]
        )
        print(
            f"\nin memory: {options.rows / alone / 1e6:.1f} million rows/s, {alone / floats:.2f} of naive float64"
        )
        exact(tied, folder / "ties exact")
        naive(tied, folder / "ties naive")
        print(f"\n{'rows that differ from fractions':<40}{'exact':>10}{'naive':>10}")
        for told, source, ours, theirs in (
            ("realistic", plain, out["exact"], out["naive"]),
            ("realistic, from float64", plain, out["doubles out"], out["naive"]),
            ("all ties", tied, folder / "ties exact", folder / "ties naive"),
        ):
            counts = (wrong(source, results, options.sample) for results in (ours, theirs))
            print(f"{told:<40}" + "".join(f"{count:>10,}" for count in counts))


if __name__ == "__main__":
    main()
