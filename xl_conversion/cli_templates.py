"""The commands on models: a template to start from, and new inputs into a model that is in use."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xl_conversion.cli_history import AS_OF
from xl_conversion.cli_output import EXIT_INPUT, echo_json, print_table, stop
from xl_conversion.core.rounding import shorten

if TYPE_CHECKING:
    from xl_conversion.books.refresh.package import Constant
    from xl_conversion.books.refresh.refresh import Asked, Outcome
    from xl_conversion.books.refresh.slots import Slot
    from xl_conversion.books.templates.filling import Filling

EXIT_KEPT = 3
"""Done, but something of the input did not go in."""
MOST_SHOWN = 40
"""Cells that are listed of those that changed; of those that would change all are."""
MOST_OF_EXAMPLE = 24
"""Characters of an example of what a name gives."""
LAST_DAY = 2_958_466
"""The first serial number that is no day."""
SERIES = click.option("--series", metavar="NAME", default="", help="The series, where the input has several.")
EVENT = click.option(
    "--event", metavar="NAME", default="", help="The event under study, if not the last issuance."
)


@click.command(
    epilog="""
    \b
    Examples:
      xl-conversion template price --out notice.xlsx
      xl-conversion template price --out blank.xlsx --blank
      xl-conversion template price --out model.xlsx --from company --series "Series A" --holders 200
      xl-conversion template chain --out chain.xlsx
      xl-conversion template statement --out ours.xlsx
      xl-conversion template statement --names
    """,
)
@click.argument("model", type=click.Choice(["price", "chain", "statement"]))
@click.option(
    "--out",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="Where to.",
)
@click.option(
    "--from",
    "source",
    metavar="INPUT",
    type=click.Path(path_type=Path, readable=False),
    help="Filled from this input.",
)
@click.option("--blank", is_flag=True, help="Without any figures, to be filled in.")
@SERIES
@EVENT
@AS_OF
@click.option(
    "--holders",
    metavar="ROWS",
    type=click.IntRange(1, 5000),
    default=24,
    show_default=True,
    help="Room for so many holders.",
)
@click.option(
    "--events",
    metavar="ROWS",
    type=click.IntRange(1, 500),
    default=12,
    show_default=True,
    help="Room for so many earlier events; half as many later ones.",
)
@click.option("--names", is_flag=True, help="List the names that a design of a statement may use, and write none.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def template(
    model: str,
    target: Path | None,
    source: Path | None,
    series: str,
    event: str,
    as_of: date | None,
    holders: int,
    events: int,
    *,
    blank: bool,
    names: bool,
    force: bool,
) -> None:
    """Write a model to keep: inputs, native formulas beside worksheet functions, checks, a notice.

    MODEL is price, the conversion price of a series, or chain, from notes to preferred to common. It is filled
    with the notice of 5 February 2002, or with --from from an input of yours, or with --blank not at all.
    Or it is statement: the design of what export writes, to be changed and given to export --template; --names
    says what may stand in {{braces}} there.
    """
    from xl_conversion.files import write_atomically

    if names:
        if model != "statement" or target is not None:
            stop("--names lists what a design of a statement may say", "xl-conversion template statement --names")
        _print_names()
        return
    if target is None:
        raise click.UsageError("Missing option '--out'.")
    if model == "statement" and (blank or source or series or event or as_of):
        stop("a statement is filled by export", "give --out only, then xl-conversion export --template FILE")
    if blank and source is not None:
        stop("--blank and --from contradict each other", "give one of them")
    for option, asked in (("--series", series), ("--event", event), ("--as-of", as_of)):
        if asked and (source is None or (model == "chain" and option != "--event")):
            where = "of an input for a price model" if model == "chain" and source else "of an input"
            stop(f"{option} says what to take {where}", f"give the input with --from, or leave {option} out")
    if target.suffix.lower() != ".xlsx":
        stop(f"{target}: a model is an .xlsx workbook", "xl-conversion excel build makes macro editions")
    if target.exists() and not force:
        stop(f"{target} is there already", "--force replaces it; xl-conversion refresh puts new inputs into it")
    if model == "statement":
        from xl_conversion.books.statements.series_design import series_design

        data, _ = series_design()
    else:
        data = _template(model, source, series, event, as_of, holders, events, blank=blank)
    write_atomically(target, data)
    click.echo(f"{target}")


@click.command(
    epilog="""
    \b
    Examples:
      xl-conversion template price --out model.xlsx --from company --series "Series A" --event "Lender warrants"
      xl-conversion refresh model.xlsx --from company --dry-run
      xl-conversion refresh model.xlsx --from company --as-of 2022-06-30
    """,
)
@click.argument("model", metavar="MODEL.xlsx", type=click.Path(path_type=Path, readable=False))
@click.option(
    "--from",
    "source",
    metavar="INPUT",
    type=click.Path(path_type=Path, readable=False),
    required=True,
    help="An input, or a chain model whose shares go to the securities.",
)
@SERIES
@EVENT
@AS_OF
@click.option("--dry-run", is_flag=True, help="Only show the cells that would change, old and new.")
@click.option("--live", is_flag=True, help="In the workbook that is open in Excel (Windows); nothing is saved.")
@click.option("--no-backup", is_flag=True, help="Keep no copy of the workbook as it was.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def refresh(
    model: Path,
    source: Path,
    series: str,
    event: str,
    as_of: date | None,
    *,
    dry_run: bool,
    live: bool,
    no_backup: bool,
    as_json: bool,
) -> None:
    """Put new inputs into a model that is in use. Only its own input cells change.

    Sheets, comments, formats, charts, names and columns of yours stay as they are, byte for byte. So do the rows
    of history that a notice was issued on, and input cells in which you have formulas: what the input says
    otherwise is listed. Exit codes: 0 done, 3 done but for what is listed as kept, 2 nothing was written.
    """
    from xl_conversion.books.refresh.package import RefreshError
    from xl_conversion.books.refresh.refresh import Asked, refresh_file
    from xl_conversion.books.templates.price_filling import NoModel
    from xl_conversion.hosts.excel.live import LiveError

    asked, when = Asked(series, event, as_of), datetime.now(UTC).replace(tzinfo=None)
    try:
        if live:
            outcome, backup = _live(model, source, asked, when, dry_run=dry_run), None
        else:
            outcome, backup = refresh_file(model, source, asked, when, dry_run=dry_run, backup=not no_backup)
    except (RefreshError, NoModel, LiveError) as problem:
        stop(problem.message, problem.hint, EXIT_INPUT)
    if as_json:
        echo_json(_as_dict(outcome, backup, dry_run=dry_run))
    else:
        _print(model, outcome, backup, dry_run=dry_run, live=live)
    if outcome.kept:
        sys.exit(EXIT_KEPT)


def _live(model: Path, source: Path, asked: Asked, when: datetime, *, dry_run: bool) -> Outcome:
    """The same in the workbook that is open, whose own formulas compute the price after."""
    from xl_conversion.books.refresh.refresh import after_in, prepare
    from xl_conversion.books.refresh.slots import Snapshot
    from xl_conversion.hosts.excel.live import LiveWorkbook

    workbook = LiveWorkbook.find(model)
    outcome, _ = prepare(Snapshot(workbook), source, asked, when)
    if dry_run or not outcome.changes:
        return outcome
    workbook.apply(outcome.constants)
    return replace(outcome, after=after_in(workbook, outcome))


def _template(
    model: str,
    source: Path | None,
    series: str,
    event: str,
    as_of: date | None,
    holders: int,
    events: int,
    *,
    blank: bool,
) -> bytes:
    from xl_conversion.books.templates.chain_filling import blank_chain
    from xl_conversion.books.templates.chain_model import chain_model_bytes
    from xl_conversion.books.templates.price_filling import blank_filling
    from xl_conversion.books.templates.price_model import Room, price_model_bytes
    from xl_conversion.books.templates.sheets import capitalization, securities, stated

    filling: Filling | None
    if model == "chain":
        filling = blank_chain() if blank else None if source is None else _of_chain(source, event)
        _refuse_too_many(filling, {"in_notes": (holders, "holders", "--holders")})
        return chain_model_bytes(filling, holders=holders)
    filling = blank_filling() if blank else None if source is None else _of_price(source, series, event, as_of)
    later = max(1, events // 2)
    rooms = {
        "in_holders": (holders, "certificates of holders", "--holders"),
        "in_earlier_events": (events, "earlier events", "--events"),
        "in_later_events": (later, "later events", "--events"),
        capitalization.TABLE: (capitalization.ROWS, "classes", ""),
        securities.TABLE: (securities.ROWS, "securities of the event", ""),
        stated.TABLE: (stated.ROWS, "stated figures of the event", ""),
    }
    _refuse_too_many(filling, rooms)
    return price_model_bytes(filling, Room(holders, events, later))


def _print_names() -> None:
    """The names of the statement, each with what the invented company's first series has there."""
    from tempfile import TemporaryDirectory

    from xl_conversion.books.statements.own import named_in
    from xl_conversion.books.statements.results import result_of
    from xl_conversion.books.statements.series import series_values
    from xl_conversion.examples import write_example
    from xl_conversion.inputs.reading import read_cases

    with TemporaryDirectory() as folder:
        write_example(Path(folder), "csv", "company")
        case = read_cases(Path(folder))[0]
    named = named_in(*series_values(case, result_of(case)))
    for table, group in groupby(named, key=lambda one: one.name.rpartition(".")[0]):
        title = f"{table}: {{{{{table}.COLUMN}}}} in the last row of a sheet, which is repeated" if table else ""
        rows = [(one.name, one.label, one.cell, _example(one.value)) for one in group]
        print_table(title or "{{NAME}} in any cell", ("name", "what it is", "statement", "example"), rows)


def _example(value: object) -> str:
    """What a name gives, on one line that is not long."""
    text = f"{value:.15g}" if isinstance(value, float) else "" if value is None else str(value)
    return shorten(" ".join(text.split()), MOST_OF_EXAMPLE)


def _refuse_too_many(filling: Filling | None, rooms: Mapping[str, tuple[int, str, str]]) -> None:
    """Stops where a table has less room than its rows need; `rooms` has the words for them and the option."""
    for table, (room, what, option) in rooms.items():
        rows = len(filling.tables.get(table, ())) if filling is not None else 0
        if rows > room:
            hint = f"{option} gives more" if option else "give several that are alike as one"
            stop(f"the input has {rows} {what}, and the model has room for {room}", hint)


def _of_price(source: Path, series: str, event: str, as_of: date | None) -> Filling:
    from xl_conversion.books.templates.price_filling import NoModel, filling_of
    from xl_conversion.inputs.reading import read_companies

    try:
        return filling_of(read_companies(source), series, event, as_of)
    except NoModel as problem:
        stop(problem.message, problem.hint, EXIT_INPUT)


def _of_chain(source: Path, event: str) -> Filling:
    from xl_conversion.books.templates.chain_filling import filling_of_notes
    from xl_conversion.inputs.reading import read_companies

    return filling_of_notes(read_companies(source), event=event)


def _print(model: Path, outcome: Outcome, backup: Path | None, *, dry_run: bool, live: bool) -> None:
    from xl_conversion.books.refresh.plan import NOTICED, OF_THE_READER

    hints = {
        NOTICED: "to let it in, clear the notice of the event, on Inputs or in its row of Events, and refresh",
        OF_THE_READER: "to let it in, clear the cell and refresh",
    }
    for why, group in groupby(outcome.kept, key=lambda kept: kept.why):
        kept = [(_cell(k.slot), k.what, _shown(k.has, day=k.day), _shown(k.given, day=k.day)) for k in group]
        _print_cells(f"Kept as they are: {why}", ("cell", "input", "workbook", "input says"), kept, whole=dry_run)
        if why in hints:
            click.echo(f"  hint: {hints[why]}")
    if outcome.changes:
        title = "Cells that would change" if dry_run else "Cells that changed"
        changes = [
            (_cell(c.slot), c.what, _shown(c.old, day=c.day), _shown(c.new, day=c.day)) for c in outcome.changes
        ]
        _print_cells(title, ("cell", "input", "old", "new"), changes, whole=dry_run)
        click.echo(f"{outcome.what}: {_shown(outcome.before)} before, {_shown(outcome.after)} after")
    for warning in outcome.warnings:
        click.echo(f"note: {warning}", err=True)
    if not outcome.changes:
        click.echo(f"{model}: nothing changes")
    elif dry_run:
        click.echo(f"{model}: nothing was written")
    elif live:
        click.echo(f"{model}: changed in Excel; save it there")
    else:
        click.echo(str(model))
        if backup is not None:
            click.echo(f"as it was: {backup}")


def _cell(slot: Slot) -> str:
    return f"{slot.sheet}!{slot.coordinate}"


def _print_cells(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool) -> None:
    """A line for each cell: long texts are cut such that the line fits the terminal."""
    from rich.console import Console

    shown = rows if whole else rows[:MOST_SHOWN]
    room = Console().width - 3 * len(columns)
    longest = [max(map(len, column)) for column in zip(columns, *shown, strict=True)]
    cell = min(longest[0], 28)
    old, new = (min(one, (room - cell) * 3 // 10) for one in longest[2:])
    what = max(room - cell - old - new, 12)
    cut = [(_cut(r[0], cell), _cut(r[1], what), _cut(r[2], old), _cut(r[3], new)) for r in shown]
    print_table(title, columns, cut)
    if len(rows) > len(shown):
        click.echo(f"  ... and {len(rows) - len(shown)} more; --json lists all")


def _cut(text: str, room: int) -> str:
    """A text on one line; of a longer one what stands before its last colon is cut.

    >>> _cut("Warrants of the lender: Shares", 20), _cut("one\\ntwo", 9), _cut("certificate", 6)
    ('Warrant...: Shares', 'one two', 'cer...')
    """
    text = " ".join(text.split())
    head, colon, tail = text.rpartition(": ")
    if len(text) > room and colon and len(tail) + 8 <= room:
        return shorten(head, room - len(tail) - 2) + colon + tail
    return shorten(text, room)


def _shown(value: Constant, *, day: bool = False) -> str:
    found = _plain(value, day=day)
    return "blank" if found in (None, "") else f"{found:,.15g}" if isinstance(found, float) else str(found)


def _plain(value: Constant, *, day: bool) -> Constant:
    """What a cell holds, a day as YYYY-MM-DD."""
    if day and isinstance(value, float) and 0 <= value < LAST_DAY:
        return (date(1899, 12, 30) + timedelta(days=value)).isoformat()
    return value


def _as_dict(outcome: Outcome, backup: Path | None, *, dry_run: bool) -> dict[str, Any]:
    return {
        "written": bool(outcome.changes) and not dry_run,
        "changes": [
            {
                "sheet": c.slot.sheet,
                "cell": c.slot.coordinate,
                "input": c.what,
                "old": _plain(c.old, day=c.day),
                "new": _plain(c.new, day=c.day),
            }
            for c in outcome.changes
        ],
        "kept": [
            {
                "sheet": k.slot.sheet,
                "cell": k.slot.coordinate,
                "input": k.what,
                "has": _plain(k.has, day=k.day),
                "given": _plain(k.given, day=k.day),
                "why": k.why,
            }
            for k in outcome.kept
        ],
        "result": outcome.what,
        "before": outcome.before,
        "after": outcome.after,
        "digest": outcome.digest,
        "warnings": list(outcome.warnings),
        "backup": None if backup is None else str(backup),
    }
