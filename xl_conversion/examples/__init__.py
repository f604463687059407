"""Inputs to start from.

`vsource` is a real notice: Vsource, Inc., Series 2-A Convertible Preferred, 5 February 2002. `company` is an
invented company of three series, with a capitalization and three years of events. `portfolio` is three companies,
that of the notice and two invented ones, with holders who have part in both of these.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from datetime import date
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from xl_conversion.files import SaveError, write_atomically

if TYPE_CHECKING:
    from xl_conversion.inputs.records import Record

AS_OF = {"vsource": date(2002, 2, 5), "company": date(2022, 10, 1), "portfolio": date(2021, 11, 15)}
LAST_ROW = 1000
"""Rows up to it offer the words that a column allows."""
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
    from copy import copy

    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.properties import PageSetupProperties

    from xl_conversion.books.saving import put_text, workbook_bytes
    from xl_conversion.inputs.records import RECORDS
    from xl_conversion.inputs.words import words_of

    records = {record.table: record for record in RECORDS}
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name in _tables(example):
        sheet = workbook.create_sheet(name)
        rows = list(_rows(example, name))
        columns = list(rows[0])
        for place, column in enumerate(columns, start=1):
            head = sheet.cell(1, place)
            font = copy(head.font)
            font.b = True
            head.font = font
            put_text(head, column)
            letter = get_column_letter(place)
            width = max(len(column), *(len(row[column]) for row in rows))
            sheet.column_dimensions[letter].width = min(60, width + 2)
            if words := words_of(records[name], column):
                choice = DataValidation("list", formula1=f'"{",".join(words)}"', allow_blank=True)
                choice.add(f"{letter}2:{letter}{LAST_ROW}")
                sheet.add_data_validation(choice)
            made = _cells_of(records[name], column)
            for number, row in enumerate(rows, start=2):
                cell = sheet.cell(number, place)
                value, cell.number_format = made(row[column])
                if isinstance(value, str):
                    put_text(cell, value)
                else:
                    cell.value = value
        sheet.freeze_panes = "A2"
        sheet.print_title_rows = "1:1"
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    return workbook_bytes(workbook, {}, as_of=AS_OF[example])


def _cells_of(record: type[Record], column: str) -> Callable[[str], tuple[str | float | date | None, str]]:
    """How the texts of a column become cells: numbers and dates as what they are, and all else as text, since a
    stated 2.00 would lose its digits as a number."""
    from xl_conversion.inputs.words import types_of

    held = types_of(record, column)

    def made(text: str) -> tuple[str | float | date | None, str]:
        if not text:
            return None, "General"
        if date in held:
            return date.fromisoformat(text), "yyyy-mm-dd"
        if held & {int, Fraction}:
            places = len(text.partition(".")[2])
            return float(text), ("#,##0" if Fraction in held else "0") + ("." + "0" * places if places else "")
        return text, "General"

    return made
