"""Saving an openpyxl workbook: every formula with its value, every number exact, the same bytes every time.

``Workbook.save`` alone leaves each formula blank until a host has recalculated (mail previews and pandas
never do), writes numbers with 16 digits where a double needs 17, and stamps the clock into the file. Here the
saved parts are completed and zipped again.
"""

from __future__ import annotations

import html
import math
import os
import re
from collections import UserDict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from typing import Any, TypeAlias, cast
from xml.sax import SAXParseException  # the class only; parsing is left to defusedxml
from xml.sax.handler import ContentHandler
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from defusedxml.sax import parseString
from openpyxl import Workbook
from openpyxl.cell.cell import ERROR_CODES, Cell
from openpyxl.utils import quote_sheetname
from openpyxl.worksheet.cell_range import CellRange

from xl_conversion.files import SaveError, write_atomically

MAX_TEXT = 32_767
"""The characters (UTF-16 units) that a cell holds."""

CellKey: TypeAlias = tuple[str, str]
"""Sheet title and coordinate, such as ``("Summary", "B5")``."""

# What XML 1.0 cannot carry at all, escaped or not.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_COORDINATE = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}")
# A formula cell as openpyxl writes it, with lxml or without. No raw "<" occurs within a text.
_FORMULA_CELL = re.compile(rb'<c r="([A-Z]+[0-9]+)"([^>]*)>(<f(?: [^>]*)?(?:/>|>[^<]*</f>))<v ?(?:/>|></v>)</c>')
_FORMULA = re.compile(rb"<f[ />]")


class ExcelErrorText(str):
    """An error value such as ``#N/A``, as distinct from a text that looks like one. ValueError if unknown."""

    __slots__ = ()

    def __new__(cls, code: str) -> ExcelErrorText:
        if code not in ERROR_CODES:
            raise ValueError(f"{code!r} is not an error code that a file can hold: {', '.join(ERROR_CODES)}")
        return super().__new__(cls, code)


CachedValue: TypeAlias = float | int | str | bool | ExcelErrorText


class CachedValues(UserDict[CellKey, CachedValue]):
    """The values of formula cells: ``cached["Summary", "B5"] = 1.5``. A date is given as its serial number.

    Setting raises ValueError for what is no cell and what no cell can hold (a number that is not finite, text
    that is too long or has control characters), and TypeError for other types than CachedValue.
    """

    def __setitem__(self, cell: CellKey, value: CachedValue) -> None:
        sheet, coordinate = cell
        if not _COORDINATE.fullmatch(coordinate):
            raise ValueError(f"{coordinate!r} (sheet {sheet!r}) is not a cell such as B5")
        _rendered(cell, value)
        super().__setitem__(cell, value)


def save_workbook(
    workbook: Workbook, cached: Mapping[CellKey, CachedValue], path: str | os.PathLike[str], *, as_of: date
) -> None:
    """Write `workbook_bytes` to `path`: the old file or the new one, never half of one.

    Raises ValueError as `workbook_bytes` does, and SaveError if the file cannot be written.
    """
    write_atomically(path, workbook_bytes(workbook, cached, as_of=as_of))


def workbook_bytes(workbook: Workbook, cached: Mapping[CellKey, CachedValue], *, as_of: date) -> bytes:
    """The .xlsx (or .xlsm) file of `workbook`, in which each formula cell carries its value from `cached`.

    A host recalculates on opening; the values are for whoever does not. Each cell of an array formula over
    several cells needs a value. The document is dated `as_of`, so the bytes depend on nothing but the input,
    the releases of openpyxl and zlib, and on whether openpyxl was imported with lxml before this package.

    Raises ValueError, naming sheet and cell, for a formula without a value, a value without a formula and a
    number that is not finite; ValueError for a write-only workbook and for characters that XML cannot carry.
    """
    if workbook.write_only:
        raise ValueError("a write-only workbook cannot be completed with values")
    workbook.calculation.fullCalcOnLoad = True
    buffer = BytesIO()
    with _stand_ins(workbook) as (members, numbers):
        try:
            workbook.save(buffer)
        except OSError as error:  # openpyxl goes through temporary files
            hint = "Check the folder for temporary files (TMPDIR or TEMP) and the pictures in the workbook."
            raise SaveError(f"Cannot prepare the workbook: {error.strerror or error}", hint) from error
    with ZipFile(buffer) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    values = {**cached, **numbers}
    formulas: dict[CellKey, None] = {}  # a set in the order of the sheets
    for sheet in workbook.worksheets:
        name = sheet.path.removeprefix("/")
        xml, found = _filled(parts[name], sheet.title, values, members | numbers.keys())
        parts[name] = _in_order(rb"<mergeCell [^>]*>", xml)  # openpyxl keeps them in a set
        formulas |= dict.fromkeys(found)
    if missing := [key for key in formulas if key not in values]:
        raise ValueError(f"a formula without a recorded value: {_listed(missing)}")
    if unused := [key for key in cached if key not in formulas or key in numbers]:
        raise ValueError(f"a recorded value without a formula: {_listed(unused)}")

    parts["docProps/core.xml"] = re.sub(
        rb"(<dcterms:(?:created|modified)\b[^>]*>)[^<]*",
        rb"\g<1>%04d-%02d-%02dT00:00:00Z" % (as_of.year, as_of.month, as_of.day),
        parts["docProps/core.xml"],
    )
    types = "[Content_Types].xml"  # in a macro workbook their order hangs on the hash seed
    parts[types] = _in_order(rb"<(?:Default|Override) [^>]*>", parts[types])
    return _zipped(parts)


def put_text(cell: Cell, text: str) -> None:
    """Write what a user or a file supplied as text, whatever it looks like: ``=1+1``, ``#N/A``, ``-5``.

    Text that begins with = + - @ gets the quote prefix, so that entering the cell again in Excel makes no
    formula. It belongs to the style: assign styles first. Line ends become ``\\n``, characters that a workbook
    cannot hold U+FFFD, and what Excel would decode, such as ``_x0041_``, is escaped (openpyxl does not undo it).
    Raises ValueError for more than 32,767 characters.
    """
    text = _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", re.sub("\r\n?", "\n", text))
    text = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    _rendered((cell.parent.title, cell.coordinate), text)  # openpyxl would cut it off without a word
    cell.value = text
    cell.data_type = "s"
    # Only where it changes something: setting it gives the cell a style of its own.
    if (quoted := text.startswith(("=", "+", "-", "@"))) != bool(cell.quotePrefix):
        cell.quotePrefix = quoted


@contextmanager
def _stand_ins(workbook: Workbook) -> Iterator[tuple[set[CellKey], dict[CellKey, CachedValue]]]:
    """Give two kinds of cells a formula while openpyxl saves, so that `_filled` finds and rewrites them.

    They are the members of array formulas, which openpyxl would leave out of the file, and the numbers that
    it would round. Yields the members, and the numbers as they are.
    """
    members: set[CellKey] = set()
    numbers: dict[CellKey, CachedValue] = {}
    changed: list[tuple[Cell, Any, str]] = []
    for sheet in workbook.worksheets:
        for anchor, reference in sheet.array_formulae.items():
            for position in CellRange(reference).cells:
                cell = sheet.cell(*position)
                if isinstance(cell, Cell) and cell.coordinate != anchor:
                    members.add((sheet.title, cell.coordinate))
                    changed.append((cell, cell.value, cell.data_type))
        for cell in sheet._cells.values():  # iter_rows would create every cell in between
            if isinstance(cell, Cell) and cell.data_type == "n" and cell.value is not None:
                number = float(cast("float", cell.value))
                if math.isfinite(number) and float(f"{number:.16g}") == number:
                    continue
                key = sheet.title, cell.coordinate
                if key not in members:
                    _rendered(key, number)
                    numbers[key] = number
                    changed.append((cell, cell.value, cell.data_type))
    try:
        for cell, _, _ in changed:
            cell.value = "=0"
        yield members, numbers
    finally:
        for cell, value, data_type in changed:
            cell.value = value
            cell.data_type = data_type


def _filled(
    xml: bytes, title: str, values: Mapping[CellKey, CachedValue], bare: Collection[CellKey]
) -> tuple[bytes, list[CellKey]]:
    """The worksheet with `values` in its formula cells, and these cells; those in `bare` lose the formula."""
    found: list[CellKey] = []

    def with_value(match: re.Match[bytes]) -> bytes:
        key = title, match[1].decode()
        found.append(key)
        if key not in values:
            return match[0]
        kind, content = _rendered(key, values[key])
        formula = b"" if key in bare else match[3]
        return b'<c r="%b"%b%b>%b%b</c>' % (match[1], match[2], kind.encode(), formula, content.encode())

    done, count = _FORMULA_CELL.subn(with_value, xml)
    if count != len(_FORMULA.findall(xml)):
        raise RuntimeError(f"sheet {title!r} holds a formula in a form that is not known here")
    return done, found


def _rendered(key: CellKey, value: CachedValue) -> tuple[str, str]:
    """The type attribute and the ``<v>`` element of a value; ValueError or TypeError names the cell `key`."""
    match value:
        case bool():  # before int, which it is too
            return ' t="b"', f"<v>{int(value)}</v>"
        case ExcelErrorText():
            return ' t="e"', f"<v>{value}</v>"
        case str():
            if found := _ILLEGAL.search(value):
                raise ValueError(f"{_listed([key])}: a text holds the character U+{ord(found[0]):04X}")
            if (length := len(value.encode("utf-16-le")) // 2) > MAX_TEXT:
                raise ValueError(f"{_listed([key])}: a text of {length:,} characters; a cell holds {MAX_TEXT:,}")
            space = ' xml:space="preserve"' if value != value.strip() else ""
            escaped = html.escape(value, quote=False).replace("\r", "&#13;")  # a bare one would be read as \n
            return ' t="str"', f"<v{space}>{escaped}</v>"
        case float() | int():
            try:
                return "", f"<v>{_number(value)}</v>"
            except (ValueError, OverflowError):
                raise ValueError(f"{_listed([key])}: a number that no cell can hold: {value}") from None
        case _:
            raise TypeError(f"{_listed([key])}: {value!r} is not a number, a text, a truth value or an error")


def _number(value: float) -> str:
    """The shortest decimal that reads back as the same double."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return repr(number + 0.0).removesuffix(".0")  # adding zero turns -0.0 into 0.0


def _listed(keys: list[CellKey]) -> str:
    shown = ", ".join(f"{quote_sheetname(sheet)}!{coordinate}" for sheet, coordinate in keys[:10])
    return f"{shown} and {len(keys) - 10:,} more" if len(keys) > 10 else shown


def _in_order(element: bytes, xml: bytes) -> bytes:
    """Each run of adjacent elements in alphabetical order."""
    return re.sub(rb"(?:%b)+" % element, lambda run: b"".join(sorted(re.findall(element, run[0]))), xml)


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name in sorted(parts):  # which puts [Content_Types].xml first, where readers like it
            if name.endswith((".xml", ".rels")):
                try:  # better no file than one that Excel refuses: titles, comments and so on come from users
                    parseString(parts[name], ContentHandler())
                except SAXParseException as error:
                    raise ValueError(f"{name} holds what no workbook can carry: {error}") from error
            entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3  # Unix on every system
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, parts[name], compresslevel=6)
    return buffer.getvalue()
