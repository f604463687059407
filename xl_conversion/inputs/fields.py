"""The kinds of cells that an input has, and the rule of each. Every cell comes as text."""

from __future__ import annotations

import datetime
import re
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from xl_conversion.core.rounding import MAX_DECIMALS, RoundingType, exact, to_text
from xl_conversion.core.stated import read_written

MAX_NAME = 255
LARGEST = 10**18
"""Numbers are below it and not closer to 0 than its inverse, so that no cell of a workbook overflows."""
FIRST_DAY = datetime.date(1900, 3, 1)
"""Spreadsheets do not agree on earlier days."""
SCIENTIFIC = "it is in scientific notation, which hides digits"
SCIENTIFIC_HINT = "format the column as a number and save again"
_DIGITS = re.compile(r"[+-]?[0-9]*\.?[0-9]*")
_SCIENTIFIC = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]+")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WITH_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ].+", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)


def _rule(text: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("rule", "{text}", {"text": text, "hint": hint})


def is_scientific(text: str) -> bool:
    """Whether a text is a number such as 4.56E+07, of which a spreadsheet has kept but a few digits."""
    return _SCIENTIFIC.fullmatch(text) is not None


def _required(text: str) -> str:
    if not text:
        raise _rule("a value is required")
    return text


def _name(text: str) -> str:
    if len(text) > MAX_NAME:
        raise _rule(f"it must have at most {MAX_NAME} characters")
    return text


def _number(text: str) -> Fraction:
    _required(text)
    if is_scientific(text):
        raise _rule(SCIENTIFIC, SCIENTIFIC_HINT)
    try:
        value = exact(text)
    except ValueError:
        written = read_written(text)
        if written is not None:
            raise _rule(f"it must be a plain number: write {to_text(written.value, written.decimals)}") from None
        if not _DIGITS.fullmatch(text):
            raise _rule("it must be a number, such as 6.41") from None
        value = Fraction(LARGEST)
    if value and not Fraction(1, LARGEST) < abs(value) < LARGEST:
        raise _rule("it must be between 1e-18 and 1e18")
    return value


def _above_zero(value: Fraction) -> Fraction:
    if value <= 0:
        raise _rule("it must be above 0")
    return value


def _not_negative(value: Fraction) -> Fraction:
    if value < 0:
        raise _rule("it must be 0 or above")
    return value


def _decimals(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,2}", text) or int(text) > MAX_DECIMALS:
        raise _rule(f"it must be a whole number from 0 to {MAX_DECIMALS}, or blank for no rounding")
    return int(text)


def _date(text: str) -> datetime.date:
    _required(text)
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not _ISO_DAY.fullmatch(text):
        raise _rule("it must be a date as YYYY-MM-DD", _meant(text))
    if day < FIRST_DAY:
        raise _rule(f"it must be {FIRST_DAY} or later")
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
        raise _rule(f"it must be one of {', '.join(RoundingType)}") from None


E = TypeVar("E", bound=StrEnum)


def _yes_no(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise _rule("it must be yes or no")
    return text.lower() in ("yes", "true")


def _names(text: str) -> frozenset[str]:
    """Names in any letter case."""
    return frozenset(name.strip().casefold() for name in text.split(";") if name.strip())


def one_of(names: type[E]) -> BeforeValidator:
    def parse(text: str) -> E:
        wanted = {name.value.lower(): name for name in names}
        found = wanted.get(text.strip().lower().replace(" ", "_"))
        if found is None:
            raise _rule(f"it must be one of {', '.join(names)}")
        return found

    return BeforeValidator(parse)


Name = Annotated[str, AfterValidator(_required), AfterValidator(_name)]
KindName = Annotated[Name, AfterValidator(lambda text: text.lower().replace(" ", "_"))]
OptionalName = Annotated[str, AfterValidator(_name)]
Price = Annotated[Fraction, BeforeValidator(_number), AfterValidator(_above_zero)]
Amount = Annotated[Fraction, BeforeValidator(_number), AfterValidator(_not_negative)]
OptionalAmount = Annotated[Amount | None, BeforeValidator(lambda text: text or None)]
OptionalPrice = Annotated[Price | None, BeforeValidator(lambda text: text or None)]
YesNo = Annotated[bool, BeforeValidator(_yes_no)]
Names = Annotated[frozenset[str], BeforeValidator(_names)]
Decimals = Annotated[int | None, BeforeValidator(_decimals)]
Day = Annotated[datetime.date, BeforeValidator(_date)]
OptionalDay = Annotated[Day | None, BeforeValidator(lambda text: text or None)]
RoundingName = Annotated[RoundingType, BeforeValidator(_rounding_type)]
