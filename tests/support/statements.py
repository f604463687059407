"""Cases of examples, histories and tables, their statements, and what stands in them."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Final

from openpyxl import load_workbook

from xl_conversion.books.statements.results import result_of
from xl_conversion.books.statements.series import series_plan, series_values
from xl_conversion.examples import write_example
from xl_conversion.inputs.reading import Case, cases_of, read_cases
from xl_conversion.inputs.records import RECORDS
from xl_conversion.inputs.tables import read_tables

HISTORIES: Final = sorted((Path(__file__).parents[1] / "histories").glob("*.toml"))
_EXPECTED: Final = ("expect", "expect_shares")


def of_tables(tables: dict[str, Any], folder: Path) -> list[Case]:
    """Each series of these rows, by table."""
    given = {name: rows for name, rows in tables.items() if isinstance(rows, list) and name not in _EXPECTED}
    file = folder / "input.json"
    file.write_text(json.dumps(given), encoding="utf-8")
    return cases_of(read_tables(file, [record.table for record in RECORDS]), str(file))


def of_history(name: str, folder: Path) -> list[Case]:
    """Each series of a history that tests have."""
    (file,) = (file for file in HISTORIES if file.stem == name)
    return of_tables(tomllib.loads(file.read_text(encoding="utf-8")), folder)


def of_example(name: str, folder: Path) -> list[Case]:
    """Each series of an example of the package."""
    write_example(folder / name, "csv", name)
    return read_cases(folder / name)


def statement_of(case: Case) -> bytes:
    """The workbook of a series."""
    result = result_of(case)
    values, tables = series_values(case, result)
    return series_plan().render(values, tables, as_of=result.as_of or date(2000, 1, 1))


def cells(path: Path) -> dict[tuple[str, str], Any]:
    """The value of each cell that has one, by sheet and cell."""
    book = load_workbook(path, data_only=True)
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }


def differing(one: dict[tuple[str, str], Any], other: dict[tuple[str, str], Any]) -> list[tuple[str, str]]:
    """The cells whose values differ, numbers by more than the noise of doubles."""
    return sorted(key for key in one.keys() | other.keys() if not _same(one.get(key), other.get(key)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one))
    return bool(one == other)
