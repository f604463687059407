"""Every workbook that is shipped, recalculated by the real LibreOffice with the worksheet functions.

Nothing that the file says of its formulas is believed: they are calculated afresh. No cell may show an error,
every check says OK, and every formula gives the value that the file carries for whoever does not recalculate.
"""

from __future__ import annotations

import math
import re
import runpy
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.formula import ArrayFormula
from support.office import Document, Error, Office
from support.ooxml import Finding

import xl_conversion

ROOT = Path(xl_conversion.__file__).parents[1]
FOLDER = ROOT / "workbooks"
WORKBOOKS = sorted(FOLDER.glob("*.xlsx"))
Live = dict[tuple[str, str], float | str | Error]

every_workbook = pytest.mark.parametrize("path", WORKBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def recalculated(calc: Office) -> Iterator[Callable[[Path], Live]]:
    """What LibreOffice shows in every cell, after calculating all of them again."""

    @cache
    def values(path: Path) -> Live:
        document: Document = session.open(path)
        document.recalculate()
        found = document.values()
        document.close()
        return found

    with calc.session() as session:
        yield values


def formulas(path: Path) -> Iterator[tuple[str, str, str]]:
    """Sheet, cell and formula of every cell with one, and of every cell of an array formula."""
    for sheet in load_workbook(path).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, ArrayFormula):
                    for line in sheet[cell.value.ref]:
                        yield from ((sheet.title, one.coordinate, str(cell.value.text)) for one in line)
                elif cell.data_type == "f":
                    yield sheet.title, cell.coordinate, str(cell.value)


def test_the_workbooks_are_there() -> None:
    assert {path.name for path in WORKBOOKS} >= {"conversion-price-model.xlsx", "function-gallery.xlsx"}


@every_workbook
def test_no_cell_shows_an_error(recalculated: Callable[[Path], Live], path: Path) -> None:
    assert {cell: value for cell, value in recalculated(path).items() if isinstance(value, Error)} == {}
    carried = load_workbook(path, data_only=True)
    assert not [cell for sheet in carried for row in sheet.iter_rows() for cell in row if cell.data_type == "e"]


CHECK = re.compile("chk_(?!sheet_)")
"""Not the line in the corner of a sheet, which hands on the master check in words."""


@every_workbook
def test_every_check_is_ok_or_open_in_a_blank_one(recalculated: Callable[[Path], Live], path: Path) -> None:
    names = load_workbook(path).defined_names
    checks = {name: next(iter(names[name].destinations)) for name in names if CHECK.match(name)}
    assert "chk_all" in checks
    found = {name: recalculated(path)[sheet, at.replace("$", "")] for name, (sheet, at) in checks.items()}
    if path.stem.endswith("-blank"):
        assert found["chk_all"] == "OPEN"
        assert set(found.values()) <= {"OPEN", ""}
    else:
        # A check of figures that a case does not have, such as cash without a market price, has no result.
        assert found["chk_all"] == "OK"
        assert set(found.values()) <= {"OK", ""}


@every_workbook
def test_every_formula_gives_the_value_that_the_file_carries(
    recalculated: Callable[[Path], Live], path: Path
) -> None:
    live, carried = recalculated(path), load_workbook(path, data_only=True)
    differing = {}
    for sheet, at, formula in formulas(path):
        known, value = carried[sheet][at].value, live.get((sheet, at), "")
        if isinstance(known, datetime):
            known = float(to_excel(known))
        if isinstance(known, int | float):
            # Worksheet functions are exact to the bit; sums of the host's own may differ in the last ones.
            same = value == known
            if isinstance(value, float) and not formula.startswith("=CP_"):
                same = math.isclose(value, known, rel_tol=1e-12)
        else:
            same = value == (known or "")
        if not same:
            differing[sheet, at] = formula, known, value
    assert differing == {}


@every_workbook
def test_the_validator_finds_nothing(validator: Callable[[Path], list[Finding]], path: Path) -> None:
    assert validator(path) == []


def test_the_folder_is_a_fresh_build(capsys: pytest.CaptureFixture[str]) -> None:
    build = runpy.run_path(str(FOLDER / "build.py"))
    assert build["main"](["--check"]) == 0, capsys.readouterr().err
    assert {path.name for path in WORKBOOKS} == {name for name in build["BUILDERS"] if name.endswith(".xlsx")}


def test_a_page_that_is_of_no_function_is_told_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = tmp_path / "build.py"
    copied.write_bytes((FOLDER / "build.py").read_bytes())
    build = runpy.run_path(str(copied))
    page = "functions/CP_SPLIT.md"
    monkeypatch.setitem(build["main"].__globals__, "files", lambda: {page: b"# CP_SPLIT\n"})
    assert build["main"]([]) == 0
    (tmp_path / page).write_bytes(b"# CP_SPLIT\r\n")
    assert build["main"](["--check"]) == 0
    (tmp_path / "functions" / "CP_OLD.md").write_text("old")
    (tmp_path / page).write_text("changed")
    assert build["main"](["--check"]) == 1
    told = capsys.readouterr().err
    assert "functions/CP_OLD.md is of no function" in told
    assert f"{page} differs" in told
    assert build["main"]([]) == 0
    assert [path.name for path in (tmp_path / "functions").iterdir()] == ["CP_SPLIT.md"]
