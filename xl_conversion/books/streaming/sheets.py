"""A sheet of a design, filled: at once, or row by row into a temporary file."""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from operator import itemgetter
from typing import IO, Any, NamedTuple, TypeAlias
from zipfile import ZIP_DEFLATED

from xl_conversion.books.streaming.kept import Kept
from xl_conversion.books.streaming.pieces import Design, Formula, Merges, Mixed, Part, Put, Sheet, Told
from xl_conversion.books.streaming.references import Area, Layout, OwnRow, Piece, Stretch, resolved
from xl_conversion.books.streaming.texts import formula_text, key_of, mixed_text, puts_of, tables_of, told_text
from xl_conversion.books.streaming.values import (
    FORMULA,
    Columns,
    Opening,
    Row,
    Slot,
    Value,
    Variants,
    cells,
    column_cells,
    height_opening,
    opening,
    repeated,
)
from xl_conversion.books.streaming.zipping import Deflater, Packed, Prepared, joined_crc, local_header, prepared

MAX_ROWS = 1_048_576
"""The rows of a sheet."""

Rows: TypeAlias = Iterable[Sequence[Value] | Row | Columns]

_HIGHEST = 409.5
"""Points of a row."""
_BLOCK = 2048
"""Rows that are put together at once."""
_LEVEL = 1
"""Compression of streamed rows."""
# What belongs to one sheet alone and is left out of the sheets that continue it.
_ALONE = re.compile(
    r"<(drawing|legacyDrawing|legacyDrawingHF|picture)\b[^>]*?/>|<(oleObjects|controls)\b.*?</\2>"
    r"|(?<=\s)(?:codeName|tabSelected)=[\"'][^\"']*[\"']|(?<=<pageSetup)([^>]*?)\s[\w]+:id=[\"'][^\"']*[\"']",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Template:
    """The XML of a sheet: what it begins with, the cells, what follows, and texts such as those of its footer."""

    front: Prepared
    cells: list[str]
    """Texts at even places, gaps at odd ones."""
    openings: list[Opening]
    end: Prepared
    told: list[str]
    """As `cells`."""


class Body(NamedTuple):
    """The rows of one sheet, compressed, in the temporary file."""

    rows: int
    start: int
    packed: int
    size: int
    crc: int


class SheetPlan:
    """A sheet that takes values."""

    def __init__(self, sheet: Sheet, design: Design, tables: Mapping[str, tuple[str, ...]]) -> None:
        self.design = sheet
        self.twins = design.twins
        self.variants = Variants(design.variants)
        self.formats = design.formats
        self.sources = [key_of(put.source) for put in puts_of(sheet.head)]
        self.get_values = _getter(self.sources)
        self.needs: set[str] = set()
        self.table = ""
        self.first = 0
        self.columns: tuple[str, ...] = ()
        self.hanging = sorted(tables_of([*sheet.head, *sheet.row, *sheet.tail]))
        self.kept: Kept[tuple[int, ...], _Template] = Kept()
        self.told = [part for part in sheet.tail if isinstance(part, Told)]
        if sheet.anchor is not None:
            self.table = sheet.anchor.table
            self.first = sheet.anchor.row
            self.columns = tables[sheet.anchor.table]
            self.hanging = sorted({*self.hanging, sheet.anchor.table})
            self.needs = tables_of(sheet.row)
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
        values: Mapping[str, Value],
        tables: Mapping[str, Sequence[Sequence[Value] | Row]],
        counts: Mapping[str, int],
        layout_of: Callable[[Mapping[str, int]], Layout],
    ) -> list[bytes | Prepared]:
        """The sheet with its values, in pieces; those that hold none are compressed already."""
        key = tuple([counts[table] for table in self.hanging])
        template = self.kept.of(key)
        if template is None:
            template = self._template(counts, layout_of(counts))
            self.kept.keep(key, template, len(template.openings))
        flat = list(self.get_values(values))
        if self.design.anchor is not None:
            row_of, width = self.row_of, len(self.columns)
            for number, row in enumerate(tables[self.table]):
                given, height = row if isinstance(row, Row) else (row, None)
                if len(given) != width:
                    self._wrong_width(number, len(given))
                if height is not None and not 0 <= height <= _HIGHEST:
                    _checked_height(height, self.design.title)
                flat.append(height)
                flat += given if row_of is None else row_of(given, values)
        laid = template.cells.copy()
        laid[1::2] = cells(flat, template.openings)
        pieces: list[bytes | Prepared] = [template.front, "".join(laid).encode(), template.end]
        if self.told:
            laid = template.told.copy()
            laid[1::2] = [told_text(told, values, self.formats) for told in self.told]
            pieces.append("".join(laid).encode())
        return pieces

    def _template(self, counts: Mapping[str, int], layout: Layout) -> _Template:
        sheet = self.design
        text: list[str | None] = []
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
                text += [f"{start}{number}{others}", None, ">"]
                openings.append(height_opening(height))
                self._add(text, openings, sheet.row, layout, own, number)
                text.append("</row>")
            if not count:
                text.append(self._blank())
        front, *laid = _with_gaps(text)
        below: list[str | None] = []
        self._add(below, [], sheet.tail, layout, own, count=max(1, count))
        end, *told = _with_gaps(below)
        return _Template(prepared(front.encode()), ["", *laid], openings, prepared(end.encode()), ["", *told])

    def _blank(self) -> str:
        start, others, height = self.design.row_tag
        inside = "".join(part if isinstance(part, str) else str(self.first) for part in self.design.blank)
        return f"{start}{self.first}{others}{height}>{inside}</row>"

    def _add(
        self,
        text: list[str | None],
        openings: list[Opening],
        parts: Iterable[Part],
        layout: Layout,
        own: Stretch | None,
        row: int = 0,
        count: int = 1,
    ) -> None:
        """Add parts to a template, None for a gap. `row` is the number of the repeated row, `count` how many."""
        for part in parts:
            match part:
                case str():
                    text.append(part)
                case OwnRow():
                    text.append(str(row))
                case Area():
                    text.append(resolved(part, layout, own))
                case Formula():
                    text.append(formula_text(part.pieces, layout, own, row))
                case Merges():
                    text.append(self._merged(part, count))
                case Told():
                    text.append(None)
                case Put():
                    text.append(None)
                    formula = f"{part.tag}{formula_text(part.formula, layout, own, row)}</f>" if part.tag else ""
                    openings.append(opening(self._slot(part, formula, row)))

    def _slot(self, put: Put, formula: str, row: int = 0) -> Slot:
        where = put.where.rstrip("0123456789") + str(row) if row else put.where
        source = put.source if isinstance(put.source, str) else "".join(put.source.parts[1::2])
        return Slot(
            put.style,
            self.twins[put.style],
            put.extra,
            formula,
            f"{where} ({source})",
            self.variants,
        )

    def _merged(self, merges: Merges, count: int) -> str:
        all_of = list(merges.head)
        for row in range(self.first, self.first + count):
            all_of += [f"{first}{row}:{last}{row}" for first, last in merges.row]
        return (
            f'<mergeCells count="{len(all_of)}">' + "".join(f'<mergeCell ref="{one}"/>' for one in all_of)
        ) + "</mergeCells>"

    def _row_getter(self, table: str) -> Callable[[Sequence[Value], Mapping[str, Value]], Sequence[Value]] | None:
        """What picks the values of a row's cells from it and from the single values; None for all in order."""
        sources = [put.source for put in puts_of(self.design.row)]
        places = {f"{table}.{column}": number for number, column in enumerate(self.columns)}
        if all(isinstance(source, str) and source in places for source in sources):
            order = [places[source] for source in sources if isinstance(source, str)]
            if order == list(range(len(self.columns))):
                return None
            pick = _getter(order)
            return lambda row, values: pick(row)

        def mixed(row: Sequence[Value], values: Mapping[str, Value]) -> Sequence[Value]:
            done: list[Value] = []
            for source in sources:
                if isinstance(source, str):
                    done.append(row[places[source]] if source in places else values[source])
                else:
                    known = {name: row[places[name]] if name in places else values[name] for name in source.names}
                    done.append(mixed_text(source, known, self.formats))
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
        count: int = 1,
    ) -> bytes:
        """What stands above or below the rows."""
        text: list[str | None] = []
        openings: list[Opening] = []
        self._add(text, openings, parts, layout, own, count=count)
        shown = cells([values[key_of(put.source)] for put in puts_of(parts)], openings)
        shown += [told_text(part, values, self.formats) for part in parts if isinstance(part, Told)]
        laid = _with_gaps(text)
        laid[1::2] = shown
        return "".join(laid).encode()

    def streamed(
        self, rows: Rows, values: Mapping[str, Value], known: Layout, spool: IO[bytes], capacity: int
    ) -> list[Body]:
        """Compress the rows into the temporary file; what went on each sheet."""
        writer = _RowWriter(self, values, known)
        bodies: list[Body] = []
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
                bodies.append(Body(row, start, *compressor.finish()))
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

    def __init__(self, plan: SheetPlan, values: Mapping[str, Value], known: Layout) -> None:
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
            mixed_text(source, dict(zip(source.names, values, strict=True)), self.plan.formats)
            for values in zip(*given, strict=True)
        ]

    def _formula(self, pieces: Iterable[Piece], numbers: list[str]) -> list[str | Sequence[str]]:
        """The inside of the element of a formula, in strides."""
        return [
            numbers if isinstance(piece, OwnRow) else formula_text((piece,), self.known, None) for piece in pieces
        ]

    def _formulas(self, put: Put, numbers: list[str]) -> list[str]:
        """The element of the formula in each row: where it can be, the first holds it for all of the block."""
        pieces = put.formula
        literal = "".join(piece for piece in pieces if isinstance(piece, str))
        # References to other sheets and ranges over all rows are spelled out.
        if not any(isinstance(piece, Area) for piece in pieces) and "!" not in literal and "[" not in literal:
            column = put.where.rpartition("!")[2].rstrip("0123456789")
            tag = put.tag.removesuffix(">")
            area = f"{column}{numbers[0]}:{column}{numbers[-1]}"
            formula = formula_text(pieces, self.known, None, int(numbers[0]))
            first = f'{tag} t="shared" ref="{area}" si="{self.shared}">{formula}</f>'
            other = f'{tag} t="shared" si="{self.shared}"/>'
            self.shared += 1
            return [first, *repeat(other, len(numbers) - 1)]
        text = _laid([put.tag, *self._formula(pieces, numbers), "</f>", "\0"], len(numbers))
        return text.removesuffix("\0").split("\0")


def _with_gaps(text: Iterable[str | None]) -> list[str]:
    """Texts at even places, gaps at odd ones."""
    laid = [""]
    for piece in text:
        if piece is None:
            laid += ["", ""]
        else:
            laid[-1] += piece
    return laid


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


def embedded(name: str, head: bytes, body: Body, tail: bytes, spool: IO[bytes]) -> tuple[Packed, Iterator[bytes]]:
    """A sheet whose rows are compressed already: its entry and its record in pieces."""
    deflater = Deflater(_LEVEL)
    before, after = deflater.piece(head), deflater.whole(tail)
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


def counts_of(rows: int, capacity: int) -> list[int]:
    """How many rows go on each sheet."""
    full, rest = divmod(rows, capacity)
    return [capacity] * full + ([rest] if rest or not full else [])


def _continued(parts: Iterable[Part]) -> list[Part]:
    """The parts of a sheet for one that continues it, without what belongs to the first alone."""
    return [_ALONE.sub(lambda match: match[3] or "", part) if isinstance(part, str) else part for part in parts]


def _checked_height(height: float | None, title: str) -> float | None:
    if height is not None and not 0 <= height <= _HIGHEST:
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
