"""The commands for LibreOffice: the extension that has the worksheet functions, written, installed and removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xl_conversion.cli_output import stop

if TYPE_CHECKING:
    from xl_conversion.hosts.libreoffice.install import LibreOffice

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(epilog="Example: xl-conversion libreoffice oxt xl_conversion.oxt")
def libreoffice() -> None:
    """Bring the worksheet functions to LibreOffice Calc."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
        click.option("--profile", metavar="DIR", type=FOLDER, help="Another profile than the user's own."),
        click.option(
            "--program",
            metavar="DIR",
            type=FOLDER,
            help="Where soffice and unopkg are, if not on the PATH or where they usually are.",
        ),
    ):
        command = option(command)
    return command


@libreoffice.command(epilog="Example: xl-conversion libreoffice install --dry-run")
@_options
def install(program: Path | None, profile: Path | None, *, dry_run: bool) -> None:
    """Bring the worksheet functions into the Calc of this user.

    Adds the extension with LibreOffice's own unopkg, or replaces the one that is there, and looks whether it is
    registered. LibreOffice must be 25.2 or newer with Python 3.11 or newer, and closed.
    """

    def work(office: LibreOffice) -> None:
        from xl_conversion import __version__
        from xl_conversion.hosts.libreoffice.addin import IDENTIFIER

        office.check()
        before = office.installed()
        if not dry_run:
            office.add()
        python = f"Python {'.'.join(map(str, office.python))}" if office.python else "a Python of unknown version"
        replaced = f", in place of {before}" if before else ""
        click.echo(f"{'would add' if dry_run else 'added'} {IDENTIFIER} {__version__}{replaced}")
        click.echo(f"  to LibreOffice {office.version} with {python}: {office.soffice}")
        if not dry_run:
            click.echo("next: start LibreOffice; =CP_VERSION() in a cell shows whether it has them", err=True)

    _do(work, program, profile)


@libreoffice.command(epilog="Example: xl-conversion libreoffice uninstall --dry-run")
@_options
def uninstall(program: Path | None, profile: Path | None, *, dry_run: bool) -> None:
    """Take the extension away again, and only that."""

    def work(office: LibreOffice) -> None:
        from xl_conversion.hosts.libreoffice.addin import IDENTIFIER

        before = office.installed()
        if before is None:
            click.echo("nothing to change")
            return
        if not dry_run:
            office.remove()
        click.echo(f"{'would remove' if dry_run else 'removed'} {IDENTIFIER} {before}")

    _do(work, program, profile)


@libreoffice.command(epilog="Example: xl-conversion libreoffice oxt xl_conversion.oxt")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path), default="xl_conversion.oxt")
def oxt(path: Path) -> None:
    """Write the extension to install with Tools > Extensions in Calc."""
    from xl_conversion.hosts.libreoffice.addin import write_oxt

    click.echo(write_oxt(path))


def _do(work: Callable[[LibreOffice], Any], program: Path | None, profile: Path | None) -> None:
    from xl_conversion.hosts.libreoffice.install import InstallError, find

    try:
        office = find(program, profile)
        office.check_not_running()
        work(office)
    except InstallError as problem:
        stop(problem.message, problem.hint)
