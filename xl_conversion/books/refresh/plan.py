"""What a refresh changes and what it leaves as it is, cell by cell, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xl_conversion.books.refresh.package import Constant, RefreshError
from xl_conversion.books.refresh.slots import Slot, Slots, TableSlots, constant
from xl_conversion.books.templates.filling import Filling, Given, Row
from xl_conversion.books.templates.price_filling import ILLUSTRATION

OF_THE_READER = "a formula of yours stands there"
NOTICED = "a notice was issued on it"
EVENT, NOTICE, DATE = "Event", "Notice", "Date"
DAYS = ("in_event_date", "in_as_of", "in_conversion_date")

Values = Mapping[str, Constant]
"""A row of a table as cells hold it, by header."""


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell that gets another content."""

    slot: Slot
    what: str
    old: Constant
    new: Constant
    day: bool = False
    """Whether these are the serial numbers of days."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A cell that the input gives another content, and that keeps its own."""

    slot: Slot
    what: str
    has: Constant
    given: Constant
    why: str
    day: bool = False


@dataclass
class Plan:
    """Everything that a refresh does to the inputs of a workbook."""

    slots: Slots
    changes: dict[Slot, CellChange] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    """Rows that go to another place, in words: what a reader has beside them does not go along."""
    kept: list[Kept] = field(default_factory=list)

    def put(self, slot: Slot, what: str, new: Constant, *, frozen: str = "", day: bool = False) -> None:
        """Gives a cell the content `new`, unless it has it already, holds a formula or is `frozen`, which says
        why."""
        old = self.slots.value(slot)
        if same(old, new):
            return
        if self.slots.stored(slot).formula:
            frozen = OF_THE_READER
        if frozen:
            self.kept.append(Kept(slot, what, old, new, frozen, day))
        else:
            self.changes[slot] = CellChange(slot, what, old, new, day)

    def scalar(self, name: str, given: Given, *, frozen: str = "") -> None:
        """A single input, and the source beside it where it changes."""
        slot = self.slots.scalars.get(name)
        if slot is None:
            raise self.slots.missing(name)
        what = self.slots.label(slot)
        self.put(slot, what, constant(given.value), frozen=frozen, day=name in DAYS)
        source = self.slots.source_of(slot)
        if source is not None and slot in self.changes:
            self.put(source, f"{what}: source", constant(given.source))

    def row(self, table: TableSlots, number: int, values: Values, what: str, *, frozen: str = "") -> None:
        """The cells of one row, in the columns of `values`."""
        for header, value in values.items():
            day = header == DATE
            self.put(table.slot(number, header), f"{what}: {header}", value, frozen=frozen, day=day)

    def table(
        self,
        name: str,
        rows: Sequence[Row],
        columns: Sequence[str],
        key: Collection[str],
        *,
        own: Collection[str] = (),
        frozen: str = "",
        growing: bool = False,
        complete: bool = True,
        reuse: bool = False,
    ) -> None:
        """All rows of a table, or some of them where they are not `complete`. `columns` are those of the model.

        A row that is there already, by its `key`, stays where it is, so that what a reader has beside it stays
        with it; in the columns `own` what a reader typed stays where the input has nothing. New rows go to the
        first free ones, rows that are not given any more are cleared; these are filled again where nothing else is
        free, or with `reuse` at once. Where the table is `frozen`, which says why, nothing of this happens but
        that blank cells of the columns `own` are filled, and that a `growing` table gets new rows. Raises
        RefreshError where there is no room.
        """
        table = self._table(name)
        headers = self._headers(table, rows, columns)
        there = self.slots.rows(table, headers)
        wanted = [cells_of(row, headers) for row in rows]
        place_of = dict(zip(_keys(there.values(), key), there, strict=True))
        keys = _keys(wanted, key)
        given = set(keys)
        gone = [number for one, number in place_of.items() if one not in given]
        free = [row for row in self.slots.counted(table) if row not in there]
        if complete and not frozen:
            free = sorted(free + gone) if reuse else free + gone
        taken = set()
        for one, values in zip(keys, wanted, strict=True):
            number = place_of.get(one)
            if number is None:
                if not free:
                    raise self._no_room(table, len(wanted))
                number = free.pop(0)
                new, why = values, "" if growing else frozen
                of_own = why
            else:
                has = there[number]
                kept = {h for h in own if has.get(h) is not None and (frozen or values[h] is None)}
                new, why, of_own = {h: v for h, v in values.items() if h not in kept}, frozen, ""
            taken.add(number)
            what = _named(values, key)
            self.row(table, number, {h: v for h, v in new.items() if h not in own}, what, frozen=why)
            self.row(table, number, {h: v for h, v in new.items() if h in own}, what, frozen=of_own)
        for number in gone if complete else ():
            if number not in taken:
                blank = dict.fromkeys(headers)
                self.row(table, number, blank, _named(there[number], key), frozen=frozen)

    def events(self, name: str, rows: Sequence[Row], columns: Sequence[str], noticed: Collection[str]) -> None:
        """The rows of a table of events, oldest first. The rows of `noticed` events that are there keep their
        place and what is in them; the others go between them. Raises RefreshError where that cannot be."""
        table = self._table(name)
        headers = self._headers(table, rows, columns)
        there = self.slots.rows(table, headers)
        counted = self.slots.counted(table)
        end = table.last + 1
        places = {values[EVENT]: number for number, values in there.items()}
        fixed = {event: number for event, number in places.items() if event in noticed}
        taken: dict[int, Values] = {}
        next_free = table.first
        order = [str(row.get(EVENT) or "") for row in rows]
        for position, row in enumerate(rows):
            event = order[position]
            following = min((fixed[later] for later in order[position:] if later in fixed), default=end)
            free = [number for number in counted if next_free <= number < following]
            if event in fixed:
                number = fixed[event]
                if number < next_free:
                    raise RefreshError(
                        f"{event} would have to move on {table.sheet}, and a notice was issued on it",
                        "The input has the events in another order: xl-conversion history shows it.",
                    )
            elif not free and following == end:
                raise self._no_room(table, len(rows))
            elif not free:
                raise RefreshError(
                    f"{event} comes before an event that a notice was issued on: no row is free on {table.sheet}",
                    "Rows that a notice was issued on do not move: xl-conversion template makes another model.",
                )
            else:
                at = places.get(event)
                number = at if isinstance(at, int) and at in free else free[0]
            taken[number] = cells_of(row, headers)
            next_free = number + 1
            if event in places and places[event] != number:
                self.moved.append(f"{event} moves from row {places[event]} of {table.sheet} to row {number}")
        for number in range(table.first, end):
            if number in taken:
                event = str(taken[number][EVENT])
                self.row(table, number, taken[number], event, frozen=NOTICED if event in fixed else "")
            elif number in there:
                self.row(table, number, dict.fromkeys(headers), str(there[number].get(EVENT)))

    def positional(self, name: str, rows: Sequence[Row], columns: Sequence[str]) -> None:
        """All rows of a table that is written anew each time."""
        table = self._table(name)
        numbers = range(table.first, table.last + 1)
        if len(rows) > len(numbers):
            raise self._no_room(table, len(rows))
        for place, number in enumerate(numbers):
            values = cells_of(rows[place], columns) if place < len(rows) else dict.fromkeys(columns)
            self.row(table, number, values, f"{table.sheet}, row {number}")

    def append(self, name: str, row: Row) -> None:
        """A row after the last one that holds anything."""
        table = self._table(name)
        there = self.slots.rows(table, tuple(row))
        number = max(there, default=table.first - 1) + 1
        if number > table.last:
            raise RefreshError(
                f"{table.sheet} is full: it has room for {table.last - table.first + 1} rows",
                "Unprotect the sheet and insert rows above its last one.",
            )
        self.row(table, number, cells_of(row, tuple(row)), f"{table.sheet}, row {number}")

    def _table(self, name: str) -> TableSlots:
        if name not in self.slots.tables:
            raise self.slots.missing(name)
        return self.slots.tables[name]

    def _headers(self, table: TableSlots, rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
        """Those of the `columns` that are there. Raises RefreshError where one is gone that is needed."""
        needed = {header for row in rows for header, content in row.items() if constant(content) is not None}
        for header in columns:
            if header in needed or header in table.twice:
                table.slot(table.first, header)
        return [header for header in columns if header in table.columns]

    def _no_room(self, table: TableSlots, rows: int) -> RefreshError:
        option = ROOM.get(table.name)
        return RefreshError(
            f"{table.sheet} has room for {len(self.slots.counted(table))} rows, and {rows} are needed",
            f"xl-conversion template makes a model with more room: {option}."
            if option
            else "It is all the room that a model has: give rows of the same kind as one.",
        )


def cells_of(row: Row, headers: Collection[str]) -> dict[str, Constant]:
    """A row as cells hold it, blank where it says nothing."""
    return {header: constant(row.get(header)) for header in headers}


def same(old: Constant, new: Constant) -> bool:
    """Whether two cells hold the same. Numbers are as a cell shows them, in 15 digits, which is all that some
    programs save; a truth value is no number.

    >>> same(1 / 3, 0.333333333333333), same(0.3, 0.30000000000001), same(True, 1.0)
    (True, False, False)
    """
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, float) and isinstance(new, float):
        return f"{old:.15g}" == f"{new:.15g}"
    return old == new


def filled(filling: Filling, name: str, *, illustrations: bool = False) -> Given | None:
    """What a filling has for a single input, if it comes from the input and not from the model itself; with
    `illustrations` also what was made up to begin with."""
    found = filling.scalars.get(name)
    if found is None or (illustrations and found.source == ILLUSTRATION):
        return found
    return None if found.source.startswith(OWN_SOURCES) else found


ROOM: Mapping[str, str] = {
    "in_holders": "--holders",
    "in_notes": "--holders",
    "in_earlier_events": "--events",
    "in_later_events": "--events",
}
"""The option that gives a table more room, where there is one."""
OWN_SOURCES = ("of this model", "default", "illustration")
"""How the source of a figure begins that no input gives."""


def _keys(rows: Iterable[Values], key: Collection[str]) -> list[tuple[Constant, ...]]:
    """What each row is known by: its `key`, and its number among those with the same one."""
    seen: Counter[tuple[Constant, ...]] = Counter()
    found = []
    for values in rows:
        one = tuple(_shown(values.get(header)) for header in key)
        seen[one] += 1
        found.append((*one, seen[one]))
    return found


def _shown(value: Constant) -> Constant:
    return f"{value:.15g}" if isinstance(value, float) else value


def _named(values: Values, key: Collection[str]) -> str:
    return ", ".join(str(_shown(values[header])) for header in key if values.get(header) is not None)
