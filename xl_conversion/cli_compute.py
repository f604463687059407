"""The command on columns of numbers: compute."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from click.core import ParameterSource

from xl_conversion.cli_output import stop

FILE = click.Path(path_type=Path, readable=False)
SECONDS_BETWEEN_LINES = 5.0


@click.command(
    epilog="""
    \b
    Examples:
      xl-conversion compute rounds.parquet prices.parquet
      xl-conversion compute rounds.parquet four.parquet --decimals 4 --on-error null
      xl-conversion compute splits.parquet split.parquet --function CP_SPLIT
    """
)
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@click.option(
    "--function",
    metavar="NAME",
    default="CP_WEIGHTED_AVERAGE",
    show_default=True,
    help="A function of single values; its help names the columns: xl-conversion functions NAME.",
)
@click.option(
    "--decimals",
    type=int,
    default=2,
    show_default=True,
    help="Decimals that results are rounded to, where no column decimals says it for the row.",
)
@click.option(
    "--rounding-type",
    metavar="TYPE",
    default="",
    help="half_up, half_even, floor or ceiling. [default: the function's]",
)
@click.option("--method", metavar="WORD", default="", help="Of a function that has several. [default: its first]")
@click.option(
    "--on-error",
    type=click.Choice(["refuse", "null"]),
    default="refuse",
    show_default=True,
    help="null leaves a row that cannot be without a result, and says why in a column problem.",
)
@click.option(
    "--result", metavar="COLUMN", default="", help="Name of the result. [default: conversion_price_after]"
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    default="",
    help="A Dask scheduler that is trusted, such as tcp://10.0.0.5:8786.",
)
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, 1024),
    help="Threads here, or tasks at once on a cluster. [default: 1, or what the cluster has use for]",
)
@click.option("--force", is_flag=True, help="Replace a file there that differs.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def compute(
    source: Path,
    target: Path,
    function: str,
    decimals: int,
    rounding_type: str,
    method: str,
    on_error: str,
    result: str,
    scheduler: str,
    workers: int | None,
    *,
    force: bool,
    quiet: bool,
) -> None:
    """Compute a function for every row of a Parquet file, exactly.

    IN is a Parquet file or a folder of them, with columns named like the arguments of the function: decimals,
    integers, text or float64, which is read by its 15 digits. OUT has the rows of IN in their order, all their
    columns, and the result as a decimal. Columns decimals, rounding_type and method go before the options, which
    count where they are blank. A column of OUT has one number of decimals for all rows: with a column decimals
    these are 15 or more, each result rounded as its row says and filled up with zeros.
    """
    try:
        from xl_conversion.batch.parquet import compute_file
        from xl_conversion.batch.plan import Settings
    except ImportError as problem:
        if (problem.name or "").partition(".")[0] not in ("numpy", "pyarrow"):
            raise
        stop(f"{problem.name} is not installed", 'pip install "xl-conversion[batch]"')
    settings = Settings(function, decimals, rounding_type, method, on_error, result)
    with _progress(quiet) as advance:
        done = compute_file(
            source, target, settings, force=force, scheduler=scheduler, workers=workers or 0, advance=advance
        )
    if quiet:
        return
    rows = f"{done.rows:,} {'row' if done.rows == 1 else 'rows'}"
    click.echo(f"{done.target}: {rows}, {done.result} as {done.kind}{'' if done.written else ' (unchanged)'}")
    if "decimals" in done.by_row:
        click.echo(
            "  rounded as the column decimals says; OUT shows all rows with the same decimals, filled with zeros"
        )
    for name in done.by_row:
        if click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE:
            click.echo(f"  --{name.replace('_', '-')} counts only where the column {name} is blank")
    if done.impossible:
        click.echo(f"  {done.impossible:,} without a result; the column problem says why")


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar with the rate and the time left on a terminal, a line every few seconds in a log."""
    if quiet:
        yield lambda _done, _total: None
        return
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows, {task.fields[rate]} a second,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    start = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=None, rate="?")

        def advance(done: int, total: int) -> None:
            rate = done / max(time.monotonic() - start, 1e-9)
            bar.update(task, completed=done, total=total, rate=f"{rate:,.0f}")

        yield advance


class _Lines:
    """Progress for a log: a line every few seconds, none for what is done sooner."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.start = self.last = now()

    def __call__(self, done: int, total: int) -> None:
        now = self.now()
        if now - self.last < SECONDS_BETWEEN_LINES:
            return
        self.last = now
        rate = done / (now - self.start)
        left = (total - done) / rate if rate else 0
        click.echo(f"{done:,} of {total:,} rows, {rate:,.0f} a second, {left:,.0f} s left", err=True)
