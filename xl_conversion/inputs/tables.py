"""Reads tables from a folder of CSV, a JSON file or an .xlsx workbook: the same tables, every cell as text.

Numbers stay as written; a double from a workbook becomes the 15 digits that Excel shows. Files are not trusted:
sizes are bounded, workbooks with macros and XML with entities are refused.
"""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree

from xl_conversion.core.rounding import MAX_DIGITS, shorten, to_text
from xl_conversion.inputs.problems import Broken, InputError, Problem, fail, suggestion

MAX_FILE = 200 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024
MAX_CELL = 30_000
"""Fewer than a cell holds, since a finished workbook adds words of its own."""
MAX_ROWS = 1_048_575
MAX_COLUMNS = 256
MAX_COLUMN_NAME = 255
MAX_UNKNOWN = 10_000
"""Rows of a sheet with cells whose value is not known: each is told, and takes memory."""
_KINDS = {".csv": "CSV", ".parquet": "Parquet"}
_HEADER = "the first row names the columns"
_NO_SEPARATORS = 'write 33,831,184 as 33831184, without thousands separators, and a text with a comma as "a, b"'
_NO_COLUMN = "name each column in the row that holds the column names, or clear the cell"

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What a number format holds beside the digits: quoted and escaped text, colours, padding, currency.
_LONG_FORMAT = re.compile(rb"formatCode\s{0,9}=\s{0,9}(?:\"[^\"]{2000}|'[^']{2000})")
_FORMAT_TEXT = re.compile(r'"[^"]*"|\[[^]]*\]|\\.|_.|\*.|[$€£¥\s]')


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column name, and its number as a spreadsheet counts."""

    number: int
    cells: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    """Cells whose value is not known; they are blank in `cells`."""


Unknown: TypeAlias = dict[int, dict[int, Problem]]
"""The problems of cells by number of the row, then by place in it."""


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
            return read_folder(path, known, {".csv": read_csv})
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


def read_folder(
    folder: Path, known: Sequence[str], readers: Mapping[str, Callable[[str, Path], Table]]
) -> dict[str, Table]:
    """The tables of a folder, one in each file, by what reads files of that ending.

    Raises InputError with the problems of all files.
    """
    # Hidden files are left by systems and editors.
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in readers and p.name[0] != "." and p.is_file())
    if not files:
        kinds = " or ".join(_KINDS[ending] for ending in readers)
        expected = ", ".join(f"{name}{next(iter(readers))}" for name in known)
        raise fail(str(folder), f"the folder holds no {kinds} file", f"expected {expected}")
    tables: dict[str, Table] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            name = table_name(file.stem, known, str(file), tables, strict=True)
            tables[name] = readers[file.suffix.lower()](name, file)
        except InputError as found:
            problems.extend(found.problems)
    if problems:
        raise InputError(problems)
    return tables


def read_csv(name: str, file: Path) -> Table:
    """The table in a CSV file."""
    return table_of(name, str(file), _csv_rows(file))


def _csv_rows(file: Path) -> Iterator[tuple[int, Sequence[str]]]:
    data = bounded(file)
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


def strict_json(data: bytes, number: Callable[[str], str] = str) -> Any:
    """What JSON says, numbers as `number` makes them of their digits, never as floats.

    Raises ValueError, or RecursionError, for what is none, and for a name that is twice in one object.
    """

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is not a number")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in items:
            if name in found:
                raise ValueError(f"{shorten(name)!r} is there twice in one object")
            found[name] = value
        return found

    return json.loads(
        data.decode("utf-8-sig"),
        parse_float=number,
        parse_int=str,
        parse_constant=constant,
        object_pairs_hook=pairs,
    )


def _read_json(file: Path, known: Sequence[str]) -> dict[str, Table]:
    try:
        content = strict_json(bounded(file), _plain)
    except (ValueError, RecursionError) as problem:
        raise fail(str(file), f"not JSON: {shorten(str(problem), 100)}", "check it at the place named") from None
    if not isinstance(content, dict):
        raise fail(str(file), "not an object of tables", '{"series": [{...}, ...], ...}')
    tables: dict[str, Table] = {}
    for key, records in content.items():
        name = table_name(key, known, str(file), tables, strict=True)
        where = f"{file}, {name}"
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise fail(where, "not a list of objects", '[{"series": "...", ...}, ...]')
        columns = list(dict.fromkeys(column for record in records for column in record))
        rows = (
            (n, [_text(record.get(c), where, n, c, "object") for c in columns])
            for n, record in enumerate(records, start=1)
        )
        tables[name] = table_of(name, where, chain([(0, columns)], rows), unit="object")
    return tables


def _read_workbook(file: Path, known: Sequence[str]) -> dict[str, Table]:
    content = _checked_package(file)
    tables = None
    try:
        tables = _read_plain(file, content, known)
    except InputError:
        raise
    except Exception:  # noqa: S110 - whatever openpyxl says without the cells, it says better of the whole
        pass
    if tables is None:
        tables = _read_whole(file, content, known)
    if not tables:
        raise fail(str(file), f"no sheet is named {' or '.join(known)}", "name the sheets after the tables")
    return tables


def _read_plain(file: Path, content: bytes, known: Sequence[str]) -> dict[str, Table]:
    """The tables of a workbook whose cells are written plainly.

    Raises any exception where openpyxl has to read it.
    """
    from xl_conversion.inputs.sheets import PlainSheets

    plain = PlainSheets(
        content,
        max_columns=MAX_COLUMNS,
        max_row=MAX_ROWS + 1,
        digits=plain_digits,
        padded=_padded,
        decimals=_decimals,
    )
    with _opened(plain.emptied, values=True) as workbook:
        _check_purpose(workbook, file)
        return _tables_of(file, known, ((sheet, plain.rows) for sheet in workbook.worksheets))


def _read_whole(file: Path, content: bytes, known: Sequence[str]) -> dict[str, Table]:
    """The tables of a workbook as openpyxl reads it."""
    try:
        # Twice, since only without the values it says which cells are formulas.
        with (
            _opened(io.BytesIO(content), values=True) as workbook,
            _opened(io.BytesIO(content), values=False) as formulas,
        ):
            _check_purpose(workbook, file)
            pairs = zip(workbook.worksheets, formulas.worksheets, strict=True)
            unknown: Unknown = {}
            rows = ((sheet, partial(_sheet_rows, written, file, unknown)) for sheet, written in pairs)
            return _tables_of(file, known, rows, unknown)
    except InputError:
        raise
    except Exception as problem:  # openpyxl raises nearly anything for a defective file
        cause: BaseException = problem
        while cause.__context__ is not None:  # around the reason it puts words of its own
            cause = cause.__context__
        what = " ".join(str(cause).split()) or type(cause).__name__
        raise fail(str(file), f"not a readable workbook: {shorten(what, 100)}", "save it again as .xlsx") from None


@contextmanager
def _opened(content: io.BytesIO, *, values: bool) -> Iterator[Any]:
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl's, on what it would not write back
        workbook = openpyxl.load_workbook(content, read_only=True, data_only=values)
        try:
            yield workbook
        finally:
            workbook.close()


def _tables_of(
    file: Path,
    known: Sequence[str],
    sheets: Iterable[tuple[Any, Callable[[Any], Iterator[tuple[int, Sequence[str]]]]]],
    unknown: Unknown | None = None,
) -> dict[str, Table]:
    """The tables among the sheets of a workbook, each with what gives its rows and notes what is `unknown`."""
    tables: dict[str, Table] = {}
    for sheet, rows in sheets:
        name = table_name(sheet.title, known, str(file), tables, strict=False)
        if name:
            where = f"{file}, sheet {sheet.title}"
            if unknown:
                unknown.clear()
            tables[name] = table_of(name, where, rows(sheet), wide=_NO_COLUMN, unknown=unknown)
    return tables


def _sheet_rows(formulas: Any, file: Path, unknown: Unknown, sheet: Any) -> Iterator[tuple[int, Sequence[str]]]:
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
        texts = []
        for place, (cell, formula) in enumerate(zip(cells, written, strict=True)):
            try:
                texts.append(_cell_text(cell, formula, where, number))
            except InputError as refused:
                if len(unknown) == MAX_UNKNOWN:
                    raise fail(where, f"more than {MAX_UNKNOWN} such rows: {refused}", "mend them all") from None
                noted = replace(refused.problems[0], value=_written(formula.value))
                unknown.setdefault(number, {})[place] = noted
                texts.append("")
        yield number, texts


def _checked_package(file: Path) -> bytes:
    """The content of a workbook that unpacks to no more than it may, has no macros and no entities."""
    content = bounded(file)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
            # What a part unpacks to is cut at the size declared, and then has another check sum.
            if sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise fail(str(file), f"it unpacks to more than {MAX_UNPACKED // 2**20} MiB", "split it")
            if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
                raise fail(str(file), "a workbook with macros is not read", "save it as .xlsx")
            for part in parts:
                _check_xml(package.read(part))
    except zipfile.BadZipFile as problem:
        if "Bad CRC" in str(problem):
            raise fail(str(file), f"not a readable workbook: {problem}", "save it again as .xlsx") from None
        raise fail(str(file), "not an .xlsx workbook", "a protected or older workbook: save it as .xlsx") from None
    except (
        ElementTree.ParseError,
        zlib.error,
        ValueError,
        RuntimeError,
        EOFError,
    ) as problem:
        what = shorten(" ".join(str(problem).split()) or type(problem).__name__, 100)
        raise fail(str(file), f"not a readable workbook: {what}", "save it again as .xlsx") from None
    return content


def _check_xml(data: bytes) -> None:
    """Refuses entities: what openpyxl parses with depends on what else is installed. Refuses number formats that
    are far longer than the 255 characters of Excel: to look for days in them takes the square of their length."""
    begun = len(data) - len(data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n"))
    head = data[begun : begun + 200]
    if head[:1] != b"<" and b"\0" not in head:
        return
    named = re.search(rb"encoding\s*=\s*[\"']([^\"']*)", head)
    usual = b"\0" not in head and (named is None or named[1].lower() in (b"utf-8", b"us-ascii"))
    if not usual or b"<!DOCTYPE" in data:
        from defusedxml.ElementTree import iterparse

        for _ in iterparse(io.BytesIO(data), forbid_dtd=False):
            pass
    if b"formatCode" in data and _LONG_FORMAT.search(data):
        raise ValueError("a number format has 2,000 characters or more")


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
    unknown: Unknown | None = None,
) -> Table:
    """The table in numbered lines of cells, the first of them with any being the names of the columns.

    `lines` may add to `unknown` the problems of cells that it gives as blank; they become problems of their rows.

    Raises InputError with all that is wrong with it as a table.
    """
    unknown = {} if unknown is None else unknown
    with_cells = ((number, cells) for number, cells in lines if "".join(cells).strip() or number in unknown)
    header, second = next(with_cells, None), next(with_cells, None)
    if header is None:
        raise fail(file, "it is empty", _HEADER)
    if header[0] in unknown:
        raise InputError(list(unknown[header[0]].values()))
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
    width = len(columns)
    for number, cells in filled:
        if len(cells) != width:
            if "".join(cells[width:]).strip():
                rule = f"it has more cells than the {width} columns"
                problems.append(Problem(file, rule, number, hint=wide, unit=unit))
                continue
            cells = [*cells[:width], *[""] * (width - len(cells))]
        if len(rows) == MAX_ROWS:
            raise fail(file, f"more than {MAX_ROWS} rows", "split it")
        row = Row(number, dict(zip(columns, map(str.strip, cells), strict=True)))
        if number in unknown:
            row = replace(row, problems=tuple(_of_columns(columns, unknown[number])))
        together = "".join(row.cells.values())
        # Of most rows one look says that all is well.
        if len(together) > MAX_CELL or not together.isprintable():
            problems.extend(_no_texts(file, row, unit))
        rows.append(row)
    if problems:
        raise InputError(problems)
    return Table(name, file, tuple(columns), tuple(rows), unit, header[0])


def _of_columns(columns: Sequence[str], unknown: Mapping[int, Problem]) -> Iterator[Problem]:
    """The problems of the cells of a row, each with its column if it has one."""
    for place, problem in unknown.items():
        yield replace(problem, column=columns[place]) if place < len(columns) else problem


def _no_texts(file: str, row: Row, unit: str) -> Iterator[Problem]:
    """What is wrong with the cells of a row as texts."""
    for column, cell in row.cells.items():
        if len(cell) > MAX_CELL:
            rule = f"a text has at most {MAX_CELL} characters"
            yield Problem(file, rule, row.number, column, cell, unit=unit)
        elif _CONTROL.search(cell):
            yield Problem(file, "it holds a character that is no text", row.number, column, cell, unit=unit)


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


def table_name(text: str, known: Sequence[str], file: str, read: Mapping[str, Table], *, strict: bool) -> str:
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


def bounded(file: Path) -> bytes:
    """The content of a file that is not too large."""
    size = file.stat().st_size
    if size > MAX_FILE:
        raise fail(str(file), f"larger than {MAX_FILE // 2**20} MiB", "split it")
    if size == 0:
        raise fail(str(file), "it is empty", _HEADER)
    return file.read_bytes()


def _cell_text(cell: Any, formula: Any, where: str, number: int) -> str:
    """What a cell shows; `formula` is the same cell as it is written."""
    # A formula that gives an empty text is blank, one that was never calculated is not known.
    if formula.data_type == "f" and cell.value is None and cell.data_type == "n":
        rule = f"the formula in {cell.coordinate} has never been calculated"
        raise InputError([Problem(where, rule, number, hint="recalculate and save the file")])
    if cell.data_type == "e":
        raise InputError([Problem(where, f"the cell {cell.coordinate} is {cell.value}", number, hint="mend it")])
    text = _text(cell.value, where, number, "")
    if text and isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
        return _padded(text, _decimals(cell.number_format or ""))
    return text


def _written(value: Any) -> str:
    """What is written in a cell; an array formula and a data table are objects of openpyxl."""
    return str(getattr(value, "text", "a data table") if hasattr(value, "ref") else value)


def _padded(text: str, decimals: int) -> str:
    """A number as displayed: a stated 2.00 is more exact than a stated 2. Only zeros are added."""
    if not decimals:
        return text
    whole, point, part = text.partition(".")
    if whole.isdecimal() and (part.isdecimal() or not point):
        return f"{whole}.{part.ljust(decimals, '0')}" if len(part) <= decimals else text
    value = Fraction(text)
    shown = to_text(value, decimals)
    return shown if Fraction(shown) == value else text


def _decimals(number_format: str) -> int:
    """How many decimals a number format shows, whatever currency stands beside them; 0 where it says none."""
    plain = _FORMAT_TEXT.sub("", number_format).partition(";")[0]
    # Excel shows 30 at the most; more would only make texts long.
    places = re.fullmatch(r"(?:#,##)?0(?:\.(0{1,30}))?", plain)
    return len(places[1] or "") if places else 0


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
