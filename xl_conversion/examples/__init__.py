"""The input of the real notice: Vsource, Inc., Series 2-A Convertible Preferred, 5 February 2002."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from pathlib import Path

from xl_conversion.files import SaveError, write_atomically

AS_OF = date(2002, 2, 5)
TABLES = ("series", "events", "securities", "conversions", "stated")


def write_example(folder: Path, form: str = "csv") -> list[Path]:
    """Writes the example into `folder` as `form` (csv, json or xlsx) and returns the files.

    Raises SaveError where a file of that name holds something else.
    """
    if form == "csv":
        contents = {f"{name}.csv": _csv(name) for name in TABLES}
    elif form == "json":
        tables = {name: list(_rows(name)) for name in TABLES}
        contents = {"vsource.json": (json.dumps(tables, indent=2) + "\n").encode()}
    else:
        contents = {"vsource.xlsx": _workbook()}
    paths = {folder / name: data for name, data in contents.items()}
    for path, data in paths.items():
        if path.exists() and (not path.is_file() or path.read_bytes() != data):
            raise SaveError(f"Cannot write {path}: it is there and differs", "Choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SaveError(
            f"Cannot make the folder {folder}: {problem.strerror}", "Choose another folder."
        ) from problem
    for path, data in paths.items():
        write_atomically(path, data)
    return list(paths)


def _csv(name: str) -> bytes:
    return (files(__package__) / "vsource" / f"{name}.csv").read_bytes()


def _rows(name: str) -> Iterable[dict[str, str]]:
    return csv.DictReader(io.StringIO(_csv(name).decode(), newline=""))


def _workbook() -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    from xl_conversion.books.saving import put_text, workbook_bytes

    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name in TABLES:
        sheet = workbook.create_sheet(name)
        rows = list(_rows(name))
        columns = list(rows[0])
        for place, column in enumerate(columns, start=1):
            cell = sheet.cell(1, place)
            cell.font = Font(bold=True)
            put_text(cell, column)
            width = max(len(column), *(len(row[column]) for row in rows))
            sheet.column_dimensions[get_column_letter(place)].width = min(60, width + 2)
            for number, row in enumerate(rows, start=2):
                # Text throughout: a stated 2.00 would lose its digits as a number.
                if row[column]:
                    put_text(sheet.cell(number, place), row[column])
        sheet.freeze_panes = "A2"
    return workbook_bytes(workbook, {}, as_of=AS_OF)
