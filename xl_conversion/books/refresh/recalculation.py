"""The values of a workbook's formulas after its inputs were changed, computed as a host computes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from openpyxl.utils import column_index_from_string, get_column_letter, range_boundaries
from openpyxl.utils.cell import coordinate_from_string

from xl_conversion.books.refresh.package import Constant, StoredCell
from xl_conversion.books.saving import ExcelErrorText
from xl_conversion.books.templates.evaluation import Evaluator, Result
from xl_conversion.books.templates.syntax import Name, NotUsedHere, Reference, parsed
from xl_conversion.books.templates.values import Area, FormulaError, Held
from xl_conversion.functions.boundary import ERROR_CODES, VALUE, CellError

Key: TypeAlias = tuple[str, str]

MOST_CELLS = 1_000_000
"""Cells of a range that a formula may name."""
MOST_READ = 5_000_000
"""Cells of all ranges together."""
LAST_COLUMN, LAST_ROW = 16_384, 1_048_576


class Unknown(Exception):
    """A formula uses what is not known here, or depends on a cell with one that does; `root` is that cell."""

    def __init__(self, reason: str, root: str) -> None:
        super().__init__(f"{root}: {reason}")
        self.reason, self.root = reason, root


class _Needed(Exception):
    """Cells that have to be computed first."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__(keys)
        self.keys = keys


def recalculated(
    cells: Mapping[str, Mapping[str, StoredCell]],
    names: Mapping[str, str],
    changes: Mapping[Key, Constant],
    sheets: Collection[str],
) -> dict[Key, Constant | ExcelErrorText | Unknown]:
    """The value of every formula on `sheets`, and of every cell that an array formula fills.

    `cells` are by sheet and coordinate, `names` are what the defined names stand for; `changes` replaces cells,
    also such with formulas. An error is an ExcelErrorText; where a formula uses what is not known here, or depends
    on such a cell, its value is the Unknown that says why.
    """
    workbook = _Workbook(cells, names, changes)
    return {
        (sheet, coordinate): workbook.value((sheet, coordinate))
        for sheet in sheets
        for coordinate, cell in cells.get(sheet, {}).items()
        if (cell.formula or cell.spilled_from) and (sheet, coordinate) not in changes
    }


class _Workbook:
    def __init__(
        self,
        cells: Mapping[str, Mapping[str, StoredCell]],
        names: Mapping[str, str],
        changes: Mapping[Key, Constant],
    ) -> None:
        self._cells, self._changes = cells, changes
        self._names = {name.casefold(): target for name, target in names.items()}
        self._sheets = {sheet.casefold(): sheet for sheet in cells}
        self._origins: dict[Key, str] = {}
        self._unclear: set[str] = set()
        for sheet, stored in cells.items():
            for coordinate, cell in stored.items():
                self._note_origins(sheet, coordinate, cell)
        self._found: dict[Key, Held | Unknown] = {}
        self._areas: dict[tuple[str, str, str], Area] = {}
        self._read_cells = 0
        self._results: dict[Key, dict[str, Result]] = {}

    def value(self, key: Key) -> Constant | ExcelErrorText | Unknown:
        """What a cell shows; everything that it depends on is computed first, whatever the depth."""
        waiting, path = [key], set()
        while waiting:
            current = waiting[-1]
            if current not in self._found:
                path.add(current)
                try:
                    self._found[current] = self._computed(current)
                except _Needed as needed:
                    if path.isdisjoint(needed.keys):
                        waiting.extend(needed.keys)
                        continue
                    self._found[current] = Unknown("it depends on itself", _address(current))
            path.discard(current)
            waiting.pop()
        found = self._found[key]
        if isinstance(found, CellError):
            return ExcelErrorText(found.code if found.code in ERROR_CODES else VALUE)
        if isinstance(found, Unknown | float | str | bool) or found is None:
            return found
        raise TypeError(f"{_address(key)}: {found!r}")

    def _note_origins(self, sheet: str, coordinate: str, cell: StoredCell) -> None:
        """The other cells of an array formula, also such as no value was stored for, with its first one."""
        if cell.spilled_from:
            self._origins[sheet, coordinate] = cell.spilled_from
        elif cell.array:
            try:
                left, top, right, bottom = _bounds(cell.array, MOST_CELLS - len(self._origins))
            except NotUsedHere:
                self._unclear.add(sheet)
                return
            for column in map(get_column_letter, range(left, right + 1)):
                for row in range(top, bottom + 1):
                    if (place := f"{column}{row}") != coordinate:
                        self._origins[sheet, place] = coordinate

    def _computed(self, key: Key) -> Held | Unknown:
        sheet, coordinate = key
        try:
            origin = (sheet, self._origins.get(key, coordinate))
            first = self._cells[sheet].get(origin[1])
            if first is None or not first.formula or origin in self._changes:
                raise NotUsedHere(f"the array formula of {origin[1]} is gone")
            evaluator = Evaluator(
                lambda node: self._area(sheet, node),
                element=_element(first.array, coordinate) if first.array else None,
                results=self._results.setdefault(origin, {}),
            )
            return evaluator.result(parsed(first.formula, addresses=True))
        except FormulaError as problem:
            return problem.error
        except NotUsedHere as problem:
            return Unknown(str(problem), _address(key))
        except Unknown as problem:
            return Unknown(problem.reason, problem.root)
        except RecursionError:
            return Unknown("a formula that is nested too deeply", _address(key))

    def _area(self, sheet: str, node: Name | Reference) -> Area:
        where = self._reference(node)
        title = self._sheets.get((where.sheet or sheet).casefold())
        if title is None:
            raise NotUsedHere(f"the sheet {where.sheet}")
        place = title, where.first, where.last
        if place not in self._areas:
            self._areas[place] = self._read(title, f"{where.first}:{where.last or where.first}")
        return self._areas[place]

    def _reference(self, node: Name | Reference) -> Reference:
        if isinstance(node, Reference):
            return node
        target = self._names.get(node.text.casefold())
        if target is None:
            raise NotUsedHere(f"the name {node.text}")
        found = parsed(target.removeprefix("="), addresses=True)
        if not isinstance(found, Reference) or not found.sheet:
            raise NotUsedHere(f"the name {node.text}, which stands for {target}")
        return found

    def _read(self, sheet: str, where: str) -> Area:
        left, top, right, bottom = _bounds(where)
        self._read_cells += (right - left + 1) * (bottom - top + 1)
        if self._read_cells > MOST_READ:
            raise NotUsedHere(f"the range {where}, after {MOST_READ} cells of others")
        columns = [get_column_letter(column) for column in range(left, right + 1)]
        keys = [[(sheet, f"{column}{row}") for column in columns] for row in range(top, bottom + 1)]
        needed = [key for row in keys for key in row if self._is_formula(key) and key not in self._found]
        if needed:
            raise _Needed(needed)
        return Area(tuple(tuple(self._held(key) for key in row) for row in keys))

    def _is_formula(self, key: Key) -> bool:
        cell = self._cells[key[0]].get(key[1])
        return key not in self._changes and (key in self._origins or bool(cell and cell.formula))

    def _held(self, key: Key) -> Held:
        if key in self._found:
            found = self._found[key]
            if isinstance(found, Unknown):
                raise Unknown(found.reason, found.root)
            return found
        cell = self._cells[key[0]].get(key[1])
        if cell is None and key[0] in self._unclear and key not in self._changes:
            raise NotUsedHere(f"{_address(key)}, beside an array formula that fills too many cells")
        value = self._changes.get(key, cell.value if cell else None)
        if isinstance(value, ExcelErrorText):
            return CellError(str(value))
        if isinstance(value, str):
            return value
        return value if isinstance(value, bool) or value is None else float(value)


def _bounds(where: str, most: int = MOST_CELLS) -> tuple[int, int, int, int]:
    left, top, right, bottom = (int(place or 0) for place in range_boundaries(where))
    left, right, top, bottom = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
    if right > LAST_COLUMN or bottom > LAST_ROW:
        raise NotUsedHere(f"{where}, which is beyond the sheet")
    if (right - left + 1) * (bottom - top + 1) > most:
        raise NotUsedHere(f"the range {where}; at most {most} cells")
    return left, top, right, bottom


def _element(array: str, coordinate: str) -> tuple[int, int, int, int]:
    """Which cell of an array formula it is, and the size of the array."""
    left, top, right, bottom = _bounds(array)
    column, row = coordinate_from_string(coordinate)
    return row - top, column_index_from_string(column) - left, bottom - top + 1, right - left + 1


def _address(key: Key) -> str:
    return f"{key[0]}!{key[1]}"
