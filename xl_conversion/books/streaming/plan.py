"""Workbooks from a design: planned once, then rendered many times by putting values between prepared XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, BinaryIO

from xl_conversion.books.saving import CellKey
from xl_conversion.books.streaming.design import read_design
from xl_conversion.books.streaming.further import Further, workbook_xml
from xl_conversion.books.streaming.kept import Kept
from xl_conversion.books.streaming.package import CONTENT_TYPES
from xl_conversion.books.streaming.pieces import AS_OF, Design, Formula, Mixed, Part, Put, Told
from xl_conversion.books.streaming.references import Area, Layout, Stretch, resolved, single_only, tables_in
from xl_conversion.books.streaming.sheets import MAX_ROWS, Body, Rows, SheetPlan, counts_of, embedded, len_of
from xl_conversion.books.streaming.texts import (
    formula_text,
    key_of,
    mixed_text,
    names_of,
    puts_of,
    tables_of,
    told_text,
)
from xl_conversion.books.streaming.values import Row, Value
from xl_conversion.books.streaming.zipping import Deflater, Packed, central_record, end_records, record

_MAX_TITLE = 31
_BYTES_OF_A_CELL = 100
"""About what is kept of a cell."""


class Plan:
    """A design that is ready for values; `make_plan` makes it. It may be used by threads and sent to processes."""

    names: tuple[str, ...]
    """The names of single values."""
    tables: Mapping[str, tuple[str, ...]]
    """The tables: the names of their columns in the order in which rows give them."""

    def __init__(self, design: bytes, cached: Mapping[CellKey, str], keep_values: bool = True) -> None:
        self._made_of = design, dict(cached), keep_values
        read = read_design(design, cached, keep_values=keep_values)
        self._design = read
        self.variants = frozenset(read.variants)
        """The names of the styles that values may have."""
        self._find_names(read)
        self._sheets = {sheet.name: SheetPlan(sheet, read, self.tables) for sheet in read.sheets if sheet.changed}
        self._told = {name: parts for name, parts in read.texts.items() if any(map(names_of, parts))}
        self._ranged = {name: parts for name, parts in read.texts.items() if name not in self._told}
        self._mixed = [
            (key_of(put.source), put.source)
            for sheet in self._sheets.values()
            for put in (*puts_of(sheet.design.head), *puts_of(sheet.design.row))
            if isinstance(put.source, Mixed) and not any("." in name for name in put.source.names)
        ]
        self._fixed = {name: record(name, read.parts[name], level=9) for name in _ordered(read.parts)}
        self._front = b"".join(content for _, content in self._fixed.values())
        directory, at = [], 0
        for entry, content in self._fixed.values():
            directory.append(central_record(entry, at))
            at += len(content)
        self._directory = b"".join(directory)
        self._hanging = sorted(
            {table for name in read.names for table in tables_in(name.pieces)}
            | {table for parts in self._ranged.values() for table in tables_of(parts)}
        )
        self._single_only = [
            (
                part.where,
                table,
                function or "the formula",
                "put what counts into a column of that row and add it up with SUM",
            )
            for sheet in read.sheets
            for part in (*sheet.head, *sheet.row)
            if isinstance(part, Formula | Put)
            for table, function in single_only(part.pieces if isinstance(part, Formula) else part.formula)
        ]
        self._single_only += read.single_only
        self._kept: Kept[tuple[date | int, ...], list[tuple[Packed, bytes]]] = Kept()

    def __reduce__(self) -> tuple[object, ...]:
        return Plan, self._made_of

    def render(
        self,
        values: Mapping[str, Value],
        tables: Mapping[str, Sequence[Sequence[Value] | Row]] | None = None,
        *,
        as_of: date,
    ) -> bytes:
        """The workbook with `values` and the rows of `tables`, dated `as_of`.

        ValueError names what is missing, unknown or nothing that a cell can hold; TypeError a value of no kind
        that a cell has.
        """
        tables = tables or {}
        self._check(values, tables)
        for table, sheet in self._of_tables():
            if len(tables[table]) > MAX_ROWS - sheet.first + 1:
                stream = BytesIO()
                self.write(stream, values, tables, as_of=as_of)
                return stream.getvalue()
        complete = self._completed(values, as_of)
        counts = {table: len(rows) for table, rows in tables.items()}
        deflater = Deflater()
        files = list(self._hanging_parts(counts, as_of, complete))
        for name, sheet in self._sheets.items():
            files.append(deflater.record(name, *sheet.rendered(complete, tables, counts, self._single)))
        for name, parts in self._told.items():
            files.append(deflater.record(name, self._text(parts, complete, self._single(counts)).encode()))
        contents, directory, at = [self._front], [self._directory], len(self._front)
        for entry, content in files:
            contents.append(content)
            directory.append(central_record(entry, at))
            at += len(content)
        directory_bytes = b"".join(directory)
        count = len(self._fixed) + len(files)
        return b"".join([*contents, directory_bytes, end_records(count, len(directory_bytes), at)])

    def write(
        self,
        stream: BinaryIO | IO[bytes],
        values: Mapping[str, Value],
        tables: Mapping[str, Rows] | None = None,
        *,
        as_of: date,
        max_rows: int = MAX_ROWS,
    ) -> None:
        """Write the workbook with `values` and any number of rows to `stream`, in constant memory.

        The rows of a table are rows, or `Columns` of many rows at once, which is faster. What does not fit on a
        sheet of `max_rows` goes on to further sheets; then a function that takes one range of all rows, such as
        COUNTIF, is refused. Rows are compressed into a temporary file first, since what stands above them may hang
        on their number. Raises as `render`; then `stream` holds nothing yet.
        """
        tables = tables or {}
        self._check(values, tables)
        complete = self._completed(values, as_of)
        with TemporaryFile() as spool:
            bodies: dict[str, list[Body]] = {}
            layout: dict[str, list[Stretch]] = {}
            known: dict[str, list[Stretch]] = {
                table: self._stretches(sheet, counts_of(len_of(rows), sheet.capacity(max_rows)))
                for table, sheet in self._of_tables()
                if isinstance(rows := tables[table], Sequence)
            }
            self._check_further(known)
            for table, sheet in self._of_tables():
                if missing := sheet.needs - known.keys():
                    raise ValueError(
                        f"a formula in the rows of {table!r} hangs on the number of rows of"
                        f" {', '.join(sorted(missing))}: give them as a list"
                    )
                bodies[table] = sheet.streamed(tables[table], complete, known, spool, sheet.capacity(max_rows))
                layout[table] = self._stretches(sheet, [body.rows for body in bodies[table]])
            self._check_further(layout)
            self._emit(stream, complete, layout, bodies, spool)

    def _emit(
        self,
        stream: BinaryIO | IO[bytes],
        values: dict[str, Value],
        layout: Mapping[str, list[Stretch]],
        bodies: Mapping[str, list[Body]],
        spool: IO[bytes],
    ) -> None:
        more = Further(self._design, layout)
        directory: list[bytes] = []
        at = 0

        def put(entry: Packed, contents: Iterable[bytes]) -> None:
            nonlocal at
            directory.append(central_record(entry, at))
            for content in contents:
                stream.write(content)
                at += len(content)

        for name, (entry, content) in self._fixed.items():
            if name in more.parts:
                entry, content = record(name, more.parts[name])
            put(entry, [content])
        for name, data in more.parts.items():
            if name not in self._fixed:
                entry, content = record(name, data)
                put(entry, [content])
        entry, content = record(self._design.workbook, workbook_xml(self._design, layout, more).encode())
        put(entry, [content])
        for parts_of in (self._ranged, self._told):
            for name, parts in parts_of.items():
                own = next((layout[table][0] for table in tables_of(parts)), None)
                entry, content = record(name, self._text(parts, values, layout, own).encode())
                put(entry, [content])
        for name, sheet in self._sheets.items():
            if sheet.design.anchor is None:
                entry, content = record(
                    name,
                    sheet.around(sheet.design.head, values, layout, None)
                    + sheet.around(sheet.design.tail, values, layout, None),
                )
                put(entry, [content])
                continue
            table = sheet.design.anchor.table
            for number, (stretch, body) in enumerate(zip(layout[table], bodies[table], strict=True)):
                design = sheet.design if not number else sheet.continued
                head = sheet.around(design.head, values, layout, stretch)
                tail = sheet.around(design.tail, values, layout, stretch, max(1, body.rows))
                target = more.sheets[table][number - 1] if number else name
                entry, pieces = embedded(target, head, body, tail, spool)
                put(entry, pieces)
        end = b"".join(directory)
        stream.write(end)
        stream.write(end_records(len(directory), len(end), at))

    # Names

    def _find_names(self, design: Design) -> None:
        names: dict[str, None] = {}
        tables: dict[str, dict[str, None]] = {}
        for sheet in design.sheets:
            for part in (*sheet.head, *sheet.row, *sheet.tail):
                for name in names_of(part):
                    table, _, column = name.rpartition(".")
                    if not table:
                        names[name] = None
                    elif sheet.anchor is None or table != sheet.anchor.table:
                        raise ValueError(f"{name!r} stands on the sheet {sheet.title!r}, which is not its table's")
                    else:
                        tables.setdefault(table, {})[column] = None
        for parts in design.texts.values():
            for part in parts:
                names |= dict.fromkeys(names_of(part))
        if both := names.keys() & tables.keys():
            raise ValueError(f"the name of a value and of a table: {', '.join(sorted(both))}")
        self.names = tuple(names)
        self.tables = {table: tuple(columns) for table, columns in tables.items()}
        self._name_set = set(names)

    def _check(self, values: Mapping[str, Value], tables: Mapping[str, object]) -> None:
        if values.keys() == self._name_set and tables.keys() == self.tables.keys():
            return
        for what, given, known in (
            ("value", values.keys(), self._name_set),
            ("table", tables.keys(), self.tables.keys()),
        ):
            if missing := known - given:
                raise ValueError(f"the design needs a {what} that is not given: {', '.join(sorted(missing))}")
            if unknown := given - known:
                raise ValueError(f"a {what} that the design does not have: {', '.join(sorted(map(str, unknown)))}")

    def _check_further(self, layout: Layout) -> None:
        """Refuse formulas that would be wrong because their rows go on to further sheets."""
        for where, table, what, instead in self._single_only:
            if len(sheets := layout.get(table, ())) > 1:
                raise ValueError(
                    f"{where}: {what} cannot take the rows of {table!r}, which go on over {len(sheets)} sheets:"
                    f" {instead}"
                )

    def _completed(self, values: Mapping[str, Value], as_of: date) -> dict[str, Value]:
        """The values with those that are made of others."""
        done = dict(values)
        for key, mixed in self._mixed:
            done[key] = mixed_text(mixed, values, self._design.formats)
        done[AS_OF] = f"{as_of.year:04}-{as_of.month:02}-{as_of.day:02}T00:00:00Z"
        return done

    # Parts

    def _of_tables(self) -> Iterator[tuple[str, SheetPlan]]:
        for sheet in self._sheets.values():
            if sheet.design.anchor is not None:
                yield sheet.design.anchor.table, sheet

    def _single(self, counts: Mapping[str, int]) -> dict[str, list[Stretch]]:
        """The layout in which each table stands on one sheet."""
        return {
            table: [Stretch(anchor.title, anchor.row + max(1, counts[table]) - 1)]
            for table, anchor in self._design.anchors.items()
        }

    def _stretches(self, sheet: SheetPlan, counts: Sequence[int]) -> list[Stretch]:
        first = sheet.first
        titles = [sheet.design.title]
        taken = {each.title.lower() for each in self._design.sheets}
        while len(titles) < len(counts):
            suffix = f" ({len(titles) + 1})"
            title = sheet.design.title[: _MAX_TITLE - len(suffix)] + suffix
            if title.lower() in taken:
                raise ValueError(f"the rows of {sheet.design.title!r} go on to {title!r}, which is there already")
            titles.append(title)
        return [Stretch(title, first + max(1, count) - 1) for title, count in zip(titles, counts, strict=True)]

    def _hanging_parts(
        self, counts: Mapping[str, int], as_of: date, values: Mapping[str, Value]
    ) -> list[tuple[Packed, bytes]]:
        """The workbook part and others that hang on numbers of rows and on the day only."""
        key: tuple[date | int, ...] = as_of, *[counts[table] for table in self._hanging]
        if (found := self._kept.of(key)) is None:
            layout = self._single(counts)
            more = Further(self._design, layout)
            found = [record(self._design.workbook, workbook_xml(self._design, layout, more).encode())]
            for name, parts in self._ranged.items():
                own = next((layout[table][0] for table in tables_of(parts)), None)
                found.append(record(name, self._text(parts, values, layout, own).encode()))
            self._kept.keep(key, found, sum(len(content) for _, content in found) // _BYTES_OF_A_CELL)
        return found

    def _text(
        self,
        parts: Sequence[Part],
        values: Mapping[str, Value],
        layout: Layout,
        own: Stretch | None = None,
    ) -> str:
        """XML without cells."""
        done = []
        for part in parts:
            match part:
                case str():
                    done.append(part)
                case Told():
                    done.append(told_text(part, values, self._design.formats))
                case Area():
                    done.append(resolved(part, layout, own))
                case Formula():
                    done.append(formula_text(part.pieces, layout, own))
        return "".join(done)


def _ordered(parts: Iterable[str]) -> list[str]:
    """The list of contents first, as programs that look at the beginning expect, then by name."""
    return sorted(parts, key=lambda name: (name != CONTENT_TYPES, name != "_rels/.rels", name))
