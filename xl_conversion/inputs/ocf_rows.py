"""The rows that are made of a package, and what is given beside it to be laid over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xl_conversion.core.rounding import shorten
from xl_conversion.inputs.ocf_files import Object
from xl_conversion.inputs.problems import InputError, Problem, suggestion
from xl_conversion.inputs.records import RECORDS
from xl_conversion.inputs.tables import Row, Table, read_tables, table_of

LEFT_OUT = "left_out"
MONEY_COLUMNS = ("consideration", "consideration_per_share", "paid", "exercise_price")
"""Ways to say what is paid for a security: who gives one takes back the others."""


@dataclass(frozen=True, slots=True)
class PackageTable(Table):
    """A table whose rows come from several files."""

    places: Mapping[int, tuple[str, int, str]] = field(default_factory=dict)
    """The file of a row, its number there, and what it is called."""

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
        """A problem of this table, at the place that the row comes from."""
        file, number, unit = self.places.get(row, (self.file, row, self.unit))
        return Problem(file, rule, number, column, value, hint, unit, impossible)


def read_beside(folder: Path) -> dict[str, Table]:
    """The tables given beside a package; none where there is no such folder."""
    names = [record.table for record in RECORDS]
    return read_tables(folder, [*names, LEFT_OUT]) if folder.is_dir() else {}


@dataclass(slots=True)
class Cells:
    """A row that is being made, and where it comes from."""

    cells: dict[str, str]
    place: tuple[str, int, str]


class Rows:
    """The rows of each table, and the problems found on the way."""

    def __init__(self, path: Path, folder: Path, given: Mapping[str, Table]) -> None:
        self.path, self.folder, self.given = path, folder, given
        self.problems: list[Problem] = []
        self.of: dict[str, list[Cells]] = {record.table: [] for record in RECORDS}
        self.keys = {record.table: [record.model_fields[k].alias for k in record.key] for record in RECORDS}
        self.overlay: dict[str, dict[tuple[str, ...], Row]] = {}
        self.used: set[tuple[str, int]] = set()
        for name, table in given.items():
            if name != LEFT_OUT:
                keyed = ((tuple(row.cells.get(k, "") for k in self.keys[name]), row) for row in table.rows)
                self.overlay[name] = dict(keyed)

    def left_out(self, known: set[str]) -> set[str]:
        """The ids of objects that are passed over, of those known."""
        table = self.given.get(LEFT_OUT)
        if table is None:
            return set()
        for column in ("id", "reason"):
            if column not in table.columns:
                self.problems.append(table.problem(f"the column {column} is missing", hint="it has id and reason"))
                return set()
        for row in table.rows:
            for column in ("id", "reason"):
                if not row.cells[column]:
                    hint = "name the object and say why"
                    self.problems.append(table.problem("a value is required", row.number, column, hint=hint))
            name = row.cells["id"]
            if name and name not in known:
                hint = suggestion(name, known) or "the id of an object"
                self.problems.append(table.problem("no object has that id", row.number, "id", name, hint))
        return {row.cells["id"] for row in table.rows}

    def pass_over(self, one: Object) -> str:
        """How to leave an object out."""
        return (
            f"name {shorten(one.id)} and a reason in {self.folder / LEFT_OUT}.csv; what it did is a row of "
            f"{self.folder / 'events'}.csv"
        )

    def ask(self, one: Object, rule: str, column: str = "", hint: str = "") -> None:
        """Adds a problem of an object; without a `hint` it may be passed over."""
        self.problems.append(one.problem(rule, hint or self.pass_over(one), column))

    def add(self, table: str, cells: Mapping[str, str], one: Object) -> dict[str, str]:
        """Adds a row, with what is given for it laid over it."""
        row = {column: cell for column, cell in cells.items() if cell}
        laid = self.overlay.get(table, {}).get(tuple(row.get(k, "") for k in self.keys[table]))
        if laid is not None:
            self.used.add((table, laid.number))
            own = {column: cell for column, cell in laid.cells.items() if cell}
            if table == "securities" and own.keys() & set(MONEY_COLUMNS):
                row = {column: cell for column, cell in row.items() if column not in MONEY_COLUMNS}
            row |= own
        self.of[table].append(Cells(row, (one.file, one.number, "object")))
        return row

    def need(self, one: Object, table: str, row: Mapping[str, str], column: str, why: str, means: str) -> None:
        """Asks for a cell that is blank."""
        if row.get(column):
            return
        keys = " and ".join(f"{key}={row[key]}" for key in self.keys[table] if row.get(key))
        self.ask(one, why, column, f"give {column} ({means}) in {self.folder / table}.csv, in a row with {keys}")

    def table(self, name: str, series: Iterable[str]) -> Table | None:
        """The rows of a table, and those beside the package that are rows of their own.

        `series` are the names that the package has.
        """
        rows = list(self.of[name])
        beside = self.given.get(name)
        if beside is not None:
            for row in beside.rows:
                if (name, row.number) not in self.used:
                    if name == "series":
                        known = list(series)
                        hint = suggestion(row.cells.get("series", ""), known) or f"they are {', '.join(known)}"
                        rule, value = (
                            "no preferred class of the package has that name",
                            row.cells.get("series", ""),
                        )
                        self.problems.append(beside.problem(rule, row.number, "series", value, hint))
                    rows.append(Cells(dict(row.cells), (beside.file, row.number, "row")))
        if not rows:
            return None
        record = next(record for record in RECORDS if record.table == name)
        # Columns that a table must have, so that what is missing is told of the row.
        wanted = [c.alias for c in record.model_fields.values() if c.is_required()]
        columns = list(dict.fromkeys([*wanted, *(column for row in rows for column in row.cells)]))
        # The class objects come first though they are from another file.
        lines = [(number, [row.cells.get(c, "") for c in columns]) for number, row in enumerate(rows, start=1)]
        places = {number: row.place for number, row in enumerate(rows, start=1)}
        files = list(dict.fromkeys(row.place[0] for row in rows))
        file = files[0] if len(files) == 1 else f"{self.path}, {name}"
        try:
            made = table_of(name, file, [(0, columns), *lines], unit="object")
        except InputError as found:
            for one in found.problems:
                at = places.get(one.row, (one.file, one.row, one.unit))
                self.problems.append(Problem(at[0], one.rule, at[1], one.column, one.value, one.hint, at[2]))
            return None
        return PackageTable(made.name, made.file, made.columns, made.rows, made.unit, made.header, places)
