"""`xl-conversion export`: a portfolio to finished workbooks."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xl_conversion.batch.observer import Observer
from xl_conversion.cli_output import EXIT_INPUT, counted, say, stop

if TYPE_CHECKING:
    from xl_conversion.batch.run import Outcome, Settings
    from xl_conversion.books.statements.results import SeriesResult

EXIT_LEFT_OUT, EXIT_STOPPED = 3, 130
MOST_SHOWN = 5
"""Series whose figures are printed; of more, only totals are."""
MOST_PROBLEMS = 20
SECONDS_BETWEEN_LINES = 5.0
PER = ["series", "holder", "portfolio"]
BUILT_IN = ("statement", "working-paper")


@click.command(
    epilog="""
    \b
    Examples:
      xl-conversion export notice --out out
      xl-conversion export notice --out papers --template working-paper --strict
      xl-conversion export company --out out --per series --per holder --per portfolio
      xl-conversion export company --out out --notice docx --ocf USD --workers 2 --resume
    """
)
@click.argument("source", metavar="INPUT")
@click.option("--out", "folder", metavar="DIR", type=click.Path(path_type=Path), required=True, help="Where to.")
@click.option(
    "--per",
    type=click.Choice(PER),
    multiple=True,
    default=("series",),
    show_default=True,
    help="A workbook for each of these; give it several times for several. portfolio is one register.",
)
@click.option(
    "--template",
    metavar="NAME|FILE",
    default="statement",
    show_default=True,
    help="What a series' workbook is: statement, working-paper (every step and explanation, slower, issuances "
    "with the company's own counts only), or an .xlsx of yours with {{names}}.",
)
@click.option("--format", "form", type=click.Choice(["xlsx"]), default="xlsx", show_default=True)
@click.option(
    "--notice", type=click.Choice(["docx", "pdf"]), multiple=True, help="The notice to holders as a file."
)
@click.option(
    "--ocf",
    "currency",
    metavar="CURRENCY",
    default="",
    help="Adjustments as Open Cap Format, prices in that: USD.",
)
@click.option("--query", "queries", metavar="TABLE=SQL", multiple=True, help="For a database: what a table is.")
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as there are processors otherwise.")
@click.option("--scheduler", metavar="tcp://HOST:PORT", default="", help="A Dask cluster that does the work.")
@click.option("--resume", is_flag=True, help="Leave what an earlier export into DIR is known to have written.")
@click.option("--strict", is_flag=True, help="Write nothing where any row of the input is wrong.")
@click.option("--force", is_flag=True, help="Replace files there that differ and are not of an earlier export.")
@click.option("--quiet", is_flag=True, help="Print nothing but what is wrong.")
def export(
    source: str,
    folder: Path,
    per: tuple[str, ...],
    template: str,
    notice: tuple[str, ...],
    currency: str,
    queries: tuple[str, ...],
    workers: int | None,
    scheduler: str,
    *,
    form: str,
    resume: bool,
    strict: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Write finished workbooks of each series, of each holder, or a register of everything.

    INPUT is a folder of CSV or Parquet files, a .json or an .xlsx file, an Open Cap Format package, or a
    database (sqlite:///FILE, postgresql://...). Series in which something is wrong are left out, listed in
    DIR/findings.xlsx, and the exit code is 3. DIR/manifest.json says what was written, and from what.
    """
    from xl_conversion.batch.run import Per, Settings
    from xl_conversion.batch.run import export as run
    from xl_conversion.batch.work import Recipe
    from xl_conversion.books.statements.own import read_design
    from xl_conversion.inputs.problems import InputError

    if currency and not re.fullmatch("[A-Z]{3}", currency):
        stop(f"--ocf {currency}: it is not a currency's code of three capitals", "for example --ocf USD")
    if folder.exists() and Path(source).exists() and folder.samefile(source):
        stop(f"--out {folder}: it is the input", "choose another folder")
    wanted = frozenset(Per(one) for one in per)
    recipe = Recipe(
        workbooks=Per.SERIES in wanted,
        template=template if template in BUILT_IN else "own",
        design=b"" if template in BUILT_IN else read_design(Path(template)),
        documents=bool(notice),
        currency=currency,
    )
    settings = Settings(
        wanted, recipe, "pdf" in notice, workers or os.cpu_count() or 1, scheduler, force, resume, strict
    )
    observer = Observer() if quiet else _Bar() if sys.stderr.isatty() else _Lines()
    asked = dict(map(_query, queries))
    try:
        try:
            outcome = run(source, folder, settings, queries=asked, observer=observer)
        finally:
            observer.end()
    except KeyboardInterrupt:
        told = f"stopped before all files were written; each that is in {folder} is complete"
        stop(told, "--resume goes on from there", EXIT_STOPPED)
    except InputError as refused:  # all of it, since there is no workbook that lists it
        for problem in refused.problems:
            say(str(problem), problem.hint)
        if strict:
            click.echo("nothing was written", err=True)
        sys.exit(EXIT_INPUT)
    if not quiet:
        _tell(outcome, folder, settings)
    if outcome.problems:
        _tell_problems(outcome, folder)
        sys.exit(EXIT_LEFT_OUT)


def _query(text: str) -> tuple[str, str]:
    table, found, sql = text.partition("=")
    if not found or not sql.strip():
        stop(f"--query {text}: not TABLE=SQL", 'for example --query "series=SELECT * FROM deals"', EXIT_INPUT)
    return table.strip(), sql.strip()


def _tell(outcome: Outcome, folder: Path, settings: Settings) -> None:
    from xl_conversion.batch.run import FINDINGS, REGISTER, Per

    paths = {entry.path: entry for entry in outcome.entries}
    if len(outcome.results) <= MOST_SHOWN:
        for result in outcome.results:
            _tell_series(result)
            path = outcome.workbooks.get((result.series.company, result.series.name), "")
            if path:
                same = "" if paths[path].written else " (unchanged)"
                click.echo(f"  workbook: {folder / path}{same}")
    companies = len({result.series.company for result in outcome.results})
    exceptions = sum(result.exceptions for result in outcome.results)
    comparisons = sum(len(result.findings) for result in outcome.results)
    written = sum(entry.written for entry in outcome.entries)
    if len(outcome.results) > MOST_SHOWN:
        click.echo(
            f"{counted(len(outcome.results), 'series', 'series')} of {counted(companies, 'company', 'companies')}"
        )
        click.echo(f"tie-out: {counted(exceptions, 'exception')} in {counted(comparisons, 'comparison')}")
    for name, wanted in ((REGISTER, Per.PORTFOLIO in settings.per), (FINDINGS, FINDINGS in paths)):
        if wanted:
            click.echo(f"{name.partition('.')[0]}: {folder / name}")
    unchanged = len(outcome.entries) - written
    left = f", {unchanged:,} unchanged" if unchanged else ""
    click.echo(f"{counted(written, 'file')} written{left}; {folder / 'manifest.json'} lists them")
    if outcome.earlier:
        shown = ", ".join(outcome.earlier[:3])
        more = f" and {len(outcome.earlier) - 3:,} more" if len(outcome.earlier) > 3 else ""
        click.echo(f"not part of this export, from an earlier one: {shown}{more}")


def _tell_series(result: SeriesResult) -> None:
    from xl_conversion.core.rounding import shown, to_text

    series = result.series
    click.secho(f"{series.company} {series.name}".strip(), bold=True)
    decimals, places = series.price.decimals, series.ratio.decimals
    price = shown(result.price) if decimals is None else to_text(result.price, decimals)
    ratio = shown(result.ratio) if places is None else to_text(result.ratio, places)
    unrounded = shown(result.price_unrounded)
    click.echo(f"  conversion price {shown(series.conversion_price)} -> {price}, unrounded {unrounded}")
    click.echo(f"  common per preferred {ratio}, unrounded {shown(result.ratio_unrounded)}")
    if result.findings:
        told = counted(result.exceptions, "exception")
        click.echo(f"  tie-out: {told} in {counted(len(result.findings), 'comparison')}")


def _tell_problems(outcome: Outcome, folder: Path) -> None:
    from xl_conversion.batch.run import FINDINGS
    from xl_conversion.files import safe_file_name

    for problem in outcome.problems[:MOST_PROBLEMS]:
        say(str(problem), problem.hint)
    if len(outcome.problems) > MOST_PROBLEMS:
        click.echo(f"... and {len(outcome.problems) - MOST_PROBLEMS:,} more", err=True)
    left_out = counted(len(outcome.left_out), "series", "series")
    told = f"{counted(len(outcome.problems), 'problem')}, {left_out} left out"
    if outcome.unwritten:
        told = f"{told}, {counted(len(outcome.unwritten), 'file')} of others not written"
    say(f"{told}; {folder / FINDINGS} lists them", "mend what is wrong and export again with --resume")
    gone = {f"{company} {series}" for company, series in outcome.left_out}
    old = [path for path in outcome.earlier if Path(path).stem in {safe_file_name(name) for name in gone}]
    if old:
        click.echo(f"from an earlier export, of what is left out now: {', '.join(old)}", err=True)


class _Bar(Observer):
    """A bar on a terminal, with the rate and the time left."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def begin(self, unit: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._bar.start()
        self._task = self._bar.add_task(unit, total=total, rate="")
        self._started = time.monotonic()

    def advance(self, count: int) -> None:
        done = self._bar.tasks[0].completed + count
        rate = done / max(time.monotonic() - self._started, 1e-9)
        self._bar.update(self._task, advance=count, rate=f"{rate:,.0f}/s")

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class _Lines(Observer):
    """Plain lines for a log, one in a while."""

    def begin(self, unit: str, total: int) -> None:
        self._unit, self._total, self._done = unit, total, 0
        self._started = self._told = time.monotonic()

    def advance(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            rate = self._done / (now - self._started)
            left = (self._total - self._done) / rate if rate else 0
            line = f"{self._done:,} of {self._total:,} {self._unit}, {rate:,.0f}/s, {left:,.0f} s left"
            click.echo(line, err=True)
