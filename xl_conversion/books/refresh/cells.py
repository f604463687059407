"""The cells of a worksheet part: read as a host reads them, and changed without touching a byte beside them.

A parser says where each cell stands in the text, and only that stretch is replaced. Whatever else the part holds
(formats, validations, links to charts and comments, elements of later versions) is never written again, so it
cannot get lost.
"""

from __future__ import annotations

import html
import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from openpyxl.utils import column_index_from_string, get_column_letter, quote_sheetname
from openpyxl.utils.datetime import from_ISO8601, to_excel

from xl_conversion.books.refresh.scanning import (
    Edit,
    RefreshError,
    XmlScan,
    damaged,
    filled,
    prefix_of,
    shown,
    spliced,
    tree_of,
    with_attributes,
)
from xl_conversion.books.saving import MAX_TEXT, ExcelErrorText
from xl_conversion.core.rounding import shorten

LAST_COLUMN, LAST_ROW = 16_384, 1_048_576
_COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_MOST_FILLED = 20_000_000
"""Cells that are looked up for the array formulas of a sheet."""

Constant: TypeAlias = float | str | bool | None
"""A number (a date is its serial number), a text, a truth value, or None for a blank."""

Range: TypeAlias = tuple[int, int, int, int]
"""First column, first row, last column, last row."""

Fixed: TypeAlias = Sequence[tuple[Range, str]]
"""Cells that must stay as they are, and what they are."""

_COORDINATE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_PIECE = re.compile(r"(\$?)([A-Za-z]*)(\$?)([0-9]*)")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
# What XML 1.0 cannot carry at all, escaped or not.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
# The references of a formula, and what may look like one: texts, names of sheets, brackets, names and functions.
_REFERENCE = re.compile(
    r""" "(?:[^"]|"")*" | '(?:[^']|'')*' | \[(?:[^][']|'.|\[(?:[^][']|'.)*\])*\]
    | (?P<reference>
        (?: \$?[A-Z]{1,3}\$?[1-9][0-9]{0,6} (?: :\$?[A-Z]{1,3}\$?[1-9][0-9]{0,6} )?
        | \$?[A-Z]{1,3}:\$?[A-Z]{1,3}
        | \$?[1-9][0-9]{0,6}:\$?[1-9][0-9]{0,6}
        ) (?![\w.!(\[\\?$])
      )
    | [\w.\\?$]+""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class StoredCell:
    """What a file holds for a cell."""

    value: Constant | ExcelErrorText
    """What is shown: of a formula, the value that was stored with it."""
    formula: str = ""
    """Without ``=``, otherwise as stored. A what-if table is ``TABLE(row input,column input)``."""
    array: str = ""
    """The range that the formula fills, if it is an array formula or a what-if table."""
    spilled_from: str = ""
    """Of the other cells of such a range: its first cell."""


@dataclass(frozen=True, slots=True)
class Cached:
    """The value to store with a formula that stays; None drops the stored one."""

    value: Constant | ExcelErrorText


Change: TypeAlias = Constant | Cached


class _Strings(XmlScan):
    tree = tree_of(":sst", "sst:si", "si:t r", "r:t")  # without rPh, which tells how to pronounce it

    def __init__(self, where: str, xml: bytes) -> None:
        self.texts: list[str] = []
        self._runs: list[str] = []
        super().__init__(where, xml)

    def begin(self, kind: str, attributes: Mapping[str, str], start: int, open_end: int) -> None:
        if kind == "t":
            self.listen()

    def finish(self, kind: str, text: str, start: int, open_end: int, end: int) -> None:
        if kind == "t":
            self._runs.append(text)
        elif kind == "si":
            self.texts.append(unescaped("".join(self._runs)))
            self._runs = []


def shared_strings(where: str, xml: bytes) -> list[str]:
    """The texts of a shared strings part: runs put together, without phonetics, ``_x0041_`` decoded."""
    return _Strings(where, xml).texts


def unescaped(text: str) -> str:
    """The text that a file means.

    >>> unescaped("a_x000D_b _x005F_x0041_")
    'a\\rb _x0041_'
    """
    if "_x" not in text:
        return text
    decoded = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    # Half a character beyond U+FFFF each, or a half without the other.
    return decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def escaped(text: str) -> str:
    """The text as a file holds it, so that a host does not decode what only looks like an escape.

    >>> escaped("_x0041_")
    '_x005F_x0041_'
    """
    return re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)


def held(text: str) -> str:
    """The text that a cell can hold: line ends become ``\\n``, what XML cannot carry U+FFFD.

    ValueError for more than 32,767 characters (UTF-16 units), as of `put_text` in ``books.saving``.
    """
    text = _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", re.sub("\r\n?", "\n", text))
    if (length := len(text.encode("utf-16-le")) // 2) > MAX_TEXT:
        raise ValueError(f"a text of {length:,} characters; a cell holds {MAX_TEXT:,}")
    return text


def position(coordinate: str) -> tuple[int, int]:
    """Column and row of ``"B5"``; ValueError if that is no cell.

    >>> position("B5")
    (2, 5)
    """
    found = _COORDINATE.fullmatch(coordinate)
    if found is None:
        raise ValueError(f"{coordinate!r} is not a cell such as B5")
    column, row = column_index_from_string(found[1]), int(found[2])
    if column > LAST_COLUMN or row > LAST_ROW:
        raise ValueError(f"{coordinate!r} is outside the sheet")
    return column, row


def range_of(reference: str) -> Range:
    """The range of ``"B5:D9"`` or ``"B5"``; ValueError if it is none.

    >>> range_of("B5:D9")
    (2, 5, 4, 9)
    """
    first, _, last = reference.replace("$", "").partition(":")
    (left, top), (right, bottom) = position(first), position(last or first)
    if right < left or bottom < top:
        raise ValueError(f"{reference!r} is not a range such as B5:D9")
    return left, top, right, bottom


def moved(formula: str, origin: str, target: str) -> str:
    """The formula of a cell as another cell shares it. A reference that leaves the sheet is ``#REF!``.

    >>> moved("SUM(A$1:A2)*Rates!$B3+'It''s A1'!C4+Data[A1]", "B2", "D5")
    "SUM(C$1:C5)*Rates!$B6+'It''s A1'!E7+Data[A1]"
    """
    # openpyxl's Translator loses the sheet of a name, and takes Jan:Mar in Jan:Mar!A1 for columns.
    (column, row), (to_column, to_row) = position(origin), position(target)

    def shifted(found: re.Match[str]) -> str:
        if found["reference"] is None:
            return found[0]
        pieces = [_moved(piece, to_column - column, to_row - row) for piece in found[0].split(":")]
        return "#REF!" if None in pieces else ":".join(map(str, pieces))

    return _REFERENCE.sub(shifted, formula)


def _moved(piece: str, columns: int, rows: int) -> str | None:
    """A cell, a column or a row moved, but for what stands behind a dollar sign; None if it leaves the sheet."""
    found = _PIECE.fullmatch(piece)
    if found is None:
        raise RuntimeError(piece)
    column_fixed, letters, row_fixed, digits = found.groups()
    if not letters:  # the dollar sign of a row alone is matched as the first
        column_fixed, row_fixed = "", column_fixed
    if letters and not column_fixed:
        column = column_index_from_string(letters) + columns
        if not 1 <= column <= LAST_COLUMN:
            return None
        letters = get_column_letter(column)
    if digits and not row_fixed:
        row = int(digits) + rows
        if not 1 <= row <= LAST_ROW:
            return None
        digits = str(row)
    return f"{column_fixed}{letters}{row_fixed}{digits}"


@dataclass(slots=True)
class _Cell:
    """A ``<c>`` element."""

    coordinate: str
    column: int
    row: int
    kind: str
    start: int
    open_end: int
    end: int = 0
    value: str | None = None
    inline: str | None = None
    formula: str = ""
    shares: Mapping[str, str] | None = None
    """The attributes of ``<f>``, None without one."""
    children: list[tuple[str, int, int]] = field(default_factory=list)
    """``f``, ``v`` and ``is``: from where to where."""


@dataclass(slots=True)
class _Row:
    """A ``<row>`` element."""

    number: int
    attributes: Mapping[str, str]
    start: int
    open_end: int
    end: int = 0
    cells: list[_Cell] = field(default_factory=list)


class _Sheet(XmlScan):
    tree: ClassVar[Mapping[tuple[str, str], str]] = {
        **tree_of(
            ":worksheet",
            "worksheet:dimension cols sheetData mergeCells",
            "cols:col",
            "sheetData:row",
            "row:c",
            "c:f v is",
            "is:t r",
            "r:t",
            "mergeCells:mergeCell",
        ),
        **{
            (parent, f"{_COMPATIBILITY}}}AlternateContent"): "AlternateContent"
            for parent in ("sheetData", "row", "c")
        },
    }

    def __init__(self, where: str, xml: bytes) -> None:
        self.rows: list[_Row] = []
        self.cells: dict[str, _Cell] = {}
        self.styles: list[tuple[int, int, str]] = []
        """First and last column, style."""
        self.merged: list[Range] = []
        self.dimension: tuple[int, int, str] | None = None
        self.data = (0, 0)
        """Where the start tag of all rows begins and ends."""
        self._runs: list[str] = []
        super().__init__(where, xml)
        if not self.data[1]:
            raise damaged(where, "it has no place for rows")

    def begin(self, kind: str, attributes: Mapping[str, str], start: int, open_end: int) -> None:
        if kind == "c":
            self._begin_cell(attributes, start, open_end)
        elif kind == "f":
            self.rows[-1].cells[-1].shares = attributes
            self.listen()
        elif kind in ("v", "t"):
            self.listen()
        elif kind == "row":
            last = self.rows[-1].number if self.rows else 0
            number = self._integer(attributes.get("r", str(last + 1)), LAST_ROW)
            if number <= last:
                raise damaged(self.where, f"row {number} comes after row {last}")
            self.rows.append(_Row(number, attributes, start, open_end))
        elif kind == "AlternateContent":
            raise damaged(self.where, "it has alternative cells")
        elif kind == "sheetData":
            if self.data[1]:
                raise damaged(self.where, "its rows come twice")
            self.data = start, open_end
        elif kind == "dimension":
            self.dimension = start, open_end, attributes.get("ref", "")
        elif kind == "col":
            first, last = (self._integer(attributes.get(name, ""), LAST_COLUMN) for name in ("min", "max"))
            self.styles.append((first, last, attributes.get("style", "0")))
        elif kind == "mergeCell":
            self.merged.append(self._range(attributes.get("ref", "")))

    def finish(self, kind: str, text: str, start: int, open_end: int, end: int) -> None:
        if kind == "c":
            self.rows[-1].cells[-1].end = end
        elif kind == "row":
            self.rows[-1].end = end
        elif kind == "t":
            self._runs.append(text)
        elif kind in ("f", "v", "is"):
            cell = self.rows[-1].cells[-1]
            if any(kind == other for other, _, _ in cell.children):
                raise damaged(self.where, f"the cell {cell.coordinate} has two of <{kind}>")
            cell.children.append((kind, start, end))
            if kind == "f":
                cell.formula = text
            elif kind == "v":
                cell.value = text
            else:
                cell.inline, self._runs = "".join(self._runs), []

    def _begin_cell(self, attributes: Mapping[str, str], start: int, open_end: int) -> None:
        row = self.rows[-1]
        last = row.cells[-1].column if row.cells else 0
        coordinate = attributes.get("r", "")
        if coordinate:
            try:
                column, number = position(coordinate)
            except ValueError as error:
                raise damaged(self.where, str(error)) from None
            if number != row.number or column <= last:
                raise damaged(self.where, f"the cell {coordinate} is out of place")
        else:
            column = last + 1
            if column > LAST_COLUMN:
                raise damaged(self.where, f"row {row.number} has too many cells")
            coordinate = f"{get_column_letter(column)}{row.number}"
        cell = _Cell(coordinate, column, row.number, attributes.get("t", "n"), start, open_end)
        row.cells.append(cell)
        self.cells[coordinate] = cell

    def _integer(self, text: str, most: int) -> int:
        if not re.fullmatch("[0-9]{1,7}", text) or not 1 <= int(text) <= most:
            raise damaged(self.where, f"{shorten(text)!r} is no number of a row or column")
        return int(text)

    def _range(self, text: str) -> Range:
        try:
            return range_of(text)
        except ValueError as error:
            raise damaged(self.where, str(error)) from None


class Worksheet:
    """The cells of a worksheet part, and the part with some of them changed.

    `where` names the part in messages; `strings` gives the shared texts once they are needed. Raises
    RefreshError for a part that cannot be read for certain.
    """

    def __init__(self, where: str, title: str, xml: bytes, strings: Callable[[], Sequence[str]]) -> None:
        self.title = title
        self.xml = xml
        self._strings = strings
        self._sheet = _Sheet(where, xml)
        self._filled: list[tuple[Range, str]] = []
        self.cells: Mapping[str, StoredCell] = self._read()

    def patched(self, changes: Mapping[str, Change], fixed: Fixed = ()) -> bytes:
        """The part with `changes` by coordinate: the same bytes, if they are what the cells hold already.

        A constant becomes another constant or is created in the format of its row or column, a formula gets
        another stored value. RefreshError for a constant in the place of a formula, a formula that is not there,
        and for a cell that is merged into another or among those in `fixed`. ValueError for what no cell can hold.
        """
        edits: list[Edit] = []
        created: dict[int, dict[int, _Value]] = {}
        for coordinate, change in changes.items():
            place = position(coordinate)
            stored = self.cells.get(coordinate)
            value = self._checked(coordinate, stored, change)
            if _same(value, stored.value if stored else None):
                continue
            if not isinstance(change, Cached):  # what a formula shows is no change of the reader's
                self._refuse_fixed(coordinate, place, fixed)
            new = _Value(value, isinstance(change, Cached))
            if cell := self._sheet.cells.get(coordinate):
                edits.append(self._changed(cell, new))
            else:
                created.setdefault(place[1], {})[place[0]] = new
        if created:
            edits += self._created(created)
        return spliced(self.xml, edits) if edits else self.xml

    def _read(self) -> dict[str, StoredCell]:
        sheet, cells = self._sheet, self._sheet.cells
        masters: dict[str, tuple[str, str]] = {}
        for cell in cells.values():
            if cell.shares and cell.shares.get("t") == "shared" and cell.formula:
                masters.setdefault(cell.shares.get("si", ""), (cell.coordinate, cell.formula))
        formulas = {
            cell.coordinate: self._formula(cell, masters) for cell in cells.values() if cell.shares is not None
        }
        arrays: dict[str, str] = {}
        spilled: dict[str, str] = {}
        looked_up = 0
        for coordinate in formulas:
            cell = cells[coordinate]
            if (cell.shares or {}).get("t") not in ("array", "dataTable"):
                continue
            reference = (cell.shares or {}).get("ref", "") or coordinate
            area = sheet._range(reference)
            if area[:2] != (cell.column, cell.row):
                raise damaged(sheet.where, f"the formula in {coordinate} fills {reference}")
            arrays[coordinate] = reference
            if area[:2] == area[2:]:
                continue
            self._filled.append((area, coordinate))
            size = (area[2] - area[0] + 1) * (area[3] - area[1] + 1)
            looked_up += min(size, len(cells))
            if looked_up > _MOST_FILLED:
                raise damaged(sheet.where, "its array formulas overlap")
            inside: Iterable[str] = (
                _within(area)
                if size < len(cells)
                else (one.coordinate for one in cells.values() if _holds(area, one.column, one.row))
            )
            spilled.update((one, coordinate) for one in inside if one in cells and one not in formulas)
        found = {}
        for coordinate, cell in cells.items():
            value = self._value(cell)
            formula, origin = formulas.get(coordinate, ""), spilled.get(coordinate, "")
            if value is not None or formula or origin:
                found[coordinate] = StoredCell(value, formula, arrays.get(coordinate, ""), origin)
        return found

    def _formula(self, cell: _Cell, masters: Mapping[str, tuple[str, str]]) -> str:
        attributes = cell.shares or {}
        if attributes.get("t") == "dataTable":
            first, second = attributes.get("r1", ""), attributes.get("r2", "")
            if _true(attributes.get("dt2D", "")):
                return f"TABLE({first},{second})"
            return f"TABLE({first},)" if _true(attributes.get("dtr", "")) else f"TABLE(,{first})"
        if attributes.get("t") != "shared" or cell.formula:
            return cell.formula.removeprefix("=")
        if (master := masters.get(attributes.get("si", ""))) is None:
            raise damaged(self._sheet.where, f"the cell {cell.coordinate} shares a formula that is not there")
        return moved(master[1].removeprefix("="), master[0], cell.coordinate)

    def _value(self, cell: _Cell) -> Constant | ExcelErrorText:
        text = cell.value
        match cell.kind:
            case "inlineStr":
                return None if cell.inline is None else unescaped(cell.inline)
            case "str":
                return None if text is None else unescaped(text)
        text = (text or "").strip(" \t\r\n")
        if not text:
            return None
        match cell.kind:
            case "n" if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
                return number
            case "b" if text in ("0", "1", "true", "false"):
                return _true(text)
            case "e":
                try:
                    return ExcelErrorText(text)
                except ValueError:  # one that came later; Excel itself stores #SPILL! and its like so
                    return ExcelErrorText("#VALUE!")
            case "s" if text.isascii() and text.isdigit():
                strings = self._strings()
                if int(text) < len(strings):
                    return strings[int(text)]
            case "d":
                with suppress(ValueError):
                    return _serial(text)
        raise damaged(self._sheet.where, f"the cell {cell.coordinate} holds {shorten(text)!r}")

    def _checked(self, coordinate: str, stored: StoredCell | None, change: Change) -> Constant | ExcelErrorText:
        """The new value as a cell can hold it."""
        where = self._named(coordinate)
        origin = stored.spilled_from if stored else self._filling(*position(coordinate))
        source = self.cells[origin] if origin else stored
        computed = source is not None and bool(source.formula or source.array)
        if source and computed and not isinstance(change, Cached):
            formula = shorten(" ".join(source.formula.split()), 60)
            raise RefreshError(
                f"{where} holds the formula ={formula}, and no value may replace a formula",
                f"Clear {origin or coordinate} if an input belongs there, and try again.",
            )
        if isinstance(change, Cached) and not computed:
            raise RefreshError(f"{where} holds no formula that a result could be stored with", "Look at the cell.")
        value = change.value if isinstance(change, Cached) else change
        try:
            if isinstance(value, str) and not isinstance(value, ExcelErrorText):
                return held(value)
            if isinstance(value, float | int) and not isinstance(value, bool):
                _number(value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{where}: {error}") from None
        return value

    def _filling(self, column: int, row: int) -> str:
        """The first cell of the range that a formula fills, if the cell is in one."""
        return next((first for area, first in self._filled if _holds(area, column, row)), "")

    def _refuse_fixed(self, coordinate: str, place: tuple[int, int], fixed: Fixed) -> None:
        for area in self._sheet.merged:
            if _holds(area, *place) and area[:2] != place:
                first = f"{get_column_letter(area[0])}{area[1]}"
                raise RefreshError(
                    f"{self._named(coordinate)} is merged into {first}", f"Unmerge the cells, or use {first}."
                )
        for area, what in fixed:
            if _holds(area, *place):
                raise RefreshError(
                    f"{self._named(coordinate)} is {what}, which must stay as it is",
                    "Move one of the two elsewhere.",
                )

    def _named(self, coordinate: str) -> str:
        return f"{quote_sheetname(shown(self.title))}!{coordinate}"

    def _changed(self, cell: _Cell, new: _Value) -> Edit:
        """The element with another value; formula, style and what else there is stay."""
        xml = self.xml
        tag = xml[cell.start : cell.open_end]
        kind, content = new.rendered(prefix_of(tag))
        if kind or cell.kind != "n":  # t="n" may stay
            tag = with_attributes(tag, {b"t": kind})
        tag = with_attributes(tag, {b"vm": None})  # it said more of the old value
        if tag.endswith(b"/>"):
            return cell.start, cell.end, filled(tag, content)
        values = [(start, end) for child, start, end in cell.children if child != "f"]
        formulas = [end for child, _, end in cell.children if child == "f"]
        place = values[0] if values else (formulas or [cell.open_end]) * 2
        close = xml.rindex(b"<", cell.start, cell.end)
        edits = [(place[0], place[1], content), *((start, end, b"") for start, end in values[1:])]
        inner = spliced(
            xml[cell.open_end : close],
            ((start - cell.open_end, end - cell.open_end, put) for start, end, put in edits),
        )
        if not inner.strip():
            return cell.start, cell.end, tag[:-1] + b"/>"
        return cell.start, cell.end, tag + inner + xml[close : cell.end]

    def _created(self, created: Mapping[int, Mapping[int, _Value]]) -> list[Edit]:
        """The edits that put new cells, by row and column, where they belong."""
        sheet, xml = self._sheet, self.xml
        data_start, data_end = sheet.data
        data = xml[data_start:data_end]
        numbers = [row.number for row in sheet.rows]
        edits: list[Edit] = []
        for number in sorted(created):
            index = bisect_left(numbers, number)
            if index < len(numbers) and numbers[index] == number:
                edits += self._extended(sheet.rows[index], created[number])
                continue
            prefix = prefix_of(data)
            cells = b"".join(
                self._cell(number, one, created[number][one], prefix) for one in sorted(created[number])
            )
            row = b'<%brow r="%d">%b</%brow>' % (prefix, number, cells, prefix)
            place = sheet.rows[index - 1].end if index else data_end
            edits.append((place, place, row))
        if data.endswith(b"/>"):
            edits = [(data_start, data_end, filled(data, b"".join(new for _, _, new in edits)))]
        return edits + self._dimension(created)

    def _extended(self, row: _Row, created: Mapping[int, _Value]) -> list[Edit]:
        """The edits that put new cells, by column, into a row that is there."""
        xml = self.xml
        tag = xml[row.start : row.open_end]
        spans = [int(end) for end in re.findall("[0-9]+", row.attributes.get("spans", ""))]
        if spans and not min(spans) <= min(created) <= max(created) <= max(spans):
            first, last = min(*spans, *created), max(*spans, *created)
            tag = with_attributes(tag, {b"spans": b"%d:%d" % (first, last)})
        style = row.attributes.get("s", "") if _true(row.attributes.get("customFormat", "")) else ""
        cells = {one: self._cell(row.number, one, created[one], prefix_of(tag), style) for one in sorted(created)}
        if tag.endswith(b"/>"):
            return [(row.start, row.open_end, filled(tag, b"".join(cells.values())))]
        edits = [] if tag == xml[row.start : row.open_end] else [(row.start, row.open_end, tag)]
        columns = [cell.column for cell in row.cells]
        for column, cell in cells.items():
            index = bisect_left(columns, column)
            place = row.cells[index - 1].end if index else row.open_end
            edits.append((place, place, cell))
        return edits

    def _cell(self, row: int, column: int, new: _Value, prefix: bytes, style: str = "") -> bytes:
        """A new element, in the format of its row, else of its column."""
        style = style or next((style for first, last, style in self._sheet.styles if first <= column <= last), "")
        kind, content = new.rendered(prefix)
        tag = b'<%bc r="%b%d"/>' % (prefix, get_column_letter(column).encode(), row)
        tag = with_attributes(tag, {b"s": style.encode() if style.strip("0") else None, b"t": kind})
        return filled(tag, content)

    def _dimension(self, created: Mapping[int, Mapping[int, _Value]]) -> list[Edit]:
        """The edit that widens what the part says of the cells that it uses, if that is needed."""
        if self._sheet.dimension is None:
            return []
        start, end, reference = self._sheet.dimension
        try:
            left, top, right, bottom = range_of(reference)
        except ValueError:
            return []
        columns = [column for row in created.values() for column in row]
        area = min(left, *columns), min(top, *created), max(right, *columns), max(bottom, *created)
        if area == (left, top, right, bottom):
            return []
        wider = f"{get_column_letter(area[0])}{area[1]}:{get_column_letter(area[2])}{area[3]}"
        return [(start, end, with_attributes(self.xml[start:end], {b"ref": wider.encode()}))]


@dataclass(frozen=True, slots=True)
class _Value:
    """What a cell is to hold; `computed` beside a formula."""

    value: Constant | ExcelErrorText
    computed: bool

    def rendered(self, prefix: bytes) -> tuple[bytes | None, bytes]:
        """The type attribute and the element of the value."""
        match self.value:
            case None:
                return None, b""
            case bool():
                return b"b", b"<%bv>%d</%bv>" % (prefix, self.value, prefix)
            case ExcelErrorText():
                return b"e", b"<%bv>%b</%bv>" % (prefix, self.value.encode(), prefix)
            case str():
                text = html.escape(escaped(self.value), quote=False).encode()
                space = b' xml:space="preserve"' if self.value != self.value.strip() else b""
                if self.computed:
                    return b"str", b"<%bv%b>%b</%bv>" % (prefix, space, text, prefix)
                # Within the cell, so that the part with the shared texts stays as it is.
                return b"inlineStr", b"<%bis><%bt%b>%b</%bt></%bis>" % (
                    prefix,
                    prefix,
                    space,
                    text,
                    prefix,
                    prefix,
                )
        return None, b"<%bv>%b</%bv>" % (prefix, _number(self.value).encode(), prefix)


def _number(value: float) -> str:
    """The shortest decimal that reads back as the same double."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a number that no cell can hold: {value}")
    return repr(number + 0.0).removesuffix(".0")  # adding zero turns -0.0 into 0.0


def _serial(text: str) -> float:
    """The serial number of a date, a time or both in ISO 8601."""
    serial: float = to_excel(from_ISO8601(text.removesuffix("Z")))  # type: ignore[no-untyped-call]
    return float(serial)


def _same(one: Constant | ExcelErrorText, other: Constant | ExcelErrorText) -> bool:
    return _sort(one) is _sort(other) and one == other


def _sort(value: Constant | ExcelErrorText) -> type:
    return float if type(value) is int else type(value)


def _true(text: str) -> bool:
    return text in ("1", "true")


def _holds(area: Range, column: int, row: int) -> bool:
    return area[0] <= column <= area[2] and area[1] <= row <= area[3]


def _within(area: Range) -> Iterable[str]:
    letters = [get_column_letter(column) for column in range(area[0], area[2] + 1)]
    return (f"{letter}{row}" for row in range(area[1], area[3] + 1) for letter in letters)
