"""A function of the catalogue for columns of numbers: exact, and nearly as quick as doubles would be.

:func:`adjust` is the whole of it: a batch of rows in, the same rows with the result out. It keeps nothing between
two batches, so threads, the workers of a cluster and Spark all run it as it is.

A row is computed with whole numbers of 64 bits (:mod:`xl_conversion.batch.quotients`). Rows whose numbers are too
large for that are computed as cells are (:mod:`xl_conversion.functions.arrays`) if they have no more digits than a
cell, and else one by one with fractions; so are those that cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xl_conversion.batch.columns import (
    Int64s,
    Mask,
    Whole,
    decimals,
    raised,
    whole,
)
from xl_conversion.batch.plan import Plan, Settings, planned
from xl_conversion.batch.quotients import Floats, Quotients
from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, brief, exact, shorten
from xl_conversion.functions import boundary, finishing
from xl_conversion.functions.arrays import compute_columns
from xl_conversion.functions.boundary import WorksheetError
from xl_conversion.functions.catalogue import ZERO_OR_ABOVE
from xl_conversion.functions.definition import HOW_TO_ROUND, Argument, Kind
from xl_conversion.functions.kernels import KERNELS, Kernel

Batch: TypeAlias = Any

MAX_PROBLEMS = 20

_BLOCK = 16384
"""Rows that stay in the processor's cache from one operation to the next."""
_MOST_RAISED = 19
"""Powers of ten by which a result is raised to the scale of its type."""
_MANY = 32
"""Fewer rows that did not fit are done sooner one by one."""
_SHOWN = 10**15
"""A double shows the whole numbers below it with all their digits."""
_MOST_POWER = 22
"""Powers of ten up to this are doubles."""
_OPEN = object()
"""A way to round that is none."""
_A_NUMBER = "a number is required"


class RowProblem(NamedTuple):
    """A row of a batch, the first being 1, and which argument in it breaks which rule."""

    row: int
    column: str
    value: str
    rule: str

    def __str__(self) -> str:
        return f"{self.column} is {self.value or 'blank'}; {self.rule}"


class ImpossibleRows(ValueError):
    """Rows of a batch that cannot be: the first of them."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "; ".join(f"row {problem.row}: {problem}" for problem in self.problems)


def adjust(batch: Batch, settings: Settings) -> Batch:
    """The rows of a batch with the result as one more column, a decimal.

    The columns named like the arguments of the function are computed; all of them are passed on.

    >>> batch = pa.RecordBatch.from_pydict({"conversion_price": ["6.41", "2.05"], "split_new": [2, 2],
    ...                                     "split_old": [1, 1]})
    >>> adjust(batch, Settings("CP_SPLIT")).column("conversion_price_after").to_pylist()
    [Decimal('3.21'), Decimal('1.03')]

    Raises InputError for columns that do not fit, ImpossibleRows for rows that cannot be, unless they are to
    be null.
    """
    plan = planned(batch.schema, settings)
    return _Adjusting(plan, batch).done()


def adjust_all(batches: Iterator[Batch], settings: Settings) -> Iterator[Batch]:
    """Each batch adjusted, as Spark's mapInArrow wants it."""
    return map(partial(adjust, settings=settings), batches)


class _Way(NamedTuple):
    """How some of the rows are computed and rounded."""

    decimals: int
    rounding_type: RoundingType
    method: str


class _Adjusting:
    """One batch on its way."""

    def __init__(self, plan: Plan, batch: Batch) -> None:
        self.plan, self.batch, self.function = plan, batch, plan.function
        self.size: int = batch.num_rows
        self.arguments = {a.name: a for a in plan.function.arguments}
        self.problems: list[RowProblem] = []
        self.read: dict[str, Whole] = {}
        self.columns: dict[str, Any] = {}
        """Those that are arguments, as their values."""
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name in self.arguments:
                self.columns[name] = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column

    def done(self) -> Batch:
        """The batch with its result."""
        pairs, left = self._together()
        absent = np.zeros(self.size, np.bool_)
        refuses = self.plan.settings.on_error == "refuse"
        for place in np.flatnonzero(left).tolist():
            figure = self._alone(place)
            if figure is None:
                absent[place] = True
                if refuses and len(self.problems) == MAX_PROBLEMS:
                    break
            else:
                pairs[place] = _pair(figure)
        if self.problems and refuses:
            raise ImpossibleRows(self.problems)
        columns = [*self.batch.columns, decimals(pairs, self.plan.kind, absent)]
        if not refuses:
            told: list[str | None] = [None] * self.size
            for problem in self.problems:
                told[problem.row - 1] = str(problem)
            columns.append(pa.array(told, pa.string()))
        return pa.RecordBatch.from_arrays(columns, schema=self.plan.schema)

    def _together(self) -> tuple[Int64s, Mask]:
        """The results of many rows at once, and which are left to be computed alone."""
        pairs, left = np.zeros((self.size, 2), np.int64), np.ones(self.size, np.bool_)
        if not self.size:
            return pairs, left
        ways, codes = self._ways()
        for code, way in enumerate(ways):
            if way is None:
                continue
            places: Any = slice(None) if len(ways) == 1 else np.flatnonzero(codes == code)
            size = self.size if len(ways) == 1 else len(places)
            kernel = KERNELS[self.function.name, way.method]
            parts = {name: _picked(self._whole(name), places) for name in _columns_of(kernel)}
            pairs[places], left[places] = self._computed(kernel, way, parts, size, places)
        return pairs, left

    # How the rows are computed and rounded.

    def _ways(self) -> tuple[list[_Way | None], npt.NDArray[np.intp]]:
        """The different ways, None for one that cannot be, and which of them a row takes."""
        choices: dict[str, tuple[list[Any], npt.NDArray[np.intp]]] = {}
        for name in ("decimals", "rounding_type", "method"):
            if name in self.columns:
                coded = self.columns[name].dictionary_encode(null_encoding="encode")
                values = [self._setting(name, value) for value in coded.dictionary.to_pylist()]
                # Few are different, of cells that all may be: else there would be as many ways as cells, squared.
                places = {value: place for place, value in enumerate(dict.fromkeys(values))}
                own = np.array([places[value] for value in values], np.intp)
                choices[name] = list(places), own[coded.indices.to_numpy(zero_copy_only=False)]
        codes = np.zeros(self.size, np.intp)
        ways: list[dict[str, Any]] = [{}]
        for name in ("decimals", "rounding_type", "method"):
            values, own = choices.get(name, ([self._setting(name, None)], np.zeros(1, np.intp)))
            codes = codes * len(values) + own
            ways = [{**way, name: value} for way in ways for value in values]
            if len(values) > 1:  # only the ways that there are
                used, codes = np.unique(codes, return_inverse=True)
                ways = [ways[place] for place in used.tolist()]
        return [None if _OPEN in way.values() else _Way(**way) for way in ways], codes

    def _setting(self, name: str, value: Any) -> Any:
        """The decimals, rounding type or method that a cell says, the settings' where it is blank."""
        argument = self.arguments.get(name)
        try:
            return self._setting_of(name, argument, value)
        except (WorksheetError, ValueError):
            return _OPEN

    def _setting_of(self, name: str, argument: Argument | None, value: Any) -> Any:
        settings = self.plan.settings
        blank = _is_blank(value)
        if name == "decimals":
            if argument is None or self.function.finish is finishing.shares:
                return 0
            if blank:
                return settings.decimals
            number = _number(name, value)
            if number.denominator != 1 or not argument.least <= number <= MAX_DECIMALS:
                raise ImpossibleArgument(name, brief(number), argument.rule)
            return int(number)
        default = argument.default if argument else ""
        if name == "rounding_type":
            return boundary.rounding_type(settings.rounding_type or default if blank else value)
        if argument is None:
            return ""
        return boundary.word(settings.method or default if blank else value, argument.choices)

    # Many at once.

    def _whole(self, name: str) -> Whole:
        if name not in self.read:
            argument = self.arguments[name]
            blank = int(argument.default) if argument.default else None
            if name in self.columns:
                self.read[name] = whole(self.columns[name], blank)
            else:
                known = blank is not None
                self.read[name] = Whole(np.array([blank or 0]), 0, np.array([known]))
        return self.read[name]

    def _computed(
        self, kernel: Kernel, way: _Way, parts: Mapping[str, Whole], size: int, picked: Any
    ) -> tuple[Int64s, Mask]:
        """The results of some rows, and which of them are not certain."""
        finish, scale = self.function.finish, self.plan.kind.scale
        places = scale - way.decimals
        if places > _MOST_RAISED:
            return np.zeros((size, 2), np.int64), np.ones(size, np.bool_)
        job = Quotients(
            kernel,
            way.decimals,
            way.rounding_type,
            capped=finish is finishing.adjusted_price,
            above_0=finish in (finishing.adjusted_price, finishing.price),
            may_be_0=frozenset(a.name for a in self.arguments.values() if a.rule == ZERO_OR_ABOVE),
        )
        units, stays, sure = np.empty(size, np.int64), np.empty(size, np.bool_), np.empty(size, np.bool_)
        with np.errstate(all="ignore"):
            for start in range(0, size, _BLOCK):
                block = slice(start, start + _BLOCK)
                part = {name: _picked(column, block) for name, column in parts.items()}
                units[block], stays[block], sure[block] = job.done(part)
        if not sure.all():
            units[~sure] = 0
        pairs = raised(units, places)
        if stays.any():
            before = parts["conversion_price"]
            pairs[stays] = raised(np.where(stays, before.bits, 0), scale - before.scale)[stays]
        left = ~sure
        if (rows := np.flatnonzero(left)).size >= _MANY:
            with np.errstate(all="ignore"):
                self._as_cells(
                    way,
                    {name: self._doubles(name, parts[name], picked, rows) for name in parts},
                    rows,
                    pairs,
                    left,
                )
        return pairs, left

    # What did not fit, as cells would be computed.

    def _doubles(self, name: str, numbers: Whole, picked: Any, rows: Any) -> Floats:
        """The doubles that show the numbers of a column in some rows; NaN where there is none."""
        column, blank = self.columns.get(name), self.arguments[name].default
        if column is not None and pa.types.is_float64(column.type):
            if blank and column.null_count:
                column = pc.fill_null(column, float(blank))
            shown: Floats = column.to_numpy(zero_copy_only=False)[picked][rows]
            return shown
        bits, scale, sure = _picked(numbers, rows)
        if scale > _MOST_POWER:
            return np.full(len(bits), np.nan)
        return np.where(sure & (np.abs(bits) < _SHOWN), bits / 10.0**scale, np.nan)

    def _as_cells(self, way: _Way, columns: Mapping[str, Floats], rows: Any, pairs: Int64s, left: Mask) -> None:
        """Puts in the results of rows whose numbers have up to 15 digits each, as have the results."""
        values, unsure = compute_columns(self.function, columns, way.decimals, way.rounding_type, way.method)
        scale = self.plan.kind.scale
        ten = 10.0 ** abs(way.decimals)
        units = np.rint(values * ten if way.decimals >= 0 else values / ten)
        # A result of so few digits is what its double shows.
        shown = ~unsure & (np.abs(values) * 10.0 ** max(way.decimals, 0) < _SHOWN)
        rounded = shown & ((units / ten if way.decimals >= 0 else units * ten) == values)
        done = rows[rounded]
        pairs[done] = raised(units[rounded].astype(np.int64), scale - way.decimals)
        left[done] = False
        # A price that did not move has its own digits.
        other = np.flatnonzero(shown & ~rounded)
        for row, value in zip(rows[other].tolist(), values[other].tolist(), strict=True):
            figure = Fraction(f"{value:.15g}") * 10**scale
            if figure.denominator == 1:
                pairs[row] = _pair(figure.numerator)
                left[row] = False

    # One by one, with fractions.

    def _alone(self, place: int) -> int | None:
        """The result of a row over the scale of its type; None after telling why there is none."""
        try:
            arguments = self._arguments_of(place)
            values = [arguments[a.name] for a in self.function.arguments if a.kind not in HOW_TO_ROUND]
            figure: Any = self.function.compute(*values)
            return self._of_type(
                figure if self.function.finish is None else self.function.finish(figure, arguments)
            )
        except ImpossibleArgument as problem:
            value = "" if problem.value == "blank" else problem.value
            self.problems.append(RowProblem(place + 1, problem.argument, value, problem.rule))
            return None

    def _arguments_of(self, place: int) -> dict[str, Any]:
        """What the arguments are in a row; ImpossibleArgument names the one that cannot be."""
        found = {
            argument.name: self._setting_at(argument.name, argument, place)
            for argument in self.function.arguments
            if argument.kind is not Kind.NUMBER
        }
        kernel = KERNELS[self.function.name, found.get("method", "")]
        for argument in self.function.arguments:
            if argument.kind is not Kind.NUMBER:
                continue
            # A column that the method does not use is not looked at, as if there were none.
            value = self._cell(argument.name, place) if argument.name in _columns_of(kernel) else None
            if not _is_blank(value):
                found[argument.name] = _number(argument.name, value)
            elif argument.default is None:
                raise ImpossibleArgument(argument.name, "blank", _A_NUMBER)
            else:
                found[argument.name] = Fraction(argument.default) if argument.default else None
        return found

    def _setting_at(self, name: str, argument: Argument, place: int) -> Any:
        value = self._cell(name, place)
        try:
            return self._setting_of(name, argument, value)
        except (WorksheetError, ValueError):
            raise ImpossibleArgument(name, _told(value), argument.rule) from None

    def _cell(self, name: str, place: int) -> Any:
        return self.columns[name][place].as_py() if name in self.columns else None

    def _of_type(self, figure: Fraction) -> int:
        kind = self.plan.kind
        scaled: Fraction = figure * 10**kind.scale
        if scaled.denominator != 1:  # only a price that did not move is not rounded
            raise ImpossibleArgument("conversion_price", brief(figure), f"it has more than {kind.scale} decimals")
        if abs(scaled.numerator) >= 10**kind.precision:
            raise ImpossibleArgument(self.plan.result, brief(figure), f"it has more digits than {kind} holds")
        return scaled.numerator


def _pair(number: int) -> Int64s:
    """The words of one number."""
    return np.frombuffer(number.to_bytes(16, "little", signed=True), np.int64)


def _columns_of(kernel: Kernel) -> tuple[str, ...]:
    """The arguments that a kernel uses."""
    return (*kernel.arguments, kernel.rest_at) if kernel.rest_at else kernel.arguments


def _picked(column: Whole, rows: Any) -> Whole:
    return column if len(column.bits) == 1 else Whole(column.bits[rows], column.scale, column.sure[rows])


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _told(value: Any) -> str:
    """A cell in a message of one line."""
    text = str(value)
    return "blank" if _is_blank(value) else shorten(text if text.isprintable() else repr(text))


def _number(name: str, value: Any) -> Fraction:
    """The number in a cell of a column, a double by the 15 digits that it shows."""
    try:
        return boundary.number(value) if isinstance(value, float) else exact(value)
    except (WorksheetError, ValueError, TypeError):
        raise ImpossibleArgument(name, _told(value), _A_NUMBER) from None
