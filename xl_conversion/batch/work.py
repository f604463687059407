"""The unit of work of an export: some companies in, finished files out.

A pure function of its arguments, so that it gives the same on one process, on many, or on other machines.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, TypeAlias, TypeVar

from xl_conversion.batch.folder import Entry, OutFolder
from xl_conversion.books.statements.holder import Position, holder_plan, holder_values
from xl_conversion.books.statements.own import fitted, own_plan
from xl_conversion.books.statements.results import SeriesResult, result_of
from xl_conversion.books.statements.series import series_plan, series_values
from xl_conversion.inputs.portfolio import CompanyTables, check_company
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import Case

T = TypeVar("T")
Refused: TypeAlias = InputError | ValueError | OverflowError
"""Why a file cannot say what it would have to."""

STATEMENT, WORKING_PAPER = "statement", "working-paper"
WORKBOOK, DOCUMENT, RECORDS = "workbook", "document", "records"
AT_ONCE = 64
"""Series whose files are in memory at the same time."""
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
    problems: list[Problem] = []
    left_out: list[tuple[str, str]] = []
    holders: set[str] = set()
    cases: list[Case] = []
    paths: list[Paths] = []
    for company in task.companies:
        checked = check_company(company)
        problems += checked.problems
        holders |= checked.holders
        good = {case.series.name for case in checked.cases}
        left_out += [key for key in task.paths if key[0] == company.name and key[1] not in good]
        cases += checked.cases
        paths += [task.paths[company.name, case.series.name] for case in checked.cases]
    results = [result_of(case) for case in cases]
    unwritten: list[str] = []
    files: list[File] = []
    entries: list[Entry] = []
    every = list(zip(cases, results, paths, strict=True))
    for start in range(0, len(every), AT_ONCE):
        for kind, render in _RENDERED.items():
            wanted: list[tuple[str, str, Case, SeriesResult]] = []
            for case, result, one in every[start : start + AT_ONCE]:
                path = outputs(recipe, one).get(kind, "")
                if path in task.standing:
                    entries.append(task.standing[path])
                elif path:
                    wanted.append((path, one.of, case, result))
            if not wanted:
                continue
            made = render(recipe, [case for _, _, case, _ in wanted], [result for *_, result in wanted])
            for (path, of, case, _), data in zip(wanted, made, strict=True):
                if isinstance(data, Exception):  # this file cannot say it; the others can
                    problems += _told(data, case)
                    unwritten.append(path)
                elif task.folder:
                    entries.append(task.folder.place(path, data, of))
                else:
                    files.append(File(path, data, of))
    return Made(
        tuple(results),
        tuple(problems),
        tuple(left_out),
        frozenset(holders),
        tuple(unwritten),
        tuple(files),
        tuple(entries),
    )


def outputs(recipe: Recipe, paths: Paths) -> dict[str, str]:
    """The files of one series, by kind."""
    found = {}
    if recipe.workbooks:
        found[WORKBOOK] = paths.workbook
    if recipe.documents:
        found[DOCUMENT] = paths.document
    if recipe.currency:
        found[RECORDS] = paths.ocf
    return found


def statements(cases: Sequence[Case], results: Sequence[SeriesResult]) -> list[bytes | Refused]:
    """The statement of each series.

    One step for all of them and then the next is a sixth faster: what a step needs stays in the processor's cache.
    """
    plan = series_plan()
    values = [_tried(series_values, case, result) for case, result in zip(cases, results, strict=True)]
    return [
        filled
        if isinstance(filled, Exception)
        else _tried(partial(plan.render, *filled, as_of=result.as_of or FIRST_DAY))
        for filled, result in zip(values, results, strict=True)
    ]


def _workbooks(recipe: Recipe, cases: Sequence[Case], results: Sequence[SeriesResult]) -> list[bytes | Refused]:
    if recipe.template == STATEMENT:
        return statements(cases, results)
    render = _working_paper if recipe.template == WORKING_PAPER else _own
    return [_tried(render, recipe, case, result) for case, result in zip(cases, results, strict=True)]


def _working_paper(_recipe: Recipe, case: Case, result: SeriesResult) -> bytes:
    from xl_conversion.books.finished import finished_workbook

    return finished_workbook(case, result.findings)


def _own(recipe: Recipe, case: Case, result: SeriesResult) -> bytes:
    values, tables = series_values(case, result)
    filled = fitted(recipe.design, values, tables)
    return own_plan(recipe.design).render(*filled, as_of=result.as_of or FIRST_DAY)


def _documents(_recipe: Recipe, cases: Sequence[Case], results: Sequence[SeriesResult]) -> list[bytes | Refused]:
    from xl_conversion.books.statements.notice_document import notice_document

    return [_tried(notice_document, case, result) for case, result in zip(cases, results, strict=True)]


def _records(recipe: Recipe, cases: Sequence[Case], results: Sequence[SeriesResult]) -> list[bytes | Refused]:
    from xl_conversion.books.ocf import ratio_adjustment_bytes

    return [
        _tried(partial(ratio_adjustment_bytes, currency=recipe.currency, digest=result.digest), case.changes)
        for case, result in zip(cases, results, strict=True)
    ]


_RENDERED = {WORKBOOK: _workbooks, DOCUMENT: _documents, RECORDS: _records}


def _tried(render: Callable[..., T], *arguments: Any) -> T | Refused:
    """What comes of it, or why nothing does."""
    try:
        return render(*arguments)
    except (InputError, ValueError, OverflowError) as refused:
        return refused


def _told(refused: Refused, case: Case) -> list[Problem]:
    company = case.series.company
    if isinstance(refused, InputError):
        return [replace(one, file=f"{company}, {one.file}") for one in refused.problems]
    where = f"{company}, {case.series.name}"
    return [Problem(where, f"no cell can hold its figures: {refused}")]


def problems_of(company: CompanyTables) -> tuple[Problem, ...]:
    """What is wrong with a company."""
    return check_company(company).problems


@uncollected()
def make_holders(task: HoldersTask) -> tuple[tuple[File, ...], tuple[Entry, ...]]:
    """The workbooks of holders: those that are handed back, and the entries of those that stand."""
    files: list[File] = []
    entries: list[Entry] = []
    plan = holder_plan()
    values = [holder_values(holder, positions) for _, holder, positions, _ in task.holders]
    rendered = [
        plan.render(*filled, as_of=max((p.as_of for p in positions if p.as_of), default=FIRST_DAY))
        for filled, (_, _, positions, _) in zip(values, task.holders, strict=True)
    ]
    for (path, _, _, of), data in zip(task.holders, rendered, strict=True):
        if task.folder:
            entries.append(task.folder.place(path, data, of))
        else:
            files.append(File(path, data, of))
    return tuple(files), tuple(entries)
