"""A function of the catalogue for columns of numbers: exact, and nearly as quick as doubles would be.

:func:`adjust` is the whole of it: a batch of rows in, the same rows with the result out. It keeps nothing between
two batches, so threads, the workers of a cluster and Spark all run it as it is.

A row is computed with whole numbers of 64 bits that wrap around. The quotient is estimated in doubles, and what
it leaves over is small, so that its last 64 bits are all of it: they tell the last digit, and a tie. Rows whose
numbers are too large for that are computed as cells are (:mod:`xl_conversion.functions.arrays`) if they have no
more digits than a cell, and else one by one with fractions; so are those that cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xl_conversion.batch.columns import (
    MOST,
    MOST_DIGITS,
    Int64s,
    Mask,
    Whole,
    decimals,
    is_number,
    is_text,
    raised,
    whole,
)
from xl_conversion.core.adjustments import ImpossibleArgument
from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, brief, exact, shorten
from xl_conversion.functions import boundary, finishing
from xl_conversion.functions.arrays import compute_columns
from xl_conversion.functions.boundary import WorksheetError
from xl_conversion.functions.catalogue import CATALOGUE, FUNCTIONS, ZERO_OR_ABOVE
from xl_conversion.functions.definition import HOW_TO_ROUND, Argument, Function, Kind
from xl_conversion.functions.kernels import KERNELS, ONE, Kernel
from xl_conversion.inputs.problems import InputError, Problem, fail, suggestion

Batch: TypeAlias = Any
Schema: TypeAlias = Any
Floats: TypeAlias = npt.NDArray[np.float64]

PROBLEM = "problem"
"""The column that says why a result is null."""
MAX_PROBLEMS = 20
COMPUTED = tuple(f.name for f in CATALOGUE if any(name == f.name for name, _ in KERNELS))
"""The functions that there are for columns."""

_BLOCK = 16384
"""Rows that stay in the processor's cache from one operation to the next."""
_MOST_UNITS = 2.0**48
"""Up to here a quotient in doubles, a dozen operations old, is wrong by less than a half."""
_MOST_BOTTOM = 2.0**60
"""Three times as much still fits into 64 bits."""
_NEAR = 2.0**-46
"""Doubles that differ by more than this part of themselves are different numbers."""
_MOST_CLOSE = 2.0**100
"""The difference of numbers up to here that are near each other fits into 64 bits."""
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


@dataclass(frozen=True, slots=True)
class Settings:
    """What is computed. Columns `decimals`, `rounding_type` and `method` of a batch go before these."""

    function: str = "CP_WEIGHTED_AVERAGE"
    decimals: int = 2
    rounding_type: str = ""
    """As the function's default says, if empty."""
    method: str = ""
    """As the function's default says, if empty."""
    on_error: str = "refuse"
    """`null` gives nothing for a row that cannot be, and the reason in a column `problem`."""
    result: str = ""
    """The name of the column; by default `conversion_price_after`, or that of the function without CP_."""


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


@dataclass(frozen=True)
class Plan:
    """What the columns of a batch and the settings come to."""

    settings: Settings
    function: Function
    kind: Any
    """The decimal type of the result."""
    schema: Schema
    """That of the batch with the result."""

    @property
    def result(self) -> str:
        """The name of the result's column."""
        return self.settings.result or _result_name(self.function)


def planned(schema: Schema, settings: Settings, where: str = "columns") -> Plan:
    """Checks the settings and the columns; InputError says what is wrong, and `where`."""
    function = _function(settings)
    arguments = {a.name: a for a in function.arguments}
    _check_settings(function, settings)
    names = list(schema.names)
    problems = []
    twice = sorted({name for name in names if names.count(name) > 1 and name in arguments})
    problems += [Problem(where, f"there are two columns {name}", hint="rename one of them") for name in twice]
    for name, argument in arguments.items():
        if name not in names:
            if not argument.optional and argument.kind is Kind.NUMBER:
                rule = f"there is no column {name}, which {function.name} needs"
                problems.append(Problem(where, rule, hint=suggestion(name, names) or function.signature))
            continue
        kind = schema.field(name).type if name not in twice else pa.null()
        if argument.kind in (Kind.NUMBER, Kind.DECIMALS):
            if not is_number(kind):
                rule = f"the column {name} is of type {kind}; it must be decimal, integer, text or float64"
                problems.append(Problem(where, rule, hint="cast it to a decimal"))
        elif not (is_text(kind) or pa.types.is_null(kind) or _is_text_dictionary(kind)):
            problems.append(Problem(where, f"the column {name} is of type {kind}; it must be text"))
    result = settings.result or _result_name(function)
    for name in (result, PROBLEM) if settings.on_error == "null" else (result,):
        if name in names:
            hint = "rename it, or name the result with --result" if name == result else "rename it"
            problems.append(Problem(where, f"there is a column {name} already", hint=hint))
    if problems:
        raise InputError(problems)
    kind = _result_type(function, schema, settings)
    fields = [pa.field(result, kind)]
    if settings.on_error == "null":
        fields.append(pa.field(PROBLEM, pa.string()))
    return Plan(settings, function, kind, pa.schema([*schema, *fields], schema.metadata))


def _function(settings: Settings) -> Function:
    name = settings.function.upper()
    if name not in COMPUTED:
        rule = f"{shorten(settings.function)} is no function for columns"
        raise fail("function", rule, suggestion(name, COMPUTED) or f"one of {', '.join(COMPUTED)}")
    return FUNCTIONS[name]


def _check_settings(function: Function, settings: Settings) -> None:
    arguments = {a.kind: a for a in function.arguments}
    least = arguments[Kind.DECIMALS].least if Kind.DECIMALS in arguments else 0
    if not least <= settings.decimals <= MAX_DECIMALS:
        rule = f"{settings.decimals} is not from {least} to {MAX_DECIMALS}"
        raise fail("decimals", rule, "give the decimals that the charter rounds to")
    if settings.rounding_type:
        try:
            RoundingType.parse(settings.rounding_type)
        except ValueError as problem:
            raise fail("rounding_type", str(problem)) from None
    if settings.method:
        choices = arguments[Kind.CHOICE].choices if Kind.CHOICE in arguments else ()
        if settings.method not in choices:
            rule = f"{shorten(settings.method)} is no method of {function.name}"
            raise fail("method", rule, f"one of {', '.join(choices)}" if choices else "leave it out")
    if settings.on_error not in ("refuse", "null"):
        raise fail("on_error", f"{shorten(settings.on_error)} is neither refuse nor null")


def _result_name(function: Function) -> str:
    if function.arguments[0].name == "conversion_price":
        return "conversion_price_after"
    return function.name.removeprefix("CP_").lower()


def _result_type(function: Function, schema: Schema, settings: Settings) -> Any:
    """The decimal that holds every result: as many decimals as a price before may have that did not move."""
    names = schema.names
    scale = 0 if function.finish is finishing.shares else max(settings.decimals, 0)
    if "decimals" in names and any(a.name == "decimals" for a in function.arguments):
        scale = max(scale, MAX_DECIMALS)
    if function.finish is not finishing.adjusted_price:
        return pa.decimal128(MOST_DIGITS, scale)
    before = schema.field("conversion_price").type
    if pa.types.is_dictionary(before):
        before = before.value_type
    if pa.types.is_decimal(before):
        own, digits = max(before.scale, 0), before.precision - before.scale
        # Nothing is above the price before, so that its digits in front of the point are enough.
        scale = min(max(scale, own), MOST_DIGITS)
        return pa.decimal128(min(max(digits, 1) + scale, MOST_DIGITS), scale)
    return pa.decimal128(MOST_DIGITS, scale if pa.types.is_integer(before) else max(scale, MAX_DECIMALS))


def _is_text_dictionary(kind: Any) -> bool:
    return bool(pa.types.is_dictionary(kind) and is_text(kind.value_type))


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
                choices[name] = values, coded.indices.to_numpy(zero_copy_only=False).astype(np.intp)
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
        job = _Job(
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
    return "blank" if _is_blank(value) else shorten(str(value))


def _number(name: str, value: Any) -> Fraction:
    """The number in a cell of a column, a double by the 15 digits that it shows."""
    try:
        return boundary.number(value) if isinstance(value, float) else exact(value)
    except (WorksheetError, ValueError, TypeError):
        raise ImpossibleArgument(name, _told(value), _A_NUMBER) from None


# Many rows with whole numbers that wrap around.


@dataclass(frozen=True, slots=True)
class _Wide:
    """Whole numbers over a power of ten: their last 64 bits, and doubles near them once they may be longer."""

    bits: Int64s
    scale: int
    most: float
    near: Floats | None = None

    @classmethod
    def of(cls, numbers: Whole) -> _Wide:
        """The numbers of a column, which all fit."""
        return cls(numbers.bits, numbers.scale, float(max(numbers.bits.max(), -numbers.bits.min())))

    def floats(self) -> Floats:
        """The numbers as doubles."""
        return self.bits.astype(np.float64) if self.near is None else self.near

    def __add__(self, other: _Wide) -> _Wide:
        left, right = _aligned(self, other)
        most = left.most + right.most
        near = None if most < MOST else left.floats() + right.floats()
        return _Wide(left.bits + right.bits, left.scale, most, near)

    def __sub__(self, other: _Wide) -> _Wide:
        left, right = _aligned(self, other)
        most, near = left.most + right.most, None
        if most >= MOST:
            # A difference of doubles is no good; that of the last bits is, where both numbers are short.
            first, second = left.floats(), right.floats()
            short = (np.abs(first) < MOST / 2) & (np.abs(second) < MOST / 2)
            near = np.where(short, (left.bits - right.bits).astype(np.float64), np.nan)
        return _Wide(left.bits - right.bits, left.scale, most, near)

    def __mul__(self, other: _Wide) -> _Wide:
        most = self.most * other.most
        near = None if most < MOST else self.floats() * other.floats()
        return _Wide(self.bits * other.bits, self.scale + other.scale, most, near)

    def raised(self, places: int) -> _Wide:
        """The same numbers over a power of ten that is higher by so many places."""
        if places == 0:
            return self
        ten = 10**places
        most = self.most * ten
        wrapped = np.int64((ten + 2**63) % 2**64 - 2**63)
        near = None if most < MOST else self.floats() * float(ten)
        return _Wide(self.bits * wrapped, self.scale + places, most, near)


def _aligned(left: _Wide, right: _Wide) -> tuple[_Wide, _Wide]:
    scale = max(left.scale, right.scale)
    return left.raised(scale - left.scale), right.raised(scale - right.scale)


def _at_most(left: _Wide, right: _Wide) -> tuple[Mask, Mask | bool]:
    """Where numbers above 0 are not above others, and where that is certain."""
    left, right = _aligned(left, right)
    if left.near is None and right.near is None:
        return left.bits <= right.bits, True
    first, second = left.floats(), right.floats()
    gap = first - second
    close = np.abs(gap) <= _NEAR * second
    # The last bits of the difference of numbers that are close are all of it.
    return np.where(close, left.bits - right.bits <= 0, gap < 0), np.abs(second) < _MOST_CLOSE


@dataclass(frozen=True)
class _Job:
    """A kernel, and how its figures are finished."""

    kernel: Kernel
    decimals: int
    rounding_type: RoundingType
    capped: bool
    """Whether a figure never is above the conversion price, which itself is not rounded."""
    above_0: bool
    may_be_0: frozenset[str]

    def done(self, part: Mapping[str, Whole]) -> tuple[Int64s, Mask | bool, Mask | bool]:
        """The figures in units of their last digit; where the price before stays instead; what is certain."""
        kernel = self.kernel
        wide = {name: _Wide.of(column) for name, column in part.items()}
        given = self._possible(part)
        stays: Mask | bool = False
        if kernel.unmoved:
            first, second = kernel.unmoved
            stays, known = _at_most(wide[first], wide[second]) if second else (part[first].bits <= 0, True)
            given = given & known
        if kernel.not_above:
            inside, known = _at_most(*(wide[name] for name in kernel.not_above))
            given = given & inside & known
        sure: Mask | bool = True
        if kernel.below:
            first, second = kernel.below
            reached, known = _at_most(wide[second], wide[first])
            sure = ~reached & known
        top, bottom = kernel.fraction(*(wide[name] for name in kernel.arguments))
        if bottom is ONE:
            bottom = _Wide(np.ones(1, np.int64), 0, 1.0)
        if kernel.rest_at:
            top, bottom, certain = _rest(top, bottom)
            sure = sure & certain
            top = top * wide[kernel.rest_at]
        shift = self.decimals + bottom.scale - top.scale
        units, certain = self._rounded(top.raised(max(shift, 0)), bottom.raised(max(-shift, 0)))
        sure = sure & certain
        if self.capped:
            units, kept, known = self._capped(units, top, bottom, part["conversion_price"], wide)
            sure = sure & known
            stays = stays | (kept & sure)  # what is not certain is above nothing
        if self.above_0:
            sure = sure & (units > 0)
        return units, stays & given, given & (sure | stays)

    def _possible(self, part: Mapping[str, Whole]) -> Mask | bool:
        """Where the numbers keep their rules, and all of them have been read."""
        given: Mask | bool = True
        for name, column in part.items():
            if not column.sure.all():
                given = given & column.sure
            least = 0 if name in self.may_be_0 else 1
            if not self.kernel.signed and column.bits.min() < least:
                given = given & (column.bits >= least)
        return given

    def _rounded(self, top: _Wide, bottom: _Wide) -> tuple[Int64s, Mask]:
        """A quotient as a whole number, and where that is certain."""
        estimate, sure = _estimate(top, bottom)
        nearest = self.rounding_type in (RoundingType.HALF_UP, RoundingType.HALF_EVEN)
        units = (np.floor(estimate) if nearest else np.rint(estimate)).astype(np.int64)
        rest = top.bits - units * bottom.bits
        if not nearest:
            if self.rounding_type is RoundingType.FLOOR:
                return units - (rest < 0), sure
            return units + (rest > 0), sure
        past = 2 * rest - bottom.bits
        turns = past > 0
        ties = past == 0
        if ties.any():
            # A tie goes away from 0, and this is the whole number below it; or to the even one.
            turns |= ties & (
                units >= 0 if self.rounding_type is RoundingType.HALF_UP else (units & 1).astype(bool)
            )
        return units + turns, sure

    def _capped(
        self, units: Int64s, top: _Wide, bottom: _Wide, before: Whole, wide: Mapping[str, _Wide]
    ) -> tuple[Int64s, Mask | bool, Mask | bool]:
        """The figures, never above the price before; where that stays; what is certain."""
        finer = before.scale - self.decimals
        if finer <= 0:
            # The price before is so many units itself, and what is above it is not rounded below it.
            ten = 10**-finer
            sure: Mask | bool = True
            if wide["conversion_price"].most * ten >= MOST:
                sure = before.bits < MOST // ten
            return np.minimum(units, before.bits * ten), False, sure
        if finer > 18:
            return units, False, False
        whole_units = before.bits // 10**finer
        stays = units > whole_units
        level = units == whole_units
        if not level.any() or self.kernel.unmoved:
            return units, stays, True
        # Only here a figure that is not below the price before may have been rounded below it.
        reaches, known = _at_most(wide["conversion_price"] * bottom, top)
        return units, stays | (level & reaches), known | ~level


def _estimate(top: _Wide, bottom: _Wide) -> tuple[Floats, Mask]:
    """A quotient, wrong by less than a half, and where it is not."""
    below = bottom.floats()
    estimate = top.floats() / below
    return estimate, (np.abs(estimate) < _MOST_UNITS) & (below < _MOST_BOTTOM) & (below > 0)


def _rest(top: _Wide, bottom: _Wide) -> tuple[_Wide, _Wide, Mask]:
    """What a quotient leaves over whole units, as another quotient, and where that is certain."""
    top, bottom = _aligned(top, bottom)
    estimate, sure = _estimate(top, bottom)
    rest = top.bits - np.floor(estimate).astype(np.int64) * bottom.bits
    # The estimate may be one unit too high or too low.
    rest = rest + np.where(rest < 0, bottom.bits, 0)
    rest = rest - np.where(rest >= bottom.bits, bottom.bits, 0)
    rest = np.where(sure, rest, 0)
    return _Wide(rest, bottom.scale, min(bottom.most, _MOST_BOTTOM)), bottom, sure
