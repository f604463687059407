"""Inputs to start from.

`vsource` is a real notice: Vsource, Inc., Series 2-A Convertible Preferred, 5 February 2002. `company` is an
invented company of three series, with a capitalization and three years of events.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from pathlib import Path

from xl_conversion.files import SaveError, write_atomically

AS_OF = {"vsource": date(2002, 2, 5), "company": date(2022, 10, 1)}
ORDER = ("series", "capitalization", "events", "securities", "conversions", "stated", "holders")


def write_example(folder: Path, form: str = "csv", example: str = "vsource") -> list[Path]:
    """Writes an example into `folder` as `form` (csv, json or xlsx) and returns the files.

    Raises SaveError where a file of that name holds something else.
    """
    if form == "csv":
        contents = {f"{name}.csv": _csv(example, name) for name in _tables(example)}
    elif form == "json":
        tables = {name: list(_rows(example, name)) for name in _tables(example)}
        contents = {f"{example}.json": (json.dumps(tables, indent=2) + "\n").encode()}
    else:
        contents = {f"{example}.xlsx": _workbook(example)}
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


def _tables(example: str) -> list[str]:
    return [name for name in ORDER if (files(__package__) / example / f"{name}.csv").is_file()]


def _csv(example: str, name: str) -> bytes:
    return (files(__package__) / example / f"{name}.csv").read_bytes()


def _rows(example: str, name: str) -> Iterable[dict[str, str]]:
    return csv.DictReader(io.StringIO(_csv(example, name).decode(), newline=""))


def _workbook(example: str) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    from xl_conversion.books.saving import put_text, workbook_bytes

    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name in _tables(example):
        sheet = workbook.create_sheet(name)
        rows = list(_rows(example, name))
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
    return workbook_bytes(workbook, {}, as_of=AS_OF[example])
