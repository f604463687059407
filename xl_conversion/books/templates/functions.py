"""The worksheet functions that a formula may use, other than IF and its like, which choose what is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from xl_conversion.books.templates.syntax import NotUsedHere
from xl_conversion.books.templates.values import (
    MOST_TEXT,
    Area,
    FormulaError,
    Held,
    Term,
    Value,
    condition,
    criterion,
    dated,
    day_of,
    decimal,
    difference,
    divided,
    finite,
    floor,
    known,
    meets,
    not_available,
    number,
    same,
    short,
    text,
    whole,
)
from xl_conversion.core.rounding import RoundingType, round_whole, to_text
from xl_conversion.functions.boundary import DIV0, NA, REF, VALUE, CellError


@dataclass(frozen=True, slots=True)
class Worksheet:
    """A function: `kinds` has a letter for each argument, ``v`` for a value and ``a`` for a range as a whole.

    The last `optional` ones may be left out; those of `more` may follow over and over.
    """

    compute: Callable[..., Term]
    kinds: str
    optional: int = 0
    more: str = ""

    def kinds_of(self, count: int) -> str | None:
        """The kinds of `count` arguments, or None where the function does not take as many."""
        kinds = self.kinds
        while self.more and len(kinds) < count:
            kinds += self.more
        return kinds[:count] if len(self.kinds) - self.optional <= count <= len(kinds) else None


def _held(terms: tuple[Term, ...]) -> Iterator[tuple[Held, bool]]:
    """Each cell of the terms, and whether it is in a range; what is not, was given as such."""
    for term in terms:
        if isinstance(term, Area):
            yield from ((cell, True) for cell in term.cells())
        else:
            yield term, False


def _numbers(terms: tuple[Term, ...]) -> list[float]:
    """The numbers among `terms`: in a range, blanks, texts, TRUE and FALSE do not count."""
    return [
        number(value)
        for value, within in ((known(cell), within) for cell, within in _held(terms))
        if not within or is_number(value)
    ]


def is_number(value: Held) -> bool:
    """Whether a cell holds a number; a date is one."""
    return isinstance(value, float | int | date) and not isinstance(value, bool)


def _area(term: Term) -> Area:
    return term if isinstance(term, Area) else Area(((term,),))


def _same_size(*areas: Area) -> bool:
    loose = any(area.line for area in areas)
    return len({math.prod(area.size) if loose else area.size for area in areas}) == 1


def _sum(*terms: Term) -> float:
    return finite(math.fsum(_numbers(terms)))


def _average(*terms: Term) -> float:
    numbers = _numbers(terms)
    if not numbers:
        raise FormulaError(DIV0, "an average of no numbers")
    return finite(math.fsum(numbers)) / len(numbers)


def _count(*terms: Term) -> float:
    found = 0
    for cell, within in _held(terms):
        if within or isinstance(cell, CellError):
            found += is_number(cell)
        else:
            try:
                number(cell)
            except FormulaError:
                continue
            found += 1
    return float(found)


def _sum_of_products(*terms: Term) -> float:
    areas = [_area(term) for term in terms]
    if not _same_size(*areas):
        raise FormulaError(VALUE, "the ranges differ in size")
    rows = zip(*([known(cell) for cell in area.cells()] for area in areas), strict=True)
    return finite(math.fsum(math.prod(number(cell) if is_number(cell) else 0.0 for cell in row) for row in rows))


def _conditions(terms: tuple[Term, ...]) -> list[bool]:
    found = [
        condition(value)
        for value, within in ((known(cell), within) for cell, within in _held(terms))
        if not within or isinstance(value, bool) or is_number(value)
    ]
    if not found:
        raise FormulaError(VALUE, "no condition")
    return found


def _met(pairs: tuple[Term, ...]) -> list[bool]:
    """For each cell of the ranges, whether all the criteria are met."""
    areas, wanted = [_area(term) for term in pairs[::2]], [criterion(_single(term)) for term in pairs[1::2]]
    if not _same_size(*areas):
        raise FormulaError(VALUE, "the ranges differ in size")
    rows = zip(*(area.cells() for area in areas), strict=True)
    return [all(map(meets, row, wanted)) for row in rows]


def _single(term: Term) -> Value:
    if isinstance(term, Area):
        raise TypeError("a range where the table of functions says value")
    return term


def _count_ifs(*pairs: Term) -> float:
    return float(sum(_met(pairs)))


def _sum_ifs(summed: Term, *pairs: Term) -> float:
    area = _area(summed)
    if not _same_size(area, _area(pairs[0])):
        raise FormulaError(VALUE, "the ranges differ in size")
    held = [cell for cell, met in zip(area.cells(), _met(pairs), strict=True) if met]
    return _sum(Area((tuple(held),)))


def _sum_if(cells: Term, wanted: Value, summed: Term = None) -> float:
    area = _area(cells if summed is None else summed)
    if not _same_size(area, _area(cells)):
        raise NotUsedHere("SUMIF with ranges that differ in size")
    return _sum_ifs(area, cells, wanted)


def _index(cells: Term, row: Value, *columns: Value) -> Term:
    area = _area(cells)
    height, width = area.size
    down, across = whole(row), whole(columns[0]) if columns else 1
    if not columns and height == 1:
        down, across = 1, down
    elif not columns and width > 1:
        raise FormulaError(REF, "a row of a table, but no column")
    elif area.line and down == 1:
        down, across = across, 1
    if down < 0 or across < 0:
        raise FormulaError(VALUE, f"row {down}, column {across}")
    if down > height or across > width:
        raise FormulaError(REF, f"row {down}, column {across} of a range of {height} x {width}")
    rows = area.rows[down - 1 : down] if down else area.rows
    return Area(tuple(row[across - 1 : across] if across else row for row in rows), area.line)


def _matched(wanted: Value, among: Term, how: Value = 1.0) -> float:
    if number(how) != 0:
        raise NotUsedHere("MATCH other than exact, with 0 as its third argument")
    area = _area(among)
    if isinstance(wanted, str) and any(sign in wanted for sign in "*?~"):
        raise NotUsedHere(f"MATCH with the pattern {wanted!r}")
    if min(area.size) == 1:
        for place, cell in enumerate(area.cells(), start=1):
            if same(cell, 0.0 if wanted is None else wanted):
                return float(place)
    raise FormulaError(NA, f"no match: {wanted!r}")


def _columns(cells: Term) -> float:
    area = _area(cells)
    return float(area.size[0] if area.line else area.size[1])


def _rounded(value: Value, decimals: Value, rounding_type: RoundingType) -> float:
    """Rounded by its size, so that down is towards 0 and up away from it."""
    # A double has no digit further left of the point, and none further right.
    amount, places = number(value), max(-309, min(whole(decimals), 324))
    scale = Fraction(10) ** places
    return math.copysign(finite(_double(round_whole(decimal(abs(amount)) * scale, rounding_type) / scale)), amount)


def _double(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _remainder(value: Value, divisor: Value) -> float:
    left, right = number(value), number(divisor)
    return difference(left, floor(divided(left, right)) * right)


def _fixed(value: Value, decimals: Value = 2.0, no_commas: Value = False) -> str:
    places = whole(decimals)
    if places > 127:
        raise FormulaError(VALUE, f"{places} decimals; at most 127")
    rounded = decimal(_rounded(value, decimals, RoundingType.HALF_UP))
    before, point, after = to_text(abs(rounded), max(places, 0)).partition(".")
    grouped = before if condition(no_commas) else f"{int(before):,}"
    return ("-" if rounded < 0 else "") + grouped + point + after


def _formatted(value: Value, pattern: Value) -> str:
    if isinstance(value, str):
        return value
    zeros = text(pattern)
    before, _, after = zeros.partition(".")
    if not before or set(before + after) != {"0"} or zeros.endswith("."):
        raise NotUsedHere(f"TEXT with the format {zeros!r}; known are those of zeros, 00 and 0.00")
    amount = decimal(_rounded(value, float(len(after)), RoundingType.HALF_UP))
    return ("-" if amount < 0 else "") + to_text(abs(amount), len(after)).rjust(len(zeros), "0")


def _number_value(value: Value, point: Value = ".", groups: Value = ",") -> float:
    given, dot, comma = text(value), text(point)[:1], text(groups)[:1]
    if not dot or dot == comma:
        raise FormulaError(VALUE, "the separators of NUMBERVALUE")
    before, seen, after = "".join(given.split()).partition(dot)
    plain = (before.replace(comma, "") if comma else before) + ("." if seen else "") + after
    percents = len(plain) - len(plain.rstrip("%"))
    plain = plain.rstrip("%")
    if not plain or plain == ".":
        return 0.0
    try:
        if set(plain) - set("0123456789.+-eE"):
            raise ValueError
        return finite(float(plain) / 100**percents)
    except ValueError:
        raise FormulaError(VALUE, f"not a number: {given!r}") from None


def _start(value: Value, least: int) -> int:
    place = whole(value)
    if place < least:
        raise FormulaError(VALUE, f"{place} is below {least}")
    return place


def _found(wanted: Value, within: Value, start: Value = 1.0) -> float:
    place = text(within).find(text(wanted), _start(start, 1) - 1)
    if place < 0:
        raise FormulaError(VALUE, f"{text(wanted)!r} is not in {text(within)!r}")
    return place + 1.0


def _left(value: Value, count: Value = 1.0) -> str:
    return text(value)[: _start(count, 0)]


def _right(value: Value, count: Value = 1.0) -> str:
    return text(value)[max(len(text(value)) - _start(count, 0), 0) :]


def _middle(value: Value, start: Value, count: Value) -> str:
    first = _start(start, 1) - 1
    return text(value)[first : first + _start(count, 0)]


def _repeated(value: Value, count: Value) -> str:
    times = _start(count, 0)
    if len(text(value)) * times > MOST_TEXT:
        raise FormulaError(VALUE, f"a text of more than {MOST_TEXT} characters")
    return text(value) * times


def _substituted(value: Value, old: Value, new: Value) -> str:
    return short(text(value).replace(text(old), text(new))) if text(old) else text(value)


def _case(change: Callable[[str], str]) -> Callable[[Value], str]:
    """Letter by letter: a host leaves a letter alone that would become two."""
    return lambda value: "".join(c if len(change(c)) != 1 else change(c) for c in text(value))


def _as_number(cells: Term) -> float:
    value = known(next(_area(cells).cells()))
    return 0.0 if isinstance(value, str) else number(value)


def _sign(value: Value) -> float:
    return float((number(value) > 0) - (number(value) < 0))


def _even(value: Value) -> bool:
    return whole(value) % 2 == 0


FUNCTIONS: Mapping[str, Worksheet] = {
    "ABS": Worksheet(lambda value: abs(number(value)), "v"),
    "AND": Worksheet(lambda *terms: all(_conditions(terms)), "a", more="a"),
    "AVERAGE": Worksheet(_average, "a", more="a"),
    "COLUMNS": Worksheet(_columns, "a"),
    "COUNT": Worksheet(_count, "a", more="a"),
    "COUNTA": Worksheet(lambda *terms: float(sum(cell is not None for cell, _ in _held(terms))), "a", more="a"),
    "COUNTBLANK": Worksheet(lambda cells: float(sum(cell in (None, "") for cell in _area(cells).cells())), "a"),
    "COUNTIF": Worksheet(_count_ifs, "av"),
    "COUNTIFS": Worksheet(_count_ifs, "av", more="av"),
    "DATE": Worksheet(dated, "vvv"),
    "DAY": Worksheet(lambda day: float(day_of(day)[2]), "v"),
    "EXACT": Worksheet(lambda left, right: text(left) == text(right), "vv"),
    "FALSE": Worksheet(lambda: False, ""),
    "FIND": Worksheet(_found, "vvv", 1),
    "FIXED": Worksheet(_fixed, "vvv", 2),
    "INDEX": Worksheet(_index, "avv", 1),
    "INT": Worksheet(lambda value: float(floor(number(value))), "v"),
    "ISEVEN": Worksheet(_even, "v"),
    "LEFT": Worksheet(_left, "vv", 1),
    "LEN": Worksheet(lambda value: float(len(text(value))), "v"),
    "LOWER": Worksheet(_case(str.lower), "v"),
    "MATCH": Worksheet(_matched, "vav", 1),
    "MAX": Worksheet(lambda *terms: max(_numbers(terms), default=0.0), "a", more="a"),
    "MID": Worksheet(_middle, "vvv"),
    "MIN": Worksheet(lambda *terms: min(_numbers(terms), default=0.0), "a", more="a"),
    "MOD": Worksheet(_remainder, "vv"),
    "MONTH": Worksheet(lambda day: float(day_of(day)[1]), "v"),
    "N": Worksheet(_as_number, "a"),
    "NA": Worksheet(not_available, ""),
    "NOT": Worksheet(lambda value: not condition(value), "v"),
    "NUMBERVALUE": Worksheet(_number_value, "vvv", 2),
    "OR": Worksheet(lambda *terms: any(_conditions(terms)), "a", more="a"),
    "REPT": Worksheet(_repeated, "vv"),
    "RIGHT": Worksheet(_right, "vv", 1),
    "ROUND": Worksheet(lambda value, decimals: _rounded(value, decimals, RoundingType.HALF_UP), "vv"),
    "ROUNDDOWN": Worksheet(lambda value, decimals: _rounded(value, decimals, RoundingType.FLOOR), "vv"),
    "ROUNDUP": Worksheet(lambda value, decimals: _rounded(value, decimals, RoundingType.CEILING), "vv"),
    "ROWS": Worksheet(lambda cells: float(_area(cells).size[0]), "a"),
    "SIGN": Worksheet(_sign, "v"),
    "SUBSTITUTE": Worksheet(_substituted, "vvv"),
    "SUM": Worksheet(_sum, "a", more="a"),
    "SUMIF": Worksheet(_sum_if, "ava", 1),
    "SUMIFS": Worksheet(_sum_ifs, "aav", more="av"),
    "SUMPRODUCT": Worksheet(_sum_of_products, "a", more="a"),
    "TEXT": Worksheet(_formatted, "vv"),
    "TRIM": Worksheet(lambda value: " ".join(filter(None, text(value).split(" "))), "v"),
    "TRUE": Worksheet(lambda: True, ""),
    "UPPER": Worksheet(_case(str.upper), "v"),
    "YEAR": Worksheet(lambda day: float(day_of(day)[0]), "v"),
}
