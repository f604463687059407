"""Figures as a document states them: the digits written count, they say how exact the figure claims to be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from xl_conversion.core.rounding import shown, to_text

_WRITTEN = re.compile(
    r"(?P<sign>[-+]?)\s?(?:[A-Z]{0,3}[$€£¥]|[A-Z]{3}|)\s?"
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+|(?=\.\d))(?:\.(?P<part>\d*))?\Z",
    re.ASCII,
)
MAX_WRITTEN = 60
MAX_WRITTEN_DECIMALS = 15


class Item(StrEnum):
    """What a stated figure is: a letter of the weighted average fraction, a result, or a fact of a security."""

    A = "A"
    B = "B"
    C = "C"
    NUMERATOR = "numerator"
    X = "X"
    Y = "Y"
    DENOMINATOR = "denominator"
    CONVERSION_PRICE = "conversion_price"
    CONVERSION_RATIO = "conversion_ratio"
    PREFERRED_SHARES = "preferred_shares"
    COMMON_SHARES = "common_shares"
    DATE = "date"


OF_SECURITIES = (Item.PREFERRED_SHARES, Item.COMMON_SHARES)
"""Items that are stated of one security, the subject."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One figure as written; `reference` is what another document says of the same."""

    event: str
    item: Item
    text: str
    subject: str = ""
    source: str = ""
    reference: str = ""
    reference_source: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A number as written: its value and the decimals that were written."""

    value: Fraction
    decimals: int

    @property
    def half_unit(self) -> Fraction:
        """Half of the last digit written: how far a figure may be off and still be written so."""
        return Fraction(1, 2 * 10**self.decimals)


def read_written(text: str) -> Written | None:
    """The number in `text`, which may carry a currency and thousands commas; None where there is none.

    >>> read_written("$2.00")
    Written(value=Fraction(2, 1), decimals=2)
    >>> read_written("US$.10")
    Written(value=Fraction(1, 10), decimals=2)
    >>> read_written("36,520,262").half_unit
    Fraction(1, 2)
    >>> read_written("January 28, 2001") is None, read_written("36,52") is None
    (True, True)
    """
    match = _WRITTEN.match(text.strip()) if len(text) <= MAX_WRITTEN else None
    if match is None:
        return None
    part = match["part"] or ""
    value = Fraction(int(match["whole"].replace(",", "") + part), 10 ** len(part))
    return Written(-value if match["sign"] == "-" else value, len(part))


def with_commas(value: Fraction, decimals: int) -> str:
    """`value` as a document writes it.

    >>> with_commas(Fraction(36520263), 0), with_commas(Fraction("3.205"), 3), with_commas(Fraction(-149994), 0)
    ('36,520,263', '3.205', '-149,994')
    """
    return separated(to_text(value, decimals))


def shown_with_commas(value: Fraction, places: int = 3) -> str:
    """`value` for a reader of a sentence: cut after `places` decimals, with an ellipsis where there are more.

    >>> shown_with_commas(Fraction("36520262.5553")), shown_with_commas(Fraction(-9))
    ('36,520,262.555...', '-9')
    """
    text = separated(shown(abs(value), places))
    return f"-{text}" if value < 0 else text


def separated(text: str) -> str:
    """A number in digits with commas between the thousands.

    >>> separated("-1234.5"), separated("1277354.5553822152..."), separated("0.12345")
    ('-1,234.5', '1,277,354.5553822152...', '0.12345')
    """
    whole, point, part = text.partition(".")
    if len(whole) < 4:
        return text
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.removeprefix('-')):,}{point}{part}"
