"""Workbooks from a design: planned once, then rendered many times by putting values between prepared XML."""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO
from itertools import repeat
from operator import itemgetter
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, NamedTuple, TypeAlias
from zipfile import ZIP_DEFLATED

from xl_conversion.books.saving import CellKey
from xl_conversion.books.streaming.design import (
    APPLICATION,
    AS_OF,
    CONTENT_TYPES,
    Design,
    Formula,
    Merges,
    Mixed,
    Part,
    Put,
    Sheet,
    Told,
    attributes,
    read_design,
    relations_name,
    without_titles,
)
from xl_conversion.books.streaming.references import (
    Area,
    Layout,
    OwnRow,
    Piece,
    Stretch,
    resolved,
    tables_in,
)
from xl_conversion.books.streaming.values import (
    FORMULA,
    Columns,
    Opening,
    Row,
    Slot,
    Value,
    cells,
    clean,
    column_cells,
    escaped,
    height_opening,
    opening,
    repeated,
    shown_text,
)
from xl_conversion.books.streaming.zipping import (
    Packed,
    central_record,
    deflated,
    end_records,
    joined_crc,
    local_header,
    record,
)

MAX_ROWS = 1_048_576
"""The rows of a sheet."""

Rows: TypeAlias = Iterable[Sequence[Value] | Row | Columns]

_BLOCK = 2048
"""Rows that are put together at once."""
_KEPT = 128
"""Numbers of rows for which the XML of a part is kept prepared."""
_LEVEL = 1
"""Compression of streamed rows."""
_MAX_HEADER = 255
_MAX_TITLE = 31
# What belongs to one sheet alone and is left out of the sheets that continue it.
_ALONE = re.compile(
    r"<(drawing|legacyDrawing|legacyDrawingHF|picture)\b[^>]*?/>|<(oleObjects|controls)\b.*?</\2>"
    r"|(?<=\s)(?:codeName|tabSelected)=[\"'][^\"']*[\"']|(?<=<pageSetup)([^>]*?)\s[\w]+:id=[\"'][^\"']*[\"']",
    re.DOTALL,
)


class _Template(NamedTuple):
    """XML with a place for each value, and what surrounds the values of cells, in this order."""

    text: str
    openings: list[Opening]


@dataclass(slots=True)
class _Book:
    """The values of one workbook."""

    values: dict[str, Value]
    tables: Mapping[str, Sequence[Sequence[Value] | Row]]


class _Body(NamedTuple):
    """The rows of one sheet, compressed, in the temporary file."""

    rows: int
    start: int
    packed: int
    size: int
    crc: int


class Plan:
    """A design that is ready for values; `make_plan` makes it. It may be used by threads and sent to processes."""

    names: tuple[str, ...]
    """The names of single values."""
    tables: Mapping[str, tuple[str, ...]]
    """The tables: the names of their columns in the order in which rows give them."""

    def __init__(self, design: bytes, cached: Mapping[CellKey, str]) -> None:
        self._made_of = design, dict(cached)
        read = read_design(design, cached)
        self._design = read
        self._find_names(read)
        self._sheets = {sheet.name: _SheetPlan(sheet, read, self.tables) for sheet in read.sheets if sheet.changed}
        self._told = {name: parts for name, parts in read.texts.items() if any(map(_names_of, parts))}
        self._ranged = {name: parts for name, parts in read.texts.items() if name not in self._told}
        self._mixed = [
            (_key(put.source), put.source)
            for sheet in self._sheets.values()
            for put in (*_puts(sheet.design.head), *_puts(sheet.design.row))
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
            | {table for parts in self._ranged.values() for table in _tables_of(parts)}
        )
        self._kept: dict[tuple[date | int, ...], list[tuple[Packed, bytes]]] = {}

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
        book = _Book(self._completed(values, as_of), tables)
        counts = {table: len(rows) for table, rows in tables.items()}
        files = list(self._hanging_parts(counts, as_of, book.values))
        for name, sheet in self._sheets.items():
            files.append(record(name, sheet.rendered(book, counts, self._single)))
        for name, parts in self._told.items():
            files.append(record(name, self._text(parts, book.values, self._single(counts)).encode()))
        front, directory, at = [self._front], [self._directory], len(self._front)
        for entry, content in files:
            front.append(content)
            directory.append(central_record(entry, at))
            at += len(content)
        directory_bytes = b"".join(directory)
        count = len(self._fixed) + len(files)
        return b"".join([*front, directory_bytes, end_records(count, len(directory_bytes), at)])

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
        sheet of `max_rows` goes on to further sheets. Rows are compressed into a temporary file first, since what
        stands above them may hang on their number. Raises as `render`; then `stream` holds nothing yet.
        """
        tables = tables or {}
        self._check(values, tables)
        complete = self._completed(values, as_of)
        with TemporaryFile() as spool:
            bodies: dict[str, list[_Body]] = {}
            layout: dict[str, list[Stretch]] = {}
            known: dict[str, list[Stretch]] = {
                table: self._stretches(sheet, _counts(len_of(rows), sheet.capacity(max_rows)))
                for table, sheet in self._of_tables()
                if isinstance(rows := tables[table], Sequence)
            }
            for table, sheet in self._of_tables():
                if missing := sheet.needs - known.keys():
                    raise ValueError(
                        f"a formula in the rows of {table!r} hangs on the number of rows of"
                        f" {', '.join(sorted(missing))}: give them as a list"
                    )
                bodies[table] = sheet.streamed(tables[table], complete, known, spool, sheet.capacity(max_rows))
                layout[table] = self._stretches(sheet, [body.rows for body in bodies[table]])
            self._emit(stream, complete, layout, bodies, spool)

    def _emit(
        self,
        stream: BinaryIO | IO[bytes],
        values: dict[str, Value],
        layout: Mapping[str, list[Stretch]],
        bodies: Mapping[str, list[_Body]],
        spool: IO[bytes],
    ) -> None:
        more = _Further(self._design, layout)
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
        entry, content = record(self._design.workbook, _workbook(self._design, layout, more).encode())
        put(entry, [content])
        for parts_of in (self._ranged, self._told):
            for name, parts in parts_of.items():
                own = next((layout[table][0] for table in _tables_of(parts)), None)
                entry, content = record(name, self._text(parts, values, layout, own).encode())
                put(entry, [content])
        for name, sheet in self._sheets.items():
            if sheet.design.anchor is None:
                entry, content = record(
                    name,
                    sheet.around(sheet.design.head, values, layout, None, self._text)
                    + sheet.around(sheet.design.tail, values, layout, None, self._text),
                )
                put(entry, [content])
                continue
            table = sheet.design.anchor.table
            for number, (stretch, body) in enumerate(zip(layout[table], bodies[table], strict=True)):
                design = sheet.design if not number else sheet.continued
                head = sheet.around(design.head, values, layout, stretch, self._text)
                tail = sheet.around(design.tail, values, layout, stretch, self._text, max(1, body.rows))
                target = more.sheets[table][number - 1] if number else name
                entry, pieces = _embedded(target, head, body, tail, spool)
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
                for name in _names_of(part):
                    table, _, column = name.rpartition(".")
                    if not table:
                        names[name] = None
                    elif sheet.anchor is None or table != sheet.anchor.table:
                        raise ValueError(f"{name!r} stands on the sheet {sheet.title!r}, which is not its table's")
                    else:
                        tables.setdefault(table, {})[column] = None
        for parts in design.texts.values():
            for part in parts:
                names |= dict.fromkeys(_names_of(part))
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

    def _completed(self, values: Mapping[str, Value], as_of: date) -> dict[str, Value]:
        """The values with those that are made of others."""
        done = dict(values)
        for key, mixed in self._mixed:
            done[key] = _text_of(mixed, values)
        done[AS_OF] = f"{as_of.year:04}-{as_of.month:02}-{as_of.day:02}T00:00:00Z"
        return done

    # Parts

    def _of_tables(self) -> Iterator[tuple[str, _SheetPlan]]:
        for sheet in self._sheets.values():
            if sheet.design.anchor is not None:
                yield sheet.design.anchor.table, sheet

    def _single(self, counts: Mapping[str, int]) -> dict[str, list[Stretch]]:
        """The layout in which each table stands on one sheet."""
        return {
            table: [Stretch(anchor.title, anchor.row + max(1, counts[table]) - 1)]
            for table, anchor in self._design.anchors.items()
        }

    def _stretches(self, sheet: _SheetPlan, counts: Sequence[int]) -> list[Stretch]:
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
        if (found := self._kept.get(key)) is None:
            layout = self._single(counts)
            more = _Further(self._design, layout)
            found = [record(self._design.workbook, _workbook(self._design, layout, more).encode())]
            for name, parts in self._ranged.items():
                own = next((layout[table][0] for table in _tables_of(parts)), None)
                found.append(record(name, self._text(parts, values, layout, own).encode()))
            _keep(self._kept, key, found)
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
                    done.append(_told(part, values))
                case Area():
                    done.append(resolved(part, layout, own))
                case Formula():
                    done.append(_formula(part.pieces, layout, own))
        return "".join(done)


class _SheetPlan:
    """A sheet that takes values."""

    def __init__(self, sheet: Sheet, design: Design, tables: Mapping[str, tuple[str, ...]]) -> None:
        self.design = sheet
        self.styles = design
        self.sources = [_key(put.source) for put in _puts(sheet.head)]
        self.get_values = _getter(self.sources)
        self.needs: set[str] = set()
        self.table = ""
        self.first = 0
        self.columns: tuple[str, ...] = ()
        self.hanging = sorted(_tables_of([*sheet.head, *sheet.row, *sheet.tail]))
        self.kept: dict[tuple[int, ...], _Template] = {}
        self.told = [part for part in sheet.tail if isinstance(part, Told)]
        if sheet.anchor is not None:
            self.table = sheet.anchor.table
            self.first = sheet.anchor.row
            self.columns = tables[sheet.anchor.table]
            self.hanging = sorted({*self.hanging, sheet.anchor.table})
            self.needs = _tables_of(sheet.row)
            self.row_of = self._row_getter(sheet.anchor.table)
            self.continued = replace(sheet, head=_continued(sheet.head), tail=_continued(sheet.tail))

    def capacity(self, max_rows: int) -> int:
        """The rows of the table that a sheet takes."""
        if max_rows < self.first:
            raise ValueError(f"sheets of {max_rows} rows do not reach row {self.first} of {self.design.title!r}")
        return min(max_rows, MAX_ROWS) - self.first + 1

    # Rendering at once

    def rendered(
        self,
        book: _Book,
        counts: Mapping[str, int],
        layout_of: Callable[[Mapping[str, int]], Layout],
    ) -> bytes:
        """The sheet with its values."""
        key = tuple([counts[table] for table in self.hanging])
        template = self.kept.get(key)
        if template is None:
            template = self._template(counts, layout_of(counts))
            _keep(self.kept, key, template)
        flat = list(self.get_values(book.values))
        if self.design.anchor is not None:
            width = len(self.columns)
            for number, row in enumerate(book.tables[self.design.anchor.table]):
                if isinstance(row, Row):
                    flat.append(_checked_height(row.height, self.design.title))
                    given = row.values
                else:
                    flat.append(None)
                    given = row
                if len(given) != width:
                    self._wrong_width(number, len(given))
                flat += self.row_of(given, book.values)
        shown = cells(flat, template.openings)
        if self.told:
            shown += [_told(told, book.values) for told in self.told]
        return (template.text % tuple(shown)).encode()

    def _template(self, counts: Mapping[str, int], layout: Layout) -> _Template:
        sheet = self.design
        text: list[str] = []
        openings: list[Opening] = []
        own = None
        count = 0
        if sheet.anchor is not None:
            count = counts[sheet.anchor.table]
            own = layout[sheet.anchor.table][0]
        self._add(text, openings, sheet.head, layout, own)
        if sheet.anchor is not None:
            start, others, height = sheet.row_tag
            for number in range(self.first, self.first + count):
                text.append(_percent(f"{start}{number}{others}") + "%s>")
                openings.append(height_opening(height))
                self._add(text, openings, sheet.row, layout, own, number)
                text.append("</row>")
            if not count:
                text.append(_percent(self._blank()))
        self._add(text, openings, sheet.tail, layout, own, count=max(1, count))
        return _Template("".join(text), openings)

    def _blank(self) -> str:
        start, others, height = self.design.row_tag
        inside = "".join(part if isinstance(part, str) else str(self.first) for part in self.design.blank)
        return f"{start}{self.first}{others}{height}>{inside}</row>"

    def _add(
        self,
        text: list[str],
        openings: list[Opening],
        parts: Iterable[Part],
        layout: Layout,
        own: Stretch | None,
        row: int = 0,
        count: int = 1,
    ) -> None:
        """Add parts to a template. `row` is the number of the row that is repeated, `count` says how often."""
        for part in parts:
            match part:
                case str():
                    text.append(_percent(part))
                case OwnRow():
                    text.append(str(row))
                case Area():
                    text.append(_percent(resolved(part, layout, own)))
                case Formula():
                    text.append(_percent(_formula(part.pieces, layout, own, row)))
                case Merges():
                    text.append(self._merged(part, count))
                case Told():
                    text.append("%s")
                case Put():
                    text.append("%s")
                    formula = f"{part.tag}{_formula(part.formula, layout, own, row)}</f>" if part.tag else ""
                    openings.append(opening(self._slot(part, formula, row)))

    def _slot(self, put: Put, formula: str, row: int = 0) -> Slot:
        where = put.where.rstrip("0123456789") + str(row) if row else put.where
        source = put.source if isinstance(put.source, str) else "".join(put.source.parts[1::2])
        return Slot(
            put.style,
            self.styles.twins[put.style],
            put.extra,
            formula,
            f"{where} ({source})",
            self.styles.variants,
        )

    def _merged(self, merges: Merges, count: int) -> str:
        all_of = list(merges.head)
        for row in range(self.first, self.first + count):
            all_of += [f"{first}{row}:{last}{row}" for first, last in merges.row]
        return (
            f'<mergeCells count="{len(all_of)}">' + "".join(f'<mergeCell ref="{one}"/>' for one in all_of)
        ) + "</mergeCells>"

    def _row_getter(self, table: str) -> Callable[[Sequence[Value], Mapping[str, Value]], Sequence[Value]]:
        """What picks the values of a row's cells from the row, and from the single values."""
        sources = [put.source for put in _puts(self.design.row)]
        places = {f"{table}.{column}": number for number, column in enumerate(self.columns)}
        if all(isinstance(source, str) and source in places for source in sources):
            order = [places[source] for source in sources if isinstance(source, str)]
            if order == list(range(len(self.columns))):
                return lambda row, values: row
            pick = _getter(order)
            return lambda row, values: pick(row)

        def mixed(row: Sequence[Value], values: Mapping[str, Value]) -> Sequence[Value]:
            done: list[Value] = []
            for source in sources:
                if isinstance(source, str):
                    done.append(row[places[source]] if source in places else values[source])
                else:
                    known = {name: row[places[name]] if name in places else values[name] for name in source.names}
                    done.append(_text_of(source, known))
            return done

        return mixed

    def _wrong_width(self, number: int, width: int) -> None:
        raise ValueError(
            f"row {number + 1} of the table {self.table!r} has {width} values;"
            f" it has the columns {', '.join(self.columns)}"
        )

    # Streaming

    def around(
        self,
        parts: Sequence[Part],
        values: Mapping[str, Value],
        layout: Layout,
        own: Stretch | None,
        text_of: object,
        count: int = 1,
    ) -> bytes:
        """What stands above or below the rows."""
        text: list[str] = []
        openings: list[Opening] = []
        self._add(text, openings, parts, layout, own, count=count)
        shown = cells([values[_key(put.source)] for put in _puts(parts)], openings)
        shown += [_told(part, values) for part in parts if isinstance(part, Told)]
        return ("".join(text) % tuple(shown)).encode()

    def streamed(
        self, rows: Rows, values: Mapping[str, Value], known: Layout, spool: IO[bytes], capacity: int
    ) -> list[_Body]:
        """Compress the rows into the temporary file; what went on each sheet."""
        writer = _RowWriter(self, values, known)
        bodies: list[_Body] = []
        blocks = self._blocks(rows)
        block = next(blocks, None)
        with ThreadPoolExecutor(1) as other:  # zlib lets go of the interpreter, so it runs beside
            while True:
                row = 0
                start = spool.tell()
                compressor = _Compressing(other, spool)
                writer.begin()
                while block is not None and row < capacity:
                    columns, heights, length = block
                    taken = min(length, capacity - row)
                    if taken < length:
                        rest = [column[taken:] for column in columns]
                        block = rest, heights[taken:] if heights else None, length - taken
                        columns = [column[:taken] for column in columns]
                        heights = heights[:taken] if heights else None
                    else:
                        block = next(blocks, None)
                    compressor.add(writer.xml(columns, heights, taken, self.first + row))
                    row += taken
                if not row:
                    compressor.add(self._blank().encode())
                bodies.append(_Body(row, start, *compressor.finish()))
                if block is None:
                    return bodies

    def _blocks(self, rows: Rows) -> Iterator[tuple[list[Sequence[Value]], list[float | None] | None, int]]:
        """The rows as columns, so many at a time, with heights if any is given."""
        width = len(self.columns)
        waiting: list[Sequence[Value]] = []
        heights: list[float | None] = []
        higher = False
        number = 0
        for item in rows:
            if type(item) is Columns:
                if waiting:
                    yield list(zip(*waiting, strict=True)), heights if higher else None, len(waiting)
                    waiting, heights, higher = [], [], False
                columns = item.columns
                lengths = set(map(len, columns))
                if len(columns) != width or len(lengths) != 1:
                    self._wrong_columns(len(columns), lengths)
                (length,) = lengths
                for start in range(0, length, _BLOCK):
                    part = [column[start : start + _BLOCK] for column in columns]
                    yield part, None, min(_BLOCK, length - start)
                number += length
                continue
            if type(item) is Row:
                higher = higher or item.height is not None
                heights.append(_checked_height(item.height, self.design.title))
                item = item.values
            else:
                heights.append(None)
            if len(item) != width:
                self._wrong_width(number, len(item))
            waiting.append(item)  # type: ignore[arg-type]
            number += 1
            if len(waiting) == _BLOCK:
                yield list(zip(*waiting, strict=True)), heights if higher else None, _BLOCK
                waiting, heights, higher = [], [], False
        if waiting:
            yield list(zip(*waiting, strict=True)), heights if higher else None, len(waiting)

    def _wrong_columns(self, count: int, lengths: set[int]) -> None:
        what = f"{count} columns" if count != len(self.columns) else f"columns of {sorted(lengths)} rows"
        raise ValueError(f"the table {self.table!r} is given {what}; it has {', '.join(self.columns)}")


class _RowWriter:
    """Turns columns into the XML of rows."""

    def __init__(self, plan: _SheetPlan, values: Mapping[str, Value], known: Layout) -> None:
        self.plan, self.values, self.known = plan, values, known
        sheet = plan.design
        self.places = {f"{plan.table}.{name}": number for number, name in enumerate(plan.columns)}
        self.shared = 0
        self.slots = {
            number: plan._slot(part, FORMULA if part.tag else "")
            for number, part in enumerate(sheet.row)
            if isinstance(part, Put)
        }

    def begin(self) -> None:
        """Begin a sheet."""
        self.shared = 0

    def xml(
        self, columns: list[Sequence[Value]], heights: list[float | None] | None, count: int, row: int
    ) -> bytes:
        """So many rows from `row` on."""
        sheet = self.plan.design
        numbers = list(map(str, range(row, row + count)))
        start, others, height = sheet.row_tag
        # Texts that are the same in each row, and columns; laid in strides, which is twice as fast as formatting.
        strides: list[str | Sequence[str]] = [start, numbers, others]
        if heights is None:
            strides.append(f"{height}>")
        else:
            strides += [cells(heights, repeated(height_opening(height), count)), ">"]
        for place, part in enumerate(sheet.row):
            match part:
                case str():
                    strides.append(part)
                case OwnRow():
                    strides.append(numbers)
                case Formula():
                    strides += self._formula(part.pieces, numbers)
                case Put():
                    values = self._column(part.source, columns, count)
                    slot = self.slots[place]
                    style = f' s="{part.style}"{part.extra}' if part.style else part.extra
                    try:
                        before, after, shown = column_cells(values, slot, style)
                    except (TypeError, ValueError):
                        for number, value in zip(range(row, row + count), values, strict=True):
                            cells([value], [opening(self.plan._slot(part, "", number))])
                        raise
                    if part.tag:
                        formulas = self._formulas(part, numbers)
                        if before:
                            first, second = before.split(FORMULA)
                            strides += [first, formulas, second]
                        else:
                            shown = [one.replace(FORMULA, f) for one, f in zip(shown, formulas, strict=True)]
                    else:
                        strides.append(before)
                    strides += [shown, after]
        strides.append("</row>")
        return _laid(strides, count).encode()

    def _column(self, source: str | Mixed, columns: list[Sequence[Value]], count: int) -> Sequence[Value]:
        if isinstance(source, str):
            return columns[self.places[source]] if source in self.places else [self.values[source]] * count
        given = [self._column(name, columns, count) for name in source.names]
        return [
            _text_of(source, dict(zip(source.names, values, strict=True))) for values in zip(*given, strict=True)
        ]

    def _formula(self, pieces: Iterable[Piece], numbers: list[str]) -> list[str | Sequence[str]]:
        """The inside of the element of a formula, in strides."""
        return [numbers if isinstance(piece, OwnRow) else _formula((piece,), self.known, None) for piece in pieces]

    def _formulas(self, put: Put, numbers: list[str]) -> list[str]:
        """The element of the formula in each row: where it can be, the first holds it for all of the block."""
        pieces = put.formula
        literal = "".join(piece for piece in pieces if isinstance(piece, str))
        # References to other sheets and ranges over all rows are spelled out.
        if not any(isinstance(piece, Area) for piece in pieces) and "!" not in literal and "[" not in literal:
            column = put.where.rpartition("!")[2].rstrip("0123456789")
            tag = put.tag.removesuffix(">")
            area = f"{column}{numbers[0]}:{column}{numbers[-1]}"
            formula = _formula(pieces, self.known, None, int(numbers[0]))
            first = f'{tag} t="shared" ref="{area}" si="{self.shared}">{formula}</f>'
            other = f'{tag} t="shared" si="{self.shared}"/>'
            self.shared += 1
            return [first, *repeat(other, len(numbers) - 1)]
        text = _laid([put.tag, *self._formula(pieces, numbers), "</f>", "\0"], len(numbers))
        return text.removesuffix("\0").split("\0")


def _laid(strides: Sequence[str | Sequence[str]], count: int) -> str:
    """So many rows as text: in each a text that they share, or theirs from a column, one after the other."""
    merged: list[str | Sequence[str]] = []
    for stride in strides:
        if isinstance(stride, str) and merged and isinstance(merged[-1], str):
            merged[-1] += stride
        else:
            merged.append(stride)
    laid = [stride if isinstance(stride, str) else "" for stride in merged] * count
    for place, stride in enumerate(merged):
        if not isinstance(stride, str):
            laid[place :: len(merged)] = stride
    return "".join(laid)


class _Compressing:
    """Rows on their way to the temporary file, compressed by another thread."""

    def __init__(self, other: ThreadPoolExecutor, spool: IO[bytes]) -> None:
        self.other, self.spool = other, spool
        self.compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9)
        self.crc = self.size = self.packed = 0
        self.waiting: deque[Future[None]] = deque()

    def add(self, data: bytes) -> None:
        self.waiting.append(self.other.submit(self._add, data))
        if len(self.waiting) > 4:  # no more in memory
            self.waiting.popleft().result()

    def _add(self, data: bytes) -> None:
        self.crc = zlib.crc32(data, self.crc)
        self.size += len(data)
        self.packed += self.spool.write(self.compressor.compress(data))

    def finish(self) -> tuple[int, int, int]:
        """Bytes in the file and before compression, and the check sum."""
        while self.waiting:
            self.waiting.popleft().result()
        # Ends at a whole byte and refers to nothing before, so that other data can stand around it.
        self.packed += self.spool.write(self.compressor.flush(zlib.Z_FULL_FLUSH))
        return self.packed, self.size, self.crc


class _Further:
    """The parts that a workbook needs for the sheets that continue others."""

    def __init__(self, design: Design, layout: Layout) -> None:
        self.parts: dict[str, bytes] = {}
        """Those that are new or changed."""
        self.sheets: dict[str, list[str]] = {}
        """By table: the parts of its further sheets."""
        self.relations: dict[str, list[str]] = {}
        taken = {*design.parts, *design.texts, *(sheet.name for sheet in design.sheets)}
        overrides: list[str] = []
        relations: list[str] = []
        number = 0
        table_id = 0
        for parts in design.texts.values():
            if found := re.search(r"<table\b[^>]*?\sid=[\"']([0-9]+)", _literal(parts)):
                table_id = max(table_id, int(found[1]))
        for name, content in design.parts.items():
            if name.startswith("xl/tables/") and (one := re.search(rb"<table\b[^>]*?\sid=[\"']([0-9]+)", content)):
                table_id = max(table_id, int(one[1]))
        for sheet in design.sheets:
            if sheet.anchor is None:
                continue
            stretches = layout[sheet.anchor.table]
            names, ids = (
                self.sheets.setdefault(sheet.anchor.table, []),
                self.relations.setdefault(sheet.anchor.table, []),
            )
            for place, stretch in enumerate(stretches[1:], 2):
                number += 1
                name = _free(f"{sheet.name.removesuffix('.xml')}_{place}", taken)
                names.append(name)
                ids.append(f"rIdMore{number}")
                relations.append(
                    '<Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
                    f'worksheet" Target="/{name}" Id="rIdMore{number}"/>'
                )
                overrides.append(_override(name, "worksheet"))
                tables: dict[str, str] = {}
                for part in sheet.tables:
                    table_id += 1
                    target = _free(f"{part.removesuffix('.xml')}_{place}", taken)
                    tables[part] = target
                    overrides.append(_override(target, "table"))
                    xml = "".join(
                        piece if isinstance(piece, str) else resolved(piece, layout, stretch)
                        for piece in design.texts[part]
                        if isinstance(piece, str | Area)
                    )
                    self.parts[target] = _renamed_table(xml, table_id, place).encode()
                own = relations_name(sheet.name)
                if own in design.parts:
                    self.parts[relations_name(name)] = _sheet_relations(
                        design.parts[own].decode(), tables
                    ).encode()
        if number:
            types = design.parts[CONTENT_TYPES].decode()
            self.parts[CONTENT_TYPES] = types.replace("</Types>", "".join(overrides) + "</Types>").encode()
            rels = relations_name(design.workbook)
            text = design.parts[rels].decode()
            self.parts[rels] = text.replace("</Relationships>", "".join(relations) + "</Relationships>").encode()
            if APPLICATION in design.parts:
                self.parts[APPLICATION] = without_titles(design.parts[APPLICATION].decode()).encode()


def _workbook(design: Design, layout: Layout, more: _Further) -> str:
    """The workbook part: its sheets and names."""
    entries: list[str] = []
    places: list[int] = []
    of_sheets: list[list[Stretch]] = []
    highest = max((int(entry.get("sheetId", "0")) for entry in design.entries), default=0)
    for sheet, entry in zip(design.sheets, design.entries, strict=True):
        places.append(len(entries))
        entries.append(_sheet_tag(entry))
        stretches = list(layout[sheet.anchor.table]) if sheet.anchor else []
        of_sheets.append(stretches)
        if sheet.anchor:
            for stretch, relation in zip(stretches[1:], more.relations[sheet.anchor.table], strict=True):
                highest += 1
                changed = {**entry, "name": stretch.title, "sheetId": str(highest)}
                changed = {key: relation if key.endswith(":id") else value for key, value in changed.items()}
                entries.append(_sheet_tag(changed))
    names: list[str] = []
    for name in design.names:
        stretches = of_sheets[name.sheet] if name.sheet is not None else []
        alone: list[Stretch | None] = [None]
        for number, own in enumerate([*stretches] or alone):
            text = "".join(
                piece if isinstance(piece, str) else resolved(piece, layout, own)
                for piece in name.pieces
                if isinstance(piece, str | Area)
            )
            place = "" if name.sheet is None else f' localSheetId="{places[name.sheet] + number}"'
            if number and own is not None and "_xlnm." in name.attributes:
                text = _on_sheet(text, stretches[0], own)
            names.append(f"<definedName{name.attributes}{place}>{_element(text)}</definedName>")
    defined = f"<definedNames>{''.join(names)}</definedNames>" if names else ""
    return f"{design.before}{''.join(entries)}{design.between}{defined}{design.after}"


def _sheet_tag(entry: Mapping[str, str]) -> str:
    shown = "".join(f' {key}="{escaped(value) if key == "name" else value}"' for key, value in entry.items())
    return f"<sheet{shown}/>"


def _on_sheet(text: str, first: Stretch, stretch: Stretch) -> str:
    """What prints of a sheet, on the sheet that continues it."""
    new = "'" + stretch.title.replace("'", "''") + "'!"
    old = "'" + first.title.replace("'", "''") + "'!"
    return re.sub(rf"{re.escape(old)}|(?<![\w.'])" + re.escape(first.title) + "!", lambda _: new, text)


def _renamed_table(xml: str, number: int, place: int) -> str:
    start = xml.index("<table")
    end = xml.index(">", start)
    new = re.sub(r"(?<=\s)id=[\"'][0-9]+[\"']", f'id="{number}"', xml[start:end])
    new = re.sub(r"(?<=\s)((?:displayName|name)=[\"'])([^\"']*)", rf"\1\2_{place}", new)
    new = re.sub(r"\s[\w]+:uid=[\"'][^\"']*[\"']", "", new)
    return xml[:start] + new + xml[end:]


def _sheet_relations(xml: str, tables: Mapping[str, str]) -> str:
    """The relations of a sheet that continues another: its own tables, and links."""
    kept = []
    for tag in re.findall(r"<Relationship\b[^>]*>", xml):
        kind, target = attributes(tag).get("Type", ""), attributes(tag).get("Target", "")
        if kind.endswith("/hyperlink"):
            kept.append(tag if tag.endswith("/>") else tag.removesuffix(">") + "/>")
        elif kind.endswith("/table"):
            new = next(new for old, new in tables.items() if old.endswith(target.rpartition("/")[2]))
            kept.append(
                f'<Relationship Type="{kind}" Target="/{new}" Id="{attributes(tag)["Id"]}"/>',
            )
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{''.join(kept)}</Relationships>"
    )


def _free(name: str, taken: set[str]) -> str:
    while f"{name}.xml" in taken:
        name += "_"
    taken.add(f"{name}.xml")
    return f"{name}.xml"


def _override(part: str, kind: str) -> str:
    return (
        f'<Override PartName="/{part}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.'
        f'{kind}+xml"/>'
    )


def _embedded(
    name: str, head: bytes, body: _Body, tail: bytes, spool: IO[bytes]
) -> tuple[Packed, Iterator[bytes]]:
    """A sheet whose rows are compressed already: its entry and its record in pieces."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9)
    before = compressor.compress(head) + compressor.flush(zlib.Z_FULL_FLUSH)
    after = deflated(tail)
    parts = [(zlib.crc32(head), len(head)), (body.crc, body.size), (zlib.crc32(tail), len(tail))]
    entry = Packed(
        name,
        ZIP_DEFLATED,
        joined_crc(parts),
        len(before) + body.packed + len(after),
        len(head) + body.size + len(tail),
    )

    def pieces() -> Iterator[bytes]:
        yield local_header(entry)
        yield before
        spool.seek(body.start)
        left = body.packed
        while left:
            piece = spool.read(min(left, 2**20))
            left -= len(piece)
            yield piece
        yield after

    return entry, pieces()


def len_of(rows: Sequence[Sequence[Value] | Row | Columns]) -> int:
    """The number of rows."""
    return sum(len(item.columns[0]) if type(item) is Columns else 1 for item in rows)


def _counts(rows: int, capacity: int) -> list[int]:
    """How many rows go on each sheet."""
    full, rest = divmod(rows, capacity)
    return [capacity] * full + ([rest] if rest or not full else [])


def _formula(pieces: Iterable[Piece], layout: Layout, own: Stretch | None, row: int = 0) -> str:
    """The inside of the element of a formula."""
    done = []
    for piece in pieces:
        match piece:
            case str():
                done.append(piece)
            case OwnRow():
                done.append(str(row))
            case Area():
                done.append(resolved(piece, layout, own))
    return _element("".join(done))


def _element(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _told(told: Told, values: Mapping[str, Value]) -> str:
    """A text elsewhere than in a cell, as XML."""
    parts = list(told.source.parts)
    for place in range(1, len(parts), 2):
        shown = clean(shown_text(values[parts[place]]))
        parts[place] = shown.replace("&", "&&") if told.header else shown
    text = "".join(parts)
    if told.header and len(text) > _MAX_HEADER:
        raise ValueError(f"{told.where}: {len(text)} characters; it can have {_MAX_HEADER}")
    return escaped(text)


def _text_of(mixed: Mixed, values: Mapping[str, Value]) -> str:
    parts = list(mixed.parts)
    parts[1::2] = [shown_text(values[name]) for name in mixed.names]
    return "".join(parts)


def _key(source: str | Mixed) -> str:
    """The name under which a value is found; a mixed text has its own, which no name can be."""
    return source if isinstance(source, str) else "\0" + "\0".join(source.parts)


def _puts(parts: Iterable[object]) -> Iterator[Put]:
    return (part for part in parts if isinstance(part, Put))


def _names_of(part: object) -> tuple[str, ...]:
    if not isinstance(part, Put | Told):
        return ()
    names = part.source.names if isinstance(part.source, Mixed) else (part.source,)
    return tuple(name for name in names if name != AS_OF)


def _tables_of(parts: Iterable[object]) -> set[str]:
    """The tables whose number of rows some parts hang on."""
    found: set[str] = set()
    for part in parts:
        if isinstance(part, Formula):
            found |= tables_in(part.pieces)
        elif isinstance(part, Put):
            found |= tables_in(part.formula)
        else:
            found |= tables_in([part])
    return found


def _literal(parts: Iterable[Part]) -> str:
    return "".join(part for part in parts if isinstance(part, str))


def _continued(parts: Iterable[Part]) -> list[Part]:
    """The parts of a sheet for one that continues it, without what belongs to the first alone."""
    return [_ALONE.sub(lambda match: match[3] or "", part) if isinstance(part, str) else part for part in parts]


def _ordered(parts: Iterable[str]) -> list[str]:
    """The list of contents first, as programs that look at the beginning expect, then by name."""
    return sorted(parts, key=lambda name: (name != CONTENT_TYPES, name != "_rels/.rels", name))


def _checked_height(height: float | None, title: str) -> float | None:
    if height is not None and not 0 <= height <= 409.5:
        raise ValueError(f"sheet {title!r}: a row is 0 to 409.5 points high, not {height}")
    return height


def _getter(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What picks these keys from a mapping or a sequence, always as a tuple."""
    if not keys:
        return lambda values: ()
    if len(keys) == 1:
        (key,) = keys
        return lambda values: (values[key],)
    return itemgetter(*keys)


def _keep(kept: dict[Any, Any], key: object, value: object) -> None:
    """Keep what was prepared, and forget the oldest when there is too much."""
    if len(kept) >= _KEPT:
        kept.pop(next(iter(kept)), None)
    kept[key] = value


def _percent(text: str) -> str:
    return text.replace("%", "%%")
