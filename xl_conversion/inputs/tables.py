"""Reads tables from a folder of CSV, a JSON file or an .xlsx workbook: the same tables, every cell as text.

Numbers stay as written; a double from a workbook becomes the 15 digits that Excel shows. Files are not trusted:
sizes are bounded, workbooks with macros are refused, and XML is parsed by openpyxl through defusedxml.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from xl_conversion.core.rounding import shorten, to_text
from xl_conversion.inputs.problems import InputError, Problem, fail, suggestion

MAX_FILE = 200 * 1024 * 1024
MAX_UNPACKED = 1024 * 1024 * 1024
MAX_CELL = 32_767
MAX_ROWS = 1_048_575


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column name, and its number as a spreadsheet counts."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table by name, and the file (and sheet) that it came from."""

    name: str
    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_tables(path: Path, known: Sequence[str]) -> dict[str, Table]:
    """The tables at `path`, a folder, .json or .xlsx; `known` are the names that tables may have.

    Raises InputError with what is wrong and what to do.
    """
    try:
        if path.is_dir():
            return _read_folder(path, known)
        match path.suffix.lower():
            case ".json":
                return _read_json(path, known)
            case ".xlsx":
                return _read_workbook(path, known)
        if not path.exists():
            raise fail(str(path), "there is no such file or folder", "xl-conversion example DIR writes an input")
    except PermissionError as problem:
        raise fail(str(path), "it may not be read", "check its permissions, and close it elsewhere") from problem
    except OSError as problem:
        raise fail(str(path), f"it cannot be read: {problem.strerror}") from problem
    raise fail(str(path), "not an input", "give a folder of CSV files, a .json or an .xlsx file")


def csv_cells(file: Path) -> list[list[str]]:
    """The cells of a CSV file, row by row, blank lines left out.

    Raises InputError as :func:`read_tables`.
    """
    try:
        return [list(cells) for _, cells in _csv_rows(file) if cells]
    except OSError as problem:
        raise fail(str(file), f"it cannot be read: {problem.strerror}", "check the name") from problem


def _read_folder(folder: Path, known: Sequence[str]) -> dict[str, Table]:
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".csv" and p.is_file())
    if not files:
        raise fail(str(folder), "the folder holds no CSV file", f"expected {', '.join(f'{n}.csv' for n in known)}")
    tables = {}
    for file in files:
        name = _table_name(file.stem, known, str(file), strict=True)
        if name:
            tables[name] = _table(name, str(file), _csv_rows(file))
    return tables


def _csv_rows(file: Path) -> Iterator[tuple[int, Sequence[str]]]:
    data = _bounded(file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise fail(f"{file}, line {line}", "not UTF-8 text", "save it as CSV UTF-8") from None
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if number == 1 and len(cells) == 1 and re.search("[;\t]", cells[0]):
                raise fail(str(file), "its columns are not separated by commas", "save it as CSV with commas")
            yield number, cells
    except csv.Error as problem:
        raise fail(f"{file}, line {reader.line_num}", f"not CSV: {problem}", "check its quotation marks") from None


def _read_json(file: Path, known: Sequence[str]) -> dict[str, Table]:
    def constant(name: str) -> Any:
        raise ValueError(f"{name} is not a number")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in items]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{twice!r} is there twice in one object")
        return dict(items)

    try:
        # Numbers are kept as they are written, never as floats.
        content = json.loads(
            _bounded(file).decode("utf-8-sig"),
            parse_float=str,
            parse_int=str,
            parse_constant=constant,
            object_pairs_hook=pairs,
        )
    except (ValueError, RecursionError) as problem:
        raise fail(str(file), f"not JSON: {shorten(str(problem), 100)}", "check it at the place named") from None
    if not isinstance(content, dict):
        raise fail(str(file), "not an object of tables", '{"series": [{...}, ...], ...}')
    tables = {}
    for key, records in content.items():
        where = f"{file}, {key}"
        name = _table_name(key, known, str(file), strict=True)
        if not name:
            continue
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise fail(where, "not a list of objects", '[{"series": "...", ...}, ...]')
        columns = list(dict.fromkeys(column for record in records for column in record))
        rows = ((n, [_text(record.get(c), where) for c in columns]) for n, record in enumerate(records, start=2))
        tables[name] = _table(name, where, [(1, columns), *rows])
    return tables


def _read_workbook(file: Path, known: Sequence[str]) -> dict[str, Table]:
    _check_package(file)
    import openpyxl

    try:
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as problem:  # openpyxl raises nearly anything for a defective file
        raise fail(str(file), f"not a readable workbook: {shorten(str(problem), 100)}") from None
    tables = {}
    try:
        for sheet in workbook.worksheets:
            name = _table_name(sheet.title, known, str(file), strict=False)
            if name:
                where = f"{file}, sheet {sheet.title}"
                sheet.reset_dimensions()  # a stale dimension would hide rows
                rows = (
                    (n, [_cell_text(cell, where) for cell in row]) for n, row in enumerate(sheet.iter_rows(), 1)
                )
                tables[name] = _table(name, where, rows)
    except InputError:
        raise
    except Exception as problem:
        raise fail(str(file), f"not a readable workbook: {shorten(str(problem), 100)}") from None
    finally:
        workbook.close()
    if not tables:
        raise fail(str(file), f"no sheet is named {' or '.join(known)}", "name the sheets after the tables")
    return tables


def _check_package(file: Path) -> None:
    _bounded(file)
    try:
        with zipfile.ZipFile(file) as package:
            parts = package.infolist()
    except zipfile.BadZipFile:
        raise fail(str(file), "not an .xlsx workbook", "a protected or older workbook: save it as .xlsx") from None
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise fail(str(file), f"it unpacks to more than {MAX_UNPACKED // 2**20} MiB", "split it")
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise fail(str(file), "a workbook with macros is not read", "save it as .xlsx")


def _table(name: str, file: str, lines: Iterable[tuple[int, Sequence[str]]]) -> Table:
    filled = ((number, cells) for number, cells in lines if any(cell.strip() for cell in cells))
    header = next(filled, None)
    if header is None:
        raise fail(file, "it is empty", "the first row names the columns")
    columns = [cell.strip().lower().replace(" ", "_") for cell in header[1]]
    while columns and not columns[-1]:
        columns.pop()
    for place, column in enumerate(columns, start=1):
        if not column:
            raise fail(file, f"column {place} has no name", "the first row names the columns")
        if columns.count(column) > 1:
            raise fail(file, f"the column {column} is there twice", "remove one of the two")
    rows: list[Row] = []
    for number, cells in filled:
        if any(cell.strip() for cell in cells[len(columns) :]):
            problem = Problem(
                file, f"it has more cells than the {len(columns)} columns", number, hint="quote commas"
            )
            raise InputError([problem])
        if len(rows) == MAX_ROWS:
            raise fail(file, f"more than {MAX_ROWS} rows", "split it")
        padded = [*cells, *[""] * (len(columns) - len(cells))]
        rows.append(Row(number, {column: cell.strip() for column, cell in zip(columns, padded, strict=False)}))
    return Table(name, file, tuple(columns), tuple(rows))


def _table_name(text: str, known: Sequence[str], file: str, *, strict: bool) -> str:
    """The table that a file or sheet is; a workbook may hold other sheets, but not one that is nearly a table."""
    name = text.strip().lower().replace(" ", "_")
    if name in known:
        return name
    hint = suggestion(name, known)
    if strict or hint:
        expected = f"the tables are {', '.join(known)}"
        raise fail(file, f"there is no table {shorten(text)!r}", hint or expected)
    return ""


def _bounded(file: Path) -> bytes:
    size = file.stat().st_size
    if size > MAX_FILE:
        raise fail(str(file), f"larger than {MAX_FILE // 2**20} MiB", "split it")
    if size == 0:
        raise fail(str(file), "it is empty", "the first row names the columns")
    return file.read_bytes()


def _cell_text(cell: Any, where: str) -> str:
    text = _text(cell.value, where)
    places = re.fullmatch(r"(?:#,##)?0(?:\.(0+))?", cell.number_format or "") if text else None
    if places and isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
        # As displayed: a stated 2.00 is more exact than a stated 2. Only zeros are added.
        value = Fraction(text)
        shown = to_text(value, len(places[1] or ""))
        return shown if Fraction(shown) == value else text
    return text


def _text(value: Any, where: str) -> str:
    match value:
        case None:
            text = ""
        case bool():
            text = str(value).upper()
        case str() | int() | Decimal():
            text = str(value)
        case float():
            text = f"{value:.15g}"
        case datetime() if value.time() == time():
            text = value.date().isoformat()
        case datetime() | date():
            text = value.isoformat()
        case _:
            raise fail(where, f"a cell holds {type(value).__name__}; text, a number or a date is expected")
    if len(text) > MAX_CELL:
        raise fail(where, f"a cell holds more than {MAX_CELL} characters", "shorten it")
    return text
