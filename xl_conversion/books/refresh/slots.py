"""Where the input cells of a model stand in a workbook of today: found by defined names and headers, wherever rows
and columns have moved and whatever the sheets are called by now."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Protocol

from openpyxl.utils import column_index_from_string, get_column_letter

from xl_conversion.books.refresh.package import Constant, RefreshError, StoredCell
from xl_conversion.books.saving import ExcelErrorText
from xl_conversion.books.templates.filling import Content
from xl_conversion.core.rounding import shorten

MOST_ROWS = 20_000
"""Of a table."""
_ADDRESS = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!\$?([A-Z]{1,3})\$?(\d+)(?::\$?([A-Z]{1,3})\$?(\d+))?")
PREFIXES = ("in_", "out_", "chk_")
SOURCE, COMPLETE = "Source", "Complete"
LABELS, VALUES = ("Input", "Stated figure"), ("Value", "As written")
"""Headers of a list of single inputs: of the words that say what one is, and of the inputs."""
_DAY_ZERO = date(1899, 12, 30)
"""Serial numbers count from it, for every day from March 1900 on."""


class Sheet(Protocol):
    """A worksheet: its title, and the name that stays when that is changed, "" for none."""

    @property
    def title(self) -> str: ...
    @property
    def code_name(self) -> str: ...


class Workbook(Protocol):
    """A workbook as a file or as it is open in a host."""

    @property
    def names(self) -> Mapping[str, str]:
        """Defined names and what they refer to."""
        ...

    @property
    def sheets(self) -> Sequence[Sheet]:
        """Its worksheets."""
        ...

    def cells(self, title: str) -> Mapping[str, StoredCell]:
        """Of one sheet, by coordinate."""
        ...


@dataclass(frozen=True, slots=True)
class Slot:
    """One cell."""

    sheet: str
    coordinate: str


@dataclass(frozen=True, slots=True)
class TableSlots:
    """A table: the column of each header, and its first and last row below them."""

    name: str
    sheet: str
    columns: Mapping[str, str]
    first: int
    last: int
    twice: frozenset[str] = frozenset()
    """Headers that two columns have."""

    def slot(self, row: int, header: str) -> Slot:
        """The cell under `header` in that row of the sheet. Raises RefreshError where the column is gone, or
        there twice."""
        if header in self.twice:
            raise RefreshError(
                f"The table {self.name} on {self.sheet} has two columns {header}", "Rename the one that is yours."
            )
        if header not in self.columns:
            raise RefreshError(
                f"The table {self.name} on {self.sheet} has no column {header}",
                "Put its header back: columns are found by their headers.",
            )
        return Slot(self.sheet, f"{self.columns[header]}{row}")


class Snapshot:
    """A workbook that is open in a host, read once: each reading takes a while, and it may be edited meanwhile."""

    def __init__(self, workbook: Workbook) -> None:
        self.sheets, self.names = tuple(workbook.sheets), dict(workbook.names)
        self._cells = {sheet.title: workbook.cells(sheet.title) for sheet in self.sheets}

    def cells(self, title: str) -> Mapping[str, StoredCell]:
        """Of one sheet, by coordinate."""
        return self._cells[title]


class Slots:
    """The inputs of a workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._lists: dict[str, list[tuple[int, dict[str, str]]]] = {}

    @cached_property
    def places(self) -> Mapping[str, Slot]:
        """The first cell of everything that the model names."""
        return {name: Slot(sheet, first) for name, (sheet, first, _) in self._areas.items()}

    @cached_property
    def scalars(self) -> Mapping[str, Slot]:
        """Single inputs by name."""
        return {
            name: self.places[name] for name, (_, _, last) in self._areas.items() if _is_input(name) and not last
        }

    @cached_property
    def tables(self) -> Mapping[str, TableSlots]:
        """Tables by name, with one that a model gives out."""
        return {name: self._table(name, *area) for name, area in self._areas.items() if area[2]}

    def stored(self, slot: Slot) -> StoredCell:
        """What a cell holds."""
        return self._workbook.cells(slot.sheet).get(slot.coordinate) or StoredCell(None)

    def value(self, slot: Slot) -> Constant:
        """What a cell shows; a text without anything in it is a blank. Raises RefreshError for an error."""
        found = self.stored(slot).value
        if isinstance(found, ExcelErrorText):
            raise RefreshError(
                f"The input {slot.sheet}!{slot.coordinate} shows {found}", "Mend it, then refresh again."
            )
        return None if isinstance(found, str) and not found.strip() else found

    def given(self, name: str) -> Constant:
        """What the single input `name` shows. Raises RefreshError where the model has none."""
        if name not in self.scalars:
            raise self.missing(name)
        return self.value(self.scalars[name])

    def missing(self, name: str) -> RefreshError:
        """The error for a cell or a table that is not there by its name."""
        stands = f", it stands for {shorten(self._workbook.names[name])}" if name in self._workbook.names else ""
        return RefreshError(
            f"The workbook has no cells named {name}{stands}",
            "Was their row, column or sheet deleted? Take a copy from before.",
        )

    def label(self, slot: Slot) -> str:
        """What a single input is, by the words beside it and, where it is not the value, by its header."""
        letters, row = _letters(slot.coordinate), _row(slot.coordinate)
        headers = self._headers_above(slot)
        cells = self._workbook.cells(slot.sheet)
        for label in LABELS:
            found = cells.get(f"{headers[label]}{row}") if label in headers else None
            if found is not None and isinstance(found.value, str) and found.value.strip():
                own = next((header for header, place in headers.items() if place == letters), VALUES[0])
                return found.value.strip() + ("" if own in VALUES else f": {own.lower()}")
        return slot.coordinate

    def source_of(self, slot: Slot) -> Slot | None:
        """The cell beside a single input that says where it is from."""
        headers, letters = self._headers_above(slot), _letters(slot.coordinate)
        if SOURCE not in headers or all(headers.get(value) != letters for value in VALUES):
            return None
        return Slot(slot.sheet, f"{headers[SOURCE]}{_row(slot.coordinate)}")

    def counted(self, table: TableSlots) -> list[int]:
        """The rows that the formulas of the model count on: not those that were inserted by hand."""
        rows = list(range(table.first, table.last + 1))
        if COMPLETE not in table.columns:
            return rows
        return [row for row in rows if self.stored(table.slot(row, COMPLETE)).formula] or rows

    def rows(self, table: TableSlots, headers: Collection[str]) -> dict[int, dict[str, Constant]]:
        """The rows of a table that hold anything in the columns of `headers`, by their number."""
        found = {}
        for row in range(table.first, table.last + 1):
            values = {header: self.value(table.slot(row, header)) for header in headers}
            if any(value is not None for value in values.values()):
                found[row] = values
        return found

    @cached_property
    def _areas(self) -> Mapping[str, tuple[str, str, str]]:
        """Sheet, first and last cell of what is named; no last one for a single cell."""
        found = {}
        titles = {one.title for one in self._workbook.sheets}
        for name, text in self._workbook.names.items():
            if not name.startswith(PREFIXES):
                continue
            match = _ADDRESS.fullmatch(text.removeprefix("="))
            if match is None:  # one of the reader's own, or one whose cells were deleted
                continue
            sheet = (match[1] or "").replace("''", "'") or match[2]
            if sheet not in titles:
                continue
            last = f"{match[5]}{match[6]}" if match[5] else ""
            if match[6] and int(match[6]) - int(match[4]) > MOST_ROWS:  # no table of a model
                continue
            found[name] = sheet, f"{match[3]}{match[4]}", last
        return found

    def _headers_above(self, slot: Slot) -> Mapping[str, str]:
        """The columns of the list that a single input is in, by their headers."""
        if slot.sheet not in self._lists:
            rows: dict[int, dict[str, str]] = {}
            for coordinate, cell in self._workbook.cells(slot.sheet).items():
                if isinstance(cell.value, str) and not cell.formula:
                    rows.setdefault(_row(coordinate), {}).setdefault(cell.value.strip(), _letters(coordinate))
            found = [(row, texts) for row, texts in rows.items() if any(label in texts for label in LABELS)]
            self._lists[slot.sheet] = sorted(found, key=lambda one: one[0])
        above = [texts for row, texts in self._lists[slot.sheet] if row < _row(slot.coordinate)]
        return above[-1] if above else {}

    def _table(self, name: str, sheet: str, first: str, last: str) -> TableSlots:
        cells, top = self._workbook.cells(sheet), _row(first)
        columns: dict[str, str] = {}
        twice = set()
        left, right = (column_index_from_string(_letters(corner)) for corner in (first, last))
        for letters in map(get_column_letter, range(left, right + 1)):
            cell = cells.get(f"{letters}{top}")
            header = cell.value.strip() if cell is not None and isinstance(cell.value, str) else ""
            if header in columns:
                twice.add(header)
            elif header:
                columns[header] = letters
        return TableSlots(name, sheet, columns, top + 1, _row(last), frozenset(twice))


def _is_input(name: str) -> bool:
    return name.startswith("in_")


def constant(content: Content) -> Constant:
    """The content of an input as a cell holds it: a double, a day's serial number, a text, or nothing.

    >>> from datetime import date
    >>> constant(Fraction(641, 100)), constant(date(2002, 2, 5)), constant(""), constant(None)
    (6.41, 37292.0, None, None)
    """
    match content:
        case Fraction() | float() | int():
            return float(content)
        case date():
            return float((content - _DAY_ZERO).days)
        case str():
            return content if content.strip() else None
    return None


def _letters(coordinate: str) -> str:
    return coordinate.rstrip("0123456789")


def _row(coordinate: str) -> int:
    return int(coordinate[len(_letters(coordinate)) :])
