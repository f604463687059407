"""The lint and the checks of printed pages on every workbook: those shipped and finished ones, one of odd data."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

import pytest
from support.lint import lint
from support.lint_reading import read
from support.office import Office
from support.pages import page_findings
from support.papers import write_papers

import xl_conversion
from xl_conversion.examples import write_example
from xl_conversion.inputs.reading import read_cases

WORKBOOKS: Final = sorted((Path(xl_conversion.__file__).parents[1] / "workbooks").glob("*.xlsx"))
PRINT_AREAS: Final = False
"""Each sheet prints all that it holds, so none is needed."""
ODD: Final = (
    "=1+1",
    '+HYPERLINK("http://x","y")',
    "-5",
    "@SUM(A1)",
    "#N/A",
    "Line\nbreak and\r\nanother",
    "one word of " + "x" * 288,
    "many words " * 27,
    "Привилегированные акции",
    "Προνομιούχες μετοχές",
    "优先股转换价格",
    'O\'Neil & "Sons" <Series> 100% {A}',
)
FREE: Final = frozenset({"company", "clause", "description", "source", "reference_source", "note", "holder"})
NAMED: Final = {"series": "=Series, 'A' & \"B\"\n+of the company " + "y" * 40, "security": "-Notes\n"}
every_workbook = pytest.mark.parametrize("path", WORKBOOKS, ids=lambda path: path.stem)


def protected(path: Path) -> bool:
    """Whether a sheet of the workbook is protected: then all are to be."""
    with ZipFile(path) as archive:
        sheets = (archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet"))
        return any(b"<sheetProtection" in sheet for sheet in sheets)


def odd(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Puts odd texts wherever the tables hold free text; names stay the same in every table."""
    lot = random.Random(3)  # noqa: S311
    securities = {row["security"]: f"{NAMED['security']}{row['security']}" for row in tables["securities"]}
    for rows in tables.values():
        for row in rows:
            for column, value in row.items():
                if column == "series":
                    row[column] = NAMED["series"]
                elif column in ("security", "subject") and value in securities:
                    row[column] = securities[value]
                elif column in FREE:
                    row[column] = lot.choice(ODD)


def twice(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Adds a second issuance, a year later."""
    (event,) = tables["events"]
    counts = {"outstanding_before": event["outstanding_after"], "outstanding_after": "116559617"}
    second = {**event, "event": "second", "date": "2003-02-05", "other_before": event["other_after"], **counts}
    tables["events"].append(second)
    shares = {"kind": "shares", "shares": "1000000", "consideration_per_share": "0.05"}
    tables["securities"].append({"series": event["series"], "event": "second", "security": "New", **shares})


CHANGES: Final[dict[str, Callable[[dict[str, list[dict[str, Any]]]], None]]] = {
    "notice": lambda tables: None,
    "odd": odd,
    "twice": twice,
}


@pytest.fixture(scope="module", params=CHANGES)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Finished workbooks by what they are of: the shipped notice, odd texts in its place, a second issuance."""
    folder = tmp_path_factory.mktemp("finished")
    (source,) = write_example(folder, "json")
    tables = json.loads(source.read_text(encoding="utf-8"))
    CHANGES[request.param](tables)
    source.write_text(json.dumps(tables), encoding="utf-8")
    (exported,) = write_papers(read_cases(source), folder / "out")
    return request.param, exported.path


def test_odd_texts_reach_the_workbook(finished: tuple[str, Path]) -> None:
    kind, path = finished
    held = {cell.value or "" for sheet in read(path).sheets for cell in sheet.cells.values()}
    reached = [any(text.split("\n")[0].strip() in value for value in held) for text in ODD]
    assert all(reached) == (kind == "odd")


@every_workbook
def test_the_lint_finds_nothing_in_a_workbook(path: Path) -> None:
    assert lint(path, constants=False, hidden=False, protected=protected(path), print_areas=PRINT_AREAS) == []


@every_workbook
def test_every_page_of_a_workbook_prints_well(calc: Office, path: Path, tmp_path: Path) -> None:
    assert page_findings(path, calc, tmp_path) == []


def test_the_lint_finds_nothing_in_a_finished_workbook(finished: tuple[str, Path]) -> None:
    _, path = finished
    assert lint(path, hidden=False, protected=protected(path), print_areas=PRINT_AREAS) == []


def test_every_page_of_a_finished_workbook_prints_well(
    calc: Office, finished: tuple[str, Path], tmp_path: Path
) -> None:
    _, path = finished
    assert page_findings(path, calc, tmp_path) == []
