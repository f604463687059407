"""The command line: one thin command per verb. What a command needs is imported when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from xl_conversion import __version__
from xl_conversion.cli_compute import compute
from xl_conversion.cli_excel import excel
from xl_conversion.cli_export import export
from xl_conversion.cli_history import INPUT, compare, explain, history, solve_round_command
from xl_conversion.cli_libreoffice import libreoffice
from xl_conversion.cli_output import EXIT_INPUT, counted, echo_json, say, stop
from xl_conversion.cli_templates import refresh, template

if TYPE_CHECKING:
    from xl_conversion.core.tie_out import Finding
    from xl_conversion.functions.boundary import Cell, Range
    from xl_conversion.functions.catalogue import Function
    from xl_conversion.inputs.reading import Case

EXIT_ERROR, EXIT_EXCEPTIONS = 1, 3
MAX_PROBLEMS = 20


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""
    \b
    Start with:
      xl-conversion example notice
      xl-conversion tie-out notice
      xl-conversion export notice --out out
    """,
)
@click.version_option(__version__, prog_name="xl-conversion")
def cli() -> None:
    """Exact, explained and tied-out conversion prices of convertible preferred stock."""


@cli.command(
    context_settings={"ignore_unknown_options": True},
    epilog="""
    \b
    Examples:
      xl-conversion call CP_SPLIT 50 2 1
      xl-conversion call CP_WEIGHTED_AVERAGE 6.41 33831184 8187842.70 81728433 1411724 2
      xl-conversion call CP_ROUND --exact -- -3.205 2 half_even
      xl-conversion call CP_RATIO 6.41 @prices.csv
    """,
)
@click.argument("name", metavar="NAME")
@click.argument("arguments", metavar="[ARG]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--exact", is_flag=True, help="Print the exact fraction before rounding.")
def call(name: str, arguments: tuple[str, ...], *, exact: bool) -> None:
    """Evaluate a worksheet function as a cell would.

    An ARG is a number, an ISO date, TRUE or FALSE, an error such as #N/A, other text, "" for a blank cell,
    an array constant such as {"class","shares";"Common",4000}, or @FILE.csv for a range. A range in gives rows
    out, separated by tabs.
    """
    from xl_conversion.core.rounding import shorten
    from xl_conversion.functions.boundary import CellError
    from xl_conversion.functions.evaluate import evaluate, evaluate_exact

    function = _function(name)
    for text in arguments:
        if text.startswith("--"):  # no argument of any function begins so
            stop(f"{shorten(text)}: there is no such option", "xl-conversion call --help lists them", EXIT_INPUT)
    if len(arguments) > len(function.arguments):
        most = len(function.arguments)
        message = f"#VALUE! {function.name}: {len(arguments)} arguments; it takes at most {most}"
        stop(message, function.signature, EXIT_ERROR)
    cells = [_cell_or_range(text) for text in arguments]
    result = (evaluate_exact if exact else evaluate)(function, cells)
    rows: list[list[Any]] = result if isinstance(result, list) else [[result]]
    errors = [
        (f"row {row}, column {column}: " if len(values) > 1 else f"row {row}: ", str(value))
        for row, values in enumerate(rows, start=1)
        for column, value in enumerate(values, start=1)
        if isinstance(value, CellError)
    ]
    for place, error in errors[:MAX_PROBLEMS]:
        click.echo(f"{place}{error}" if isinstance(result, list) else error, err=True)
    if len(errors) > MAX_PROBLEMS:
        click.echo(f"... and {len(errors) - MAX_PROBLEMS} more", err=True)
    if errors:
        click.echo(f"  hint: {_advice(cells, [error for _, error in errors]) or function.signature}", err=True)
    if isinstance(result, list) or not errors:
        for row in rows:
            click.echo("\t".join(_cell_text(value) for value in row))
    if errors:
        sys.exit(EXIT_ERROR)


@cli.command(epilog="Example: xl-conversion functions CP_SPLIT")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--json", "as_json", is_flag=True, help="The whole catalogue, for programs.")
@click.option("--markdown", is_flag=True, help="A Markdown table, as the README has it.")
def functions(name: str | None, *, as_json: bool, markdown: bool) -> None:
    """List the worksheet functions, or explain the one called NAME."""
    from xl_conversion.functions.catalogue import CATALOGUE
    from xl_conversion.functions.pages import function_table

    if markdown:
        click.echo(function_table())
        return
    chosen = CATALOGUE if name is None else (_function(name),)
    if as_json:
        echo_json([function.as_dict() for function in chosen])
        return
    if name is not None:
        _explain_function(chosen[0])
        return
    for function in CATALOGUE:
        click.secho(function.signature, bold=True)
        click.echo(click.wrap_text(function.summary, 96, "    ", "    "))


@cli.command(epilog="Example: xl-conversion tables events")
@click.argument("name", metavar="[TABLE]", required=False)
def tables(name: str | None) -> None:
    """List the tables of an input, or explain every column of TABLE."""
    from xl_conversion.inputs.pages import tables_text

    text = tables_text(name)
    if not text:
        stop(f"there is no table {name}", "xl-conversion tables lists them", EXIT_INPUT)
    click.echo(text)


@cli.command(
    epilog="""
    \b
    Examples:
      xl-conversion example notice --format xlsx
      xl-conversion example company --of company
      xl-conversion example portfolio --of portfolio
    """
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["csv", "json", "xlsx"]), default="csv", show_default=True)
@click.option(
    "--of",
    "what",
    type=click.Choice(["notice", "company", "portfolio"]),
    default="notice",
    show_default=True,
    help="A real notice, three years of an invented company of three series, or a portfolio of three companies.",
)
def example(folder: Path, form: str, what: str) -> None:
    """Write an input to start from into DIR.

    The notice is that of Vsource, Inc. of 5 February 2002 to the holders of its Series 2-A Convertible Preferred.
    """
    from xl_conversion.examples import write_example

    paths = write_example(folder, form, {"notice": "vsource"}.get(what, what))
    for path in paths:
        click.echo(path)
    source = folder if form == "csv" else paths[0]
    follows = {"notice": "tie-out {}", "company": "history {}", "portfolio": "export {} --out out"}[what]
    click.echo(f"next: xl-conversion {follows.format(source)}", err=True)


@cli.command("tie-out", epilog="Example: xl-conversion tie-out notice --json")
@INPUT
@click.option("--json", "as_json", is_flag=True, help="All findings, for programs.")
def tie_out_command(source: Path, *, as_json: bool) -> None:
    """Compare stated figures with recomputed ones.

    INPUT is a folder of CSV files, a .json or an .xlsx file; xl-conversion example writes one to start from.
    Exits with 0 when all tie and with 3 when there are exceptions.
    """
    from xl_conversion.inputs.reading import read_cases

    found = [(case, _findings(case)) for case in read_cases(source)]
    if as_json:
        echo_json([{"series": case.series.name, **finding.as_dict()} for case, all_ in found for finding in all_])
    else:
        for case, findings in found:
            _print_findings(case, findings)
    if any(finding.is_exception for _, findings in found for finding in findings):
        sys.exit(EXIT_EXCEPTIONS)


for command in (
    history,
    explain,
    compare,
    solve_round_command,
    template,
    refresh,
    export,
    compute,
    excel,
    libreoffice,
):
    cli.add_command(command)


def main() -> None:
    """Runs the command line: every error is one line and a hint, with an exit code that is not 0."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that the terminal cannot show is no reason to stop
            stream.reconfigure(errors="backslashreplace")
    try:
        cli()
    except Exception as problem:
        if os.environ.get("XL_CONVERSION_TRACEBACK"):
            raise
        _explain(problem)


def _explain(problem: Exception) -> NoReturn:
    from xl_conversion.core.adjustments import ImpossibleArgument
    from xl_conversion.files import SaveError
    from xl_conversion.inputs.problems import InputError

    match problem:
        case InputError():
            for one in problem.problems[:MAX_PROBLEMS]:
                say(str(one), one.hint)
            if len(problem.problems) > MAX_PROBLEMS:
                click.echo(f"... and {len(problem.problems) - MAX_PROBLEMS} more", err=True)
            sys.exit(EXIT_INPUT)
        case SaveError():
            stop(problem.message, problem.hint, EXIT_INPUT)
        case ImpossibleArgument():
            stop(str(problem), "check the figure that it names", EXIT_INPUT)
        case OSError(filename=str(name), strerror=str(reason)):
            stop(f"{name}: {reason}", "check its name and permissions, and close it elsewhere", EXIT_INPUT)
    text = " ".join(str(problem).split())
    stop(
        f"internal error, {type(problem).__name__}: {text}",
        "please report it; XL_CONVERSION_TRACEBACK=1 shows where it happened",
        70,
    )


def _function(name: str) -> Function:
    from xl_conversion.core.rounding import shorten
    from xl_conversion.functions.catalogue import FUNCTIONS
    from xl_conversion.inputs.problems import suggestion

    function = FUNCTIONS.get(name.upper())
    if function is None:
        hint = suggestion(name.upper(), FUNCTIONS) or "xl-conversion functions lists them"
        stop(f"#NAME? {shorten(name)}: there is no such function", hint, EXIT_ERROR)
    return function


def _explain_function(function: Function) -> None:
    def echo(text: str, indent: str = "    ") -> None:
        click.echo(click.wrap_text(text, 96, indent, indent + "    "))

    click.secho(function.signature, bold=True)
    echo(function.summary)
    for argument in function.arguments:
        echo(f"{argument.name} ({argument.unit}; {argument.rule}): {argument.help}", "  ")
    if function.source:
        echo(f"{'Columns' if function.spills else 'Formula'}: {function.returns} ({function.source})", "  ")
    # In one piece, so that it can be copied.
    click.echo(f"  Example: {function.example_formula}")
    echo(f"gives {'a table that ends with ' if function.spills else ''}{function.example_result}")


def _cell_or_range(text: str) -> Cell | Range:
    from xl_conversion.functions.typed import argument_of, cell_of

    if not text.startswith("@"):
        try:
            return argument_of(text)
        except ValueError as problem:
            stop(str(problem), 'write it as {"class","shares";"Common",4000000}', EXIT_INPUT)
    from xl_conversion.functions.sheet_tables import AS_WRITTEN
    from xl_conversion.inputs.tables import csv_cells

    rows = csv_cells(Path(text[1:]))
    # What is compared as it is written stays as it is written.
    kept = {place for place, head in enumerate(rows[0] if rows else []) if head.strip().lower() in AS_WRITTEN}
    return [[cell if place in kept else cell_of(cell.strip()) for place, cell in enumerate(row)] for row in rows]


def _advice(cells: Sequence[Cell | Range], errors: Sequence[str]) -> str:
    """What to do about a text that was typed for a number."""
    from xl_conversion.core.rounding import shorten
    from xl_conversion.functions.typed import nearly_number

    typed = [one for cell in cells for row in (cell if isinstance(cell, list) else [[cell]]) for one in row]
    texts = {f"is the text {shorten(one)!r};" for one in typed if isinstance(one, str) and nearly_number(one)}
    return "remove spaces and commas" if any(text in error for text in texts for error in errors) else ""


def _cell_text(value: Any) -> str:
    from xl_conversion.functions.boundary import CellError
    from xl_conversion.functions.typed import shown_number

    match value:
        case CellError():
            return value.code
        case float():
            return shown_number(value)
    return str(value)


def _findings(case: Case) -> tuple[Finding, ...]:
    from xl_conversion.core.tie_out import tie_out_history

    return tie_out_history(case.changes, case.issuances, case.stated)


def _print_findings(case: Case, findings: Sequence[Finding]) -> None:
    """A table that fits a narrow terminal, and below it what there is to say of each finding."""
    from rich import box
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from xl_conversion.core.tie_out import Check

    # Text, so that brackets in somebody's data are no markup.
    console = Console(highlight=False)
    console.print(Text(f"{case.series.company} {case.series.name}".strip(), style="bold"))
    if not findings:
        console.print("  no stated figures")
        return
    several = len({finding.event for finding in findings}) > 1

    def figure(finding: Finding) -> str:
        event = f"{finding.event}: " if several else ""
        how = "" if finding.check is Check.RECOMPUTED else f", {finding.check.meaning}"
        return f"{event}{finding.item.value} {finding.subject}".strip() + how

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("figure", overflow="fold")
    for name in ("stated", "recomputed"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("result", no_wrap=True)
    for finding in findings:
        cells = (figure(finding), finding.stated, finding.at_precision, finding.result.value)
        table.add_row(*map(Text, cells), style="red" if finding.is_exception else "")
    console.print(table)
    for finding in sorted(findings, key=lambda finding: not finding.is_exception):
        if finding.explanation:
            difference = f", difference {finding.shown_difference}" if finding.shown_difference else ""
            stated = f"stated {finding.stated}, recomputed {finding.at_precision}{difference}"
            console.print(Text(f"{figure(finding)}: {stated}", style="red" if finding.is_exception else ""))
            console.print(Padding(Text(finding.explanation), (0, 0, 1, 4), expand=False))
    exceptions = sum(finding.is_exception for finding in findings)
    console.print(f"{counted(len(findings), 'comparison')}, {counted(exceptions, 'exception')}")
