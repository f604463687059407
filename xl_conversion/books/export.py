"""The batch exporter: one finished workbook for each series of an input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xl_conversion.books.finished import finished_workbook
from xl_conversion.core.history import replay
from xl_conversion.core.issuance import Adjustment
from xl_conversion.core.tie_out import Finding, tie_out_history
from xl_conversion.files import SaveError, safe_file_name, write_atomically
from xl_conversion.inputs.problems import InputError, Problem
from xl_conversion.inputs.reading import Case


@dataclass(frozen=True, slots=True)
class Exported:
    """One workbook; `written` is False where the same bytes were there already."""

    case: Case
    adjustments: tuple[Adjustment, ...]
    findings: tuple[Finding, ...]
    path: Path
    written: bool


def export_cases(
    cases: Sequence[Case], folder: Path, *, force: bool = False, advance: Callable[[], None] = lambda: None
) -> Iterator[Exported]:
    """Writes the workbook of each case into `folder`, and calls `advance` after each.

    Raises InputError for a series of which more happens than issuances with the company's own counts, SaveError
    where one cannot be written, or is there, differs, and `force` is not given: nothing of
    anybody's is overwritten unasked. All are made before the first one is written.
    """
    more = [
        Problem(case.series.name, case.more, hint="xl-conversion history shows the whole life")
        for case in cases
        if case.more
    ]
    if more:
        raise InputError(more)
    taken: set[str] = set()
    made: list[tuple[Exported, bytes]] = []
    for case in cases:
        adjustments = replay(case.series, case.issuances)
        findings = tie_out_history(case.changes, case.issuances, case.stated)
        data = finished_workbook(case, adjustments, findings)
        path = folder / f"{_free_name(case, taken)}.xlsx"
        same = _holds(path, data)
        if path.exists() and not same and not force:
            raise SaveError(f"Cannot write {path}: it is there and differs", "--force replaces it.")
        made.append((Exported(case, adjustments, findings, path, not same), data))
        advance()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SaveError(f"Cannot make the folder {folder}: {problem.strerror}", "Choose another one.") from problem
    for exported, data in made:
        if exported.written:
            write_atomically(exported.path, data)
        yield exported


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.is_file() and path.read_bytes() == data
    except OSError:
        return False


def _free_name(case: Case, taken: set[str]) -> str:
    """A file name that no series before has; systems that ignore letter case are thought of."""
    stem = safe_file_name(f"{case.series.company} {case.series.name}")
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem} ({number})"
    taken.add(name.casefold())
    return name
