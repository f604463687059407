"""Splits the tables of a portfolio by company, so that each company is read, and fails, on its own.

Companies have series of the same names: every table may say in a column `company` whose a row is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from xl_conversion.core.rounding import shorten
from xl_conversion.inputs.problems import InputError, Problem, suggestion
from xl_conversion.inputs.reading import Case, cases_of
from xl_conversion.inputs.records import RECORDS, Record
from xl_conversion.inputs.references import MOST_SUGGESTED
from xl_conversion.inputs.rows import header_problems
from xl_conversion.inputs.sources import read_source, shown
from xl_conversion.inputs.tables import Row, Table

COMPANY = "company"
OF_ONE_SERIES = ("conversions", "stated", "holders")
"""Tables of which a wrong row spoils no other series than the one that it names."""
NOT_USED = "this row was not used"
"""Said of a row for which nothing is left out."""
PROBLEM_COLUMNS = ("file", "place", "column", "value", "rule", "what to do")
"""The headers over :func:`problem_rows`."""

_RECORDS = {record.table: record for record in RECORDS}


@dataclass(frozen=True, slots=True)
class CompanyTables:
    """The tables of one company, with no row of another; rows keep their numbers, tables their files."""

    name: str
    where: str
    tables: Mapping[str, Table]
    doubtful: frozenset[str] = frozenset()
    """Series that a row may concern of which it is not known whose it is."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The companies of an input, in the order of its series, and the problems that are no company's."""

    where: str
    companies: tuple[CompanyTables, ...]
    problems: tuple[Problem, ...]
    holders: frozenset[str] = frozenset()
    """Who is named in rows that are no company's."""


@dataclass(frozen=True, slots=True)
class CompanyChecked:
    """The sound series of a company, and every problem found in its rows."""

    name: str
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]
    holders: frozenset[str] = frozenset()
    """Who holds something of what is left out."""


def read_portfolio(source: str, *, queries: Mapping[str, str] | None = None) -> Portfolio:
    """The companies in `source`, as :func:`xl_conversion.inputs.sources.read_source` takes it.

    Raises InputError where the tables cannot be told apart: with all rows that might be any company's.
    """
    tables = read_source(source, tuple(_RECORDS), queries=queries)
    return split(tables, shown(source))


def split(tables: Mapping[str, Table], where: str) -> Portfolio:
    """As :func:`read_portfolio`, of tables that have been read from `where`."""
    problems = [
        problem
        for name, table in tables.items()
        for problem in header_problems(table, _RECORDS[name], also=(COMPANY,))
    ]
    if "series" not in tables:
        problems.append(Problem(where, "the table series is missing", hint="an input has series"))
    elif not tables["series"].rows:
        problems.append(Problem(tables["series"].file, "it has a header but no rows", hint="add a row"))
    if problems:
        raise InputError(problems)
    found = _Split(tables["series"])
    for name, table in tables.items():
        found.add(name, table)
    if found.lost:
        raise InputError([*found.lost, *found.problems])
    return Portfolio(
        where, tuple(found.companies(tables, where)), tuple(found.problems), frozenset(found.holders) - {""}
    )


class _Split:
    """The rows of each company, by table."""

    def __init__(self, series: Table) -> None:
        self.rows: dict[str, dict[str, list[Row]]] = {}
        self.owners: dict[str, list[str]] = {}
        """The companies that have a series of a name."""
        self.alike: dict[str, dict[str, int]] = {}
        """Companies whose names differ in blanks, punctuation and case only, each with its first row in series."""
        self.doubtful: set[tuple[str, str]] = set()
        """Companies with a series of theirs, "" for all of them."""
        self.of_several: set[str] = set()
        """Series of which any company that has one may be doubtful."""
        self.holders: set[str] = set()
        """Who is named in rows that are no company's."""
        self.problems: list[Problem] = []
        self.lost: list[Problem] = []
        """The problems of rows that might concern any company."""
        self.suggested = 0
        for row in series.rows:
            company, name = row.cells[COMPANY], row.cells["series"]
            self.rows.setdefault(company, {})
            self.alike.setdefault(_plain(company), {}).setdefault(company, row.number)
            owners = self.owners.setdefault(name, [])
            if company not in owners:
                owners.append(company)
        self.only = next(iter(self.rows)) if len(self.rows) == 1 else ""
        for names in self.alike.values():
            self._told_apart(series, names)

    def _told_apart(self, series: Table, names: Mapping[str, int]) -> None:
        """Companies whose names are too much alike may be one."""
        first, *others = names.items()
        for name, number in others:
            rule = f"{series.unit} {first[1]} writes it {shorten(first[0])!r}"
            hint = "write a company's name the same way in every row; two companies need names that differ more"
            self.problems.append(series.problem(rule, number, COMPANY, name, hint))
        if others:
            self.doubtful.update((name, "") for name in names)

    def add(self, name: str, table: Table) -> None:
        """Gives each row of a table to its company."""
        if not table.rows:
            hint = "add a row, or remove the table"
            self.problems.append(Problem(table.file, "it has a header but no rows", hint=hint))
        soft = name in OF_ONE_SERIES
        for row in table.rows:
            company = row.cells.get(COMPANY, "")
            if name == "series":
                if not company and len(self.rows) > 1:
                    # Any company's base may have its shares in it.
                    wrong = table.problem("a value is required", row.number, COMPANY)
                    self.lost.extend(row.problems or [wrong])
            elif not company or company not in self.rows:
                series = row.cells.get("series", "")
                unknown = any(one.column == COMPANY for one in row.problems)
                owner = None if unknown else self._owner(company, series, soft=soft)
                if owner is None:
                    found = row.problems or (self._problem(table, row, company, series),)
                    if soft and not self._meant_for(company, series):
                        found = tuple(replace(one, rule=f"{one.rule}; {NOT_USED}") for one in found)
                    known = self._doubt_of(company, series, soft=soft)
                    (self.problems if known else self.lost).extend(found)
                    self.holders.add(row.cells.get("holder", ""))
                    continue
                company = owner
            self.rows[company].setdefault(name, []).append(row)

    def _owner(self, company: str, series: str, *, soft: bool) -> str | None:
        """The company of a row that names none that is known."""
        if company:
            return None
        owners = self.owners.get(series, []) if series else []
        if len(owners) == 1:
            return owners[0]
        if owners or (soft and series):
            return None
        return self.only or None

    def _meant_for(self, company: str, series: str) -> bool:
        """Whether there is a company that a row of nobody may have been meant for."""
        return bool(self.alike.get(_plain(company)) if company else self.owners.get(series))

    def _doubt_of(self, company: str, series: str, *, soft: bool) -> bool:
        """Whether it is known which companies a row of nobody may concern; their series are doubtful then."""
        meant = self.alike.get(_plain(company), {}) if company else {}
        self.doubtful.update((one, series if soft else "") for one in meant)
        if soft and not company:
            self.doubtful.update((one, series) for one in self.owners.get(series, ()))
        if soft or meant:
            return True
        if series in self.owners and series:
            self.of_several.add(series)
        return series in self.of_several

    def _problem(self, table: Table, row: Row, company: str, series: str) -> Problem:
        """Why it is not known whose a row is."""
        if company:
            rule, hint = "no series is of that company", self._meant(company, self.rows)
            return table.problem(rule, row.number, COMPANY, company, hint)
        if series in self.owners and series:
            rule = f"the series {shorten(series)} is of several companies: name the company"
            return table.problem(rule, row.number, "series", series, "fill a column company")
        if series:
            hint = self._meant(series, self.owners)
            return table.problem("no such row in series", row.number, "series", series, hint)
        rule = "the input has several companies: name one, or a series"
        return table.problem(rule, row.number, COMPANY, hint="fill the column company")

    def _meant(self, name: str, known: Mapping[str, object]) -> str:
        alike = self.alike.get(_plain(name)) if known is self.rows else None
        if alike:
            return f"did you mean {next(iter(alike))}?"
        # To look for names that were meant takes long.
        self.suggested += 1
        return suggestion(name, known) if self.suggested <= MOST_SUGGESTED else ""

    def companies(self, tables: Mapping[str, Table], where: str) -> Iterator[CompanyTables]:
        """The companies, each with its own tables."""
        columns = {name: _without_company(table, _RECORDS[name]) for name, table in tables.items()}
        whole = {company for series in self.of_several for company in self.owners[series]}
        whole |= {company for company, series in self.doubtful if not series}
        doubtful: dict[str, set[str]] = {}
        for company, series in self.doubtful:
            doubtful.setdefault(company, set()).add(series)
        for company, rows in self.rows.items():
            if company in whole:
                doubtful[company] = {row.cells["series"] for row in rows["series"]}
            own = {
                name: replace(table, columns=columns[name], rows=tuple(rows[name]))
                for name, table in tables.items()
                if name in rows
            }
            yield CompanyTables(company, where, own, frozenset(doubtful.get(company, ())))


def _plain(name: str) -> str:
    """A name without what is easily written otherwise: blanks, punctuation, letter case, kinds of letters."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum()) or plain


def _without_company(table: Table, record: type[Record]) -> tuple[str, ...]:
    """The columns of a table of one company: its record may know none."""
    known = {column.alias for column in record.model_fields.values()}
    return tuple(column for column in table.columns if column != COMPANY or column in known)


def check_company(company: CompanyTables) -> CompanyChecked:
    """Reads one company. Series that are doubtful, or whose conversions, stated figures or holders are wrong, are
    left out, the others stay; where anything else is wrong, or a row names an unknown series, none stays."""
    tables = dict(company.tables)
    problems: list[Problem] = []
    known = {row.cells["series"] for row in tables["series"].rows} if "series" in tables else set()
    left_out = set(company.doubtful)
    cases: Sequence[Case] = ()
    while True:
        try:
            cases = cases_of(tables, company.where)
            break
        except InputError as refused:
            problems.extend(refused.problems)
            wrong = _only_series(tables, refused.problems)
            left_out |= wrong if wrong <= known else known
            if not wrong:
                left_out |= known
                break
            tables = _without_series(tables, wrong)
    sound = tuple(case for case in cases if case.series.name not in left_out)
    names = {case.series.name for case in sound}
    rows = company.tables["holders"].rows if "holders" in company.tables else ()
    holders = {row.cells.get("holder", "") for row in rows if row.cells.get("series", "") not in names}
    return CompanyChecked(company.name, sound, tuple(problems), frozenset(holders) - {""})


def _only_series(tables: Mapping[str, Table], problems: tuple[Problem, ...]) -> set[str]:
    """The series that rows of their own make wrong; none if anything else is wrong."""
    named: dict[tuple[str, int], str] = {}
    for name, table in tables.items():
        for row in table.rows:
            # Asked of the table, since rows of one may be of several files, or of one file with another's.
            place = table.problem("", row.number)
            series = row.cells.get("series", "") if name in OF_ONE_SERIES else ""
            named[place.file, place.row] = series if named.get((place.file, place.row), series) == series else ""
    wrong = {named.get((problem.file, problem.row), "") for problem in problems}
    return set() if "" in wrong else wrong


def _without_series(tables: Mapping[str, Table], wrong: set[str]) -> dict[str, Table]:
    """The tables without what only these series have; a table without rows is left out."""
    kept = dict(tables)
    for name in OF_ONE_SERIES:
        if name in tables:
            rows = tuple(row for row in tables[name].rows if row.cells.get("series", "") not in wrong)
            kept[name] = replace(tables[name], rows=rows)
    return {name: table for name, table in kept.items() if table.rows}


def problem_rows(problems: Sequence[Problem]) -> list[tuple[str, ...]]:
    """The problems as rows under :data:`PROBLEM_COLUMNS`, for a terminal or a sheet.

    >>> problem_rows([Problem("holders.csv", "it must be above 0", 7, "shares", "-1", "check it")])
    [('holders.csv', 'row 7', 'shares', '-1', 'it must be above 0', 'check it')]
    """
    return [
        (one.file, f"{one.unit} {one.row}" if one.row else "", one.column, shorten(one.value), one.rule, one.hint)
        for one in problems
    ]
