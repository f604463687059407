"""The numbers of a package: exact, never below 0, and how a cell has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from xl_conversion.core.rounding import RoundingType, exact, exact_text, round_to, to_text
from xl_conversion.core.stated import MAX_WRITTEN_DECIMALS
from xl_conversion.inputs.ocf_files import Object
from xl_conversion.inputs.problems import Problem

MAX_NUMBER = 60
PADDED = 10
"""Decimals of a Numeric, and those in which a ratio of two numbers is stated: it is exact."""

_NUMERIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]{1,10})?")


class Figures:
    """Reads numbers of objects, and adds what is wrong with them to `problems`."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.currencies: dict[str, Object] = {}
        """The first object with money in each."""

    def number(self, one: Object, name: str, data: Mapping[str, Any] | None = None) -> Fraction | None:
        """A number, not below 0; None where there is none, and a problem where it is not one."""
        value = (one.data if data is None else data).get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and len(value) <= MAX_NUMBER and _NUMERIC.fullmatch(value):
            number = Fraction(value)
            if number >= 0:
                return number
        rule = f"{name} must be a number of 0 or above in digits, with at most ten decimals"
        self.problems.append(one.problem(rule, "correct it", name, str(value)))
        return None

    def money(self, one: Object, name: str, data: Mapping[str, Any] | None = None) -> Fraction | None:
        """An amount of money; its currency is noted."""
        value = (one.data if data is None else data).get(name)
        if not isinstance(value, dict):
            return None
        amount = self.number(one, "amount", value)
        if amount is not None:
            currency = value.get("currency")
            if isinstance(currency, str):
                self.currencies.setdefault(currency, one)
        return amount

    def ratio(self, one: Object, value: Any) -> Fraction | None:
        """A numerator by its denominator; None where one of them is missing or 0."""
        if not isinstance(value, dict):
            return None
        over, under = self.number(one, "numerator", value), self.number(one, "denominator", value)
        return over / under if over and under else None


def cell_of(value: Fraction | None) -> str:
    """A number as a cell has it: in digits where they end, else as a fraction."""
    return "" if value is None else exact_text(value) or str(value)


def rounding_of(value: Any) -> str:
    """A rounding of the format as a cell has it; "" for any other."""
    try:
        return RoundingType.parse(value).value if isinstance(value, str) else ""
    except ValueError:
        return ""


def same_ratio(ratio: Fraction, written: Any, computed: Fraction) -> bool:
    """Whether a ratio is the one computed, as exact as it is written."""
    decimals = len(written["numerator"].partition(".")[2])
    unit = Fraction(1, 10**decimals) / Fraction(written["denominator"])
    return ratio == computed or (decimals > 0 and abs(ratio - computed) < unit)


def below(cells: Mapping[str, str], price: Fraction) -> bool:
    """Whether a security is issued below a price, or may be."""
    try:
        each = cells.get("consideration_per_share")
        if each:
            return exact(each) < price
        shares = exact(cells["shares"])
        if "consideration" in cells:
            return exact(cells["consideration"]) < price * shares
        return exact(cells.get("paid", "0")) + exact(cells["exercise_price"]) * shares < price * shares
    except (KeyError, ValueError, ZeroDivisionError):
        return True


def written_ratio(ratio: Fraction, row: Mapping[str, str]) -> str:
    """A ratio as a document would write it: with the decimals of the charter, where those say all of it; else with
    so many that it is seen to be exact."""
    digits = exact_text(ratio)
    own = len(digits.partition(".")[2]) if digits else MAX_WRITTEN_DECIMALS
    decimals = row.get("ratio_decimals", "")
    charter = int(decimals) if re.fullmatch("[0-9]{1,2}", decimals) else PADDED
    places = min(max(own, charter), MAX_WRITTEN_DECIMALS)
    rounding = rounding_of(row.get("ratio_rounding_type")) or RoundingType.HALF_UP.value
    return to_text(round_to(ratio, places, RoundingType(rounding)), places)
