"""Reads tables from a folder of CSV, a JSON file or an .xlsx workbook: the same tables, every cell as text.

Numbers stay as written; a double from a workbook becomes the 15 digits that Excel shows. Files are not trusted:
sizes are bounded, workbooks with macros are refused, and XML is parsed by openpyxl through defusedxml.
"""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

from xl_conversion.core.rounding import MAX_DIGITS, shorten, to_text
from xl_conversion.inputs.problems import Broken, InputError, Problem, fail, suggestion

MAX_FILE = 200 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024
MAX_CELL = 30_000
"""Fewer than a cell holds, since a finished workbook adds words of its own."""
MAX_ROWS = 1_048_575
MAX_COLUMNS = 256
MAX_COLUMN_NAME = 255
_HEADER = "the first row names the columns"
_NO_SEPARATORS = 'write 33,831,184 as 33831184, without thousands separators, and a text with a comma as "a, b"'
_NO_COLUMN = "name each column in the row that holds the column names, or clear the cell"

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What a number format holds beside the digits: quoted and escaped text, colours, padding, currency.
_FORMAT_TEXT = re.compile(r'"[^"]*"|\[[^]]*\]|\\.|_.|\*.|[$€£¥\s]')


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column name, and its number as a spreadsheet counts."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table by name, the file (and sheet) that it came from, and what its rows are called there."""

    name: str
    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    unit: str = "row"
    header: int = 1
    """The number of the row that names the columns."""

    def problem(
        self,
        rule: str,
        row: int = 0,
        column: str = "",
        value: str = "",
        hint: str = "",
        *,
        impossible: bool = False,
    ) -> Problem:
        """A problem of this table."""
        return Problem(self.file, rule, row, column, value, hint, self.unit, impossible)

    def broken(self, row: Row, broken: Broken) -> Problem:
        """The problem that a row of this table breaks a rule."""
        value = row.cells.get(broken.column, "")
        hint = suggestion(value, broken.known) or broken.hint
        return self.problem(broken.rule, row.number, broken.column, value, hint, impossible=broken.impossible)


def read_tables(path: Path, known: Sequence[str]) -> dict[str, Table]:
    """The tables at `path`, a folder, .json or .xlsx; `known` are the names that tables may have.

    Raises InputError with what is wrong and what to do.
    """
    try:
        if not path.exists():
            raise fail(str(path), "there is no such file or folder", "xl-conversion example DIR writes an input")
        if path.is_dir():
            return _read_folder(path, known)
        match path.suffix.lower():
            case ".json":
                return _read_json(path, known)
            case ".xlsx":
                return _read_workbook(path, known)
    except PermissionError as problem:
        raise fail(str(path), "it may not be read", "check its permissions, and close it elsewhere") from problem
    except OSError as problem:
        raise fail(str(path), f"it cannot be read: {problem.strerror}") from problem
    raise fail(str(path), "not an input", "give a folder of CSV files, a .json or an .xlsx file")


def csv_cells(file: Path) -> list[list[str]]:
    """The cells of a CSV file, row by row; a blank line is a blank cell, but not at the end.

    Raises InputError as :func:`read_tables`.
    """
    try:
        rows = [list(cells) for _, cells in _csv_rows(file)]
        while rows and not rows[-1]:
            rows.pop()
        return rows
    except OSError as problem:
        raise fail(str(file), f"it cannot be read: {problem.strerror}", "check the name") from problem


def _read_folder(folder: Path, known: Sequence[str]) -> dict[str, Table]:
    # Hidden files are left by systems and editors.
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".csv" and p.name[0] != "." and p.is_file())
    if not files:
        raise fail(str(folder), "the folder holds no CSV file", f"expected {', '.join(f'{n}.csv' for n in known)}")
    tables: dict[str, Table] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            name = _table_name(file.stem, known, str(file), tables, strict=True)
            tables[name] = table_of(name, str(file), _csv_rows(file))
        except InputError as found:
            problems.extend(found.problems)
    if problems:
        raise InputError(problems)
    return tables


def _csv_rows(file: Path) -> Iterator[tuple[int, Sequence[str]]]:
    data = _bounded(file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise fail(f"{file}, line {line}", "not UTF-8 text", "save it as CSV UTF-8") from None
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
        found: dict[str, Any] = {}
        for name, value in items:
            if name in found:
                raise ValueError(f"{shorten(name)!r} is there twice in one object")
            found[name] = value
        return found

    try:
        # Numbers are kept as they are written, never as floats.
        content = json.loads(
            _bounded(file).decode("utf-8-sig"),
            parse_float=_plain,
            parse_int=str,
            parse_constant=constant,
            object_pairs_hook=pairs,
        )
    except (ValueError, RecursionError) as problem:
        raise fail(str(file), f"not JSON: {shorten(str(problem), 100)}", "check it at the place named") from None
    if not isinstance(content, dict):
        raise fail(str(file), "not an object of tables", '{"series": [{...}, ...], ...}')
    tables: dict[str, Table] = {}
    for key, records in content.items():
        name = _table_name(key, known, str(file), tables, strict=True)
        where = f"{file}, {name}"
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise fail(where, "not a list of objects", '[{"series": "...", ...}, ...]')
        columns = list(dict.fromkeys(column for record in records for column in record))
        rows = (
            (n, [_text(record.get(c), where, n, c, "object") for c in columns])
            for n, record in enumerate(records, start=1)
        )
        tables[name] = table_of(name, where, [(0, columns), *rows], unit="object")
    return tables


def _read_workbook(file: Path, known: Sequence[str]) -> dict[str, Table]:
    _check_package(file)
    import openpyxl

    tables: dict[str, Table] = {}
    opened: list[Any] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's, on what it would not write back
            # Twice, since only without the values it says which cells are formulas.
            opened = [openpyxl.load_workbook(file, read_only=True, data_only=values) for values in (True, False)]
            _check_purpose(opened[0], file)
            for sheet, formulas in zip(*(workbook.worksheets for workbook in opened), strict=True):
                name = _table_name(sheet.title, known, str(file), tables, strict=False)
                if name:
                    where = f"{file}, sheet {sheet.title}"
                    tables[name] = table_of(name, where, _sheet_rows(sheet, formulas, file), wide=_NO_COLUMN)
    except InputError:
        raise
    except Exception as problem:  # openpyxl raises nearly anything for a defective file
        cause: BaseException = problem
        while cause.__context__ is not None:  # around the reason it puts words of its own
            cause = cause.__context__
        what = " ".join(str(cause).split()) or type(cause).__name__
        raise fail(str(file), f"not a readable workbook: {shorten(what, 100)}", "save it again as .xlsx") from None
    finally:
        for workbook in opened:
            workbook.close()
    if not tables:
        raise fail(str(file), f"no sheet is named {' or '.join(known)}", "name the sheets after the tables")
    return tables


def _sheet_rows(sheet: Any, formulas: Any, file: Path) -> Iterator[tuple[int, Sequence[str]]]:
    where = f"{file}, sheet {sheet.title}"
    for one in (sheet, formulas):
        one.reset_dimensions()  # a stale dimension would hide rows
    rows = zip(
        # One cell far to the right would fill each row up to it.
        sheet.iter_rows(max_col=MAX_COLUMNS + 1),
        formulas.iter_rows(max_col=MAX_COLUMNS + 1),
        strict=True,
    )
    for number, (cells, written) in enumerate(rows, start=1):
        if number > MAX_ROWS + 1:
            raise fail(where, f"more than {MAX_ROWS} rows", "split it")
        for cell, formula in zip(cells, written, strict=True):
            # A formula that gives an empty text is blank, one that was never calculated is not known.
            if formula.data_type == "f" and cell.value is None and cell.data_type == "n":
                rule = f"the formula in {cell.coordinate} has never been calculated"
                raise InputError([Problem(where, rule, number, hint="open it in Excel and save it")])
        yield number, [_cell_text(cell, where, number) for cell in cells]


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


def _check_purpose(workbook: Any, file: Path) -> None:
    """A workbook that was made from an input is none, though some of its sheets are named like tables."""
    titles = {sheet.title for sheet in workbook.worksheets}
    if "series" in {title.strip().lower() for title in titles}:
        return
    if {"Summary", "Calculation"} <= titles:
        raise fail(str(file), "this is a workbook that export wrote, not an input", "edit the input it came from")
    if "chk_all" in workbook.defined_names:
        hint = "xl-conversion example DIR --format xlsx writes an input"
        raise fail(str(file), "this is the template or a workbook made from it, not an input", hint)


def table_of(
    name: str,
    file: str,
    lines: Iterable[tuple[int, Sequence[str]]],
    *,
    unit: str = "row",
    wide: str = _NO_SEPARATORS,
) -> Table:
    """The table in numbered lines of cells, the first of them with any being the names of the columns.

    Raises InputError with all that is wrong with it as a table.
    """
    with_cells = ((number, cells) for number, cells in lines if any(cell.strip() for cell in cells))
    header, second = next(with_cells, None), next(with_cells, None)
    if header is None:
        raise fail(file, "it is empty", _HEADER)
    if second is not None and unit == "row" and _filled(header[1]) == 1 < _filled(second[1]):
        raise fail(file, f"row {header[0]} must hold the column names", "remove the title above them")
    filled = with_cells if second is None else chain([second], with_cells)
    columns = [column_name(cell) for cell in header[1]]
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) > MAX_COLUMNS:
        raise fail(file, f"more than {MAX_COLUMNS} columns", _HEADER)
    seen: set[str] = set()
    for place, column in enumerate(columns, start=1):
        if not column:
            raise fail(file, f"column {place} has no name", _HEADER)
        if _CONTROL.search(column) or len(column) > MAX_COLUMN_NAME:
            raise fail(file, f"column {place} is named {shorten(column)!r}, which is no name", _HEADER)
        if column in seen:
            raise fail(file, f"the column {column} is there twice", "remove one of the two")
        seen.add(column)
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, cells in filled:
        if any(cell.strip() for cell in cells[len(columns) :]):
            rule = f"it has more cells than the {len(columns)} columns"
            problems.append(Problem(file, rule, number, hint=wide, unit=unit))
            continue
        if len(rows) == MAX_ROWS:
            raise fail(file, f"more than {MAX_ROWS} rows", "split it")
        padded = [*cells, *[""] * (len(columns) - len(cells))]
        row = Row(number, {column: cell.strip() for column, cell in zip(columns, padded, strict=False)})
        for column, cell in row.cells.items():
            if len(cell) > MAX_CELL:
                rule = f"a text has at most {MAX_CELL} characters"
                problems.append(Problem(file, rule, number, column, cell, unit=unit))
            elif _CONTROL.search(cell):
                rule = "it holds a character that is no text"
                problems.append(Problem(file, rule, number, column, cell, unit=unit))
        rows.append(row)
    if problems:
        raise InputError(problems)
    return Table(name, file, tuple(columns), tuple(rows), unit, header[0])


def column_name(text: str) -> str:
    """A column's or a table's name as people write it, in the spelling that is compared."""
    return text.strip().lower().replace(" ", "_")


def plain_digits(value: float) -> str:
    """The 15 digits that Excel shows of a double, without an exponent, however many that takes.

    >>> plain_digits(0.1 + 0.2), plain_digits(1e20)
    ('0.3', '100000000000000000000')
    """
    return f"{Decimal(f'{value:.15g}'):f}"


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _table_name(text: str, known: Sequence[str], file: str, read: Mapping[str, Table], *, strict: bool) -> str:
    """The table that a file or sheet is; a workbook may hold other sheets, but not one that is nearly a table."""
    name = column_name(text)
    if name in read:
        raise fail(file, f"the table {name} is there twice", "remove one of the two")
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
        raise fail(str(file), "it is empty", _HEADER)
    return file.read_bytes()


def _cell_text(cell: Any, where: str, number: int) -> str:
    if cell.data_type == "e":
        raise InputError([Problem(where, f"the cell {cell.coordinate} is {cell.value}", number, hint="mend it")])
    text = _text(cell.value, where, number, "")
    places = _places(cell.number_format or "") if text else None
    if places and isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
        # As displayed: a stated 2.00 is more exact than a stated 2. Only zeros are added.
        value = Fraction(text)
        shown = to_text(value, len(places[1] or ""))
        return shown if Fraction(shown) == value else text
    return text


def _places(number_format: str) -> re.Match[str] | None:
    """The decimals that a number format shows, whatever currency stands beside them."""
    return re.fullmatch(r"(?:#,##)?0(?:\.(0+))?", _FORMAT_TEXT.sub("", number_format).partition(";")[0])


def _plain(number: str) -> str:
    """A number of a JSON file in plain digits: programs write 0.00001 as 1e-05, and all its digits are there."""
    mantissa, _, exponent = number.lower().partition("e")
    # Bounded before anything is computed, as in the core.
    if exponent and len(mantissa) <= MAX_DIGITS and len(exponent) <= 5 and abs(int(exponent)) < MAX_DIGITS:
        return f"{Decimal(number):f}"
    return number


def _text(value: Any, where: str, number: int, column: str, unit: str = "row") -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case str() | int() | Decimal():
            return str(value)
        case float():
            return plain_digits(value)
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
    rule = f"{type(value).__name__} is not text, a number or a date"
    rule = f"{column}: {rule}" if column else rule
    raise InputError([Problem(where, rule, number, hint="give one value", unit=unit)])
