"""The commands for Excel: what builds the macro workbooks and the add-in, installs it, and says what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xl_conversion.cli_output import echo_json

if TYPE_CHECKING:
    from xl_conversion.hosts.excel.environment import Environment
    from xl_conversion.hosts.excel.install import Plan

EXIT_FAILED = 3
COLORS = {"OK": "green", "WARN": "yellow", "FAIL": "red", "UNKNOWN": "cyan"}
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@click.group(epilog="Example: xl-conversion excel build --out excel")
def excel() -> None:
    """Bring the worksheet functions to Excel on Windows."""


@excel.command(epilog="Example: xl-conversion excel install --dry-run")
@DRY_RUN
@click.pass_obj
def install(here: Environment | None, *, dry_run: bool) -> None:
    """Bring the worksheet functions into every Excel of this user.

    Puts the add-in into Excel's start-up folder, and settings that name the Python that runs this command into the
    folder .xl_conversion of the user; the macro workbooks of build use them too. The settings of xlwings are not
    touched. Run again, after an update or with another Python, it changes what differs. Settings that you added
    stay; an add-in of that name that was made or changed by others is not replaced.
    """
    from xl_conversion.hosts.excel.install import plan_install

    plan = plan_install(_environment(here))
    _carry_out(plan, dry_run=dry_run)
    if plan.changes and not dry_run:
        click.echo("next: start Excel anew; xl-conversion excel doctor says whether all is in order", err=True)


@excel.command(
    epilog="""
    \b
    Examples:
      xl-conversion excel doctor
      xl-conversion excel doctor deal.xlsm
      xl-conversion excel doctor --json
    """
)
@click.argument("workbooks", metavar="[WORKBOOK]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="All checks, for programs.")
@click.pass_obj
def doctor(here: Environment | None, workbooks: tuple[str, ...], *, as_json: bool) -> None:
    """Say what keeps Excel from computing the functions.

    Looks at the system, the Python that Excel would start, the add-in and its settings, and at each WORKBOOK;
    changes nothing. It runs no Python that only a WORKBOOK names. What cannot be seen without Excel is UNKNOWN.
    Exits with 0 when nothing failed, else with 3.
    """
    from xl_conversion.hosts.excel.doctor import examine, verdict

    checks = examine(_environment(here), workbooks)
    if as_json:
        echo_json({"verdict": verdict(checks), "checks": [check.as_dict() for check in checks]})
    else:
        for check in checks:
            status = click.style(f"{check.status:<7}", fg=COLORS[check.status])
            click.echo(f"{status}  {check.name}: {check.message}")
            if check.hint:
                click.echo(click.wrap_text(check.hint, 100, " " * 11, " " * 11))
        click.secho(verdict(checks), bold=True)
    if any(check.status == "FAIL" for check in checks):
        sys.exit(EXIT_FAILED)


@excel.command(epilog="Example: xl-conversion excel uninstall --dry-run")
@DRY_RUN
@click.pass_obj
def uninstall(here: Environment | None, *, dry_run: bool) -> None:
    """Take away what install put there, and only that; what was changed since stays, and is named."""
    from xl_conversion.hosts.excel.install import plan_uninstall

    _carry_out(plan_uninstall(_environment(here)), dry_run=dry_run)


@excel.command(
    epilog="""
    \b
    Examples:
      xl-conversion excel build --out excel
      xl-conversion excel build --out excel --force
    """
)
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=".",
    help="Where to; without it, the current folder.",
)
@click.option("--force", is_flag=True, help="Replace files there that differ.")
def build(folder: Path, *, force: bool) -> None:
    """Write the macro workbooks and the add-in.

    The workbooks have the functions in macros of their own, and need no add-in. No Excel is needed to build. The
    Python that answers in Excel is that of install; it must have xlwings of the version that is installed here, so
    build again after an update of xlwings.
    """
    from xl_conversion.hosts.excel import build as excel_build

    for built in excel_build.build_files(folder, force=force):
        click.echo(f"{built.path}{'' if built.written else ' (unchanged)'}")
    version = excel_build.xlwings_version()
    click.echo(f"for xlwings {version}: the Python of Excel must have the same version", err=True)


def _environment(here: Environment | None) -> Environment:
    """The one that a test gives, or that of this machine."""
    from xl_conversion.hosts.excel.environment import Environment

    return here or Environment.of_this_machine()


def _carry_out(plan: Plan, *, dry_run: bool) -> None:
    from xl_conversion.hosts.excel.install import carry_out

    if not dry_run:
        carry_out(plan)
    for change in plan.changes:
        click.echo(f"{'would ' if dry_run else ''}{change.verb} {change.path}")
        for detail in change.details:
            click.echo(f"  {detail}")
    for note in plan.notes:
        click.echo(note)
    if not plan.changes:
        click.echo("nothing to change")
