"""The kinds of cells that an input has, and the rule of each.

Every cell comes as text. What is annotated beside a type makes a value of it, one function after the other. A
blank cell of an optional column is its default, so that only what is required is ever asked about a blank.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, TypeVar

from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, exact, to_text
from xl_conversion.core.stated import read_written

MAX_NAME = 255
LARGEST = 10**18
"""Numbers are below it and not closer to 0 than its inverse, so that no cell of a workbook overflows."""
_SMALLEST = Fraction(1, LARGEST)
FIRST_DAY = datetime.date(1900, 3, 1)
"""Spreadsheets do not agree on earlier days."""
SCIENTIFIC = "it is in scientific notation, which hides digits"
SCIENTIFIC_HINT = "format the column as a number and save again"
_DIGITS = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)")
_SCIENTIFIC = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)[eE][+-]?[0-9]+")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WITH_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ].+", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)


class Unfit(ValueError):
    """A text that its column does not take: the rule that it breaks, what to do, and whether it is of the right
    type but `impossible`, such as a number out of range."""

    def __init__(self, rule: str, hint: str = "", *, impossible: bool = False) -> None:
        super().__init__(rule)
        self.rule = rule
        self.hint = hint
        self.impossible = impossible


def is_scientific(text: str) -> bool:
    """Whether a text is a number such as 4.56E+07, of which a spreadsheet has kept but a few digits."""
    return _SCIENTIFIC.fullmatch(text) is not None


def _required(text: str) -> str:
    if not text:
        raise Unfit("a value is required")
    return text


def _name(text: str) -> str:
    if len(text) > MAX_NAME:
        raise Unfit(f"it must have at most {MAX_NAME} characters")
    return text


def _number(text: str) -> Fraction:
    _required(text)
    if is_scientific(text):
        raise Unfit(SCIENTIFIC, SCIENTIFIC_HINT)
    try:
        value = exact(text)
    except ValueError:
        written = read_written(text)
        if written is not None:
            raise Unfit(f"it must be a plain number: write {to_text(written.value, written.decimals)}") from None
        if not _DIGITS.fullmatch(text):
            raise Unfit("it must be a number, such as 6.41") from None
        value = Fraction(LARGEST)
    if value and not _SMALLEST < abs(value) < LARGEST:
        raise Unfit("it must be between 1e-18 and 1e18", impossible=True)
    return value


def _above_zero(value: Fraction) -> Fraction:
    if value <= 0:
        raise Unfit("it must be above 0", impossible=True)
    return value


def _not_negative(value: Fraction) -> Fraction:
    if value < 0:
        raise Unfit("it must be 0 or above", impossible=True)
    return value


def _decimals(text: str) -> int:
    if not re.fullmatch("[0-9]{1,2}", text) or int(text) > MAX_DECIMALS:
        rule = f"it must be a whole number from 0 to {MAX_DECIMALS}, or blank for no rounding"
        raise Unfit(rule, impossible=_DIGITS.fullmatch(text) is not None)
    return int(text)


def _date(text: str) -> datetime.date:
    _required(text)
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not _ISO_DAY.fullmatch(text):
        raise Unfit("it must be a date as YYYY-MM-DD", _meant(text))
    if day < FIRST_DAY:
        raise Unfit(f"it must be {FIRST_DAY} or later", impossible=True)
    return day


def _meant(text: str) -> str:
    """What to do about a text that is nearly a date."""
    if _WITH_TIME.fullmatch(text):
        return "remove the time"
    if _SERIAL.fullmatch(text):
        return "format the cell as a date"
    if parts := _SLASHED.fullmatch(text):
        first, second, year = map(int, parts.groups())
        days = dict.fromkeys(f"{year:04}-{m:02}-{d:02}" for m, d in ((first, second), (second, first)))
        return "write " + " or ".join(filter(_is_day, days)) if any(map(_is_day, days)) else ""
    return ""


def _is_day(text: str) -> bool:
    try:
        return bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def _rounding_type(text: str) -> RoundingType:
    try:
        return RoundingType.parse(text)
    except ValueError:
        raise Unfit(f"it must be one of {', '.join(RoundingType)}") from None


E = TypeVar("E", bound=StrEnum)


def _yes_no(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise Unfit("it must be yes or no")
    return text.lower() in ("yes", "true")


def _kind_name(text: str) -> str:
    return text.lower().replace(" ", "_")


def _names(text: str) -> frozenset[str]:
    """Names in any letter case."""
    return frozenset(name.strip().casefold() for name in text.split(";") if name.strip())


def one_of(names: type[E]) -> Callable[[str], E]:
    """What makes one of `names` of its text, in any letter case."""

    wanted = {name.value.lower(): name for name in names}

    def parse(text: str) -> E:
        found = wanted.get(text.strip().lower().replace(" ", "_"))
        if found is None:
            raise Unfit(f"it must be one of {', '.join(names)}")
        return found

    return parse


Name = Annotated[str, _required, _name]
KindName = Annotated[Name, _kind_name]
OptionalName = Annotated[str, _name]
OptionalKindName = Annotated[OptionalName, _kind_name]
Price = Annotated[Fraction, _number, _above_zero]
Amount = Annotated[Fraction, _number, _not_negative]
OptionalAmount = Annotated[Fraction | None, _number, _not_negative]
OptionalPrice = Annotated[Fraction | None, _number, _above_zero]
YesNo = Annotated[bool, _yes_no]
Names = Annotated[frozenset[str], _names]
Decimals = Annotated[int | None, _decimals]
Day = Annotated[datetime.date, _date]
OptionalDay = Annotated[datetime.date | None, _date]
RoundingName = Annotated[RoundingType, _rounding_type]
