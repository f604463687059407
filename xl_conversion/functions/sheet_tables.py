"""Tables on a sheet: a range with a header row becomes the same records that a file's table becomes.

The columns, their rules and what refers to what are those of an input (:mod:`xl_conversion.inputs`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from xl_conversion.functions.boundary import (
    NUM,
    VALUE,
    Cell,
    CellError,
    Range,
    WorksheetError,
    is_blank,
    number,
    show,
)
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import CompanyInput, companies_of, records_of
from xl_conversion.inputs.records import RECORDS, Record, StatedRecord
from xl_conversion.inputs.tables import Table, column_name, plain_digits, table_of
from xl_conversion.inputs.words import types_of

R = TypeVar("R", bound=Record)
T = TypeVar("T")

COLUMNS = {record.table: record for record in RECORDS}
"""What says the columns of a table, by the name of the table."""
AS_WRITTEN = frozenset({"stated", "reference"})
"""Columns whose decimals say how exact a figure is."""
_EPOCH = date(1899, 12, 30)
_LAST_SERIAL = (date(9999, 12, 31) - _EPOCH).days


@dataclass(frozen=True, eq=False, slots=True)
class SheetTable:
    """A range that stands for the table of an input by the name of the argument. What one call has made of it is
    kept with it."""

    name: str
    cells: Range
    made: dict[object, Any] = field(default_factory=dict)

    def once(self, what: object, make: Callable[[], T]) -> T:
        """What `make` gives, or the WorksheetError that it raises, made once."""
        if what not in self.made:
            try:
                self.made[what] = make()
            except WorksheetError as problem:
                self.made[what] = problem
        found: T | WorksheetError = self.made[what]
        if isinstance(found, WorksheetError):
            raise WorksheetError(found.error.code, found.error.message)
        return found


def companies(
    tables: Mapping[str, SheetTable | None], fill: Mapping[str, Mapping[str, str]]
) -> list[CompanyInput]:
    """The companies that the tables, each by its name, tell of; `fill` gives columns that a sheet may leave out.

    Raises WorksheetError with the first problem, and how many more there are.
    """
    try:
        given = {name: _table(table, fill.get(name, {})) for name, table in tables.items() if table is not None}
        return companies_of(given, "the tables")
    except InputError as problem:
        raise _worksheet_error(problem) from None


def records(table: SheetTable, record: type[R], fill: Mapping[str, str]) -> list[R]:
    """The rows of one table; errors as :func:`companies`."""
    try:
        return records_of(_table(table, fill), record)
    except InputError as problem:
        raise _worksheet_error(problem) from None


def _worksheet_error(error: InputError) -> WorksheetError:
    first, *others = error.problems
    more = f" (and {len(others)} more)" if others else ""
    hint = f"; {first.hint}" if first.hint else ""
    return WorksheetError(NUM if first.impossible else VALUE, f"{first}{more}{hint}")


def _table(table: SheetTable, fill: Mapping[str, str]) -> Table:
    for place, row in enumerate(table.cells, start=1):
        for cell in row:
            if isinstance(cell, CellError):
                raise WorksheetError(
                    cell.code, f"{table.name}, row {place} has {cell.code}; an error is handed on"
                )
    first = next((place for place, row in enumerate(table.cells) if not all(map(is_blank, row))), 0)
    header = [_header(cell) for cell in table.cells[first]]
    wanted = [name for name in fill if name not in header]
    lines: list[Sequence[str]] = [[]] * first + [[*header, *wanted]]
    known = COLUMNS[table.name]
    columns = {column.alias for column in known.model_fields.values()}
    kinds = [types_of(known, name) if name in columns else frozenset() for name in header]
    for place, row in enumerate(table.cells[first + 1 :], start=first + 2):
        if all(is_blank(cell) for cell in row):
            lines.append([])
            continue
        if table.name == StatedRecord.table:
            _check_written(table, place, header, row)
        texts = []
        for name, cell, kind in zip(header, row, kinds, strict=True):
            try:
                texts.append(_text(cell, kind) or fill.get(name, ""))
            except WorksheetError as problem:
                what = f"{table.name}, row {place}: {name} {problem.error.message}"
                raise WorksheetError(problem.error.code, what) from None
        lines.append([*texts, *(fill[name] for name in wanted)])
    return table_of(table.name, table.name, enumerate(lines, start=1))


def _check_written(table: SheetTable, number: int, header: Sequence[str], row: Sequence[Cell]) -> None:
    """A stated figure is as exact as it is written, which a number in a cell does not tell."""
    for name, cell in zip(header, row, strict=True):
        if name in AS_WRITTEN and isinstance(cell, float | int | Decimal) and not isinstance(cell, bool):
            rule = f"{name} is the number {show(cell)}; write it as text, such as '5.00: its decimals count"
            raise WorksheetError(VALUE, f"{table.name}, row {number}: {rule}")


def _header(cell: Cell) -> str:
    return column_name(_text(cell, frozenset()))


def _text(cell: Cell, kind: frozenset[object]) -> str:
    """A cell as a file would have it: a serial number is a day in a column of days, and 1 is yes in one of yes
    and no."""
    if is_blank(cell):
        return ""
    match cell:
        case datetime():
            return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(" ")
        case date():
            return cell.isoformat()
        case bool():
            return str(cell).upper()
        case float() | int() | Decimal():
            number(cell)  # no cell can hold what is not finite
            if date in kind and cell == int(cell) and 60 < cell <= _LAST_SERIAL:
                return (_EPOCH + timedelta(days=int(cell))).isoformat()
            if bool in kind and cell in (0, 1):
                return "yes" if cell else "no"
            return f"{cell:f}" if isinstance(cell, Decimal) else plain_digits(float(cell))
    return str(cell)


def problem_of(table: SheetTable, rule: str) -> WorksheetError:
    """The error for what is wrong with a table beyond its cells' own rules."""
    return WorksheetError(VALUE, str(Problem(table.name, rule)))
