"""Reads an input whole: its tables, every problem in them, and the records of the core made from them.

Every problem in a file is collected before anything is computed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

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
    named_events,
    series_of,
    stated_of,
)
from xl_conversion.inputs.events import OWN_SECURITY
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.records import RECORDS, Record, SeriesRecord
from xl_conversion.inputs.references import alone, reference_problems
from xl_conversion.inputs.rows import read_rows
from xl_conversion.inputs.tables import Row, Table

R = TypeVar("R", bound=Record)

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
    holdings: tuple[Holding, ...] = ()
    """Who holds it."""
    preferred: Fraction = Fraction(0)
    """How much of it is outstanding after its history, where the input says how much there was."""

    @property
    def digest(self) -> str:
        """SHA-256 of the input of this series: the same for the same figures, whatever file they came in."""
        # Without what is left at its default, so that a column that is new tomorrow changes no digest.
        rows = {
            table: [_given(record) for record in records] for table, records in self.records.items() if records
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
    issuances: Mapping[str, tuple[Issuance, ...]]
    """Those that bring the company's own counts."""
    stated: Mapping[str, tuple[Stated, ...]]
    holdings: Mapping[str, tuple[Holding, ...]]
    records: Records
    """The rows of the input, of all its companies."""


def _given(record: Record) -> dict[str, object]:
    """The fields of a row that are not at their default."""
    kind: type = type(record)
    names, defaults, values_of = _fields(kind)
    return {
        name: value
        for name, value, default in zip(names, values_of(record), defaults, strict=True)
        if value is not default and (default is None or value != default)
    }


@cache
def _fields(record: type[Any]) -> tuple[tuple[str, ...], tuple[object, ...], attrgetter[tuple[object, ...]]]:
    """Names and defaults of the columns of a record, and what gives the values of all; None for no default, which
    no value of such a column is."""
    columns = record.model_fields
    defaults = [None if column.is_required() else column.default for column in columns.values()]
    return tuple(columns), tuple(defaults), attrgetter(*columns)


def _plain(value: object) -> object:
    """Names in an order of their own: that of a set is another in each process."""
    return sorted(value) if isinstance(value, frozenset) else str(value)


def read_cases(path: Path) -> list[Case]:
    """Every series of an input, in its order.

    Raises InputError with all problems found.
    """
    return [case for tables in _by_company(path) for case in cases_of(tables, str(path), REQUIRED_TABLES)]


def cases_of(tables: Mapping[str, Table], where: str, required: tuple[str, ...] = ("series",)) -> list[Case]:
    """As :func:`read_cases`, of tables that have been read from `where`."""
    records, histories = _read(tables, where, required)
    changes: dict[tuple[str, str], list[Change]] = {}
    for company, found in histories.items():
        for change in found.changes:
            changes.setdefault((company, change.series.name), []).append(change)
    cases = []
    for one in records.series:
        position = histories[one.company].state.positions[one.series]
        own = tuple(changes.get((one.company, one.series), ()))
        cases.append(_case(one, records, own, position.preferred))
    return cases


def read_companies(path: Path) -> list[CompanyInput]:
    """Every company of an input, in its order, with all that happens to it.

    Raises InputError with all problems found.
    """
    return [company for tables in _by_company(path) for company in companies_of(tables, str(path))]


def _by_company(path: Path) -> list[Mapping[str, Table]]:
    """The tables of an input; those of each company apart where rows name their company.

    Raises InputError with the problems of every company.
    """
    tables = _tables(path)
    known = {record.table for record in RECORDS if "company" not in record.model_fields}
    if not any("company" in table.columns for name, table in tables.items() if name in known):
        return [tables]
    from xl_conversion.inputs.portfolio import check_company, split  # which reads each company by this module

    portfolio = split(tables, str(path))
    problems = [
        *portfolio.problems,
        *(p for company in portfolio.companies for p in check_company(company).problems),
    ]
    if problems:
        raise InputError(problems)
    return [company.tables for company in portfolio.companies]


def companies_of(tables: Mapping[str, Table], where: str) -> list[CompanyInput]:
    """As :func:`read_companies`, of tables that have been read from `where`."""
    records, histories = _read(tables, where, ("series",))
    found = []
    for name in records.companies:
        series = [row for row in records.series if row.company == name]
        found.append(
            CompanyInput(
                name,
                company_of(name, records),
                histories[name],
                {row.series: issuances_of(row, records) for row in series},
                {row.series: stated_of(row, records) for row in series},
                {row.series: holdings_of(row, records) for row in series},
                records,
            )
        )
    return found


def records_of(table: Table, record: type[R]) -> list[R]:
    """The rows of one table alone, each sound in itself and beside the others.

    Raises InputError with all problems found.
    """
    problems: list[Problem] = []
    found = read_rows(table, record, problems)
    problems.extend(table.broken(row, broken) for row, made in found for broken in alone(made))
    if problems:
        raise InputError(problems)
    return [one for _, one in found]


def _tables(path: Path) -> dict[str, Table]:
    from xl_conversion.inputs.sources import read_source  # worksheet functions have their tables already

    return read_source(str(path), [record.table for record in RECORDS])


def _read(
    tables: Mapping[str, Table], where: str, required: tuple[str, ...]
) -> tuple[Records, dict[str, History]]:
    """The rows, and the history of each company: that it can be replayed is part of being sound."""
    # Events may say themselves what they issue.
    own = "events" in tables and set(OWN_SECURITY) <= set(tables["events"].columns)
    problems = [
        Problem(where, f"the table {name} is missing", hint=f"an input has {', '.join(required)}")
        for name in required
        if name not in tables and not (name == "securities" and own)
    ]
    rows: dict[str, list[tuple[Row, Record]]] = {record.table: [] for record in RECORDS}
    for record in RECORDS:
        if record.table in tables:
            rows[record.table] = list(read_rows(tables[record.table], record, problems))
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
            row = _row_of(problem.argument, name, records, rows["events"])
            hint = (
                "add a table capitalization, or the figure that it names"
                if "a capitalization must" in problem.rule
                else ""
            )
            impossible = problem.value != "blank"
            problems.append(table.problem(str(problem), row, hint=hint, impossible=impossible))
    if problems:
        raise InputError(problems)
    return records, histories


def _row_of(argument: str, company: str, records: Records, events: Sequence[tuple[Row, Record]]) -> int:
    """The row of the event that is impossible; 0 where it is none."""
    found = (
        event for name, event in named_events(company, records) if f"{argument}: ".startswith(f"event {name}: ")
    )
    # Of events named alike up to a colon, the one that says more.
    event = max(found, key=lambda event: len(event.event), default=None)
    return next((row.number for row, record in events if record is event), 0)


def _case(series: SeriesRecord, records: Records, changes: tuple[Change, ...], preferred: Fraction) -> Case:
    seen = records.seen_by(series)
    own: dict[str, Sequence[Record]] = {
        "series": [series],
        "events": seen,
        "securities": records.securities_of(*seen),
        "conversions": records.conversions_of(*seen),
        "stated": records.stated_of(series.series),
        "capitalization": records.classes_of(series.company),
        "holders": records.holders_of(series.series),
    }
    return Case(
        series_of(series),
        issuances_of(series, records),
        stated_of(series, records),
        {name: tuple(found) for name, found in own.items()},
        more_than_counted(series, records),
        changes,
        holdings_of(series, records),
        preferred,
    )
