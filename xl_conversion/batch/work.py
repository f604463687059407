"""The unit of work of an export: some companies in, finished files out.

A pure function of its arguments, so that it gives the same on one process, on many, or on other machines.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date

from xl_conversion.batch.folder import Entry, OutFolder
from xl_conversion.books.statements.holder import Position, holder_plan, holder_values
from xl_conversion.books.statements.own import fitted, own_plan
from xl_conversion.books.statements.results import SeriesResult, result_of
from xl_conversion.books.statements.series import series_plan, series_values
from xl_conversion.inputs.portfolio import CompanyTables, check_company
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import Case

STATEMENT, WORKING_PAPER = "statement", "working-paper"
FIRST_DAY = date(1980, 1, 1)
"""What a workbook is dated of which nothing has happened: the first day of a zip file."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is made of each series."""

    workbooks: bool = True
    template: str = STATEMENT
    """`statement`, `working-paper`, or `own`, which is a design in `design`."""
    design: bytes = b""
    documents: bool = False
    """The notice as .docx."""
    currency: str = ""
    """Of the prices in Open Cap Format records; without, there are none."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the files of one series go, relative to the folder, and a digest of what they are made from."""

    workbook: str
    document: str
    ocf: str
    of: str


@dataclass(frozen=True, slots=True)
class Task:
    """Companies, where the files of each of their series go, and which of these stand already."""

    companies: tuple[CompanyTables, ...]
    paths: Mapping[tuple[str, str], Paths]
    """By company and series."""
    folder: OutFolder | None = None
    """Where the files are placed; without one they are handed back."""
    standing: Mapping[str, Entry] = field(default_factory=dict)
    """The files that are not made again, by path."""


@dataclass(frozen=True, slots=True)
class HoldersTask:
    """Holders, each with the path of the workbook, the positions and a digest of what it is made from; `folder` as
    of a :class:`Task`."""

    holders: tuple[tuple[str, str, tuple[Position, ...], str], ...]
    folder: OutFolder | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A finished file, and a digest of what it was made from."""

    path: str
    data: bytes
    of: str


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a task."""

    results: tuple[SeriesResult, ...]
    problems: tuple[Problem, ...]
    left_out: tuple[tuple[str, str], ...]
    """Company and series of what could not be made."""
    holders: frozenset[str] = frozenset()
    """Who holds something of that."""
    unwritten: tuple[str, ...] = ()
    """Files of the other series that cannot say what they would have to."""
    files: tuple[File, ...] = ()
    entries: tuple[Entry, ...] = field(default=())
    """Of the files that stand already."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is looked through for cycles meanwhile: a task makes next to none, and holds much that would be
    looked through again and again. What a task leaves is found after it."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@uncollected()
def make(recipe: Recipe, task: Task) -> Made:
    """The files and results of a task."""
    results: list[SeriesResult] = []
    problems: list[Problem] = []
    left_out: list[tuple[str, str]] = []
    holders: set[str] = set()
    unwritten: list[str] = []
    files: list[File] = []
    entries: list[Entry] = []
    for company in task.companies:
        checked = check_company(company)
        problems += checked.problems
        holders |= checked.holders
        good = {case.series.name for case in checked.cases}
        left_out += [key for key in task.paths if key[0] == company.name and key[1] not in good]
        for case in checked.cases:
            paths = task.paths[company.name, case.series.name]
            result = result_of(case)
            results.append(result)
            for path, render in outputs(recipe, paths).items():
                if path in task.standing:
                    entries.append(task.standing[path])
                    continue
                try:
                    data = render(recipe, case, result)
                except InputError as refused:  # this file cannot say it; the others can
                    problems += [replace(one, file=f"{company.name}, {one.file}") for one in refused.problems]
                    unwritten.append(path)
                    continue
                except (ValueError, OverflowError) as problem:
                    where = f"{company.name}, {case.series.name}"
                    problems.append(Problem(where, f"no cell can hold its figures: {problem}"))
                    unwritten.append(path)
                    continue
                if task.folder:
                    entries.append(task.folder.place(path, data, paths.of))
                else:
                    files.append(File(path, data, paths.of))
    return Made(
        tuple(results),
        tuple(problems),
        tuple(left_out),
        frozenset(holders),
        tuple(unwritten),
        tuple(files),
        tuple(entries),
    )


def outputs(recipe: Recipe, paths: Paths) -> dict[str, Callable[[Recipe, Case, SeriesResult], bytes]]:
    """The files of one series and what makes each."""
    found: dict[str, Callable[[Recipe, Case, SeriesResult], bytes]] = {}
    if recipe.workbooks:
        found[paths.workbook] = _workbook
    if recipe.documents:
        found[paths.document] = _document
    if recipe.currency:
        found[paths.ocf] = _ocf
    return found


def _workbook(recipe: Recipe, case: Case, result: SeriesResult) -> bytes:
    if recipe.template == WORKING_PAPER:
        from xl_conversion.books.finished import finished_workbook

        return finished_workbook(case, result.findings)
    if recipe.template == STATEMENT:
        return statement(case, result)
    values, tables = series_values(case, result)
    filled = fitted(recipe.design, values, tables)
    return own_plan(recipe.design).render(*filled, as_of=result.as_of or FIRST_DAY)


def statement(case: Case, result: SeriesResult) -> bytes:
    """The statement of one series."""
    values, tables = series_values(case, result)
    return series_plan().render(values, tables, as_of=result.as_of or FIRST_DAY)


def _document(_recipe: Recipe, case: Case, result: SeriesResult) -> bytes:
    from xl_conversion.books.statements.notice_document import notice_document

    return notice_document(case, result)


def _ocf(recipe: Recipe, case: Case, result: SeriesResult) -> bytes:
    from xl_conversion.books.ocf import ratio_adjustment_bytes

    return ratio_adjustment_bytes(case.changes, currency=recipe.currency, digest=result.digest)


def problems_of(company: CompanyTables) -> tuple[Problem, ...]:
    """What is wrong with a company."""
    return check_company(company).problems


@uncollected()
def make_holders(task: HoldersTask) -> tuple[tuple[File, ...], tuple[Entry, ...]]:
    """The workbooks of holders: those that are handed back, and the entries of those that stand."""
    files: list[File] = []
    entries: list[Entry] = []
    for path, holder, positions, of in task.holders:
        values, tables = holder_values(holder, positions)
        as_of = max((p.as_of for p in positions if p.as_of), default=FIRST_DAY)
        data = holder_plan().render(values, tables, as_of=as_of)
        if task.folder:
            entries.append(task.folder.place(path, data, of))
        else:
            files.append(File(path, data, of))
    return tuple(files), tuple(entries)
