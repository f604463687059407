"""An export: reads a portfolio, makes the files of each series, of each holder and the register.

The work is done by pure functions (`work.py`) on one process, on several or on a cluster; here it is cut into
tasks, given file names, and put together in the order of the input, whoever was ready first.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from xl_conversion import __version__
from xl_conversion.batch.cluster import in_order, on_cluster
from xl_conversion.batch.folder import MANIFEST, Entry, OutFolder, locked
from xl_conversion.batch.letters import check_printing, print_letters
from xl_conversion.batch.manifest import Manifest, with_known
from xl_conversion.batch.observer import Observer
from xl_conversion.batch.work import (
    FIRST_DAY,
    File,
    HoldersTask,
    Paths,
    Recipe,
    Task,
    make,
    make_holders,
    outputs,
    problems_of,
)
from xl_conversion.books.statements.findings import findings_workbook
from xl_conversion.books.statements.holder import Position, positions_of
from xl_conversion.books.statements.register import register_plan, register_tables
from xl_conversion.books.statements.results import SeriesResult
from xl_conversion.core.rounding import shorten
from xl_conversion.files import SaveError, safe_file_name, write_atomically
from xl_conversion.inputs.portfolio import CompanyTables, Portfolio, problem_rows, read_portfolio
from xl_conversion.inputs.problems import InputError, Problem, fail

T = TypeVar("T")
R = TypeVar("R")

SERIES_IN_TASK = 24
HOLDERS_IN_TASK = 100
LETTERS_AT_ONCE = 100
HOLDERS_NAMED = 10
IN_FLIGHT = 4
"""Tasks for each worker that wait or are done and not yet fetched, so that memory is bounded."""
MOST_WORKERS = 61
"""Processes that Windows can wait for at once."""
SERIES, HOLDERS, NOTICES, OCF = "series", "holders", "notices", "ocf"
REGISTER, FINDINGS = "register.xlsx", "findings.xlsx"


class Per(StrEnum):
    """What a workbook is written for."""

    SERIES = "series"
    HOLDER = "holder"
    PORTFOLIO = "portfolio"


@dataclass(frozen=True, slots=True)
class Settings:
    """How an export is done; of these only `per`, `recipe` and `pdf` have a say in what is written."""

    per: frozenset[Per] = frozenset({Per.SERIES})
    recipe: Recipe = field(default_factory=Recipe)
    pdf: bool = False
    workers: int = 1
    scheduler: str = ""
    force: bool = False
    resume: bool = False
    strict: bool = False

    @property
    def told(self) -> dict[str, Any]:
        """What the manifest says of them."""
        recipe = self.recipe
        return {
            "per": sorted(self.per),
            "template": recipe.template,
            "design": hashlib.sha256(recipe.design).hexdigest() if recipe.design else "",
            "notices": [kind for kind, wanted in (("docx", recipe.documents), ("pdf", self.pdf)) if wanted],
            "ocf": recipe.currency,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an export came to."""

    results: tuple[SeriesResult, ...]
    problems: tuple[Problem, ...]
    left_out: tuple[tuple[str, str], ...]
    """Company and series of what could not be exported."""
    unwritten: tuple[str, ...]
    """Files of the other series that cannot say what they would have to."""
    entries: tuple[Entry, ...]
    workbooks: Mapping[tuple[str, str], str]
    """Where the workbook of a series is under the folder, by company and series."""
    earlier: tuple[str, ...]
    """Files of earlier exports that this one did not write."""


def export(
    source: str,
    root: Path,
    settings: Settings,
    *,
    queries: Mapping[str, str] | None = None,
    observer: Observer | None = None,
) -> Outcome:
    """Exports the portfolio at `source` into the folder `root`.

    Raises InputError where no series is good, or with `strict` where one is not, and SaveError where something
    cannot be written; what stands by then is complete, and noted for `resume`.
    """
    observer = observer or Observer()
    if settings.recipe.documents and find_spec("docx") is None:
        raise fail("--notice", "python-docx is not installed", 'pip install "xl-conversion[batch]"')
    if settings.pdf:
        check_printing()
    portfolio = read_portfolio(source, queries=queries or {})
    tasks, digest = _tasks(portfolio, settings)
    if settings.strict:
        _stop_at_problems(portfolio, settings, observer)
    folder = OutFolder(root, {}, settings.force, settings.resume)
    with locked(folder, *(name for name, wanted in _folders(settings).items() if wanted)):
        run = _Run(with_known(folder), settings, digest, observer, list(portfolio.problems))
        run.incomplete |= portfolio.holders
        run.all_series(tasks)
        if not run.results:
            raise InputError(run.problems or [Problem(source, "there is no series in it")])
        if settings.pdf:
            run.letters()
        if Per.HOLDER in settings.per:
            run.all_holders()
        if Per.PORTFOLIO in settings.per:
            run.register()
        run.findings()
        return run.finish()


def _folders(settings: Settings) -> dict[str, bool]:
    return {
        SERIES: settings.recipe.workbooks,
        HOLDERS: Per.HOLDER in settings.per,
        NOTICES: settings.recipe.documents,
        OCF: bool(settings.recipe.currency),
    }


def _tasks(portfolio: Portfolio, settings: Settings) -> tuple[list[Task], str]:
    """The work in pieces, and a digest of the whole input."""
    names = _Names()
    made_with = _digest(__version__, settings.told)
    tasks: list[Task] = []
    batch: list[CompanyTables] = []
    paths: dict[tuple[str, str], Paths] = {}
    digests: list[str] = []
    for company in portfolio.companies:
        digests.append(_digest_of(company))
        of = _digest(made_with, digests[-1])
        batch.append(company)
        for series in dict.fromkeys(row.cells["series"] for row in company.tables["series"].rows):
            stem = names.of(f"{company.name} {series}")
            paths[company.name, series] = Paths(
                f"{SERIES}/{stem}.xlsx", f"{NOTICES}/{stem}.docx", f"{OCF}/{stem}.ocf.json", of
            )
        if len(paths) >= SERIES_IN_TASK:
            tasks.append(Task(tuple(batch), paths))
            batch, paths = [], {}
    if batch:
        tasks.append(Task(tuple(batch), paths))
    # Rows that are no company's are part of the input, too; where its files are is not.
    nobodys = [(one.row, one.column, one.value, one.rule) for one in portfolio.problems]
    return tasks, _digest(digests, nobodys)


def _stop_at_problems(portfolio: Portfolio, settings: Settings, observer: Observer) -> None:
    """Checks everything before anything is written."""
    problems = list(portfolio.problems)
    observer.begin("companies checked", len(portfolio.companies))
    with closing(_mapped(problems_of, portfolio.companies, settings)) as checked:
        for found in checked:
            problems += found
            observer.advance(1)
    observer.end()
    if problems:
        raise InputError(problems)


class _Run:
    """One export under way."""

    def __init__(
        self, folder: OutFolder, settings: Settings, digest: str, observer: Observer, problems: list[Problem]
    ) -> None:
        self.folder, self.settings, self.digest, self.observer = folder, settings, digest, observer
        self.problems = problems
        self.results: list[SeriesResult] = []
        self.left_out: list[tuple[str, str]] = []
        self.incomplete: set[str] = set()
        """Holders of something that is left out."""
        self.unwritten: list[str] = []
        self.entries: list[Entry] = []
        self.workbooks: dict[tuple[str, str], str] = {}
        """Where the workbook of a series is, by company and series."""

    def all_series(self, tasks: Sequence[Task]) -> None:
        """The files of every series."""
        recipe = self.settings.recipe
        self.observer.begin("series", sum(len(task.paths) for task in tasks))
        with closing(_mapped(partial(make, recipe), tasks, self.settings, self._begun)) as done:
            for task, made in zip(tasks, done, strict=True):
                standing = self._stand(made.files, made.entries)
                self.results += made.results
                self.problems += made.problems
                self.left_out += made.left_out
                self.incomplete |= made.holders
                self.unwritten += made.unwritten
                self.workbooks |= {
                    k: paths.workbook for k, paths in task.paths.items() if paths.workbook in standing
                }
                self.observer.advance(len(task.paths))
        self.observer.end()

    def _begun(self, task: Task) -> Task:
        """A task as it is handed out: with what it needs to know of the folder, and no more."""
        recipe = self.settings.recipe
        wanted = {path: one.of for one in task.paths.values() for path in outputs(recipe, one).values()}
        proven = {path: self.folder.proven(path, of) for path, of in wanted.items()}
        standing = {path: entry for path, entry in proven.items() if entry}
        return replace(task, folder=self._part(wanted), standing=standing)

    def _part(self, paths: Iterable[str]) -> OutFolder | None:
        """What a worker places files with; one on a cluster hands them back."""
        return None if self.settings.scheduler else self.folder.part(paths)

    def letters(self) -> None:
        """The notices as PDF, beside the documents that they are printed from."""
        documents = [entry for entry in self.entries if entry.path.startswith(f"{NOTICES}/")]
        targets = [f"{entry.path.removesuffix('.docx')}.pdf" for entry in documents]
        proven = [self.folder.proven(path, e.of) for path, e in zip(targets, documents, strict=True)]
        self._stand((), filter(None, proven))
        left = [one for one, found in zip(zip(targets, documents, strict=True), proven, strict=True) if not found]
        self.observer.begin("letters printed", len(left))
        for at in range(0, len(left), LETTERS_AT_ONCE):
            some = left[at : at + LETTERS_AT_ONCE]
            files = [self.folder.root / document.path for _, document in some]
            printed = print_letters(files, self.folder.unfinished / "letters")
            pairs = zip(some, printed, strict=True)
            self._stand([File(path, data, document.of) for (path, document), data in pairs], ())
            self.observer.advance(len(some))
        self.observer.end()

    def all_holders(self) -> None:
        """The workbook of every holder, but of those who hold something that is left out: it would not be all."""
        positions: dict[str, list[Position]] = {}
        for result in self.results:
            for position in positions_of(result, self._link(result, "../")):
                positions.setdefault(position.holder, []).append(position)
        if partly := sorted(self.incomplete & positions.keys()):
            for holder in partly:
                del positions[holder]
            named = ", ".join(map(shorten, partly[:HOLDERS_NAMED]))
            more = f" and {len(partly) - HOLDERS_NAMED:,} more" if len(partly) > HOLDERS_NAMED else ""
            rule = f"no workbook is written of who has part in what is left out: {named}{more}"
            self.problems.append(Problem("holders", rule))
        names = _Names()
        made_with = _digest(__version__, self.settings.told)
        one_each = [
            (f"{HOLDERS}/{names.of(holder)}.xlsx", holder, tuple(found), _digest(made_with, holder, repr(found)))
            for holder, found in positions.items()
        ]
        proven = {path: self.folder.proven(path, of) for path, _, _, of in one_each}
        self._stand((), filter(None, proven.values()))
        left = [one for one in one_each if not proven[one[0]]]
        tasks = [
            HoldersTask(tuple(left[at : at + HOLDERS_IN_TASK])) for at in range(0, len(left), HOLDERS_IN_TASK)
        ]
        self.observer.begin("holders", len(left))
        with closing(_mapped(make_holders, tasks, self.settings, self._begun_holders)) as done:
            for task, (files, entries) in zip(tasks, done, strict=True):
                self._stand(files, entries)
                self.observer.advance(len(task.holders))
        self.observer.end()

    def _begun_holders(self, task: HoldersTask) -> HoldersTask:
        return replace(task, folder=self._part([path for path, *_ in task.holders]))

    def register(self) -> None:
        """The register of everything."""
        values, tables = register_tables(self.results, self.workbooks, self.problems, self.left_out)
        as_of = max((r.as_of for r in self.results if r.as_of), default=FIRST_DAY)
        problems = problem_rows(self.problems)
        of = _digest(__version__, self.settings.told, self.digest, problems, sorted(self.workbooks.values()))
        proven = self.folder.proven(REGISTER, of)
        if proven:
            self._stand((), [proven])
            return
        with self.folder.stream(REGISTER, of) as (file, found):
            register_plan().write(file, values, tables, as_of=as_of)
        self._stand((), found)

    def findings(self) -> None:
        """The workbook of what is wrong with the input; one of an earlier export that is no longer so goes."""
        if not self.problems:
            self.folder.remove(FINDINGS)
            return
        rows = problem_rows(self.problems)
        as_of = max((r.as_of for r in self.results if r.as_of), default=FIRST_DAY)
        exported = len(self.results)
        data = findings_workbook(rows, as_of, exported=exported, left_out=self.left_out)
        self._stand([File(FINDINGS, data, _digest(__version__, rows, exported, self.left_out))], ())

    def finish(self) -> Outcome:
        """Writes the manifest: from then on the export is done."""
        written = {entry.path for entry in self.entries}
        earlier = [e for path, e in self.folder.known.items() if path not in written and self.folder.stands(e)]
        manifest = Manifest(
            self.digest, self.settings.told, tuple(self.entries), tuple(earlier), len(self.left_out)
        )
        write_atomically(self.folder.root / MANIFEST, manifest.to_bytes(), through=self.folder.unfinished)
        return Outcome(
            tuple(self.results),
            tuple(self.problems),
            tuple(self.left_out),
            tuple(self.unwritten),
            tuple(self.entries),
            self.workbooks,
            tuple(sorted(entry.path for entry in earlier)),
        )

    def _link(self, result: SeriesResult, up: str = "") -> str:
        path = self.workbooks.get((result.series.company, result.series.name), "")
        return f"{up}{path}" if path else ""

    def _stand(self, files: Iterable[File], entries: Iterable[Entry]) -> set[str]:
        """Adds what stands, after placing files that were made elsewhere; the paths of both."""
        found = [*entries, *(self.folder.place(file.path, file.data, file.of) for file in files)]
        self.entries += found
        return {entry.path for entry in found}


class _Names:
    """File names that are told apart by systems that ignore letter case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, text: str) -> str:
        """A safe name for `text` that was not given before."""
        stem = name = safe_file_name(text)
        number = 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem} ({number})"
        self._taken.add(name.casefold())
        return name


def _mapped(
    function: Callable[[T], R],
    items: Sequence[T],
    settings: Settings,
    begun: Callable[[T], T] = lambda item: item,
) -> Generator[R, None, None]:
    """The results in the order of the items, computed here, by other processes or on a cluster. Each item goes
    through `begun` when its turn comes. To be closed: then no worker goes on."""
    workers = min(settings.workers, len(items), MOST_WORKERS)
    if settings.scheduler:
        yield from on_cluster(settings.scheduler, function, map(begun, items))
    elif workers > 1:
        yield from _pooled(function, map(begun, items), workers)
    else:
        yield from map(function, map(begun, items))


def _pooled(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    # A fork of this process could hold a lock of the progress bar's thread for good.
    known = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in known else "spawn")
    if "forkserver" in known:
        context.set_forkserver_preload(["xl_conversion.batch.work"])
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker) as pool:
        try:
            yield from in_order(lambda item: pool.submit(function, item), items, IN_FLIGHT * workers)
        except BrokenProcessPool:
            hint = "--resume goes on; with fewer --workers less memory is needed."
            raise SaveError("A worker process was ended", hint) from None


def _begin_worker() -> None:
    """Ctrl-C reaches every process of a terminal, and the one in charge decides; when that one is gone, so is its
    worker, which would otherwise write into a folder that somebody else may be using by then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _digest(*parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of(company: CompanyTables) -> str:
    """Of the cells of all its tables, whatever file they came in."""
    tables = {name: [row.cells for row in table.rows] for name, table in company.tables.items()}
    return _digest(company.name, tables)
