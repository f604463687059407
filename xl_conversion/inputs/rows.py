"""Reads the rows of one table into records, and finds every problem in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any, TypeVar

from xl_conversion.inputs.fields import Unfit
from xl_conversion.inputs.problems import Broken, Problem, suggestion
from xl_conversion.inputs.records import Record
from xl_conversion.inputs.tables import Row, Table

R = TypeVar("R", bound=Record)


def read_row(record: type[R], cells: Mapping[str, str]) -> R | list[Broken]:
    """The record of a row, given as texts by column; or every rule that it breaks, in the order of the fields."""
    values: dict[str, Any] = {}
    broken = []
    for name, column in record.model_fields.items():
        cell = cells.get(column.alias, "")
        # A blank cell under an optional column is as good as no column.
        if cell or column.default is MISSING:
            try:
                values[name] = column.read(cell)
            except Unfit as rule:
                broken.append(Broken(column.alias, rule.rule, hint=rule.hint, impossible=rule.impossible))
    return broken or record(**values, model_fields_set=frozenset(values))


def header_problems(table: Table, record: type[Record], *, also: tuple[str, ...] = ()) -> list[Problem]:
    """What is wrong with the columns that a table has; those of `also` may be there, too."""
    columns = {column.alias: column for column in record.model_fields.values()}
    hint = f"the columns are {', '.join(columns)}"
    missing = [name for name, column in columns.items() if column.is_required() and name not in table.columns]
    extra = [name for name in table.columns if name not in columns and name not in also]
    if table.unit == "row" and not set(table.columns) & columns.keys():
        return [table.problem(f"row {table.header} must hold the column names", hint=hint)]
    unfilled = [name for name in columns if name not in table.columns]
    return [
        *(
            Problem(table.file, f"the column {name} is not known", hint=suggestion(name, unfilled) or hint)
            for name in extra
        ),
        *(Problem(table.file, f"the column {name} is missing", hint=hint) for name in missing),
    ]


def read_rows(table: Table, record: type[R], problems: list[Problem]) -> list[tuple[Row, R]]:
    """The sound rows of a table with their records; what is wrong is added to `problems`."""
    if found_wrong := header_problems(table, record):
        problems.extend(found_wrong)
        return []
    if not table.rows:
        problems.append(Problem(table.file, "it has a header but no rows", hint="add a row, or remove the table"))
    found: list[tuple[Row, R]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for row in table.rows:
        made = read_row(record, row.cells)
        if row.problems or isinstance(made, list):
            problems.extend(row.problems)
            told = {one.column for one in row.problems}
            broken = made if isinstance(made, list) else []
            problems.extend(table.broken(row, one) for one in broken if one.column not in told)
            continue
        key = tuple(getattr(made, name) for name in record.key)
        if key in seen:
            what = ", ".join(record.model_fields[name].alias for name in record.key)
            problems.append(table.problem(f"the same {what} as in {table.unit} {seen[key]}", row.number))
        seen.setdefault(key, row.number)
        found.append((row, made))
    return found
