"""Working papers of series, written without the exporter around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xl_conversion.books.finished import finished_workbook, paper_adjustments
from xl_conversion.core.issuance import Adjustment
from xl_conversion.core.tie_out import Finding, tie_out_history
from xl_conversion.inputs.reading import Case


@dataclass(frozen=True)
class Paper:
    """A working paper on disk, and what is in it."""

    case: Case
    adjustments: tuple[Adjustment, ...]
    findings: tuple[Finding, ...]
    path: Path


def write_papers(cases: Iterable[Case], folder: Path) -> Iterator[Paper]:
    """The working paper of each case, numbered."""
    folder.mkdir(exist_ok=True)
    for number, case in enumerate(cases, start=1):
        findings = tie_out_history(case.changes, case.issuances, case.stated)
        path = folder / f"{number}.xlsx"
        path.write_bytes(finished_workbook(case, findings))
        yield Paper(case, paper_adjustments(case), findings, path)
