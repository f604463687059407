"""How commands print: tables and what is wrong for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NoReturn

import click

EXIT_INPUT = 2
"""The input or the options cannot be used."""


def stop(message: str, hint: str, code: int = EXIT_INPUT) -> NoReturn:
    """Ends the command with one line and a hint."""
    say(message, hint)
    sys.exit(code)


def say(message: str, hint: str) -> None:
    """What is wrong, and what to do about it."""
    click.echo(message, err=True)
    if hint:
        click.echo(f"  hint: {hint}", err=True)


def echo_json(value: Any) -> None:
    """Prints `value` as JSON; a Fraction as text, such as 3901581383/1949522350."""
    import json

    def plain(item: Any) -> str:
        if isinstance(item, Fraction):
            return str(item)
        raise TypeError(type(item).__name__)

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=plain))


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "file"), counted(3000, "company", "companies")
    ('1 file', '3,000 companies')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[str] = (),
    groups: bool = False,
    empty: str = "none",
) -> None:
    """Prints a table that fits the terminal; with `groups`, a line before each row whose first cell is filled."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Text, so that brackets in somebody's data are no markup.
    console = Console(highlight=False)
    if title:
        console.print(Text(title, style="bold"))
    if not rows:
        console.print(f"  {empty}")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        figure = name in right
        whole = figure or name == "date"
        table.add_column(name, justify="right" if figure else "left", overflow="fold", no_wrap=whole)
    for number, row in enumerate(rows):
        ends = groups and number + 1 < len(rows) and bool(rows[number + 1][0])
        table.add_row(*map(Text, row), end_section=ends)
    console.print(table)
