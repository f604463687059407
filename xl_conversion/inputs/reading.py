"""Reads an input whole: its tables, every problem in them, and the records of the core made from them.

Every problem in a file is collected before anything is computed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.changes import Change
from xl_conversion.core.history import Company, History, history
from xl_conversion.core.holders import Holding
from xl_conversion.core.issuance import Issuance
from xl_conversion.core.stated import Stated
from xl_conversion.core.terms import Series
from xl_conversion.inputs.assemble import (
    Records,
    company_of,
    holdings_of,
    issuances_of,
    more_than_counted,
    series_of,
    stated_of,
)
from xl_conversion.inputs.problems import InputError, Problem, suggestion
from xl_conversion.inputs.records import RECORDS, Record, SeriesRecord
from xl_conversion.inputs.references import reference_problems
from xl_conversion.inputs.tables import Row, Table, read_tables

REQUIRED_TABLES = ("series", "events", "securities")


@dataclass(frozen=True, slots=True)
class Case:
    """One series, its issuances with the company's own counts, and the figures stated of them."""

    series: Series
    issuances: tuple[Issuance, ...]
    stated: tuple[Stated, ...]
    records: Mapping[str, tuple[Record, ...]]
    """The rows that it was made from, by table."""
    more: str = ""
    """What there is of the series beyond these issuances; "" for nothing. Its history has it all."""
    changes: tuple[Change, ...] = ()
    """The history of the series."""

    @property
    def digest(self) -> str:
        """SHA-256 of the input of this series: the same for the same figures, whatever file they came in."""
        # Without what is left at its default, so that a column that is new tomorrow changes no digest.
        rows = {
            table: [record.model_dump(exclude_defaults=True) for record in records]
            for table, records in self.records.items()
            if records
        }
        text = json.dumps(rows, sort_keys=True, ensure_ascii=True, default=_plain)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CompanyInput:
    """One company, and what is stated and held of each of its series."""

    name: str
    company: Company
    history: History
    """With all that is known."""
    stated: Mapping[str, tuple[Stated, ...]]
    holdings: Mapping[str, tuple[Holding, ...]]


def _plain(value: object) -> object:
    """Names in an order of their own: that of a set is another in each process."""
    return sorted(value) if isinstance(value, frozenset) else str(value)


def read_cases(path: Path) -> list[Case]:
    """Every series of an input, in its order.

    Raises InputError with all problems found.
    """
    records, histories = _read(path, REQUIRED_TABLES)
    return [_case(series, records, histories[series.company]) for series in records.series]


def read_companies(path: Path) -> list[CompanyInput]:
    """Every company of an input, in its order, with all that happens to it.

    Raises InputError with all problems found.
    """
    records, histories = _read(path, ("series",))
    return [
        CompanyInput(
            name,
            company_of(name, records),
            histories[name],
            {row.series: stated_of(row, records) for row in records.series if row.company == name},
            {row.series: holdings_of(row, records) for row in records.series if row.company == name},
        )
        for name in records.companies
    ]


def _read(path: Path, required: tuple[str, ...]) -> tuple[Records, dict[str, History]]:
    """The rows, and the history of each company: that it can be replayed is part of being sound."""
    tables = read_tables(path, [record.table for record in RECORDS])
    problems = [
        Problem(str(path), f"the table {name} is missing", hint=f"an input has {', '.join(required)}")
        for name in required
        if name not in tables
    ]
    rows: dict[str, list[tuple[Row, Record]]] = {record.table: [] for record in RECORDS}
    for record in RECORDS:
        if record.table in tables:
            rows[record.table] = list(_records(tables[record.table], record, problems))
    if not problems:
        problems.extend(reference_problems(rows, tables, events_needed="events" in required))
    if problems:
        raise InputError(problems)
    records = Records.of({name: [record for _, record in found] for name, found in rows.items()})
    histories: dict[str, History] = {}
    for name in records.companies:
        try:
            histories[name] = history(company_of(name, records))
        except ImpossibleArgument as problem:
            table = tables.get("events", tables["series"])
            event = problem.argument.removeprefix("event ").partition(": ")[0].partition(" (")[0]
            row = next((row.number for row, _ in rows["events"] if row.cells["event"] == event), 0)
            hint = (
                "add a table capitalization, or the figure that it names"
                if "a capitalization must" in problem.rule
                else ""
            )
            problems.append(table.problem(str(problem), row, hint=hint))
    if problems:
        raise InputError(problems)
    return records, histories


def _case(series: SeriesRecord, records: Records, of_company: History) -> Case:
    seen = {(row.series, row.event) for row in records.seen_by(series)}
    own: dict[str, list[Record]] = {
        "series": [series],
        "events": list(records.seen_by(series)),
        "securities": [r for r in records.securities if (r.series, r.event) in seen],
        "conversions": [r for r in records.conversions if (r.series, r.event) in seen],
        "stated": [r for r in records.stated if r.series == series.series],
    }
    return Case(
        series_of(series),
        issuances_of(series, records),
        stated_of(series, records),
        {name: tuple(found) for name, found in own.items()},
        more_than_counted(series, records),
        of_company.of(series.series),
    )


def _records(table: Table, record: type[Record], problems: list[Problem]) -> list[tuple[Row, Record]]:
    fields = {field.alias or name: field for name, field in record.model_fields.items()}
    missing = [name for name, field in fields.items() if field.is_required() and name not in table.columns]
    extra = [name for name in table.columns if name not in fields]
    unfilled = [name for name in fields if name not in table.columns]
    if table.unit == "row" and not set(table.columns) & fields.keys():
        problems.append(table.problem(f"row {table.header} must hold the column names", hint=_columns(record)))
        return []
    problems.extend(
        Problem(table.file, f"the column {name} is not known", hint=suggestion(name, unfilled) or _columns(record))
        for name in extra
    )
    problems.extend(
        Problem(table.file, f"the column {name} is missing", hint=_columns(record)) for name in missing
    )
    if missing or extra:
        return []
    if not table.rows:
        problems.append(Problem(table.file, "it has a header but no rows", hint="add a row, or remove the table"))
    found: list[tuple[Row, Record]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for row in table.rows:
        # A blank cell under an optional column is as good as no column.
        cells = {name: cell for name, cell in row.cells.items() if cell or fields[name].is_required()}
        try:
            made = record.model_validate(cells)
        except ValidationError as error:
            problems.extend(
                table.problem(
                    detail["msg"],
                    row.number,
                    column := str(detail["loc"][0]),
                    row.cells[column],
                    detail.get("ctx", {}).get("hint", ""),
                )
                for detail in error.errors()
            )
            continue
        key = tuple(getattr(made, name) for name in record.key)
        if key in seen:
            what = ", ".join(record.key)
            problems.append(table.problem(f"the same {what} as in {table.unit} {seen[key]}", row.number))
        seen.setdefault(key, row.number)
        found.append((row, made))
    return found


def _columns(record: type[Record]) -> str:
    return f"the columns are {', '.join(field.alias or name for name, field in record.model_fields.items())}"
